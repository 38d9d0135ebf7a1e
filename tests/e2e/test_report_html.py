# SPDX-License-Identifier: BSD-2-Clause
"""steptrace report --html: every number of the page is the one of --json, and no text of a
recording becomes markup. test_browser_report.py looks at the page in a browser."""
import json
import os
import re
import sys
import unittest

import html_pages
import made_recordings
from harness import ROOT, Runner, Tracer
from test_report import Reports

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import report as oracle  # noqa: E402

SECTIONS = ("commands", "steps", "errors", "aborted", "ai", "mutations", "tools", "schedules",
            "queues", "rejected")
TIMES = ("first", "last", "start", "started", "stopped")
# Every kind of text that could become markup, change the page, or break it.
HOSTILE = ("</script><script>hacked=1</script>", "\"><img src=x onerror=hacked=1>",
           "' onmouseover='hacked=1", "<!--", "]]>", "&lt;b&gt;", "</style><style>*{display:none}",
           "</title></head><body onload=hacked=1>", "{{constructor}}", "\u202egnp.exe\u2066",
           "a\x01\x1b[31m\nb", "<svg onload=hacked=1>", "javascript:hacked=1", "x" * 1000,
           "&#x3c;script&#x3e;", "%s%n", "üñí漢字😀", "http://example.org/",
           "</td></tr></table><table data-table=commands><tr><td data-name=count data-value=1>")


class Pages(Reports):
    def page(self, *arguments):
        return html_pages.Page(self.report("--html", *arguments))

    def told(self, *arguments):
        return json.loads(self.report("--json", *arguments))


