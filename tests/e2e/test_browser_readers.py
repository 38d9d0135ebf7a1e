# SPDX-License-Identifier: BSD-2-Clause
"""What other programs read in our exports: speedscope, and the trace engine of Chrome's developer
tools. Both are packages of npm: `make test-browser` installs them, and sets STEPTRACE_READERS to
the folder.
"""
import collections
import json
import os
import subprocess
import unittest

import browser
import needs
from exports import TOOL, Exporting, Profiles, frame_name
from harness import PATIENCE_S, completed, of_kind, started, steps, wait_until
from made_recordings import lines_of
from recordings import begin_ns, duration_ns, nanoseconds, read

PACKAGES = os.environ.get("STEPTRACE_READERS")
RUN_ENGINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace_engine.mjs")
# speedscope saves what it has read when Ctrl-S is pressed. The test takes it from there.
KEEP_SAVED = """const make = URL.createObjectURL;
URL.createObjectURL = blob => { window.saved = blob; return make.call(URL, blob); }"""
SAVE = "window.dispatchEvent(new KeyboardEvent('keydown', {key: 's', ctrlKey: true}))"
READ_SAVED = "window.saved.text().then(arguments[arguments.length - 1])"
# What it says besides: its name, and how it draws without a graphics card.
USUAL_WORDS = ("speedscope v", "WebGL", "GPU stall", "Importing as ", "import: ", "Saving")


def package(name):
    """The folder of a package of npm."""
    if not PACKAGES:
        raise unittest.SkipTest(needs.FILES_OF_OTHERS + "%s (make test-browser)" % name)
    path = os.path.abspath(os.path.join(PACKAGES, "node_modules", name))
    needs.need(name, None if os.path.isdir(path) else "it is not in %s" % PACKAGES)
    return path


class Speedscope(Exporting):
    def setUp(self):
        self.page = os.path.join(package("speedscope"), "dist", "release", "index.html")
        browser.need_browser()
        super().setUp()
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)

    def written(self, recording, form):
        path = self.path(form + ".json")
        self.tool("export", "--to", form, recording, "-o", path)
        with open(path, encoding="utf-8") as file:
            return path, file.read()

    def read(self, path):
        """What speedscope made of the file, as a file of speedscope."""
        self.browser.open(self.page)
        self.browser.script(KEEP_SAVED)
        self.browser.type("input[type=file]", path)
        wait_until(lambda: self.browser.script("return document.title") != "speedscope",
                   "the file is read")
        self.browser.script(SAVE)
        wait_until(lambda: self.browser.script("return !!window.saved"), "the file is saved")
        saved = self.browser.driver.execute_async_script(READ_SAVED)
        self.assertEqual([words for words in self.browser.errors()
                          if not any(usual in words for usual in USUAL_WORDS)], [])
        return saved

    def check_profiles(self, recording):
        """The same profiles, frames, nesting and times as in the file."""
        path, text = self.written(recording, "speedscope")
        ours, theirs = Profiles(self, text), Profiles(self, self.read(path))
        self.assertEqual(theirs.names, ours.names)
        self.assertEqual(collections.Counter(theirs.calls), collections.Counter(ours.calls))
        self.assertEqual({json.dumps(frame, sort_keys=True) for frame in theirs.frames},
                         {json.dumps(frame, sort_keys=True) for frame in ours.frames})
        shown = self.browser.script("return document.body.innerText")
        many = " (1/%d)" % len(ours.names) if len(ours.names) > 1 else ""
        self.assertIn(ours.names[0] + many, shown)
        return theirs

    def test_a_recording(self):
        path = self.record_everything()
        self.check_profiles(path).check(read(path))

    def test_a_long_recording_with_losses(self):
        profiles = self.check_profiles(self.write(lines_of(2000), "long"))
        self.assertIn("host-1/lost events", profiles.names)

    def test_hostile_names(self):
        events = self.made(1)
        for event in events[1:]:
            event["command_slug"] = "<img src=x onerror=alert(1)>\u202e\"\\\u0001\U0001f600"
        self.check_profiles(self.write(events))
        self.assertEqual([address for address in self.browser.requests()
                          if not address.startswith(("file:", "blob:"))], [])

    def test_a_chrome_trace(self):
        """speedscope does not read asynchronous slices: it shows where the flows begin and end."""
        path, text = self.written(self.record_everything(), "chrome")
        anchors = [line for line in json.loads(text)["traceEvents"] if line["ph"] == "X"]
        profiles = json.loads(self.read(path))
        self.assertEqual(len(profiles["profiles"]),
                         len({(line["pid"], line["tid"]) for line in anchors}))
        frames = [profiles["shared"]["frames"][event["frame"]]["name"]
                  for profile in profiles["profiles"] for event in profile["events"]
                  if event["type"] == "O"]
        self.assertEqual(len(frames), len(anchors))
        for line in anchors:
            self.assertTrue(any(line["name"] in frame for frame in frames), frames)


class TraceEngine(Exporting):
    def setUp(self):
        package("@paulirish/trace_engine")
        needs.program("node")
        super().setUp()

    def read(self, recording):
        path = self.path("trace.json")
        self.tool("export", "--to", "chrome", recording, "-o", path)
        with open(path, encoding="utf-8") as file:
            self.base = nanoseconds(json.load(file)["otherData"]["time_base"])
        done = subprocess.run(["node", RUN_ENGINE, PACKAGES, path], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_slices(self, slices, events):
        """Names, nesting and times: to a quarter of a microsecond, because it reads doubles."""
        of_step = {event["step_id"]: event for event in steps(events)}
        of_command = {event["execution_id"]: event for event in completed(events)}
        found = {(one["args"].get("invocation_id") or one["args"].get("step_id") or
                  one["args"]["execution_id"]): one for one in slices}
        expected = {**of_command, **of_step,
                    **{event["invocation_id"]: event for event in of_kind(events, TOOL)}}
        self.assertEqual((set(found), len(slices)), (set(expected), len(expected)))
        for identity, event in expected.items():
            one = found[identity]
            parent = event["step_id"] if event["event"] == TOOL else event.get("step", {}).get(
                "parent_step_id")
            outer = of_step[parent] if parent else of_command[event["execution_id"]]
            self.assertEqual(one["name"], frame_name(dict(event, outcome="success")))
            self.assertEqual(one["outer"], None if event is outer else
                             frame_name(dict(outer, outcome="success")))
            moved = one["args"].get("begin_moved_ms", 0) * 1000
            self.assertAlmostEqual(one["ts"] - moved, (begin_ns(event) - self.base) / 1000,
                                   delta=0.25)
            self.assertAlmostEqual(one["dur"] + moved, float(duration_ns(event)) / 1000, delta=0.25)

    def test_a_recording(self):
        path = self.record_everything()
        events = read(path)
        document = self.read(path)
        waits = [one for one in document["slices"] if one["args"]["kind"] == "wait"]
        self.check_slices([one for one in document["slices"] if one not in waits], events)
        queued = [event for event in started(events) if "queue" in event]
        self.assertEqual([one["name"] for one in waits],
                         [event["command_slug"] for event in queued])
        # A flow from a queue begins with the time that was waited in it.
        expected = [("queue", event["command_slug"], "wait") for event in queued] + [
            ("parent", event["command_slug"], "flow from here") for event in started(events)
            if "parent_execution_id" in event]
        self.assertEqual(sorted(document["flows"]), sorted(
            [[category, slug, first], [category, slug, "flow to here"]]
            for category, slug, first in expected))


if __name__ == "__main__":
    unittest.main()
