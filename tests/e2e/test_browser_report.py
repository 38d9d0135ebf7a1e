# SPDX-License-Identifier: BSD-2-Clause
"""steptrace report --html in a browser: on a screen, on a phone, in the dark, on paper."""
import os
import re
import subprocess
import unittest

import browser
import made_recordings
from harness import STEPTRACE
from test_report_html import hostile_lines

WIDTHS = (1200, 400)
A4_PIXELS = 680  # of the text: 180 mm at 96 pixels an inch

# The contrast of each element that has text of its own, as [ratio, text, colours]: the colour that
# is computed for it against the colours that lie below it.
CONTRASTS = """
const parts = (colour) => {
  const numbers = colour.match(/[0-9.]+/g).map(Number);
  return numbers.length === 4 ? numbers : [...numbers, 1];
};
const over = (above, below) => above.slice(0, 3).map(
  (value, i) => value * above[3] + below[i] * (1 - above[3]));
const groundOf = (element) => {
  if (!element) return [255, 255, 255];
  const own = parts(getComputedStyle(element).backgroundColor);
  return own[3] === 1 ? own.slice(0, 3) : over(own, groundOf(element.parentElement));
};
const light = (colour) => {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const found = [];
for (const element of document.body.querySelectorAll('*')) {
  const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
    .map((node) => node.data.trim()).join('');
  if (!text || element.closest('svg, script') || !element.checkVisibility()) continue;
  const ground = groundOf(element);
  const colour = over(parts(getComputedStyle(element).color), ground);
  const [low, high] = [light(colour), light(ground)].sort((one, other) => one - other);
  found.push([(high + 0.05) / (low + 0.05), text, `${colour} on ${ground}`]);
}
return found;
"""

# The values of a column of a table, in the order of the rows, as texts; null: it has none.
COLUMN = """
return [...document.querySelectorAll(`table[data-table="${arguments[0]}"] tbody tr`)].map(
  (row) => {
    const cell = row.cells[arguments[1]];
    return [cell.dataset.value ?? null, cell.textContent, row.className, row.hidden];
  });
"""


class Report(browser.InBrowser):
    def write(self, lines, *arguments):
        """The page of a recording of these lines."""
        recording = os.path.join(self.directory, "events.ndjson")
        with open(recording, "w", encoding="utf-8") as file:
            file.writelines(lines)
        path = os.path.join(self.directory, "report.html")
        with open(path, "wb") as file:
            subprocess.run([STEPTRACE, "report", "--html", *arguments, recording], stdout=file,
                           check=True)
        return path

    def made(self, commands=1100):
        return self.write(made_recordings.lines_of(commands, 5))

    def expect_silence(self):
        self.assertEqual((self.browser.errors(), self.browser.requests()), ([], []))

    def widths(self):
        return self.browser.script("return [innerWidth, document.documentElement.scrollWidth]")


