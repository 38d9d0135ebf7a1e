# SPDX-License-Identifier: BSD-2-Clause
"""Pictures and pages of profiles that were made by hand, read without a browser."""
import base64
import hashlib
import html.parser
import json
import os
import tempfile
import unittest
import xml.etree.ElementTree

import flame_profiles

SVG = "{http://www.w3.org/2000/svg}"


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.addCleanup(folder.cleanup)
        self.directory = folder.name


class Elements(html.parser.HTMLParser):
    """The elements of a page, with the text of its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.texts, self.policy = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]

    def handle_data(self, data):
        if self.seen and self.seen[-1][0] in ("script", "style") and data.strip():
            self.texts.append(data)


def hash_of(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Pages(Files):
    def page(self, profile):
        path = flame_profiles.write(profile, "html", self.directory)
        with open(path, encoding="utf-8") as file:
            return Elements(file.read())

    def test_names_are_text(self):
        page = self.page(flame_profiles.hostile())
        self.assertEqual([attrs.get("type") for tag, attrs in page.seen if tag == "script"],
                         ["application/json", None, None, None])
        self.assertFalse([attrs for _, attrs in page.seen for name in attrs
                          if name.startswith("on") or name in ("src", "href", "style")])
        self.assertNotIn("<", page.texts[1])
        shown = json.loads(page.texts[1])["names"][::3]
        for text in flame_profiles.HOSTILE[:5]:
            self.assertIn(text, shown)
        self.assertIn("\\u202egnp.exe", shown)

    def test_the_policy_allows_its_own_style_and_scripts_only(self):
        page = self.page(flame_profiles.sample())
        style, _, *scripts = page.texts
        self.assertEqual(page.policy, "default-src 'none'; style-src %s; script-src %s; "
                                      "base-uri 'none'; form-action 'none'"
                         % (hash_of(style), " ".join(hash_of(text) for text in scripts)))

    def test_the_data_has_every_stack(self):
        profile = flame_profiles.sample()
        data = json.loads(self.page(profile).texts[1])
        states, names, rows = len(data["states"]) + 1, data["names"][::3], iter(data["rows"])
        found, path = {}, []
        for shared in rows:
            count, time_ns, samples = (next(rows) for _ in range(3))
            path[shared:] = [next(rows) for _ in range(count)]
            key = tuple(names[code // states] for code in path) + (path[-1] % states,)
            self.assertNotIn(key, found)
            found[key] = (time_ns, samples)
        order = ["on-cpu", "runnable", "disk", "lock", "network", "sleep", "pipe", "other"]
        expected = {}
        for stack in profile.stacks:
            labels = [stack["command"]] + [stack["step"]] * bool(stack["step"])
            functions = [profile.frames[number][0] for number in stack["frames"]]
            key = tuple(labels + ["[cut]"] * stack["cut"] + functions)
            expected[key + (order.index(stack["state"]),)] = (stack["time_ns"], stack["samples"])
        self.assertEqual(found, expected)


class Pictures(Files):
    def svg(self, profile):
        path = flame_profiles.write(profile, "svg", self.directory)
        return xml.etree.ElementTree.parse(path).getroot()

    def boxes(self, profile):
        """(lines of the title, the rectangle, the text or None) of each box."""
        return [(group.findtext(SVG + "title").split("\n"), group.find(SVG + "rect").attrib,
                 group.findtext(SVG + "text"))
                for group in self.svg(profile).iter(SVG + "g")
                if group.find(SVG + "title") is not None]

    def test_it_has_the_whole_profile(self):
        profile = flame_profiles.sample()
        boxes = self.boxes(profile)
        self.assertEqual(boxes[0][0], ["all commands", "15.3 s, 100.0 % of the time"])
        by_title = {}
        for title, rectangle, _ in boxes:
            by_title.setdefault(tuple(title), float(rectangle["width"]))
        share = profile.total_ns(command="triage") / profile.total_ns()
        name = ("triage", "%.2f s, %.1f %% of the time" % (profile.total_ns(command="triage") / 1e9,
                                                           100 * share))
        self.assertAlmostEqual(by_title[name] / by_title[tuple(boxes[0][0])], share, places=2)
        waits = [title for title, _, _ in boxes if title[0] == "futex_wait in [kernel]"]
        self.assertEqual({title[2] for title in waits}, {"lock"})

    def test_texts_fit_into_their_boxes(self):
        for _, rectangle, text in self.boxes(flame_profiles.sample()):
            if text:
                self.assertLessEqual(len(text) * 6.6 + 4, float(rectangle["width"]))

    def test_boxes_do_not_overlap(self):
        rows = {}
        for _, rectangle, _ in self.boxes(flame_profiles.sample()):
            rows.setdefault(rectangle["y"], []).append(
                (float(rectangle["x"]), float(rectangle["x"]) + float(rectangle["width"])))
        self.assertGreater(len(rows), 20)
        for places in rows.values():
            places.sort()
            for left, right in zip(places, places[1:]):
                self.assertLessEqual(left[1], right[0] + 0.02)

    def test_what_is_missing_is_said_first(self):
        texts = [element.text for element in self.svg(flame_profiles.sample()).iter(SVG + "text")]
        self.assertEqual(texts[1], "1,204 samples were lost between the kernel and steptrace. "
                                   "Their time is missing.")

    def test_names_are_text(self):
        root = self.svg(flame_profiles.hostile())
        self.assertEqual({element.tag[len(SVG):] for element in root.iter()},
                         {"svg", "g", "rect", "text", "title"})
        self.assertFalse([name for element in root.iter() for name in element.attrib
                          if name.startswith("on") or name.endswith("href")])
        titles = [element.text for element in root.iter(SVG + "title")]
        for text in flame_profiles.HOSTILE[:5]:
            self.assertTrue([title for title in titles if title.startswith(text + "\n")], text)
        self.assertTrue([title for title in titles if title.startswith("\\u202egnp.exe")])
        self.assertTrue([title for title in titles if title.startswith("\\x1b[31mred\\n")])

    def test_many_stacks_make_a_picture_of_bounded_size(self):
        path = flame_profiles.write_random(20000, "svg", self.directory)
        self.assertLess(os.path.getsize(path), 4 << 20)
        with open(path, encoding="utf-8") as file:
            self.assertIn("boxes are narrower than", file.read())
        xml.etree.ElementTree.parse(path)


if __name__ == "__main__":
    unittest.main()
