# SPDX-License-Identifier: BSD-2-Clause
"""The page and the picture of a profile, in a browser."""
import unittest

import browser
import flame_profiles

# What a test asks the page. A box is {node, x, y, width}, in pixels of the picture.
HELPERS = """
const {tree, picture} = flame;
const nodes = [...Array(tree.count).keys()];
const named = (...names) => nodes.find(node => {
    const path = tree.pathTo(node).map(n => tree.nameOf(n));
    return path.length >= names.length &&
        names.every((name, i) => path[path.length - names.length + i] === name);
});
"""
# The least contrast of a text that can be seen, of all of the page.
CONTRAST = """
const channel = value => { value /= 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const read = text => text.match(/[\\d.]+/g).map(Number);
const ratio = (a, b) =>
    (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const below = element => {
    for (; element; element = element.parentElement) {
        const colour = read(getComputedStyle(element).backgroundColor);
        if (colour.length === 3 || colour[3] === 1)
            return colour;
    }
    return [255, 255, 255];
};
const bar = read((() => { const made = document.createElement("i");
    made.style.color = "var(--bar)"; document.body.append(made);
    const colour = getComputedStyle(made).color; made.remove(); return colour; })());
let least = 99, where = "";
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
    const element = walk.currentNode.parentElement, style = getComputedStyle(element);
    if (!walk.currentNode.data.trim() || !element.getClientRects().length)
        continue;
    const grounds = [below(element)];
    if (element.closest(".item, .number"))
        grounds.push(bar);
    for (const ground of grounds) {
        const found = ratio(read(style.color), ground);
        if (found < least) { least = found; where = walk.currentNode.data; }
    }
}
/* Texts on the canvas */
const hex = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16));
const style = flame.picture.style;
for (const fill of [...style.user, ...style.kernel])
    least = Math.min(least, ratio(hex(fill), hex(style.onState)));
for (const fill of style.fills)
    least = Math.min(least, ratio(hex(fill), hex(style.ink)));
least = Math.min(least, ratio(hex(style.match), hex(style.onMatch)));
return [least, where];
"""


