# SPDX-License-Identifier: BSD-2-Clause
"""Random templates and contexts. The same random.Random gives the same ones.

An expression is made for the kind of value that its place wants (number, text, list, map, truth),
and sometimes for another kind: most templates have a result, and some fail. A few are mangled
afterwards, so that also the grammar refuses some.
"""
import json
import re

WORDS = ["hello", "a b", "été", "Ωμέγα", "x,y,z", "one-two", "Straße", "  padded ", "日本語",
         "\U0001f600!", "it's", 'say "hi"', "a\\b", "10%", "line\nbreak", "tab\there", "}}", "\x01",
         "", "0", "7", "-3.5", " 1.5e3 ", "007", "12 days", "2025-03-01T08:30:00Z", "2024-02-29",
         '{"p":[1,2]}', "[1,", "null", "Žď"]
NUMBERS = [0, 1, 2, 3, 5, 7, -1, -4, 10, 100, 0.5, 1.25, -2.75, 0.1, 1e3, 1e21, 1.5e-7, 2**31,
           2**53 + 1, 2**63 - 1, -2**63, 123456789012345678, -9007199254740993]
SEPARATORS = ["','", "' '", "''", "'-'", "'l'", "'é'", "', '"]
PATTERNS = ["'l+'", "'(a|e)(.)?'", "'^h'", "'\\d+'", "'[a-z]+$'", "'(x)?(.)'", "'z'", "''",
            "'\\\\s'", "'(\\w)-(\\w)'", "'é'"]
REPLACEMENTS = ["''", "'-'", "'<$1>'", "'\\1\\1'", "'$0!'", "'${1}0'"]
DATES = ["'2025-03-01T08:30:05.123456Z'", "'2025-12-31 23:05'", "'2024-02-29'",
         "'1999-01-01 00:00:00'", "'2025-12-31T12:05:09+02:00'", "'2025-02-30'", "'soon'", "now",
         "0", "86399", "nil"]
DATE_FORMATS = ["'Y-m-d H:i:s'", "'M j, Y g:i A'", "'D N'", "'\\Y Y'", "'g A, d/m'", "'été Y'"]
FORMATS = [("'%d'", "number"), ("'%03d|'", "number"), ("'%s!'", "any"), ("'%5s|%-5s|'", "pair"),
           ("'%.2s'", "text"), ("'%.1f'", "number"), ("'%x %d%%'", "pair"), ("'plain'", "any"),
           ("'%s%s'", "text"), ("'%+d'", "number")]
# By kind: names and paths that have such a value, unless the context was changed.
PLACES = {
    "number": ["n", "z", "h", "big", "o.n", "l.0", "rows.1.id", "q.count", "q.0.id", "n-1",
               "deep.1"],
    "text": ["a", "s", "w", "e", "zero", "o.k", "o.with-hyphen", "u", "rows.0.title", "o.in",
             "now"],
    "list": ["l", "rows", "none", "q", "o.list", "q.results", "words", "deep"],
    "map": ["o", "rows.0", "q", "{}", "m", "q.1"],
    "truth": ["t", "f", "rows.0.done"],
    "any": ["nil", "missing", "missing.path.0", "o.nope", "l.9", "a.k", "n.0.0", "deep.0.0",
            "q.nope"],
}
KINDS = ["number", "text", "list", "map", "truth"]


def context(random):
    """The names of PLACES, and some of them have a value of another kind."""
    def number():
        return random.choice(NUMBERS)

    def word():
        return random.choice(WORDS)

    def anything():
        return random.choice([number(), word(), None, True, False, [], {}, [number(), word()]])
    rows = [{"id": number(), "title": word(), "done": random.choice([True, False])}
            for _ in range(3)]
    root = {"n": number(), "z": 0, "h": 1.5, "big": random.choice([2**62, -2**63, 2**53 + 1]),
            "n-1": number(), "a": "hello", "s": "7", "w": word(), "e": "", "zero": "0",
            "u": "héllo wörld", "l": [number() for _ in range(random.randrange(4))], "none": [],
            "rows": rows, "words": [word() for _ in range(3)], "deep": [[["x"], word()], number()],
            "o": {"k": word(), "n": number(), "with-hyphen": word(), "in": "word", "2": "two",
                  "list": [anything(), anything()]}, "m": {word(): anything(), "b": anything()},
            "q": {"results": rows[:2], "fragments": rows[:1], "count": 2},
            "t": True, "f": False, "nil": None, "now": "2025-03-01T08:30:00.000000Z"}
    for name in random.sample(sorted(root), 2):
        if name not in ("q", "now") and random.random() < 0.5:
            root[name] = anything()
    return root


