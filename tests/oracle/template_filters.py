# SPDX-License-Identifier: BSD-2-Clause
"""The filters of templates, for the oracle: only those whose result depends on nothing else.

A filter is a function of its input and its arguments. FILTERS says how many it takes.
"""
import datetime
import json
import math
import re

from template_values import (Failure, Unsure, as_list, canonical, is_number, is_true, items,
                             json_text, length, number_of_digits, number_of_text, number_wanted,
                             numeric, text)

BLANKS = " \t\r\n"


def whole(value):
    """An argument that has to be a number; null is 0, but empty text is an error."""
    if value == "":
        raise Failure("not a number")
    return max(-10**9, min(10**9, int(number_wanted(value))))


def append(value, item):
    return value + [item] if isinstance(value, list) else text(value) + text(item)


def number_of_json(digits):
    """JSON with a number that is too large is no JSON."""
    try:
        return number_of_digits(digits)
    except Failure:
        raise ValueError(digits) from None


# What the engine's JSON parser accepts although it is no JSON: 007, and tabs inside of a text.
LENIENT = re.compile(r"(?<![\d.])0\d|[\x00-\x1f]")


def from_json(value):
    if not isinstance(value, str):
        return value
    if LENIENT.search(value):
        raise Unsure("lenient JSON")
    try:
        return json.loads(value, parse_int=number_of_json, parse_float=number_of_json,
                          parse_constant=number_of_json)
    except ValueError:
        return None


def merge(value, other):
    """Whatever is false is an empty one of the other's kind."""
    kind = next((type(side) for side in (value, other) if is_true(side)),
                list if isinstance(value, list) else dict)
    sides = [side if is_true(side) else kind() for side in (value, other)]
    if kind not in (dict, list) or type(sides[0]) is not type(sides[1]):
        raise Failure("neither two maps nor two lists")
    return sides[0] + sides[1] if kind is list else {**sides[0], **sides[1]}


# ---- text

def cased(function):
    """A letter whose other case has two letters stays as it is."""
    def change(value):
        return "".join(function(letter) if len(function(letter)) == 1 else letter
                       for letter in text(value))
    return change


upper, lower = cased(str.upper), cased(str.lower)


def capitalize(value):
    return upper(text(value)[:1]) + text(value)[1:]


def pad_left(value, width, pad=" "):
    shown, pad, width = text(value), text(pad), whole(width)
    missing = max(0, width - len(shown))
    return (pad * missing)[:missing] + shown


def slug(value):
    return re.sub(r"[^a-z0-9]+", "-", "".join(
        letter.lower() if letter.isascii() else "-" for letter in text(value))).strip("-")


def truncate(value, count):
    shown, count = text(value), max(0, whole(count))
    return shown if len(shown) <= count else shown[:count] + "..."


def split(value, separator, most=0):
    shown, separator, most = text(value), text(separator), whole(most)
    if most <= 0:
        most = len(shown) + 1
    if separator or not shown:
        return shown.split(separator or None, most - 1) if shown else [""]
    return list(shown[:most - 1]) + [shown[most - 1:]] if len(shown) > most else list(shown)


LEADING = re.compile(r"[ \t\r\n]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)


def leading(value):
    """The number at the beginning of a text; a list or a map is 1 unless it is empty."""
    if isinstance(value, (list, dict)):
        return int(bool(value))
    if is_number(value):
        return value
    found = LEADING.match(text(value))
    if not found:
        return 0
    number = number_of_text(found[1])
    if number is None:
        raise Unsure("a number that is too large")
    return number


def to_int(value):
    number = leading(value)
    if isinstance(number, float):
        number = float(math.trunc(number))
        if abs(number) >= 2**63:
            raise Failure("more than 64 bits")
    return canonical(number)


def to_float(value):
    return float(leading(value))


CONVERSION = re.compile(r"%([-+ 0]*\d*(?:\.\d+)?)([dsfxX%])")


def converted(flags, letter, value):
    if letter == "s":
        return ("%" + flags + "s") % text(value)
    number = leading(value)
    if letter == "f":
        return ("%" + flags + "f") % number
    if letter in "xX" and abs(number) >= 2**63:
        raise Unsure("a number that is too large")
    return ("%" + flags + letter) % int(number)


def sprintf(value, given):
    values = list(given) if isinstance(given, list) else [given]
    if "%" in CONVERSION.sub("", text(value)):
        raise Unsure("a rare conversion")

    def convert(found):
        if found[2] == "%":
            return "%"
        if not values:
            raise Failure("too few values")
        return converted(found[1], found[2], values.pop(0))
    return CONVERSION.sub(convert, text(value))


# ---- lists and texts

def sequence(value):
    """The list or the text that is cut."""
    return as_list(value) if as_list(value) is not None else text(value)


def take(value, count):
    whole_of, count = sequence(value), whole(count)
    return whole_of[:count] if count >= 0 else whole_of[count:]


def slice_of(value, start, count=None):
    whole_of, start, count = sequence(value), whole(start), whole(10**9 if count is None else count)
    start = max(0, len(whole_of) + start) if start < 0 else min(start, len(whole_of))
    end = len(whole_of) + count if count < 0 else start + count
    return whole_of[start:max(start, end)]


def end_of(index):
    def pick(value):
        if not isinstance(value, (list, dict)):
            return text(value)[index:][:1]
        return items(value)[index] if items(value) else None
    return pick


def join(value, separator=", "):
    is_many = isinstance(value, (list, dict))
    return text(separator).join(map(text, items(value))) if is_many else text(value)


# ---- time

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?"
                 r"(?:Z| ?[+-]\d\d:?\d\d)?)?", re.ASCII)
