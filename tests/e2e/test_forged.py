# SPDX-License-Identifier: BSD-2-Clause
"""Forged spans, byte by byte: nothing is invented, nothing goes missing, nobody else suffers.

Whatever a forger does, a well-behaved runner beside it, traced by the same tracer, is reported
perfectly.
"""
import json
import os
import random
import signal
import tempfile
import time
import unittest
import uuid

from harness import (EndToEnd, Runner, Tracer, check_books, completed, run, runner_events, started,
                     steps, wait_until)
from spans import (ALL_ONES, CHILDREN, PROBES, Command, Forger, Fragment, Rejected, Step, Tool,
                   child_of, sampled_lines)

SEED = int(os.environ.get("STEPTRACE_SEED", random.SystemRandom().randrange(1 << 32)))


class Misuse(EndToEnd):
    """One tracer on a hostile and a well-behaved runner."""

    GOOD_COMMANDS = 6
    ARGUMENTS = ()

    def setUp(self):
        self.random = random.Random(SEED)
        self.forger = self.enterContext(Forger())
        self.good = self.enterContext(Runner())
        self.tracer = Tracer("-p", "%d,%d" % (self.forger.pid, self.good.pid),
                             *self.ARGUMENTS)
        self.good.do("go %d" % (self.GOOD_COMMANDS // 2))

    def stop(self, every=1):
        """The hostile runner's events, once the books were checked and the good one's were seen
        to be perfect. `every`th line is held against its schema."""
        self.good.do("go %d" % (self.GOOD_COMMANDS - self.GOOD_COMMANDS // 2))
        self.tracer.process.send_signal(signal.SIGINT)
        self.assertEqual(self.tracer.wait(), 0, self.tracer.words)
        events = self.whole = sampled_lines(self.tracer.path, every)
        self.tracer.directory.cleanup()
        self.lost = check_books(self, events)["lost_by_reason"]
        self.lost_kinds = events[-1]["lost_by_kind"]
        self.check_good([event for event in runner_events(events)
                         if event["source"]["pid"] == self.good.pid])
        for event in runner_events(events):
            self.assertIn(event["source"]["pid"], (self.forger.pid, self.good.pid))
        return [event for event in runner_events(events)
                if event["source"]["pid"] == self.forger.pid]

    def check_good(self, events):
        self.held = [event for event in events if event["command_slug"] == "held"]
        events = [event for event in events if event["command_slug"] != "held"]
        self.assertEqual(len(events), 7 * self.GOOD_COMMANDS)
        for begin in range(0, len(events), 7):
            start, *executed, done = events[begin:begin + 7]
            self.assertEqual((len(started([start])), len(steps(executed)), len(completed([done]))),
                             (1, 5, 1))
            self.assertEqual({event["execution_id"] for event in executed + [done]},
                             {start["execution_id"]})
            self.assertEqual({(event["command_slug"], event["user_id"], event["source"]["comm"])
                              for event in executed + [start, done]},
                             {("fragment.update", "tester", "spans")})
            numbers = [(step["step"]["index"], step["mutations_count"]) for step in executed]
            self.assertEqual(numbers, [(index, index) for index in range(5)])
            self.assertTrue(all(step["duration_ms"] > 0 for step in executed))
            self.assertGreater(done["total_duration_ms"],
                               sum(step["duration_ms"] for step in executed))
            self.assertEqual((done["steps_executed"], done["steps_lost"], done["complete"]),
                             (5, 0, True))

    def expect_lost(self, **expected):
        """These, and nothing else."""
        self.assertEqual({reason: count for reason, count in self.lost.items() if count}, expected,
                         "seed %d" % SEED)


class Garbage(Misuse):
    def test_no_span_at_all(self):
        """Random bytes, all ones, all zero, text."""
        shown = 0
        for probe in PROBES:
            for content in (bytes(512), b"\xff" * 512, b"A" * 512, b"{}\n\"" * 128,
                            *(self.random.randbytes(512) for _ in range(20))):
                self.forger.show(probe, content)
                shown += 1
        events = self.stop()
        self.assertEqual(events, [], "seed %d" % SEED)
        # A child that was announced at 0 has its command read, which is not there.
        self.assertEqual(sum(self.lost[why] for why in ("invalid", "unknown_layout", "unreadable")),
                         shown)
        self.assertEqual(set(self.lost_kinds.values()), {shown // len(PROBES)})

    def test_a_head_and_garbage(self):
        """What says it is a span of a known command and is random behind: an event that the schema
        allows, or a loss, but never anything in another's name."""
        command, at = self.forger.begin()
        shown = 0
        for probe, kind in CHILDREN.items():
            for _ in range(40):
                span = kind.from_buffer_copy(self.random.randbytes(512))
                for name in ("size_bytes", "layout", "kind", "execution_id"):
                    setattr(span, name, getattr(child_of(command, at, kind), name))
                span.set("operation" if kind is Fragment else "outcome", self.random.randrange(5))
                self.forger.show(probe, span)
                shown += 1
        events = self.stop()
        self.assertEqual(len(events) - 1 + sum(self.lost.values()), shown, "seed %d" % SEED)
        self.assertGreater(len(events), shown // 4)
        self.assertEqual({event["command_slug"] for event in events}, {"forged"})

    def test_impossible_lengths(self):
        command, at = self.forger.begin()
        shown = self.lengths_of("command__rejected", Rejected())
        for probe, kind in CHILDREN.items():
            shown += self.lengths_of(probe, child_of(command, at, kind))
        shown += self.lengths_of("command__start", Command())
        events = self.stop()
        self.assertEqual(len(events), 1 + 2 * 5)
        self.expect_lost(invalid=shown - 2 * 5)

    def lengths_of(self, probe, span):
        """Two of these are possible: the shortest, and more than we know."""
        lengths = (0, 1, 39, 40, span.MIN_BYTES - 1, span.MIN_BYTES, 65535)
        for length in lengths:
            span.size_bytes = length
            self.forger.show(probe, bytes(span) + bytes(16))
        return len(lengths)

    def test_what_lies_behind_a_short_span_is_not_told(self):
        command, at = self.forger.begin()
        self.forger.show("step__done", child_of(command, at, Step, size_bytes=Step.MIN_BYTES,
                                                 type=b"Short", name=b"not mine"))
        step = steps(self.stop())[0]
        self.assertEqual((step["step_type"], step["step"]["name"]), ("Short", ""))

    def test_unknown_layouts_and_kinds(self):
        command, at = self.forger.begin()
        for probe, (kind, _) in PROBES.items():
            def span(**values):
                if probe in CHILDREN:
                    return child_of(command, at, kind, **values)
                return kind(**values)
            for layout in (0, 2, 255):
                self.forger.show(probe, span(layout=layout))
            for wrong in range(0, 8):
                if wrong != kind.KIND:
                    self.forger.show(probe, span(kind=wrong))
        self.assertEqual(len(self.stop()), 1)
        self.expect_lost(unknown_layout=3 * len(PROBES), invalid=7 * len(PROBES))

    def test_the_wrong_probe(self):
        """A good span, shown to every other probe."""
        command, at = self.forger.begin()
        shown = 0
        spans = (Rejected(), *(child_of(command, at, kind) for kind in CHILDREN.values()))
        for span in spans:
            for probe, (kind, _) in PROBES.items():
                if not isinstance(span, kind):
                    self.forger.show(probe, bytes(span) + bytes(512))
                    shown += 1
        self.assertEqual(len(self.stop()), 1)
        # What stands in the rejected span where a child has its announcement is 0.
        self.expect_lost(invalid=shown - len(CHILDREN), unreadable=len(CHILDREN))

    def test_outcomes_out_of_range(self):
        command, at = self.forger.begin()
        for outcome in (0, 6, 255):
            self.forger.show("step__done", child_of(command, at, Step, outcome=outcome))
            self.forger.show("tool__done", child_of(command, at, Tool, outcome=outcome))
            self.forger.show("fragment__changed",
                              child_of(command, at, Fragment, operation=outcome))
            command.outcome = outcome
            self.forger.show("command__done", command)
        self.forger.show("step__done", child_of(command, at, Step, outcome=2, error_category=200,
                                                 ai_cache=200, flags=0xffffffff, index=65535,
                                                 depth=65535, fragment_id=-1 << 63,
                                                 mutations_count=ALL_ONES))
        events = self.stop()
        self.expect_lost(invalid=12)
        self.assertEqual(len(events), 2)
        step = events[1]
        self.assertEqual((step["error_category"], "ai" in step), ("general", False))
        self.assertEqual((step["fragment_id"], step["mutations_count"]), (-1 << 63, ALL_ONES))

    def test_a_schedule_out_of_this_world(self):
        for planned in (-1 << 63, -1, (1 << 63) - 1):
            self.forger.begin(flags=2, schedule_id=-1 << 63, planned_run_at_s=planned)
        events = self.stop()
        self.assertEqual([event["schedule"]["planned_run_at"] for event in events], [None] * 3)


class SafeIntegers(Misuse):
    ARGUMENTS = ("--safe-integers",)

    def test_numbers_beyond_a_double(self):
        """What a double would round is a string of digits, and nothing else is."""
        values = (2 ** 53 - 1, 2 ** 53, 1 - 2 ** 53, -2 ** 53, -1 << 63, (1 << 63) - 1, 0)
        command, at = self.forger.begin()
        for value in values:
            self.forger.show("step__done", child_of(command, at, Step, flags=4, fragment_id=value,
                                                    mutations_count=abs(value)))
        executed = steps(self.stop())
        self.assertEqual([step["fragment_id"] for step in executed],
                         [value if abs(value) < 2 ** 53 else str(value) for value in values])
        self.assertEqual([int(step["mutations_count"]) for step in executed],
                         [abs(value) for value in values])
        self.assertIs(self.whole[0]["safe_integers"], True)
        self.assertIsInstance(self.whole[0]["clock"]["realtime_ns"], str)
        self.assertIsInstance(self.whole[-1]["hits"], int)

    def test_not_with_text(self):
        status, _, words = run("record", "--safe-integers", "--format", "compact")
        self.assertEqual(status, 2)
        self.assertIn("--safe-integers works only with --format json", words)
        self.stop()


class Nowhere(Misuse):
    """Pointers."""

    ADDRESSES = (0, 1, 8, 4095, ALL_ONES, ALL_ONES - 7, 0xffff888000000000, 0xffffffff81000000,
                 0xffffffffff600000, 0x8000000000000000, 0x7ffffffff000, 0x7fffffffffff, 0xdead0000)

    def test_spans(self):
        for probe in PROBES:
            for address in self.ADDRESSES:
                self.forger.fire(probe, address)
        self.assertEqual(self.stop(), [])
        self.expect_lost(unreadable=len(PROBES) * len(self.ADDRESSES))

    def test_spans_at_the_edge_of_a_page(self):
        """The last text may be missing, and then is; one byte more may not."""
        command, at = self.forger.begin()
        texts = {Step: {"type": b"Edge", "name": b"n" * 64}}
        whole = {probe: child_of(command, at, kind, **texts.get(kind, {}))
                 for probe, kind in CHILDREN.items()}
        whole["command__rejected"] = Rejected(invalid_fields=b"f" * 128)
        for probe, span in whole.items():
            self.forger.show(probe, bytes(span)[:span.MIN_BYTES])
            self.forger.show(probe, bytes(span)[:span.MIN_BYTES - 1])
            self.forger.show(probe, bytes(span)[:1])
        events = self.stop()
        self.expect_lost(unreadable=2 * len(whole))
        self.assertEqual(len(events), 1 + len(whole))
        self.assertEqual((steps(events)[0]["step_type"], steps(events)[0]["step"]["name"]),
                         ("Edge", ""))

    def test_commands(self):
        """Where the tracer has to ask who the command is, and the answer leads nowhere, to another
        kind of span, to another command, or into itself."""
        other, other_at = self.forger.begin(slug=b"other")
        rejected_at = self.forger.place(Rejected())
        unknown = Command(slug=b"unknown")
        shown = 0
        for probe, kind in CHILDREN.items():
            for address in self.ADDRESSES:
                self.forger.show(probe, child_of(unknown, address, kind))
            self.forger.show(probe, child_of(unknown, rejected_at, kind))
            self.forger.show(probe, child_of(unknown, other_at, kind))
            itself = self.forger.place(bytes(kind()))
            self.forger.change(itself, child_of(unknown, itself, kind))
            self.forger.fire(probe, itself)
            shown += 1
        events = self.stop()
        self.assertEqual([event["command_slug"] for event in events], ["other"])
        # Into itself: read as a command it is of the wrong kind, or runs into the missing page.
        self.assertEqual(self.lost["unreadable"] + self.lost["invalid"],
                         shown * (len(self.ADDRESSES) + 2))
        self.assertGreaterEqual(self.lost["unreadable"], shown * len(self.ADDRESSES))
        self.assertEqual(self.lost["unattributed"], shown)

    def test_a_command_nobody_knows(self):
        """It says it was announced, and was not."""
        unknown = Command(announced_ns=ALL_ONES, outcome=1)
        at = self.forger.show("command__done", unknown)
        for probe, kind in CHILDREN.items():
            self.forger.show(probe, child_of(unknown, at, kind))
        self.assertEqual(self.stop(), [])
        self.expect_lost(unattributed=4)


class Forged(Misuse):
    """Spans that are whole and lie."""

    def finish(self, command, **values):
        for name, value in values.items():
            command.set(name, value)
        command.outcome = command.outcome or 1
        self.forger.show("command__done", command)

    def test_counters(self):
        command, at = self.forger.begin()
        self.forger.show("step__done", child_of(command, at, Step))
        forgeries = ((ALL_ONES, 0, 0), (ALL_ONES, 2, 0), (ALL_ONES, ALL_ONES, ALL_ONES),
                     (1 << 63, 1 << 63, 1))
        for successful, failed, skipped in forgeries:
            command, at = self.forger.begin()
            self.forger.show("step__done", child_of(command, at, Step))
            self.finish(command, steps_successful=successful, steps_failed=failed,
                        steps_skipped=skipped)
        done = completed(self.stop())
        for event, (successful, failed, skipped) in zip(done, forgeries, strict=True):
            self.assertEqual((event["steps_successful"], event["steps_failed"]),
                             (successful, failed))
            self.assertEqual(event["steps_executed"], min(successful + failed + skipped, ALL_ONES))
            self.assertEqual(event["steps_lost"], event["steps_executed"] - 1)
            self.assertIs(event["complete"], False)

    # start and end; what is not possible is not told
    IMPOSSIBLE_TIMES = ((0, 0), (0, 5), (2, 1), (ALL_ONES, 0), (ALL_ONES, 1), (1, ALL_ONES),
                        (0, ALL_ONES), (1, 1 << 63), (1, time.monotonic_ns() + 10 ** 14))

    def test_times(self):
        """A clock of its own is a runner's right, but nothing takes longer than the machine is
        up."""
        possible = ((5, 5), (ALL_ONES, ALL_ONES), (5, 7), (ALL_ONES - 10 ** 9, ALL_ONES))
        for start_ns, end_ns in self.IMPOSSIBLE_TIMES + possible:
            stamps = {"start_ns": start_ns, "end_ns": end_ns}
            command, at = self.forger.begin(announced_ns=time.monotonic_ns())
            self.forger.show("step__done", child_of(command, at, Step, **stamps))
            self.forger.show("tool__done", child_of(command, at, Tool, **stamps))
            self.finish(command, **stamps)
        events = self.stop()
        told = [event["total_duration_ms"] for event in completed(events)]
        self.assertEqual(told, [None] * len(self.IMPOSSIBLE_TIMES) + [0, 0, 0.000002, 1000])
        self.assertEqual([event["duration_ms"] for event in steps(events)], told)
        self.assertEqual([event["duration_ms"] for event in events
                          if event["event"] == "tool.invocation.completed"], told)

    def test_announcements(self):
        """Whenever it says it was announced, its steps are told, once, and only in its own name."""
        moments = (0, 1, time.monotonic_ns() + 3600 * 10 ** 9, ALL_ONES - 1, ALL_ONES)
        for moment in moments:
            command, at = self.forger.begin(announced_ns=moment)
            for other in moments:
                self.forger.show("step__done", child_of(command, at, Step,
                                                         command_announced_ns=other))
            self.finish(command)
        events = self.stop()
        self.assertEqual((len(started(events)), len(steps(events)), len(completed(events))),
                         (len(moments), len(moments) ** 2, len(moments)))
        self.expect_lost()

    def test_ids_of_several_threads(self):
        """Many commands of one id: the last one holds it, until its end."""
        command, at = self.forger.begin(outcome=1)
        self.forger.do("crowd command__start %x 20" % at)
        self.finish(command)
        self.forger.do("crowd command__done %x 20" % at)
        command.announced_ns = 0  # it introduces itself again, each time
        self.forger.change(at, command)
        self.forger.do("crowd command__done %x 20" % at)
        events = self.stop()
        self.assertEqual((len(started(events)), len(completed(events))), (161, 161))
        self.assertEqual(sum(event["complete"] for event in completed(events)), 1)
        self.expect_lost(unattributed=160)

    def test_a_command_that_changes_while_it_runs(self):
        """What was said first holds for all that is told of it."""
        command, at = self.forger.begin(slug=b"first", correlation_id=b"c-1")
        command.set("slug", b"second")
        command.set("correlation_id", b"c-2")
        self.forger.change(at, command)
        self.forger.show("step__done", child_of(command, at, Step))
        self.finish(command)
        events = self.stop()
        self.assertEqual({(event["command_slug"], event["correlation_id"]) for event in events},
                         {("first", "c-1")})

    def test_ids_of_another_process(self):
        """Its forgeries stay its own, and the process whose id it is notices nothing."""
        self.good.do("open")
        stolen = uuid.UUID(json.loads(self.tracer.written('"command_slug":"held"'))["execution_id"])
        command, at = self.forger.begin(execution_id=stolen.bytes, slug=b"held")
        self.forger.show("step__done", child_of(command, at, Step, type=b"Forged"))
        self.finish(command)
        self.finish(command)
        self.forger.show("step__done", child_of(command, at, Step, type=b"Forged"))
        self.good.do("step 4")
        self.good.do("close")
        events = self.stop()
        self.assertEqual([event["event"] for event in events],
                         [event for _, event in (PROBES["command__start"], PROBES["step__done"],
                                                 PROBES["command__done"])])
        self.assertEqual({event["execution_id"] for event in events}, {str(stolen)})
        self.expect_lost(unattributed=2)
        self.assertEqual([event["event"] for event in self.held],
                         [event["event"] for event in events])
        self.assertEqual({(event["command_slug"], event["user_id"]) for event in self.held},
                         {("held", "tester")})
        self.assertIs(self.held[-1]["complete"], True)


def hostile_texts(size):
    """What a field of that many bytes may hold."""
    return [content[:size].ljust(size, b"\0") for content in (
        b"x" * size, b"one\ntwo\r\nthree\n", b'a "quoted" \\ back/slash\\', b"'; --\0 junk behind",
        bytes(range(1, 33)) + b"\x7f", b"\x1b[2J\x1b]0;title\x07", b"\xc2\x9b31m\xc2\x80",
        b"\xff\xfe \xc3( \xed\xa0\x80 \xf8\x88 \xc0\xaf \xf4\x90\x80\x80", b"\xf0\x9f\x98" * size,
        b"x" + "é".encode() * size, b"xy" + "日本".encode() * size, b'","outcome":"success","x":"',
        b"\xef\xbf\xbe\xef\xbb\xbf", b",,,", b"")]


class Text(Misuse):
    TOLD = {"slug": "command_slug", "user_id": "user_id", "request_source": "request_source",
            "correlation_id": "correlation_id", "type": "step_type", "reason": "reason"}

    def expect_told(self, told, span, field):
        """All that is text of it, up to its NUL; each byte that is none became a mark."""
        raw = bytes(span)[getattr(type(span), field).offset:][:getattr(type(span), field).size]
        self.assertEqual(told.replace("\ufffd", ""), raw.split(b"\0")[0].decode("utf-8", "ignore"))

    def show_text(self, which):
        """One of each event, every text of it hostile; the spans that have texts."""
        texts = {}
        for shape in (Command, Step, Tool, Rejected):
            texts[shape] = {field: hostile_texts(getattr(shape, field).size)[which]
                            for field in shape.text_fields()}
        command, at = self.forger.begin(outcome=1, **texts[Command])
        step = child_of(command, at, Step, **texts[Step])
        tool = child_of(command, at, Tool, **texts[Tool])
        rejected = Rejected(**texts[Rejected])
        self.forger.show("step__done", step)
        self.forger.show("tool__done", tool)
        self.forger.show("command__rejected", rejected)
        self.forger.show("command__done", command)
        return command, step, tool, rejected

    def test_everywhere(self):
        compact = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "compact")
        person = Tracer("-p", str(self.forger.pid), "--format", "compact", "-o", compact)
        shown = [self.show_text(which) for which in range(len(hostile_texts(64)))]
        person.process.send_signal(signal.SIGINT)
        self.assertEqual(person.wait(), 0)
        events = self.stop()
        self.expect_lost()
        self.assertEqual(len(events), 5 * len(shown))
        for index, (command, step, tool, rejected) in enumerate(shown):
            start, step_told, tool_told, rejected_told, done = events[5 * index:5 * index + 5]
            self.expect_all_told(((start, command), (done, command), (step_told, step),
                                  (rejected_told, rejected)))
            self.expect_told(step_told["step"]["name"], step, "name")
            self.expect_told(tool_told["tool_slug"], tool, "slug")
        self.check_compact(compact, len(events))

    def expect_all_told(self, pairs):
        for event, span in pairs:
            for field in span.text_fields():
                told = event.get(self.TOLD.get(field))
                if told is not None and told != event["execution_id"]:
                    self.expect_told(told, span, field)

    def check_compact(self, path, count):
        """The titles, one line an event, and nothing for a terminal to execute."""
        with open(path, "rb") as file:
            lines = file.read().decode("utf-8").split("\n")
        self.assertEqual((len(lines), lines[-1]), (1 + count + 1, ""))
        for line in lines:
            self.assertTrue(all(ord(character) >= 0x20 and not 0x7f <= ord(character) < 0xa0
                                for character in line), repr(line))


class Masses(Misuse):
    """More than there is room for."""

    def tracer_memory(self):
        """At its most so far, in MB."""
        with open("/proc/%d/status" % self.tracer.process.pid, encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) >> 10

    def in_portions(self, order, count, portion=4000):
        """Not faster than the tracer writes its lines."""
        written = 0
        for _ in range(0, count, portion):
            self.forger.do("%s %d" % (order, portion))
            written += portion
            wait_until(lambda: self.lines_written() >= written, "%d lines" % written)

    def lines_written(self):
        with open(self.tracer.path, "rb") as file:
            file.seek(self.read_up_to)
            content = file.read()
        self.read_up_to += len(content)
        self.lines_count += content.count(b"\n")
        return self.lines_count

    def setUp(self):
        super().setUp()
        self.read_up_to = self.lines_count = 0

    def test_commands_that_never_end(self):
        """The tracer keeps 65,536 of them, with about 2.5 KiB each: the span, the longest text as
        JSON, and the process."""
        self.good.do("open")
        self.good.do("step 0")
        self.in_portions("begin", 72000)
        self.good.do("step 1")
        self.good.do("close")
        self.assertLess(self.tracer_memory(), 256)
        self.stop(every=100)

    def test_steps_that_never_end(self):
        self.forger.do("steps 50000")
        self.assertLess(self.tracer_memory(), 200)
        self.stop()


if __name__ == "__main__":
    unittest.main()