class Page(browser.InBrowser):
    def show(self, profile, width=1200, form="html"):
        self.browser.open(flame_profiles.write(profile, form, self.directory), width=width)

    def ask(self, text, *arguments):
        return self.browser.script(HELPERS + text, *arguments)

    def box(self, *names):
        """Of the function with this name, and with these callers in front of it; or None."""
        return self.ask("return picture.boxOf(named(...arguments))", *names)

    def point_at(self, *names):
        """Moves the mouse to the box; returns where that is."""
        x, y = self.ask("""const box = picture.boxOf(named(...arguments));
            scrollBy(0, picture.frame.getBoundingClientRect().top + box.y - 300);
            const place = picture.frame.getBoundingClientRect();
            return [place.left + box.x + box.width / 2, place.top + box.y + 5];""", *names)
        self.wait_for_frame()
        self.browser.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def click_on(self, *names):
        x, y = self.point_at(*names)
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                             clickCount=1)

    def wait_for_frame(self):
        """Until what was scrolled is painted."""
        self.browser.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.browser.cdp("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def texts(self, selector):
        return [element.text for element in self.browser.all(selector)]

    def items(self, name):
        """{name: time} of a list of filters."""
        return {item.find_element("class name", "name").text:
                item.find_element("class name", "time").text.replace("\u00a0", " ")
                for item in self.browser.all("#%s .item" % name)}

    def choose(self, name, text):
        next(item for item in self.browser.all("#%s .item" % name)
             if item.find_element("class name", "name").text == text).click()

    def assert_clean(self):
        self.assertEqual(self.browser.errors(), [])
        self.assertEqual(self.browser.requests(), [])
        self.assertLessEqual(*self.browser.script(
            "return [document.documentElement.scrollWidth, innerWidth]"))


class Looks(Page):
    def test_no_error_no_request_and_no_scrolling_aside(self):
        for profile in (flame_profiles.sample(), flame_profiles.hostile(), flame_profiles.deep(),
                        flame_profiles.Profile()):
            for width in (1200, 400):
                self.show(profile, width)
                self.assert_clean()

    def test_contrast(self):
        for scheme in ("light", "dark"):
            self.browser.emulate(scheme=scheme)
            self.show(flame_profiles.sample())
            self.browser.type("#text", "sqlite")
            self.click_on("triage")
            least, where = self.browser.script(CONTRAST)
            self.assertGreaterEqual(least, 4.5, (scheme, where))

    def test_dark_and_light_differ(self):
        colours = []
        for scheme in ("light", "dark"):
            self.browser.emulate(scheme=scheme)
            self.show(flame_profiles.sample())
            colours.append(self.ask("return [getComputedStyle(document.body).backgroundColor,"
                                    "picture.style.user[0]]"))
        self.assertNotEqual(colours[0][0], colours[1][0])
        self.assertNotEqual(colours[0][1], colours[1][1])

    def test_what_is_missing_is_said_first(self):
        self.show(flame_profiles.sample())
        self.assertEqual(self.texts("header li")[0],
                         "1,204 samples were lost between the kernel and steptrace. "
                         "Their time is missing.")

    def test_it_prints(self):
        self.show(flame_profiles.deep())
        self.browser.emulate(media="print", scheme="dark")
        self.assertFalse(self.browser.one("#search").is_displayed())
        self.assertEqual(self.ask("return getComputedStyle(document.body).backgroundColor"),
                         "rgb(255, 255, 255)")
        self.assertTrue(self.browser.pdf().startswith(b"%PDF"))
        self.assert_clean()

    def test_without_scripts_it_says_so(self):
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
        self.browser.driver.get("file://" + flame_profiles.write(
            flame_profiles.sample(), "html", self.directory))
        self.assertIn("This page draws the profile with a script", self.texts("body")[0])
        self.assertIn("1,204 samples were lost", self.texts("body")[0])

    def test_the_picture_without_scripts(self):
        for profile in (flame_profiles.sample(), flame_profiles.hostile()):
            self.show(profile, form="svg")
            self.assertEqual(self.browser.errors(), [])
            self.assertEqual(self.browser.requests(), [])
            self.assertEqual(self.browser.script("return document.documentElement.tagName"), "svg")


class Hostile(Page):
    def test_names_are_text(self):
        self.show(flame_profiles.hostile())
        self.assertEqual(self.browser.script("return document.title"), "steptrace profile")
        self.assertEqual(self.browser.all("img, iframe, [onload], [onerror]"), [])
        # The script of the profile, and the three of the page.
        self.assertEqual(len(self.browser.all("script")), 4)
        shown = self.texts("#commands .item .name")
        for text in flame_profiles.HOSTILE[:5]:
            self.assertIn(text, shown)
        self.assertIn("\\u202egnp.exe", shown)
        self.assertIn("\\x1b[31mred\\n", shown)
        for text in ("__proto__", "constructor", flame_profiles.HOSTILE[0]):
            self.choose("commands", text)
            self.assertAlmostEqual(self.box(text)["width"], self.ask("return picture.width"))
        self.assert_clean()


    def test_names_that_are_pointed_at_and_zoomed_to(self):
        self.show(flame_profiles.hostile(), 400)
        self.browser.script("document.getElementById('stack').open = true")
        names = self.ask("return tree.names.filter((_, i) => tree.kinds[i] === KIND.user)")
        self.assertEqual(len(names), len(flame_profiles.HOSTILE) + 1)
        for name in names:
            self.ask("flame.zoomIn(named('main', arguments[0]) || named('main'))", name)
            self.point_at(name)
            self.assertEqual(self.browser.script(
                "return document.querySelector('#tip b').textContent"), name)
            self.assertEqual(self.browser.all("img, iframe, [onload], [onerror]"), [])
            self.assert_clean()


class Zoom(Page):
    def test_a_click_makes_a_box_as_wide_as_the_picture_and_escape_goes_back(self):
        for width in (1200, 400):
            self.show(flame_profiles.sample(), width)
            whole = self.ask("return picture.frame.clientWidth")
            before = self.box("triage", "AiGenerateStep")
            self.assertLess(before["width"], whole / 2)
            self.click_on("triage", "AiGenerateStep")
            self.assertEqual(self.box("triage", "AiGenerateStep")["width"], whole)
            self.assertIsNone(self.box("todo-add"))
            self.assertEqual(self.texts("#path button"), ["all commands", "triage"])
            self.click_on("AiGenerateStep", "_start")
            self.assertEqual(self.box("AiGenerateStep", "_start")["width"], whole)
            self.key("Escape")
            self.key("Escape")
            self.assertEqual(self.box("triage", "AiGenerateStep"), before)
            self.assert_clean()

    def test_the_path_goes_back(self):
        self.show(flame_profiles.sample())
        self.click_on("triage", "AiGenerateStep")
        self.browser.click("#path button:nth-child(2)")
        self.assertEqual(self.texts("#path b"), ["triage"])

    def test_the_stack_as_text(self):
        self.show(flame_profiles.sample(), 400)
        self.assertFalse(self.browser.one("#stack").is_displayed())
        self.click_on("triage", "ToolCallStep")
        self.browser.click("#stack summary")
        self.wait_for_frame()
        self.assertEqual(self.texts("#stack pre"), ["triage\nToolCallStep"])
        self.click_on("tool_call__run")
        self.assertTrue(self.texts("#stack pre")[0].endswith("\ntool_call__run  (steprun)"))
        self.assert_clean()

    def test_keys(self):
        self.show(flame_profiles.sample())
        self.browser.script("document.getElementById('canvas').focus()")
        for name in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
            self.key(name)
        self.assertTrue(self.texts("#tip b")[0].startswith("AiGenerateStep"), self.texts("#tip"))
        self.key("Enter")
        self.assertEqual(self.texts("#path b"), ["AiGenerateStep"])
        self.key("Escape")
        self.assertEqual(self.texts("#path b"), ["all commands"])

    def test_deep_stacks_are_reached_by_scrolling(self):
        for width in (1200, 400):
            self.show(flame_profiles.deep(), width)
            last = self.box("level_126")
            self.assertGreater(last["y"], 127 * 18)
            self.browser.script("""scrollTo(0, arguments[0] + document.getElementById("flame")
                .getBoundingClientRect().top - 100)""", last["y"])
            self.wait_for_frame()
            # The row is painted, and below the pointer.
            painted = self.ask("""const box = picture.boxOf(named("level_126"));
                const {top, bottom} = picture.painted;
                const dot = picture.canvas.getContext("2d").getImageData(
                    box.x + 1, box.y - top + 2, 1, 1).data;
                return [top <= box.y && bottom >= box.y + 18, dot[3], box.width]""")
            self.assertEqual(painted[:2], [True, 255])
            self.assertGreater(painted[2], 250)
            self.click_on("level_126")
            self.assertEqual(self.texts("#path b"), ["level_126"])
            self.assert_clean()


class Numbers(Page):
    def test_search_says_the_share_of_the_time(self):
        profile = flame_profiles.sample()
        self.show(profile)
        self.browser.type("#text", "AI_client__ASK")
        self.assertRegex(self.texts("#found")[0], r"38\.5\s% of the time matches, 5\.88\ss")
        network = sum(stack["time_ns"] for stack in profile.stacks
                      if stack["step"] == "AiGenerateStep")
        self.assertEqual("%.1f" % (100 * network / profile.total_ns()), "38.5")
        self.click_on("triage", "AiGenerateStep")
        self.assertRegex(self.texts("#found")[0], r"100\.0\s% of the time")

    def test_search_marks_boxes(self):
        self.show(flame_profiles.sample())
        self.browser.type("#text", "libcurl")
        # Two functions, one inside of the other: their time counts once.
        self.assertRegex(self.texts("#found")[0], r"34\.2\s% of the time matches, 5\.21\ss")
        self.assertEqual(self.ask("return ['curl_multi_poll', 'main', 'triage'].map("
                                  "name => picture.isMatching(named(name)))"), [True, False, False])

    def test_search_by_expression(self):
        self.show(flame_profiles.sample())
        self.browser.type("#text", "^(schedule|__sched")
        self.browser.click("#expression")
        self.assertEqual(self.texts("#found"), ["This is not a regular expression."])
        self.browser.type("#text", ")$")
        self.assertIn("of the time matches", self.texts("#found")[0])
        self.assertEqual(self.ask("return tree.names.filter((_, i) => picture.isMatch[i])"),
                         ["schedule"])
        self.assert_clean()

    def test_commands_steps_and_states(self):
        profile = flame_profiles.sample()
        self.show(profile)
        self.assertEqual(self.items("commands")["triage"],
                         "%.2f s" % (profile.total_ns(command="triage") / 1e9))
        self.choose("commands", "todo-add")
        self.assertIsNone(self.box("triage"))
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns(command="todo-add"))
        self.assertEqual(self.items("states")["disk"], "%d ms" % (
            profile.total_ns(command="todo-add", state="disk") / 1e6))
        self.choose("steps", "FragmentUpdateStep")
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns(
            command="todo-add", step="FragmentUpdateStep"))
        self.choose("states", "disk")
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns(
            command="todo-add", step="FragmentUpdateStep") - profile.total_ns(
            command="todo-add", step="FragmentUpdateStep", state="disk"))
        self.choose("commands", "all commands")
        self.choose("states", "disk")
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns())
        for state in self.items("states"):
            self.choose("states", state)
        self.assertEqual(self.ask("return picture.sums[0]"), 0)
        for state in self.items("states"):
            self.choose("states", state)
        self.choose("steps", "(outside of steps)")
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns(step=""))
        self.assert_clean()

    def test_top_functions(self):
        profile = flame_profiles.Profile()
        profile.add("c", "S", "on-cpu", ["main@a", "f@a", "f@a", "g@a"], 30)
        profile.add("c", "S", "lock", ["main@a", "f@a"], 50)
        profile.add("d", "", "on-cpu", ["main@a"], 20)
        self.show(profile)
        self.assertEqual(self.table(), [["50.0 ms50.0 %", "80.0 ms80.0 %", "f"],
                                        ["30.0 ms30.0 %", "30.0 ms30.0 %", "g"],
                                        ["20.0 ms20.0 %", "100 ms100.0 %", "main"]])
        self.browser.click("#by-total button")
        self.assertEqual([row[2] for row in self.table()], ["main", "f", "g"])
        self.choose("states", "lock")
        self.assertEqual(self.table(), [["20.0 ms40.0 %", "50.0 ms100.0 %", "main"],
                                        ["30.0 ms60.0 %", "30.0 ms60.0 %", "g"],
                                        ["0" "0.0 %", "30.0 ms60.0 %", "f"]])

    def table(self):
        return self.browser.script("""return [...document.querySelectorAll("#top tbody tr")].map(
            row => [row.cells[0].textContent, row.cells[1].textContent,
                    row.querySelector(".name").textContent].map(
                text => text.replaceAll("\\u00a0", " ")))""")

    def test_the_tree_has_the_whole_profile(self):
        profile = flame_profiles.sample()
        self.show(profile)
        self.assertEqual(self.ask("return picture.sums[0]"), profile.total_ns())
        self.assertEqual(self.ask("return tree.samplesIn(0, picture.sums)"),
                         sum(stack["samples"] for stack in profile.stacks))
        self.assertEqual(self.ask("""return nodes.every(node => {
            let sum = tree.self[node];
            for (let n = node + 1; n < tree.end[node]; n = tree.end[n])
                sum += tree.time[n];
            return sum === tree.time[node];
        })"""), True)


class Many(Page):
    def test_many_different_stacks(self):
        path = flame_profiles.write_random(100000, "html", self.directory)
        self.browser.open(path)
        self.assertGreater(self.ask("return tree.count"), 1000000)
        took = self.browser.script("""
            const started = performance.now();
            flame.zoomIn(1);
            return {load: performance.timing.loadEventEnd - performance.timing.navigationStart,
                    zoom: performance.now() - started};""")
        print("100,000 stacks: opened in %(load)d ms, zoomed in %(zoom)d ms" % took)
        self.assert_clean()


if __name__ == "__main__":
    unittest.main()
