# SPDX-License-Identifier: BSD-2-Clause
"""A second implementation of the template language, to compare the engine with.

It is as simple as can be: it evaluates while it parses. What is not to be evaluated (a branch that
is not taken, the right side of an `or` that is decided) is parsed while live() is false: values are
null then, and only the grammar fails.

It was written from the description of the language, not from the engine. Where the description says
nothing, the oracle does what the engine does:

    grammar     '-' before an operand binds tighter than '|'. A comma may follow the last item.
                Between '?' and ':', a colon after a filter that needs no argument is the ternary's.
                A name has hyphens inside, also several: a--b.
    names       `set` of a missing path defines the name, as null. The variable of a loop has its
                former value after the loop. A ternary of a missing path is missing.
    numbers     A whole number of more than 64 bits is an error, as a literal and as a result. In a
                calculation null and '' are 0, and true is 1. '+' adds if one side is a number and
                the other a number or numeric text; it never adds booleans. Text is exact only if
                it is plain digits. Fractions and floats above 2^53 are printed as by %.17g or
                shorter.
    equality    Numbers, numeric texts and booleans by value if one side is a number; the rest by
                text: [1] == '[1]', null == ''. Order: the same, also without a number.
    in          null is in no text. A key of a map is a text. A number contains nothing.
    maps        A key that stands twice keeps its last value and place. take, slice and truncate cut
                a map as text; first, last and join use its values.
    query       append, sprintf, '+' and merge see an object in the result of a query; first, last,
                take, slice, join, length, `in` and `for` see its rows.
    for, merge  Whatever is false is empty. Another value that is no list or map is an error.
    filters     int and float of a list or map: 1, or 0 if it is empty. '' split by '' is ['']. A
                limit of split below 1 is none, and so is null as the length of slice. '' is no
                number as an argument. Groups at the end that take no part in a match are left
                out. The number in $1, ${1} and \\1 has at most two digits. date: 2025-02-30 is
                2 March, what is no time is null, an offset changes nothing. from_json: what is no
                JSON is null.
"""
import re

from template_filters import FILTERS
from template_values import (MISSING, Failure, add, calculate, contains, is_equal, is_true, items,
                             number_of_digits, number_wanted, order, plain, step, text)

KEYWORDS = {"and", "or", "not", "in", "is"}
CONSTANTS = {"true": True, "false": False, "null": None}
NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:-+[A-Za-z0-9_]+)*"
STRING = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
TOKEN = re.compile(r"\s*(?:(?P<text>%s)|(?P<number>\d+(?:\.\d+)?)|(?P<name>%s)"
                   r"|(?P<sign>==|!=|>=|<=|[-+*/<>=|?:.,()\[\]{}]))" % (STRING, NAME),
                   re.ASCII | re.DOTALL)
MEMBER = re.compile(r"\s*(?:(?P<number>\d+)|(?P<name>%s))" % NAME, re.ASCII)


# ---- from text to pieces and tokens

def end_of_braces(source, at, sign):
    """Where the text after {{ or {% ends; quoted strings and balanced braces are skipped."""
    depth = 0
    while at < len(source):
        quoted = re.compile(STRING, re.DOTALL).match(source, at)
        if quoted:
            at = quoted.end()
        elif source[at] in "'\"":
            break
        elif depth == 0 and source.startswith(sign, at):
            return at
        else:
            depth += (source[at] == "{") - (source[at] == "}" and depth > 0)
            at += 1
    raise Failure("no closing " + sign)


def split_pieces(source):
    """[(kind, text)], kind is "text", "output", "tag" or "comment"."""
    pieces, at = [], 0
    for_sign = {"{{": ("output", "}}"), "{%": ("tag", "%}"), "{#": ("comment", "#}")}
    while at < len(source):
        opening = re.compile(r"\{[{%#]").search(source, at)
        start = opening.start() if opening else len(source)
        if start > at:
            pieces.append(("text", source[at:start]))
        if not opening:
            break
        kind, sign = for_sign[opening[0]]
        end = source.find("#}", start + 2) if kind == "comment" else \
            end_of_braces(source, start + 2, sign)
        if end < 0:
            raise Failure("no closing #}")
        pieces.append((kind, source[start + 2:end]))
        at = end + 2
    return pieces


def without_lines_of_tags(pieces):
    """Removes the blanks and the line break of each line that holds only tags and comments."""
    kept, line = [], []

    def flush():
        kinds = {kind for kind, _ in line}
        blank = all(not part.strip(" \t\r\n") for kind, part in line if kind == "text")
        drop = blank and "output" not in kinds and kinds & {"tag", "comment"}
        kept.extend(piece for piece in line if not drop or piece[0] != "text")
        line.clear()
    for kind, part in pieces:
        if kind != "text":
            line.append((kind, part))
            continue
        for piece in re.findall(r"[^\n]*\n|[^\n]+", part):
            line.append(("text", piece))
            if piece.endswith("\n"):
                flush()
    flush()
    return kept


