# SPDX-License-Identifier: BSD-2-Clause
"""steptrace export --to speedscope: every frame is compared with the recording."""
import json
import re
import tempfile
import unittest

from exports import Exporting
from harness import completed, record, run, steps, target
from made_recordings import lines_of
from recordings import nanoseconds, read

BEGIN = nanoseconds("2026-01-01T00:00:00.000000000Z")


def timestamp(ns):
    return "2026-01-01T00:00:%02d.%09dZ" % divmod(ns, 10**9)


def span(kind, end, duration, execution="e", tid=7, comm="runner", pid=7, **members):
    """An event by hand; times in nanoseconds."""
    return {"event": kind, "timestamp": timestamp(end), "execution_id": execution,
            "correlation_id": "c", "command_slug": "go", "user_id": "u", "outcome": "success",
            "total_duration_ms" if kind.startswith("command") else "duration_ms":
                None if duration is None else duration / 1000000,
            "source": {"pid": pid, "tid": tid, "uid": 0, "comm": comm, "cpu": 0}, **members}


def command(end, duration, execution="e", **members):
    return span("command.execution.completed", end, duration, execution, **members)


def step(end, duration, name, parent=None, depth=0, **members):
    return span("dsl.step.executed", end, duration, step_id=name, step_type="T",
                step={"name": name, "index": 0, "depth": depth, "parent_step_id": parent},
                **members)