class Screen(Report):
    def test_any_width_and_colours(self):
        path = self.made()
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                with self.subTest(width=width, scheme=scheme):
                    self.browser.open(path, width=width)
                    self.browser.emulate("screen", scheme)
                    self.expect_silence()
                    self.assertEqual(self.widths(), [width, width])
                    self.check_contrasts()

    def check_contrasts(self):
        self.browser.script("document.querySelectorAll('details').forEach(e => e.open = true)")
        found = self.browser.script(CONTRASTS)
        self.assertGreater(len(found), 500)
        self.assertEqual([row for row in found if row[0] < 4.5], [])

    def test_dark_and_light_differ(self):
        self.browser.open(self.made(50))
        grounds = []
        for scheme in ("light", "dark"):
            self.browser.emulate("screen", scheme)
            grounds.append(self.browser.script(
                "return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(grounds, ["rgb(255, 255, 255)", "rgb(20, 24, 28)"])

    def test_wide_tables_scroll_in_their_box(self):
        self.browser.open(self.made(), width=400)
        boxes = self.browser.script(
            "return [...document.querySelectorAll('.box')].map(box => ["
            "box.scrollWidth > box.clientWidth, getComputedStyle(box).overflowX, box.tabIndex,"
            "box.getBoundingClientRect().right <= innerWidth])")
        self.assertIn(True, [box[0] for box in boxes])
        self.assertEqual({tuple(box[1:]) for box in boxes}, {("auto", 0, True)})
        name, moved = self.browser.script(
            "const box = document.querySelector('#commands .box'); box.scrollLeft = 300;"
            "const cells = box.querySelector('tbody tr').cells;"
            "return [cells[0].getBoundingClientRect().left, box.scrollLeft];")
        self.assertEqual(moved, 300)
        self.assertGreaterEqual(name, 0, "the name of the row is not seen any more")

    def test_long_names(self):
        """Words without blanks, of 200 characters, in every place."""
        lines = (line.replace("command-", "x" * 190).replace("step-", "y" * 190)
                 .replace("timeout", "z" * 190).replace("host-1", "w" * 190)
                 for line in made_recordings.lines_of(200, 5))
        path = self.write(lines)
        for width in WIDTHS:
            self.browser.open(path, width=width)
            self.assertEqual(self.widths(), [width, width])

    def test_pictures_have_a_size(self):
        self.browser.open(self.made(), width=400)
        sizes = self.browser.script(
            "return [...document.querySelectorAll('svg')].filter(e => e.checkVisibility())"
            ".map(e => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])")
        self.assertGreater(len(sizes), 50)
        self.assertEqual([size for size in sizes if size[0] < 50 or size[1] < 3], [])


class Script(Report):
    def column(self, table, number):
        return self.browser.script(COLUMN, table, number)

    def sort(self, table, number):
        self.browser.click("table[data-table='%s'] thead th:nth-child(%d) button"
                           % (table, number + 1))

    def sorted_by(self, table):
        return self.browser.script(
            "return [...document.querySelectorAll(`table[data-table='${arguments[0]}'] thead th`)]"
            ".map(head => head.getAttribute('aria-sort'))", table)

    def test_sorting(self):
        self.browser.open(self.made())
        before = self.column("commands", 5)
        for descending in (True, False, True):
            self.sort("commands", 5)
            values = [int(row[0]) for row in self.column("commands", 5)]
            self.assertEqual(values, sorted(values, reverse=descending))
            self.assertEqual(self.sorted_by("commands")[5],
                             "descending" if descending else "ascending")
        self.assertCountEqual(self.column("commands", 5), before)
        self.sort("commands", 0)
        names = [row[1] for row in self.column("commands", 0)]
        self.assertEqual(names, sorted(names))
        self.assertEqual(self.sorted_by("commands")[:6], ["ascending"] + [None] * 5)
        self.expect_silence()

    def test_large_numbers(self):
        """Two sums that are the same number in floating point."""
        lines = [made_recordings.Maker(1).started()]
        for slug, ns in (("one", 2**53), ("two", 2**53 + 1), ("three", 2**53 - 1)):
            lines.append('{"event":"command.execution.completed","command_slug":"%s",'
                         '"total_duration_ms":%s,"outcome":"success"}\n'
                         % (slug, made_recordings.ms(ns)))
        self.browser.open(self.write(lines))
        self.sort("commands", 7)
        self.assertEqual([int(row[0]) for row in self.column("commands", 7)],
                         [2**53 + 1, 2**53, 2**53 - 1])

    def test_with_the_keyboard(self):
        self.browser.open(self.made(200))
        self.browser.type("table[data-table='commands'] thead th:nth-child(2) button", "\ue007")
        self.assertEqual(self.sorted_by("commands")[1], "descending")

    def test_other_rows_stay_at_the_end(self):
        lines = [made_recordings.Maker(1).started()]
        for index in range(1200):
            lines.append('{"event":"command.execution.completed","command_slug":"c%d",'
                         '"total_duration_ms":%d,"outcome":"success"}\n' % (index, index))
        self.browser.open(self.write(lines))
        for _ in range(2):
            self.sort("commands", 4)
            rows = self.column("commands", 4)
            self.assertEqual([row[2] for row in rows], [""] * 1000 + ["other"])

    def test_long_tables(self):
        def shown():
            return sum(not row[3] for row in self.column("steps", 0))

        self.browser.open(self.made())
        whole = len(self.column("steps", 0))
        self.assertGreater(whole, 30)
        self.assertEqual(shown(), 20)
        self.sort("steps", 6)
        rows = self.column("steps", 6)
        self.assertEqual([row[3] for row in rows], [False] * 20 + [True] * (whole - 20))
        self.browser.click("#steps .more button")
        self.assertEqual(shown(), whole)
        self.browser.click("#steps .more button")
        self.assertEqual(shown(), 20)

    def test_without_a_script(self):
        path = self.made()
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
        self.browser.open(path)
        hidden, buttons, tables = self.browser.script(
            "return ['tr[hidden]', 'button', 'table']"
            ".map(name => document.querySelectorAll(name).length)")
        self.assertEqual((hidden, buttons), (0, 0))
        self.assertGreater(tables, 10)
        self.assertEqual(self.browser.requests(), [])


class Paper(Report):
    def test_it_prints(self):
        self.browser.open(self.made())
        self.browser.emulate("screen", "dark")
        pages = re.findall(rb"/Type\s*/Page\b", self.browser.pdf())
        self.assertGreater(len(pages), 3)

    def test_paper_is_white_and_tables_fit(self):
        path = self.made()
        self.browser.open(path, width=A4_PIXELS)
        for scheme in ("light", "dark"):
            self.browser.emulate("print", scheme)
            ground, ink = self.browser.script(
                "const style = getComputedStyle(document.body);"
                "return [style.backgroundColor, style.color]")
            self.assertEqual((ground, ink), ("rgb(255, 255, 255)", "rgb(28, 35, 41)"))
        self.assertEqual(self.browser.script(
            "return [...document.querySelectorAll('.box')]"
            ".filter(box => box.scrollWidth > box.clientWidth + 1)"
            ".map(box => box.getAttribute('aria-label'))"), [])
        self.assertEqual(self.browser.script(
            "const style = (name) => getComputedStyle(document.querySelector(name));"
            "return [style('tbody tr').breakInside, style('h2').breakAfter,"
            "style('h3').breakAfter, style('thead').display, style('nav').display]"),
            ["avoid", "avoid", "avoid", "table-header-group", "none"])


class Hostile(Report):
    def test_no_text_is_executed(self):
        self.browser.open(self.write(hostile_lines()))
        self.expect_silence()
        self.assertEqual(self.browser.script(
            "return [typeof hacked, document.scripts.length, document.styleSheets.length,"
            "document.querySelectorAll('img, iframe, object, embed, link, form, base').length,"
            "[...document.querySelectorAll('*')].filter(e => [...e.attributes]"
            ".some(a => a.name.startsWith('on'))).length]"), ["undefined", 1, 1, 0, 0])
        self.assertEqual(self.widths(), [1200, 1200])

    def test_the_policy_would_stop_it(self):
        """If a text were not escaped: nothing of it is executed or asked for."""
        path = self.made(50)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        attack = ("<script>hacked = 1</script><img src=http://example.org/a onerror='hacked = 1'>"
                  "<style>body { color: red }</style><p style='color: red' onclick='hacked = 1'>"
                  "<link rel=stylesheet href=http://example.org/b><base href=http://example.org/>")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("<main>", "<main>" + attack))
        self.browser.open(path)
        self.assertEqual(self.browser.script(
            "return [typeof hacked, getComputedStyle(document.body).color,"
            "document.querySelectorAll('th button').length > 10]"),
            ["undefined", "rgb(28, 35, 41)", True])
        self.assertEqual(self.browser.requests(), [])
        self.assertGreater(len(self.browser.errors()), 4)


if __name__ == "__main__":
    unittest.main()