class Numbers(Pages):
    """Each row of the page has the values of the row of the JSON."""

    def check_cell(self, name, cell, row, wholes):
        """`row` is of the JSON."""
        if name == "failed" and "failure" in row:
            expected = row["failure"] + row["aborted"]
        else:
            expected = row[name]
        if name in TIMES:
            expected = oracle.ns_of_time(expected) if expected else None
            if cell.value:
                self.assertTrue(oracle.time_of_ns(cell.value).replace("T", " ").startswith(
                    cell.text), cell.text)
        if isinstance(expected, str) or expected is None:
            self.check_text(cell, expected)
            return
        if cell.value is None:
            self.assertEqual((cell.text, expected), ("–", 0))
            return
        self.assertEqual(cell.value, expected, name)
        if name not in TIMES and cell.text:
            whole = wholes.get(name)
            self.assertTrue(html_pages.is_shown_as(expected, cell.text, whole and whole(row)),
                            (name, expected, cell.text))

    def check_text(self, cell, expected):
        if expected is None:
            self.assertEqual(cell.value or 0, 0)
        else:
            self.assertEqual(cell.text, expected)

    def check_rows(self, name, shown, rows, wholes=None):
        self.assertEqual(len(shown), len(rows), name)
        checked = 0
        for cells, row in zip(shown, rows):
            for column, cell in cells.items():
                with self.subTest(name, column=column, row=row):
                    self.check_cell(column, cell, row, wholes or {})
                checked += 1
        return checked

    def check_page(self, *arguments):
        told, page = self.told(*arguments), self.page(*arguments)
        tables = page.tables
        for name in SECTIONS:
            self.assertEqual(name in tables, bool(told[name]), name)
            whole_ns = sum(row.get("sum_ns", 0) for row in told[name])
            checked = self.check_rows(name, tables.get(name, []), told[name], {
                "sum_ns": lambda row, ns=whole_ns: ns, "failed": lambda row: row["count"],
                "cache_hits": lambda row: row["cache_hits"] + row["cache_misses"]})
            self.assertGreaterEqual(checked, 3 * len(told[name]))
        self.check_rows("traces", tables["traces"],
                        [dict(row, reason=row["reason"] or "no trace.stopped")
                         for row in told["coverage"]["traces"]])
        self.check_rows("losses", tables.get("losses", []), told["coverage"]["losses"])
        for name, rows in (("slow_commands", told["bottlenecks"]["commands"]),
                           ("slow_steps", told["bottlenecks"]["steps"])):
            self.check_rows(name, tables.get(name, []), rows)
        self.check_rows("slots", tables.get("slots", []), told["timeline"]["slots"])
        self.check_figures(page, told)
        self.check_waterfalls(page, told)
        self.check_pictures(page, told)
        return told, page

    def check_figures(self, page, told):
        failed = sum(row["failure"] + row["aborted"] for row in told["commands"])
        expected = {"ended": sum(row["count"] for row in told["commands"]), "failed": failed,
                    "steps": sum(row["count"] for row in told["steps"]),
                    "lost": told["coverage"]["lost"]}
        self.assertEqual({name: cell.value for name, cell in page.figures.items()}, expected)
        for cell in page.figures.values():
            self.assertTrue(html_pages.is_shown_as(cell.value, cell.text))

    def check_waterfalls(self, page, told):
        articles = list(page.root.all("article"))
        self.assertEqual(len(articles), len(told["slowest"]))
        for article, execution in zip(articles, told["slowest"]):
            head = {node.attributes["data-name"]: html_pages.Cell(node)
                    for name in ("h3", "p") for line in article.all(name)
                    for node in line.with_data()}
            self.check_rows("execution", [head], [execution])
            self.assertEqual(set(head), {"command", "duration_ns", "execution_id"})
            tables = list(article.all("table"))
            self.assertEqual(len(tables), bool(execution["steps"]))
            execution["steps"].sort(key=lambda step: (step["start_ns"], step["depth"]))
            for table in tables:
                self.check_rows("waterfall", page.rows_of(table), [
                    dict(step, duration_ns=step.get("duration_ns", 0))
                    for step in execution["steps"]])
                self.check_bars(table, execution)

    def check_bars(self, table, execution):
        """Bars are where the step ran; a short one is wider, so that it can be seen."""
        whole = execution["duration_ns"]
        for bar, step in zip(table.all("rect"), execution["steps"]):
            x, width = float(bar.attributes["x"]), float(bar.attributes["width"])
            if whole and step["start_ns"] + step.get("duration_ns", 0) <= whole:
                self.assertAlmostEqual(x, step["start_ns"] / whole * 1000, delta=6.1)
                self.assertAlmostEqual(width, step.get("duration_ns", 0) / whole * 1000, delta=6.1)
            self.assertLessEqual(x + width, 1000.2)

    def check_pictures(self, page, told):
        """The bars of the timeline add up, and the bars of shares are as long as the shares."""
        slots = told["timeline"]["slots"]
        section = page.of_id("timeline")
        if len(slots) < 2:
            self.assertEqual(list(section.all("svg") if section else ()), [])
        else:
            self.assertEqual(self.sums_of_bars(section), [
                total for total in (sum(slot["count"] for slot in slots),
                                    sum(slot["failed"] for slot in slots)) if total])
        for name in ("commands", "steps"):
            for table in page.table_nodes(name):
                widths = [float(bar.attributes["width"]) for bar in table.all("rect")]
                for width, row in zip(widths, told[name], strict=True):
                    self.assertAlmostEqual(width, row["share"] * 100, delta=0.01)

    @staticmethod
    def sums_of_bars(section):
        return [sum(int("".join(title.children).rsplit(": ", 1)[1].replace(",", ""))
                    for title in picture.all("title"))
                for picture in section.all("svg")]

    def test_made_recordings(self):
        for seed in range(6):
            apart_ns = (10**7, 10**9, 10**11, 10**12, 10**13, 10**5)[seed]
            path = self.write("made", made_recordings.lines_of(
                200 + 900 * (seed == 0), seed, apart_ns=apart_ns, slugs=2 + seed))
            arguments = ["--slowest", str(seed * 3), "--slow-step", "20ms", "--slow-command",
                         "100ms", path]
            told, page = self.check_page(*arguments)
            self.assertIn("bottlenecks", page.sections)
            self.assertTrue(told["bottlenecks"]["commands"])

    def test_a_real_recording(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            for order in ("go 5", "fail", "tool", "nested", "reject", "names", "text", "change"):
                runner.do(order)
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0, tracer.words)
        told, page = self.check_page(self.write("recorded", tracer.text()))
        self.assertTrue(told["rejected"] and told["errors"] and told["mutations"])
        self.assertIn("no event was lost", next(page.root.all("header")).text())

    def test_within_one_second(self):
        """There is a table of the one slot, and no picture."""
        told, page = self.check_page(self.write("one", made_recordings.lines_of(
            4, 1, apart_ns=1000)))
        self.assertEqual(len(told["timeline"]["slots"]), 1)
        self.assertIn("open", next(page.of_id("timeline").all("details")).attributes)

    def test_executions_without_a_time(self):
        lines = list(made_recordings.lines_of(60, 1))
        lines[-2] = lines[-2].replace('"timestamp"', '"no_timestamp"')
        told, page = self.check_page(self.write("one", lines))
        self.assertEqual(told["timeline"]["untimed"], 1)
        note, = (node for node in page.of_id("timeline").with_data()
                 if node.attributes["data-name"] == "untimed")
        self.assertEqual(html_pages.Cell(note).value, 1)

    def test_what_is_selected(self):
        path = self.write("one", made_recordings.lines_of(300, 8))
        told, page = self.check_page("--command", "command-1*", path)
        self.assertGreater(told["selection"]["other_command"], 0)
        self.assertIn("%d of other commands" % told["selection"]["other_command"],
                      page.of_id("coverage").text())

    def test_rows(self):
        path = self.write("one", made_recordings.lines_of(400, 8))
        told, page = self.told(path), self.page("--rows", "3", path)
        self.assertGreater(len(told["steps"]), 20)
        self.assertEqual(len(page.tables["steps"]), 3)
        self.assertIn("%d other rows are left out" % (len(told["steps"]) - 3),
                      page.of_id("steps").text())
        self.assertEqual(len(self.page(path).tables["steps"]), len(told["steps"]))


