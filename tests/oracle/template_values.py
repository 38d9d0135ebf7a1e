# SPDX-License-Identifier: BSD-2-Clause
"""What values mean in templates, for the oracle: truth, text, number, equality, order.

Values are those of Python's json module. A path that leads nowhere is MISSING until its value is
used; then it is null.
"""
import json
import re

MISSING = object()
INTEGERS = range(-2**63, 2**63)
EXACT_IN_A_FLOAT = 2**53
NUMERIC = re.compile(r"[ \t\r\n]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[ \t\r\n]*",
                     re.ASCII)


class Failure(Exception):
    """The template, or one of its values, is wrong."""


class Unsure(Exception):
    """The oracle knows no result: the test leaves the template out."""


def plain(value):
    return None if value is MISSING else value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def canonical(number):
    """Whole numbers are int: exact up to 64 bits, or what a float still holds exactly."""
    if isinstance(number, int) and number not in INTEGERS:
        raise Failure("more than 64 bits")
    if number != number or number in (float("inf"), float("-inf")):
        raise Failure("not a finite number")
    return int(number) if number == int(number) and abs(number) <= EXACT_IN_A_FLOAT else number


def number_of_digits(digits):
    return canonical(int(digits) if re.fullmatch(r"[+-]?\d+", digits) else float(digits))


def number_of_text(shown):
    """The number that the whole text is; None: it is none. Only plain digits are exact."""
    found = NUMERIC.fullmatch(shown)
    if not found:
        return None
    is_exact = re.fullmatch(r"[+-]?\d+", found[1]) and int(found[1]) in INTEGERS
    number = int(found[1]) if is_exact else float(found[1])
    return number if abs(number) < float("inf") else None


def numeric(value):
    """The number that a number or a numeric text is; None: it is neither."""
    if isinstance(value, str):
        return number_of_text(value)
    return canonical(value) if is_number(value) else None


def number_wanted(value):
    """For calculations and arguments: null and empty text are 0, true is 1."""
    if value in (None, "") or isinstance(value, bool):
        return int(value or 0)
    number = numeric(value)
    if number is None:
        raise Failure("not a number")
    return number


def number_text(number):
    """The shortest digits that read back the same."""
    number = canonical(number)
    if isinstance(number, int):
        return str(number)
    shown = ("%.*g" % (digits, number) for digits in range(1, 18))
    return next(text for text in shown if float(text) == number)


def json_text(value):
    if isinstance(value, list):
        return "[%s]" % ",".join(map(json_text, value))
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (json_text(key), json_text(value[key])) for key in value)
    return number_text(value) if is_number(value) else json.dumps(value, ensure_ascii=False)


def text(value):
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return value if isinstance(value, str) else json_text(value)


def is_true(value):
    if isinstance(value, str):
        return value not in ("", "0")
    return bool(value)


def as_list(value):
    """The list that a value is: itself, or the rows of a query's result; None: it is no list."""
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        return value["results"]
    return value if isinstance(value, list) else None


def items(value):
    """What a loop runs over. Whatever is false is empty."""
    if not is_true(value):
        return []
    if as_list(value) is not None:
        return as_list(value)
    if isinstance(value, dict):
        return list(value.values())
    raise Failure("not a list")


def step(value, name):
    """The member or the item with that name; MISSING: there is none."""
    if isinstance(value, dict) and name in value:
        return value[name]
    rows = as_list(value)
    if rows is not None and name.isdecimal() and int(name) < len(rows):
        return rows[int(name)]
    return MISSING


def pair_of_numbers(a, b):
    """Both as numbers, or None. Two int are compared exactly, all others as float."""
    pair = [int(side) if isinstance(side, bool) else numeric(side) for side in (a, b)]
    if None in pair:
        return None
    return pair if all(isinstance(side, int) for side in pair) else list(map(float, pair))


def is_equal(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_equal(a[key], b[key]) for key in a)
    pair = pair_of_numbers(a, b) if is_number(a) or is_number(b) else None
    return pair[0] == pair[1] if pair else text(a) == text(b)


def order(a, b):
    """Below 0, 0 or above 0."""
    pair = pair_of_numbers(a, b) or (text(a).encode(), text(b).encode())
    return (pair[0] > pair[1]) - (pair[0] < pair[1])


def contains(value, item):
    if as_list(value) is not None:
        return any(is_equal(other, item) for other in as_list(value))
    if isinstance(value, dict):
        return isinstance(item, str) and item in value
    return isinstance(value, str) and item is not None and text(item) in value


def length(value):
    if as_list(value) is not None:
        return len(as_list(value))
    return len(value if isinstance(value, dict) else text(value))


# ---- calculation

def calculate(sign, a, b):
    a, b = number_wanted(a), number_wanted(b)
    if sign == "/":
        if b == 0:
            raise Failure("division by zero")
        is_exact = isinstance(a, int) and isinstance(b, int) and a % b == 0
        return canonical(a // b if is_exact else float(a) / float(b))
    return canonical({"+": a + b, "-": a - b, "*": a * b}[sign])


def add(a, b):
    """Two lists become one; a number and something numeric are added; the rest is text."""
    if isinstance(a, list) and isinstance(b, list):
        return a + b
    if (is_number(a) or is_number(b)) and None not in (numeric(a), numeric(b)):
        return calculate("+", a, b)
    return text(a) + text(b)