def tokens_of(source):
    tokens, at = [], 0
    source = source.rstrip()
    while at < len(source):
        is_member = tokens and tokens[-1] == ("sign", ".")
        found = (MEMBER if is_member else TOKEN).match(source, at)
        if not found:
            raise Failure("not a token: " + source[at:])
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens + [("end", "")]


class Oracle:
    def __init__(self, source, root):
        self.pieces = without_lines_of_tags(split_pieces(source))
        self.root, self.variables = root, {}
        self.at, self.out = 0, []
        self.dead, self.loops, self.is_broken = 0, 0, False
        self.tokens, self.next = [], 0
        self.in_argument = self.in_choice = False

    def live(self):
        return not self.dead and not self.is_broken

    def render(self):
        parts = [piece for piece in self.pieces if piece[0] != "comment"]
        if len(parts) == 1 and parts[0][0] == "output":
            self.tokens = tokens_of(parts[0][1])
            return plain(self.whole_expression())
        self.body(())
        return "".join(self.out)

    # ---- statements

    def body(self, ends):
        """Runs the pieces up to a tag of `ends`, and returns that tag's word."""
        while self.at < len(self.pieces):
            kind, part = self.pieces[self.at]
            self.at += 1
            if kind == "text" and self.live():
                self.out.append(part)
            elif kind in ("output", "tag"):
                self.tokens, self.next = tokens_of(part), 0
                word = self.tag(ends) if kind == "tag" else self.output()
                if word:
                    return word
        if ends:
            raise Failure("a block has no end")
        return None

    def output(self):
        value = self.whole_expression()
        if self.live():
            self.out.append(text(plain(value)))

    def tag(self, ends):
        kind, word = self.take_token()
        if kind == "name" and word in ends:
            return word
        if kind != "name" or word not in ("set", "if", "for", "break"):
            raise Failure("not a tag: " + word)
        getattr(self, "tag_" + word)()
        return None

    def tag_set(self):
        name = self.name()
        self.expect("=")
        value = plain(self.whole_expression())
        if self.live():
            self.variables[name] = value

    def tag_break(self):
        self.end()
        if not self.loops:
            raise Failure("'break' outside 'for'")
        self.is_broken = self.is_broken or self.live()

    def branch(self, is_taken, ends):
        self.dead += not is_taken
        word = self.body(ends)
        self.dead -= not is_taken
        return word

    def tag_if(self):
        is_done, word = False, "if"
        while word in ("if", "elif", "elsif"):
            self.dead += is_done
            truth = is_true(plain(self.whole_expression()))
            self.dead -= is_done
            word = self.branch(truth and not is_done, ("elif", "elsif", "else", "endif"))
            is_done = is_done or truth
        if word == "else":
            self.end()
            self.branch(not is_done, ("endif",))
        self.end()

    def tag_for(self):
        name = self.name()
        self.expect("in")
        values = self.whole_expression()
        start, before = self.at, self.variables.get(name, MISSING)
        values = items(plain(values)) if self.live() else []
        self.loops += 1
        for value in values:
            self.at = start
            self.variables[name] = value
            self.body(("endfor",))
            if self.is_broken:
                break
        if not values:
            self.branch(False, ("endfor",))
        self.loops -= 1
        self.is_broken = self.is_broken and not values
        self.end()
        self.variables[name] = before
        if before is MISSING:
            del self.variables[name]

    # ---- tokens

    def take_token(self):
        token = self.tokens[self.next]
        self.next += token[0] != "end"
        return token

    def sees(self, *spellings):
        kind, spelling = self.tokens[self.next]
        return kind in ("sign", "name") and spelling in spellings

    def accept(self, *spellings):
        return self.take_token()[1] if self.sees(*spellings) else None

    def expect(self, spelling):
        if not self.accept(spelling):
            raise Failure("expected " + spelling)

    def name(self):
        kind, word = self.take_token()
        if kind != "name":
            raise Failure("not a name: " + word)
        return word

    def end(self):
        if self.tokens[self.next][0] != "end":
            raise Failure("more than expected: " + self.tokens[self.next][1])

    # ---- expressions

    def whole_expression(self):
        value = self.expression()
        self.end()
        return value

    def expression_in(self, closing):
        """Between brackets, where the rules for arguments and choices do not apply."""
        before = self.in_argument, self.in_choice
        self.in_argument = self.in_choice = False
        value = self.expression()
        self.in_argument, self.in_choice = before
        return value if closing is None else (self.expect(closing), value)[1]

    def evaluated(self, parse, is_live):
        self.dead += not is_live
        value = parse()
        self.dead -= not is_live
        return value

    def expression(self):
        value = self.any_of()
        if not self.accept("?"):
            return value
        truth, before = is_true(plain(value)), self.in_choice
        self.in_choice = True
        yes = self.evaluated(self.expression, truth)
        self.in_choice = before
        self.expect(":")
        no = self.evaluated(self.expression, not truth)
        return yes if truth else no

    def any_of(self):
        value = self.all_of()
        while self.accept("or"):
            truth = is_true(plain(value))
            other = self.evaluated(self.all_of, not truth)
            value = truth or is_true(plain(other))
        return value

    def all_of(self):
        value = self.negation()
        while self.accept("and"):
            truth = is_true(plain(value))
            other = self.evaluated(self.negation, truth)
            value = truth and is_true(plain(other))
        return value

    def negation(self):
        if self.accept("not"):
            return not is_true(plain(self.negation()))
        return self.comparison()

    def comparison(self):
        value = self.sum()
        if self.accept("is"):
            self.expect("defined")
            return value is not MISSING
        sign = self.accept("==", "!=", ">", "<", ">=", "<=", "in", "not")
        if not sign:
            return value
        if sign == "not":
            self.expect("in")
        a, b = plain(value), plain(self.sum())
        return {"==": lambda: is_equal(a, b), "!=": lambda: not is_equal(a, b),
                ">": lambda: order(a, b) > 0, "<": lambda: order(a, b) < 0,
                ">=": lambda: order(a, b) >= 0, "<=": lambda: order(a, b) <= 0,
                "in": lambda: contains(b, a), "not": lambda: not contains(b, a)}[sign]()

    def sum(self):
        value = self.product()
        while True:
            sign = self.accept("+", "-")
            if not sign:
                return value
            a, b = plain(value), plain(self.product())
            if self.live():
                value = add(a, b) if sign == "+" else calculate(sign, a, b)

    def product(self):
        value = self.piped()
        while True:
            sign = self.accept("*", "/")
            if not sign:
                return value
            a, b = plain(value), plain(self.piped())
            if self.live():
                value = calculate(sign, a, b)

    def piped(self):
        value = self.negative()
        while not self.in_argument and self.accept("|"):
            value = self.filter(value)
        return value

    def filter(self, value):
        name = self.name()
        if name not in FILTERS:
            raise Failure("unknown filter " + name)
        function, fewest, most = FILTERS[name]
        arguments = self.arguments(fewest, most)
        if not fewest <= len(arguments) <= most:
            raise Failure("wrong number of arguments")
        return function(plain(value), *arguments) if self.live() else None

    def arguments(self, fewest, most):
        found = []
        if self.accept("("):
            while not self.accept(")"):
                found.append(plain(self.expression_in(None)))
                if not self.sees(")"):
                    self.expect(",")
        elif self.sees(":") and not (self.in_choice and fewest == 0):
            self.next += 1
            found.append(self.argument())
            while len(found) < most and self.accept(","):
                found.append(self.argument())
        return found

    def argument(self):
        before, self.in_argument = self.in_argument, True
        value = plain(self.sum())
        self.in_argument = before
        return value

    def negative(self):
        if self.accept("-"):
            value = plain(self.negative())
            return calculate("-", 0, number_wanted(value)) if self.live() else None
        return self.postfix()

    def postfix(self):
        value = self.primary()
        while self.accept("."):
            kind, name = self.take_token()
            if kind == "end":
                raise Failure("nothing after the dot")
            value = step(plain(value), name)
        return value

    def primary(self):
        kind, spelling = self.take_token()
        if kind == "text":
            return re.sub(r"\\([\\'\"])", r"\1", spelling[1:-1])
        if kind == "number":
            return number_of_digits(spelling)
        if kind == "name" and spelling not in KEYWORDS:
            return self.named(spelling)
        brackets = {"(": lambda: self.expression_in(")"), "[": self.list, "{": self.map}
        if spelling not in brackets:
            raise Failure("a value is missing")
        return brackets[spelling]()

    def named(self, name):
        if name in CONSTANTS:
            return CONSTANTS[name]
        return self.variables[name] if name in self.variables else step(self.root, name)

    def list(self):
        values = []
        while not self.accept("]"):
            values.append(plain(self.expression_in(None)))
            if not self.sees("]"):
                self.expect(",")
        return values

    def map(self):
        members = {}
        while not self.accept("}"):
            key = self.key()
            self.expect(":")
            members.pop(key, None)
            members[key] = plain(self.expression_in(None))
            if not self.sees("}"):
                self.expect(",")
        return members

    def key(self):
        kind, spelling = self.tokens[self.next]
        if kind == "name":
            return self.take_token()[1]
        if kind == "text" or spelling == "(":
            return text(plain(self.primary()))
        raise Failure("not a key: " + spelling)


def render(source, root):
    """The value of the template; Failure: it cannot be parsed or evaluated."""
    return Oracle(source, root).render()