class Losses(Pages):
    """What is missing stands above everything else."""

    def notice(self, *paths):
        page = self.page(*paths)
        holder = next(node for node in page.root.all("div")
                      if node.attributes["class"] == "notice")
        head = next(page.root.all("header"))
        self.assertIn(holder, head.children)
        self.assertLess(head.children.index(holder), head.children.index(next(head.all("dl"))))
        return {node.attributes["data-name"]: html_pages.Cell(node).value
                for node in holder.with_data()}

    def test_lost_events(self):
        path = self.write("one", made_recordings.lines_of(3000, 2))
        self.assertEqual(self.notice(path), {"lost": 6})

    def test_no_end(self):
        lines = list(made_recordings.lines_of(100, 2))
        self.assertEqual(self.notice(self.write("cut", lines[:-1])), {"unended": 1})

    def test_no_beginning_and_a_missing_part(self):
        lines = list(made_recordings.lines_of(100, 2))
        alone = self.write("alone", lines[1:-1])
        third = self.write("third", [lines[0].replace('"part":1', '"part":3')] + lines[1:])
        self.assertEqual(self.notice(alone)["unattributed"], len(lines) - 2)
        self.assertEqual(self.notice(third), {"missing_parts": 2})

    def test_untraced_processes(self):
        lines = list(made_recordings.lines_of(20, 2))
        lines[-1] = lines[-1].replace('"reason"', '"processes_untraced":4,"reason"')
        path = self.write("one", lines)
        self.assertEqual(self.told(path)["coverage"]["traces"][0]["processes_untraced"], 4)
        self.assertEqual(self.notice(path), {"untraced": 4})

    def test_complete(self):
        page = self.page(self.write("one", made_recordings.lines_of(20, 2)))
        self.assertIn("no event was lost", next(page.root.all("header")).text())


def hostile_lines(seed=4):
    """A recording whose texts are all hostile, each in each place: of the recorder, too."""
    texts = {"command_slug": HOSTILE, "user_id": HOSTILE, "step_type": HOSTILE, "name": HOSTILE,
             "error_category": HOSTILE, "tool_slug": HOSTILE, "host": HOSTILE, "kind": HOSTILE,
             "reason": HOSTILE, "signal_name": HOSTILE, "operation": HOSTILE, "comm": HOSTILE,
             "execution_id": [text[:40] for text in HOSTILE], "version": HOSTILE}
    turn = 0

    def changed(value):
        nonlocal turn
        if isinstance(value, dict):
            out = {}
            for name, inner in value.items():
                turn += 1
                is_text = isinstance(inner, str) and name in texts
                out[name] = texts[name][turn % len(HOSTILE)] if is_text else changed(inner)
            return out
        return value

    for line in made_recordings.lines_of(1100, seed, slugs=30):
        yield json.dumps(changed(json.loads(line)), ensure_ascii=False) + "\n"


