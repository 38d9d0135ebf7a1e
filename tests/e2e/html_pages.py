# SPDX-License-Identifier: BSD-2-Clause
"""Reads the HTML page of `steptrace report --html` for tests, with Python's own parser.

    page = html_pages.Page(text)
    page.tables["commands"][0]["p95_ns"]    Cell: the exact value, and the text that is shown
"""
import html.parser
import re

# Elements without an end tag.
VOID = {"meta", "link", "img", "br", "hr", "input", "base"}
# What the page consists of. A text of a recording adds no element and no attribute.
ELEMENTS = set("""html head meta title style body header main footer nav section article figure
details summary div p ul li dl dt dd h1 h2 h3 a b em code span small table thead tbody tr th td svg
rect path script""".split())
ATTRIBUTES = set("""lang charset http-equiv content name class id href scope tabindex role
aria-label aria-labelledby aria-hidden data-name data-value data-table viewbox preserveaspectratio
x y width height d open""".split())


class Node:
    def __init__(self, name, attributes, parent):
        self.name, self.attributes, self.parent = name, dict(attributes), parent
        self.children = []  # nodes and texts

    def all(self, *names):
        """The nodes below with one of these names, in their order."""
        for child in self.children:
            if isinstance(child, Node):
                if child.name in names:
                    yield child
                yield from child.all(*names)

    def text(self):
        """Without the titles of pictures."""
        return "".join(child if isinstance(child, str) else child.text()
                       for child in self.children if isinstance(child, str) or child.name != "svg")

    def with_data(self):
        """The nodes below with a data-name."""
        return [node for node in self.all(*ELEMENTS) if "data-name" in node.attributes]


class Cell:
    """`value` is the exact one, or None."""

    def __init__(self, node):
        value = node.attributes.get("data-value")
        self.node, self.value, self.text = node, None if value is None else int(value), node.text()


class Page(html.parser.HTMLParser):
    """The tree of a page; an AssertionError where a tag is not closed or not known."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.now = Node("", (), None)
        self.feed(text)
        self.close()
        assert self.now is self.root, "not closed: <%s>" % self.now.name

    def handle_starttag(self, tag, attrs):
        assert tag in ELEMENTS | {"title"}, "an element <%s>" % tag
        for name, _ in attrs:
            assert name in ATTRIBUTES, "an attribute %s" % name
        self.now.children.append(Node(tag, attrs, self.now))
        if tag not in VOID:
            self.now = self.now.children[-1]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert tag == self.now.name, "</%s> ends <%s>" % (tag, self.now.name)
        self.now = self.now.parent

    def handle_data(self, data):
        self.now.children.append(data)

    def handle_comment(self, data):
        raise AssertionError("a comment: " + data)

    # ---- what the page says

    def of_id(self, name):
        return next((node for node in self.root.all("section")
                     if node.attributes.get("id") == name), None)

    @property
    def sections(self):
        return [node.attributes["id"] for node in self.root.all("section")]

    @property
    def figures(self):
        """The main figures by name."""
        holder = next(self.root.all("dl"))
        return {node.attributes["data-name"]: Cell(node) for node in holder.with_data()}

    def table_nodes(self, name):
        return [node for node in self.root.all("table")
                if node.attributes["data-table"] == name]

    @staticmethod
    def rows_of(table):
        body = next(table.all("tbody"))
        return [{node.attributes["data-name"]: Cell(node) for node in row.with_data()}
                for row in body.all("tr")]

    @property
    def tables(self):
        """The rows of each table by the name of the table: cells by name."""
        return {node.attributes["data-table"]: self.rows_of(node)
                for node in self.root.all("table")}


# ---- numbers that are shown

UNITS_NS = {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
            "d": 86400 * 10**9}


def is_shown_as(value, text, whole=None):
    """Whether the text says the value: a number, a duration or a share of `whole`."""
    text = text.replace("\u00a0", " ").strip()
    if text == "–":
        return whole == 0  # a share of nothing
    if text.endswith("%"):
        return abs(value * 100 / whole - float(text[:-1])) <= 0.0500001
    if re.fullmatch(r"[0-9,]+", text):
        return value == int(text.replace(",", ""))
    parts = re.findall(r"([0-9.]+) ?(ns|µs|ms|s|m|h|d)", text)
    shown_ns = sum(float(number) * UNITS_NS[unit] for number, unit in parts)
    smallest_ns = UNITS_NS[parts[-1][1]]
    if len(parts) == 2:
        return 0 <= value - shown_ns < smallest_ns
    return abs(value - shown_ns) <= max(value * 0.0051, 0.5)
