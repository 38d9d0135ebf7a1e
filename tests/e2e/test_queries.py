# SPDX-License-Identifier: BSD-2-Clause
"""docs/queries.md: each query is executed on a recording, and finds what plain Python finds.

jq and SQLite are tested always. DuckDB and ClickHouse are large packages of npm: `make
test-queries` installs them, and sets STEPTRACE_QUERIES to the folder.
"""
import json
import os
import random
import re
import subprocess
import unittest

import needs
from harness import PATIENCE_S, ROOT, read_events
from query_answers import ANSWERS, ORDERS
from query_recording import QueryRecording

PACKAGES = os.environ.get("STEPTRACE_QUERIES")
RUN_NODE = os.path.join(ROOT, "tests", "e2e", "query.mjs")
SQL_TOOLS = ("DuckDB", "SQLite", "ClickHouse")
AS_TEXT = '.mode list\n.headers off\n.separator "\\t" "\\n"\n'


class Page:
    """The blocks of docs/queries.md: `load` of each tool, and `queries`: the query by the title of
    the section and the tool."""

    def __init__(self):
        self.load, self.queries, self.titles = {}, {}, []
        with open(os.path.join(ROOT, "docs", "queries.md"), encoding="utf-8") as page:
            sections = re.split(r"^## ", page.read(), flags=re.MULTILINE)[1:]
        for section in sections:
            title, blocks = section.split("\n")[0], re.findall(
                r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
            for language, text in blocks:
                self.add(title, language, text)

    def add(self, title, language, text):
        head = text.split("\n")[0]
        if head.endswith(": load"):
            self.load[head[3:].split(":")[0]] = text
            return
        if title not in self.titles:
            self.titles.append(title)
        for tool in ["jq"] if language == "sh" else head[3:].split(", "):
            assert (title, tool) not in self.queries, (title, tool)
            self.queries[title, tool] = text


# ---- rows: the text of each cell; "" is null

def text_of(cell):
    if isinstance(cell, bool):
        return str(int(cell))
    return "" if cell is None else str(cell)


def rows_of_text(text):
    return [line.split("\t") for line in text.splitlines()]


def rows_of_json(text):
    return [[text_of(cell) for cell in json.loads(line)] for line in text.splitlines() if line]


def is_same(cell, expected):
    if isinstance(expected, float) and cell:
        tolerance = getattr(expected, "tolerance", 1e-9 + abs(expected) * 1e-9)
        return abs(float(cell) - expected) <= tolerance
    if isinstance(expected, int) and cell:
        return float(cell) == expected
    return cell == text_of(expected)


def number_or_text(cell):
    try:
        return float(cell)
    except ValueError:
        return cell


class Queries(QueryRecording):
    def setUp(self):
        super().setUp()
        self.page = Page()

    def execute(self, tool, query):
        """The rows that the tool prints."""
        load, options = self.page.load.get(tool), {}
        if tool == "jq":
            command = ["sh", "-c", query]
        elif tool == "SQLite":
            command, options["input"] = ["sqlite3", "-bail", ":memory:"], load + AS_TEXT + query
        else:
            command = ["node", RUN_NODE, tool.lower(), os.path.abspath(PACKAGES)]
            options["input"] = json.dumps([load, query])
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True,
                              timeout=PATIENCE_S, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), query)
        return (rows_of_text if tool in ("jq", "SQLite") else rows_of_json)(done.stdout)

    def check(self, tool, title, events):
        expected = ANSWERS[title](events, tool)
        rows = self.execute(tool, self.page.queries[title, tool])
        self.assertGreater(len(expected), 0)
        self.assertEqual(len(rows), len(expected), rows)
        column, is_descending = ORDERS.get(title, (0, False))
        order = [number_or_text(row[column]) for row in rows]
        self.assertEqual(order, sorted(order, reverse=is_descending))
        for row in rows:
            found = next((other for other in expected if len(other) == len(row) and
                          all(map(is_same, row, other))), None)
            self.assertIsNotNone(found, "%s is none of %s" % (row, expected))
            expected.remove(found)

    def check_all(self, *tools):
        path = self.path("events.ndjson")
        self.make(path)
        events = read_events(path)
        self.check_recording(events)
        for title in self.page.titles:
            for tool in tools:
                with self.subTest(title, tool=tool):
                    self.check(tool, title, events)
        self.check_order_and_copies(path, events, tools)

    def check_recording(self, events):
        """There is something to find."""
        coverage, = ANSWERS["What was lost?"](events, None)
        self.assertEqual(coverage[2:5], [2, 4, 4])
        self.assertEqual(coverage[5], coverage[6])
        for count in coverage[5:9]:
            self.assertGreater(count, 0)
        self.assertEqual(len(ANSWERS["What did one request cause?"](events, None)), 3)
        self.assertIn(["nap", "nap"], [row[:2] for row in ANSWERS[
            "Which steps are slow because they wait?"](events, None)])

    def check_order_and_copies(self, path, events, tools):
        """`sort -u` removes lines that are there twice. The order does not matter."""
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        random.shuffle(lines)
        unsorted = self.path("unsorted")
        with open(unsorted, "w", encoding="utf-8") as file:
            file.writelines(lines + lines[:50])
        subprocess.run(["sort", "-u", "-o", path, unsorted], check=True)
        for tool in tools:
            for title in ("What was lost?", "What did one request cause?"):
                with self.subTest(title, tool=tool, lines="sorted"):
                    self.check(tool, title, events)

    def test_the_page_asks_each_tool(self):
        self.assertEqual(self.page.titles, list(ANSWERS))
        self.assertEqual(set(self.page.load), set(SQL_TOOLS))
        self.assertEqual(set(self.page.queries), {(title, tool) for title in self.page.titles
                                                  for tool in ("jq", *SQL_TOOLS)})

    def test_jq_and_sqlite(self):
        needs.program("jq")
        needs.program("sqlite3")
        self.check_all("jq", "SQLite")

    def test_duckdb_and_clickhouse(self):
        if not PACKAGES:
            self.skipTest(needs.FILES_OF_OTHERS + "DuckDB and ClickHouse (make test-queries)")
        needs.program("node")
        for package in ("@duckdb/node-api", "chdb"):
            path = os.path.join(PACKAGES, "node_modules", package)
            needs.need(package, None if os.path.isdir(path) else "it is not in %s" % PACKAGES)
        self.check_all("DuckDB", "ClickHouse")


if __name__ == "__main__":
    unittest.main()