LETTERS = {"Y": "%Y", "m": "%m", "d": "%d", "H": "%H", "i": "%M", "s": "%S", "M": "%b", "A": "%p",
           "D": "%a"}


def moment(value):
    """The time as the text tells it: an offset changes nothing. None: it is no time."""
    start = datetime.datetime(1970, 1, 1)
    if numeric(value) is not None:
        seconds = math.floor(numeric(value))
        if abs(seconds) > 10**10:
            raise Unsure("a remote time")
        return start + datetime.timedelta(seconds=seconds)
    found = ISO.fullmatch(text(value))
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    if not (year and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60
            and second <= 60):
        return None
    return datetime.datetime(year, month, 1, hour, minute) + \
        datetime.timedelta(days=day - 1, seconds=second)


def date(value, pattern):
    when = moment(value)
    numbers = when and {"j": when.day, "g": when.hour % 12 or 12, "N": when.isoweekday()}

    def letter(found):
        if found[1]:
            return found[1]
        if found[0] in numbers:
            return str(numbers[found[0]])
        return when.strftime(LETTERS[found[0]]) if found[0] in LETTERS else found[0]
    return when and re.sub(r"\\(.)|.", letter, text(pattern), flags=re.DOTALL)


# ---- regular expressions: of the simple patterns that mean the same in Python

RARE = re.compile(r"\\[^dswb.\\]|\[\[|\(\?|[*+?}][*+?]|\{|--|&&|~~|\|\|")


def matches(pattern, value):
    if RARE.search(text(pattern)):
        raise Unsure("a rare pattern")
    try:
        return list(re.finditer(text(pattern), text(value), re.ASCII))
    except re.error:
        raise Failure("not a pattern") from None


def groups(found):
    """Without the groups at the end that take no part in the match."""
    last = max([0] + [n for n in range(1, found.re.groups + 1) if found[n] is not None])
    return [group or "" for group in found.groups()[:last]]


def regex_extract(value, pattern):
    found = matches(pattern, value)
    return groups(found[0]) if found else None


def regex_find_all(value, pattern):
    return [[found[0]] + groups(found) for found in matches(pattern, value)]


def regex_replace(value, pattern, replacement):
    shown, done, at = text(value), [], 0
    for found in matches(pattern, value):
        def group(name, found=found):
            number = int(name[1] or name[2] or name[3])
            return found[number] or "" if number <= found.re.groups else ""
        done += [shown[at:found.start()],
                 re.sub(r"\$(\d\d?)|\$\{(\d\d?)\}|\\(\d\d?)", group, text(replacement))]
        at = found.end()
    return "".join(done) + shown[at:]


# name: (function, fewest arguments, most arguments)
FILTERS = {
    "append": (append, 1, 1),
    "capitalize": (capitalize, 0, 0),
    "date": (date, 1, 1),
    "default": (lambda value, other: value if is_true(value) else other, 1, 1),
    "first": (end_of(0), 0, 0),
    "float": (to_float, 0, 0),
    "from_json": (from_json, 0, 0),
    "int": (to_int, 0, 0),
    "join": (join, 0, 1),
    "json": (json_text, 0, 0),
    "json_encode": (json_text, 0, 0),
    "last": (end_of(-1), 0, 0),
    "length": (length, 0, 0),
    "lower": (lower, 0, 0),
    "merge": (merge, 1, 1),
    "regex_extract": (regex_extract, 1, 1),
    "regex_find_all": (regex_find_all, 1, 1),
    "regex_replace": (regex_replace, 2, 2),
    "regex_test": (lambda value, pattern: bool(matches(pattern, value)), 1, 1),
    "slice": (slice_of, 1, 2),
    "slug": (slug, 0, 0),
    "split": (split, 1, 2),
    "sprintf": (sprintf, 1, 1),
    "str_pad_left": (pad_left, 1, 2),
    "take": (take, 1, 1),
    "ternary": (lambda value, yes, no: yes if is_true(value) else no, 2, 2),
    "trim": (lambda value: text(value).strip(BLANKS), 0, 0),
    "truncate": (truncate, 1, 1),
    "upper": (upper, 0, 0),
}