class Hostile(Pages):
    def test_no_text_becomes_markup(self):
        """The parser refuses elements and attributes that the page does not have, and tags that are
        not closed. The elements are those of a page of another recording."""
        path = self.write("<img src=x>'&\"\n", list(hostile_lines()) + ["\0\n", "{}\n"])
        out = self.report("--html", path)
        page = html_pages.Page(out)
        plain = self.page(self.write("plain", made_recordings.lines_of(1100, 4, slugs=30)))
        self.assertEqual({node.name for node in page.root.all(*html_pages.ELEMENTS)},
                         {node.name for node in plain.root.all(*html_pages.ELEMENTS)})
        self.assertEqual([len(list(page.root.all(name))) for name in ("script", "style")], [1, 1])
        for node in page.root.all("a"):
            self.assertRegex(node.attributes["href"], r"^#[a-z]+$")
        self.assertEqual(set(page.sections), set(plain.sections))
        for text in ("</script><script>hacked=1</script>", "&lt;b&gt;", "%s%n", "üñí漢字😀"):
            self.assertIn(text, page.of_id("commands").text())
        shown = page.of_id("errors").text()
        self.assertIn("\\u202egnp.exe\\u2066", shown)
        self.assertIn("a\\x01\\x1b[31m\\nb", shown)
        self.assertNotRegex(out, "[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

    def test_the_script_and_the_style_stay_inside_their_elements(self):
        for name in ("page.css", "page.js"):
            with open(os.path.join(ROOT, "src", "steptrace", "report_html", name),
                      encoding="utf-8") as file:
                self.assertNotIn("</", file.read())

    def test_the_policy_allows_nothing_from_outside(self):
        page = self.page(self.write("one", made_recordings.lines_of(5)))
        policy, = (node.attributes["content"] for node in page.root.all("meta")
                   if node.attributes.get("http-equiv") == "Content-Security-Policy")
        self.assertRegex(policy, r"^default-src 'none'; style-src 'sha256-[^ ]+'; "
                                 r"script-src 'sha256-[^ ]+'; base-uri 'none'; form-action 'none'$")

    def test_errors(self):
        self.assertIn("exclude each other", self.report("--json", "--html", "x", status=2))
        path = self.write("own", made_recordings.Maker(1).started())
        self.assertIn("no event of a runner", self.report("--html", path, status=1))


class Tables(Pages):
    """Of the markup: what a screen reader needs."""

    def test_cells_have_heads(self):
        page = self.page(self.write("one", made_recordings.lines_of(300, 3)))
        for table in page.root.all("table"):
            heads = list(next(table.all("thead")).all("th"))
            self.assertEqual({node.attributes["scope"] for node in heads}, {"col"})
            for row in next(table.all("tbody")).all("tr"):
                cells = list(row.all("th", "td"))
                self.assertEqual(len(cells), len(heads))
                self.assertEqual((cells[0].name, cells[0].attributes["scope"]), ("th", "row"))

    def test_pictures_have_texts(self):
        page = self.page(self.write("one", made_recordings.lines_of(300, 3)))
        pictures = list(page.root.all("svg"))
        self.assertGreater(len(pictures), 100)
        for picture in pictures:
            if picture.attributes.get("aria-hidden") != "true":
                self.assertEqual(picture.attributes["role"], "img")
                self.assertTrue(picture.attributes.get("aria-label") or
                                list(picture.all("title")))

    def test_links_lead_to_sections(self):
        page = self.page(self.write("one", made_recordings.lines_of(1200, 3)))
        links = [node.attributes["href"][1:] for node in page.root.all("a")]
        self.assertEqual(links, page.sections)
        self.assertFalse([name for name in links if not re.fullmatch("[a-z]+", name)])


if __name__ == "__main__":
    unittest.main()