class Recorded(Exporting):
    """Real recordings."""

    def test_everything(self):
        path = self.record_everything()
        profiles = self.speedscope(path)
        profiles.check(read(path))
        self.assertNotIn("warning", self.said)
        files = {frame["name"]: frame.get("file") for frame in profiles.frames}
        self.assertEqual((files["note"], files["save FragmentCreateStep"]), (None, "note"))
        self.assertIn(max(len(call.stack) for call in profiles.calls), (4, 5))
        # Two executions that waited for each other overlap: the second has a profile of its own.
        waiting = {call.profile for call in profiles.calls if call.stack == ("wait",)}
        self.assertEqual(len(waiting), 2, waiting)

    def test_many_threads_and_failures(self):
        events, _ = record(["nested", "tool", "fail", "threads 40", "sleep 2"])
        path = self.write(events)
        self.speedscope(path).check(read(path))

    def test_a_process_that_dies(self):
        run("record", "-o", self.path("dies"), "--", "/bin/sh", "-c",
            "echo 'die kill' | %s" % target("spans"))
        profiles = self.speedscope(self.path("dies"))
        profiles.check(read(self.path("dies")))
        self.assertTrue(any(call.stack[0].endswith(" (aborted)") for call in profiles.calls))

    def test_hostile_texts(self):
        events, _ = record(["text quotes", "text control", "text invalid", "text long",
                            "text newline"])
        path = self.write(events)
        self.speedscope(path).check(read(path))
        output, _ = self.tool("export", "--to", "speedscope", path)
        self.assertEqual(re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", output), [])


class Profiles(Exporting):
    """Recordings by hand, whose times are exact."""

    def shown(self, events, **options):
        """[(profile, stack, begin, end)], in nanoseconds of the day."""
        self.profiles = self.speedscope(self.write(events), **options)
        return [(call.profile, "/".join(call.stack), call.begin - BEGIN, call.end - BEGIN)
                for call in self.profiles.calls]

    def test_executions_that_overlap_on_one_thread(self):
        """Executions that follow each other share a profile, also those of other threads."""
        self.assertEqual(self.shown([
            command(100, 50, "a"), command(130, 60, "b"), command(200, 100, "c"),
            command(300, 60, "d", tid=8), command(400, 10, "e", pid=9, tid=9)]), [
                ("runner", "go", 50, 100), ("runner", "go", 100, 200), ("runner", "go", 240, 300),
                ("runner", "go", 390, 400), ("runner (2)", "go", 70, 130)])
        self.assertIn("5 executions, 0 steps, 0 tool calls, 2 profiles", self.said)

    def test_programs_and_hosts(self):
        files = [self.write([self.made(0, host, day=day)[0], command(100, 10, host, comm=comm)],
                            comm)
                 for host, comm, day in (("first", "a", 1), ("second", "b", 2))]
        self.assertEqual(self.speedscope(*files).names, ["first/a", "second/b"])

    def test_steps_that_overlap(self):
        """A step that does not nest is in another profile, inside of its command."""
        ms = 10**6
        self.assertEqual(self.shown([
            step(5 * ms, 4 * ms, "a"), step(9 * ms, 6 * ms, "b", tid=8),
            step(8 * ms, ms, "c", "b", 1, tid=8), command(10 * ms, 10 * ms)]), [
                ("runner", "go/a T", ms, 5 * ms), ("runner", "go", 0, 10 * ms),
                ("runner (2)", "go/b T/c T", 7 * ms, 8 * ms),
                ("runner (2)", "go/b T", 3 * ms, 9 * ms), ("runner (2)", "go", 3 * ms, 9 * ms)])
        self.assertIn("1 executions, 3 steps, 0 tool calls", self.said)

    def test_a_beginning_that_is_not_known(self):
        self.assertEqual(self.shown([
            step(100, 50, "a"), step(120, None, "b"), command(200, None)]), [
                ("runner", "go/a T", 50, 100), ("runner", "go", 50, 200)])
        self.assertIn("1 span(s) are left out: they began before the recording", self.said)

    def test_an_end_that_is_not_known(self):
        begin = {key: value for key, value in command(10, None).items()
                 if key not in ("outcome", "total_duration_ms")}
        self.assertEqual(self.shown([
            dict(begin, event="command.execution.started"), step(100, 50, "a")]), [
                ("runner", "go (no end)/a T", 50, 100), ("runner", "go (no end)", 10, 100)])
        self.assertIn("1 execution(s) have no end in the recording", self.said)

    def test_outcomes(self):
        shown = self.shown([step(10 * number, 5, "s", outcome=outcome) for number, outcome in
                            enumerate(("failure", "skipped", "cancelled", "success", "new"), 1)]
                           + [command(90, 90)])
        self.assertEqual([stack for _, stack, _, _ in shown],
                         ["go/s T (failure)", "go/s T (skipped)", "go/s T (cancelled)", "go/s T",
                          "go/s T", "go"])

    def test_suspended(self):
        """The time for which a span was suspended is no part of its duration, but of the frame."""
        shown = self.shown([step(90, 10, "s", suspended_ms=0.00003),
                            command(95, 20, suspended_ms=0.00003)])
        self.assertEqual(shown, [("runner", "go/s T", 50, 90), ("runner", "go", 45, 95)])

    def test_losses(self):
        lost = {"event": "trace.lost", "timestamp": timestamp(900), "monotonic_ns": 1,
                "kind": "dsl.step.executed", "lost": 5, "reason": "buffer_full",
                "since": timestamp(100), "until": timestamp(200)}
        shown = self.shown([command(300, 50), lost, dict(lost, lost=2)])
        self.assertEqual(shown[1:], [
            ("lost events", "loss dsl.step.executed", 100, 200),
            ("lost events (2)", "loss dsl.step.executed", 100, 200)])
        self.assertIn("7 event(s) were lost", self.said)
        self.assertEqual(self.profiles.document["steptrace"]["lost"], 7)

    def test_nothing_to_show(self):
        self.assertEqual(self.shown(self.made(0), status=1), [])
        self.assertIn("there is nothing to show", self.said)
        untimed = [{key: value for key, value in event.items() if key != "timestamp"}
                   for event in self.made(2)]
        self.shown(untimed, status=1)
        self.assertIn("6 event(s) have no timestamp", self.said)


class TemporaryFile(Exporting):
    """More events than are held in memory."""

    def setUp(self):
        super().setUp()
        self.large = self.write(lines_of(3000, slugs=3), "large")

    def test_a_long_recording(self):
        with tempfile.TemporaryDirectory(prefix="steptrace-test-") as folder:
            self.profiles = self.speedscope(self.large, env={"TMPDIR": folder})
        events = read(self.large)
        self.assertEqual(self.profiles.document["steptrace"]["executions"], 3000)
        self.assertLessEqual({nanoseconds(event["timestamp"]) for event in completed(events)},
                             {call.end for call in self.profiles.calls if len(call.stack) == 1})
        ends = sorted(nanoseconds(event["timestamp"]) for event in steps(events))
        self.assertEqual(sorted(call.end for call in self.profiles.of_program()
                                if len(call.stack) == 2 and "tool" not in call.stack[1]), ends)

    def test_there_is_no_room_for_it(self):
        said = self.tool("export", "--to", "speedscope", self.large, status=1,
                         env={"TMPDIR": "/nonexistent"})[1]
        self.assertIn("cannot use a temporary file: No such file or directory (TMPDIR chooses",
                      said)
        small = self.write(self.made(3), "small")
        self.tool("export", "--to", "speedscope", small, env={"TMPDIR": "/nonexistent"})

    def test_a_full_disk(self):
        said = self.tool("export", "--to", "speedscope", self.large, "-o", "/dev/full",
                         status=1)[1]
        self.assertIn("cannot write /dev/full", said)


if __name__ == "__main__":
    unittest.main()