def quoted(random, word):
    quote = random.choice("'\"")
    return quote + word.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


class Writer:
    def __init__(self, random):
        self.random, self.variables, self.loops = random, [], 0

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *choices):
        return self.random.choice(choices)

    # ---- expressions

    def expression(self, kind="any", depth=3):
        if kind == "any" or self.chance(0.08):
            kind = self.pick(*KINDS, "any")
        if self.chance(0.08) and depth > 0:
            return "%s ? %s : %s" % (self.logic(depth - 1), self.operand(kind, depth - 1),
                                     self.operand(kind, depth - 1))
        if kind == "truth":
            return self.logic(depth)
        if kind in ("number", "text", "list") and depth > 0 and self.chance(0.3):
            return self.calculation(kind, depth)
        return self.piped(kind, depth)

    def logic(self, depth):
        if depth <= 0 or self.chance(0.4):
            return self.comparison(depth)
        sign = self.pick("and", "or", "and", "or", "not")
        if sign == "not":
            return "not " + self.logic(depth - 1)
        return "%s %s %s" % (self.logic(depth - 1), sign, self.logic(depth - 1))

    def comparison(self, depth):
        if self.chance(0.3):
            return self.piped("truth", depth)
        if self.chance(0.15):
            return self.piped("any", depth) + " is defined"
        if self.chance(0.3):
            return "%s %s %s" % (self.sum("any", depth), self.pick("in", "not in"),
                                 self.sum(self.pick("list", "text", "map"), depth))
        kind = self.pick("number", "text", "any")
        return "%s %s %s" % (self.sum(kind, depth), self.pick("==", "!=", "<", ">", "<=", ">="),
                             self.sum(kind, depth))

    def sum(self, kind, depth):
        is_sum = depth > 0 and kind in ("number", "text") and self.chance(0.25)
        return (self.calculation if is_sum else self.piped)(kind, depth - 1)

    def calculation(self, kind, depth):
        signs = ["+", "-", "*", "/"] if kind == "number" else ["+"]
        parts = [self.piped(kind, depth - 1)]
        for _ in range(self.pick(1, 1, 2, 3)):
            other = self.pick(*PLACES["any"], "t", "e") if self.chance(0.1) else \
                self.piped(kind, depth - 1)
            parts += [self.pick(*signs), other]
        return " ".join(parts)

    def operand(self, kind, depth):
        """Something that can stand as a part: with parentheses where it needs them."""
        if self.chance(0.6):
            return self.piped(kind, depth)
        return "(%s)" % self.expression(kind, depth)

    def piped(self, kind, depth):
        if depth <= 0 or self.chance(0.5):
            return self.primary(kind, depth)
        makers = {"number": self.to_number, "text": self.to_text, "list": self.to_list,
                  "map": self.to_map, "truth": self.to_truth}
        return makers.get(kind, self.to_any)(depth - 1)

    def filtered(self, kind, depth, *filters):
        return "%s%s%s" % (self.piped(kind, depth), self.pick(" | ", "|", " |\n"),
                           self.pick(*filters))

    def argument(self, kind, depth=0):
        """What may follow the colon of a filter."""
        value = self.primary(kind, depth)
        return value + " + " + self.primary(kind, 0) if self.chance(0.1) else value

    def called(self, name, *arguments):
        if self.chance(0.25):
            return "%s(%s)" % (name, ", ".join(arguments))
        return "%s: %s" % (name, ", ".join(arguments))

    def small(self):
        return str(self.pick(0, 1, 2, 3, 4, -1, -2))

    def to_number(self, depth):
        if self.chance(0.3):
            return self.filtered("any", depth, "length", "int", "float")
        if self.chance(0.5):
            return self.filtered("list", depth, "length", "first", "last")
        return self.filtered("any", depth, "int", self.called("default", self.argument("number")))

    def to_text(self, depth):
        if self.chance(0.1):
            return "%s | %s" % (self.pick(*DATES), self.called("date", self.pick(*DATE_FORMATS)))
        if self.chance(0.1):
            pattern, kind = self.pick(*FORMATS)
            value = "[%s, %s]" % (self.primary("number", 0), self.primary("number", 0)) \
                if kind == "pair" else self.argument(kind)
            return "%s | %s" % (pattern, self.called("sprintf", value))
        if self.chance(0.15):
            return self.filtered("list", depth, "join", self.called("join", self.pick(*SEPARATORS)))
        if self.chance(0.15):
            return self.filtered("any", depth, "json", "json_encode", "trim", "upper", "slug",
                                 "length", self.called("default", self.argument("text")))
        return self.filtered(
            "text", depth, "trim", "upper", "lower", "capitalize", "slug", "first", "last",
            self.called("append", self.argument("any")), self.called("truncate", self.small()),
            self.called("take", self.small()), self.called("slice", self.small(), self.small()),
            self.called("slice", self.small()),
            self.called("str_pad_left", self.pick("0", "7", "12"), self.pick("'0'", "'ab'", "'é'")),
            self.called("default", self.argument("text")),
            self.called("regex_replace", self.pick(*PATTERNS), self.pick(*REPLACEMENTS)))

    def to_list(self, depth):
        if self.chance(0.4):
            return self.filtered(
                "text", depth, self.called("split", self.pick(*SEPARATORS)),
                self.called("split", self.pick(*SEPARATORS), self.pick("1", "2", "3")),
                self.called("regex_extract", self.pick(*PATTERNS)),
                self.called("regex_find_all", self.pick(*PATTERNS)))
        return self.filtered(
            "list", depth, self.called("append", self.argument("any", 1)),
            self.called("take", self.small()), self.called("slice", self.small(), self.small()),
            self.called("merge", self.argument("list", 1)),
            self.called("default", self.argument("list", 1)))

    def to_map(self, depth):
        if self.chance(0.3):
            return self.filtered("map", depth, "json | from_json", "json_encode|from_json")
        return self.filtered("map", depth, self.called("merge", self.argument("map", 1)),
                             self.called("default", self.argument("map", 1)))

    def to_truth(self, depth):
        return self.filtered("text", depth, self.called("regex_test", self.pick(*PATTERNS)))

    def to_any(self, depth):
        return self.filtered(
            "any", depth, "from_json", "first", "last", "json | from_json",
            self.called("ternary", self.argument("any"), self.argument("any")),
            self.called("default", self.argument("any", 1)))

    def primary(self, kind, depth):
        if kind == "any":
            kind = self.pick(*KINDS, "any", "any")
        if self.variables and self.chance(0.25):
            return self.pick(*self.variables)
        if depth > 0 and self.chance(0.15):
            return "(%s)" % self.expression(kind, depth - 1)
        if self.chance(0.05):
            enclosed = self.literal(self.pick("list", "map"), depth)
            return enclosed + self.pick(".0", ".1", ".k", ".name")
        if kind == "number" and self.chance(0.05):
            return "-" + self.pick(*PLACES["number"])
        if self.chance(0.5):
            return self.pick(*PLACES[kind])
        return self.literal(kind, depth)

    def literal(self, kind, depth):
        if kind == "number":
            return self.pick("0", "1", "2", "3", "10", "0.5", "1.50", "-3", "- 2",
                             "9007199254740993", "9223372036854775807")
        if kind == "text":
            return quoted(self.random, self.pick(*WORDS))
        if kind == "list":
            return self.enclosed("[]", [self.element(depth) for _ in range(self.pick(0, 1, 2, 3))])
        if kind == "map":
            return self.enclosed("{}", [self.pair(depth) for _ in range(self.pick(0, 1, 2))])
        return self.pick("true", "false", "null")

    def enclosed(self, brackets, parts):
        comma = "," if parts and self.chance(0.05) else ""
        return brackets[0] + ", ".join(parts) + comma + brackets[1]

    def element(self, depth):
        return self.expression("any", depth - 2) if depth > 0 else self.literal("number", 0)

    def pair(self, depth):
        key = self.pick("'k'", '"b c"', "name", "with-hyphen", "(a)", "(n)", "'é'")
        return "%s: %s" % (key, self.element(depth))

    # ---- statements

    def template(self):
        if self.chance(0.35):
            return self.pick("", "", "", " ", "{# c #}") + self.output()
        return self.statements(2)

    def statements(self, depth):
        return "".join(self.statement(depth) for _ in range(self.pick(1, 2, 2, 3, 4)))

    def statement(self, depth):
        choices = [self.words, self.words, self.output, self.output, self.comment, self.set_tag]
        if depth > 0:
            choices += [self.if_tag, self.for_tag, self.if_tag, self.for_tag]
        if self.loops:
            choices += [self.break_tag]
        choice = self.pick(*choices)
        return choice(depth) if choice in (self.if_tag, self.for_tag) else choice()

    def words(self):
        return self.pick("text", " ", "\n", "- x\n", "  ", "\n\n", "été ", "{ a }", "}} %}", "\r\n",
                         "\t", "end\n")

    def output(self):
        blank = self.pick("", " ", " ", "\n")
        value = self.expression("any")
        return "{{%s%s%s}}" % (blank or " ", value, blank or " ")

    def comment(self):
        return self.alone("{#%s#}" % self.pick("", " c ", " {{ x }} ", " a\nb ", " {% if %} "))

    def alone(self, tag):
        """Sometimes on a line of its own."""
        before = self.pick("", "", "\n", "\n  ", " ")
        return before + tag + self.pick("", "", "\n", " \n", "\r\n", " ")

    def tag(self, inside):
        blank = self.pick("", " ", " ", "\n")
        return self.alone("{%%%s%s%s%%}" % (blank, inside, blank or " "))

    def set_tag(self):
        name = self.pick("x", "y", "n", "l", "x2")
        value = self.expression("any")
        if name in self.variables and self.chance(0.4):
            value = "%s | append: %s" % (name, self.argument("any"))
        self.variables.append(name)
        return self.tag("set %s = %s" % (name, value))

    def if_tag(self, depth):
        parts = [self.tag("if " + self.expression("truth")), self.statements(depth - 1)]
        if self.chance(0.3):
            parts += [self.tag(self.pick("elif ", "elsif ") + self.expression("truth")),
                      self.statements(depth - 1)]
        if self.chance(0.4):
            parts += [self.tag("else"), self.statements(depth - 1)]
        return "".join(parts) + self.tag("endif")

    def for_tag(self, depth):
        name = self.pick("x", "y", "item", "l")
        values = self.expression("list")
        self.variables.append(name)
        self.loops += 1
        body = self.statements(depth - 1)
        self.loops -= 1
        return self.tag("for %s in %s" % (name, values)) + body + self.tag("endfor")

    def break_tag(self):
        if self.chance(0.5):
            return self.tag("break")
        return self.tag("if " + self.expression("truth")) + self.tag("break") + self.tag("endif")


def mangle(random, template):
    """Removes, doubles or replaces one token."""
    tokens = re.findall(r"\w+|\s+|\{\{|\}\}|\{%|%\}|.", template, re.DOTALL)
    if not tokens:
        return template
    at = random.randrange(len(tokens))
    other = random.choice([" ", ":", ",", "|", "(", ")", "'", ".", "not", "in", "?", "}", "{", "-",
                           "1"])
    tokens[at] = random.choice(["", tokens[at] * 2, random.choice(tokens), other])
    return "".join(tokens)


def case(random):
    """{"template": ..., "root": ...}"""
    template = Writer(random).template()
    if random.random() < 0.15:
        template = mangle(random, template)
    return {"template": template, "root": json.loads(json.dumps(context(random)))}
