# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `steptrace export` share: readers of the documents, and recordings by hand."""
import collections
import csv
import io
import json

from harness import completed, of_kind, steps
from recordings import Recorded, begin_ns, decimals, duration_ns, nanoseconds

TOOL = "tool.invocation.completed"
COMMAND, STEP = "command.execution.completed", "dsl.step.executed"


def tools(events):
    return of_kind(events, TOOL)


class Trace:
    """A Chrome trace, read as a viewer reads it: sorted by time, ties in the order of the file."""

    def __init__(self, test, text):
        self.test = test
        self.document = decimals(text)
        self.base = nanoseconds(self.document["otherData"]["time_base"])
        self.lines = self.document["traceEvents"]
        self.timed = sorted((line for line in self.lines if "ts" in line),
                            key=lambda line: line["ts"])
        self.slices, self.instants = [], []
        self.names = {line["pid"]: line["args"]["name"] for line in self.lines
                      if line["ph"] == "M" and line["name"] == "process_name"}
        self.pair()

    def at(self, line):
        """Nanoseconds since 1970, from microseconds with three decimals."""
        ns = line["ts"] * 1000
        self.test.assertEqual(ns, int(ns), line)
        return int(ns) + self.base

    def pair(self):
        """Every b has its e, in the reverse order, on the same id."""
        stacks = collections.defaultdict(list)
        for line in self.timed:
            stack = stacks[line.get("cat"), line.get("id")]
            if line["ph"] == "b":
                stack.append(line)
            elif line["ph"] == "e":
                begin = stack.pop()
                self.test.assertEqual((begin["name"], begin["pid"]), (line["name"], line["pid"]))
                outer = [above["args"].get("step_id") or above["args"]["execution_id"]
                         for above in stack] if line["cat"] == "execution" else []
                self.slices.append((begin, self.at(begin), self.at(line), outer))
            elif line["ph"] == "n":
                self.instants.append(line)
        self.test.assertEqual([key for key, stack in stacks.items() if stack], [])

    def of(self, kind):
        return [one for one in self.slices if one[0]["args"]["kind"] == kind]

    def check_span(self, event, found):
        """The times are those of the event, to the nanosecond."""
        line, begin, end, outer = found
        moved = round(line["args"].get("begin_moved_ms", 0) * 1000000)
        self.test.assertEqual(end, nanoseconds(event["timestamp"]))
        self.test.assertEqual(begin - moved, begin_ns(event))
        self.test.assertEqual(line["args"]["outcome"], event["outcome"])
        self.test.assertEqual(line["args"]["duration_ms"] * 1000000, duration_ns(event))
        return outer

    def check_spans(self, events):
        for kind, key, of_recording in (("command", "execution_id", completed(events)),
                                        ("step", "step_id", steps(events)),
                                        ("tool", "invocation_id", tools(events))):
            found = {one[0]["args"][key]: one for one in self.of(kind)}
            expected = {event[key]: event for event in of_recording
                        if duration_ns(event) is not None}
            self.test.assertEqual(set(found), set(expected))
            self.test.assertEqual(len(found), len(self.of(kind)))
            for identity, event in expected.items():
                outer = self.check_span(event, found[identity])
                if kind == "command":
                    self.test.assertEqual(outer, [])
                    continue
                parent = event["step_id"] if kind == "tool" else event["step"]["parent_step_id"]
                self.test.assertEqual(outer[-1], parent or event["execution_id"])

    def check_flows(self):
        """Both ends are inside of a slice of their thread. Returns {(category, id): [from, to]}."""
        flows = collections.defaultdict(list)
        anchors = {(line["pid"], line["tid"], line["ts"]) for line in self.lines
                   if line["ph"] == "X"}
        for line in self.timed:
            if line["ph"] in "sf":
                self.test.assertIn((line["pid"], line["tid"], line["ts"]), anchors)
                flows[line["cat"], line["id"]].append(line)
        for pair in flows.values():
            self.test.assertEqual([line["ph"] for line in pair], ["s", "f"])
        return flows

    def check_counters(self, expected):
        last, count = {}, 0
        for line in self.timed:
            if line["ph"] == "C":
                self.test.assertEqual(abs(line["args"]["open"] - last.get(line["pid"], 0)), 1)
                last[line["pid"]] = line["args"]["open"]
                count += 1
        self.test.assertEqual(count, expected)
        self.test.assertEqual(set(last.values()) - {0}, set())


# ---- speedscope

Call = collections.namedtuple("Call", "profile stack begin end outer")


def frame_name(event):
    """The name that the event has in a profile."""
    name = {COMMAND: lambda: event["command_slug"],
            STEP: lambda: " ".join(filter(None, (event["step"]["name"], event["step_type"]))),
            TOOL: lambda: "tool " + event["tool_slug"]}[event["event"]]()
    return name if event["outcome"] == "success" else "%s (%s)" % (name, event["outcome"])


class Profiles:
    """A file of speedscope: each end belongs to the beginning that came last, and times go up."""

    def __init__(self, test, text):
        """speedscope names a file as we do, and writes none of our own members."""
        self.test, self.document = test, decimals(text)
        self.base = nanoseconds(self.document["name"])
        self.frames = self.document["shared"]["frames"]
        self.names = [profile["name"] for profile in self.document["profiles"]]
        self.calls = [call for profile in self.document["profiles"] for call in self.read(profile)]

    def read(self, profile):
        """Each frame: (profile, names from the outermost on, begin, end, the call around it)."""
        test, stack, now = self.test, [], profile["startValue"]
        test.assertEqual((profile["type"], profile["unit"], now), ("evented", "nanoseconds", 0))
        for event in profile["events"]:
            test.assertIsInstance(event["at"], int)
            test.assertGreaterEqual(event["at"], now)
            now = event["at"]
            if event["type"] == "O":
                stack.append((event["frame"], now))
                continue
            test.assertEqual(event["type"], "C")
            frame, begin = stack.pop()
            test.assertEqual(frame, event["frame"])
            names = tuple(self.frames[one]["name"] for one, _ in stack) + (
                self.frames[frame]["name"],)
            yield Call(profile["name"], names, begin + self.base, now + self.base,
                       stack[-1][1] + self.base if stack else None)
        test.assertEqual(stack, [])
        test.assertLessEqual(now, profile["endValue"])

    def of_program(self):
        return [call for call in self.calls if "lost events" not in call.profile]

    def stacks(self):
        return sorted((call.stack, call.begin, call.end) for call in self.of_program())

    def check(self, events):
        """Every span of the recording is one call, below its parents, with its times."""
        by_id = {event["step_id"]: event for event in steps(events)}
        commands = {event["execution_id"]: event for event in completed(events)}
        calls = collections.defaultdict(list)
        for call in self.of_program():
            calls[call.stack, call.end].append(call)
        self.ends = {call.end for call in self.calls}
        for event in [*commands.values(), *by_id.values(), *tools(events)]:
            if duration_ns(event) is None:
                continue
            call = calls[self.stack_of(event, by_id, commands), nanoseconds(event["timestamp"])]
            self.test.assertTrue(call, event)
            self.check_begin(event, call.pop())
        self.test.assertEqual([call for left in calls.values() for call in left], [])

    def stack_of(self, event, by_id, commands):
        names, command = [frame_name(event)], commands[event["execution_id"]]
        parent = event["step_id"] if event["event"] == TOOL else event.get("step", {}).get(
            "parent_step_id")
        while parent:
            names.append(frame_name(by_id[parent]))
            parent = by_id[parent]["step"]["parent_step_id"]
        return tuple(reversed(names if event is command else names + [frame_name(command)]))

    def check_begin(self, event, call):
        """That of the event, or moved: to the beginning of the parent or to another end, or, if it
        seems to begin after the end of a child, to the beginning of this one."""
        if call.begin < begin_ns(event):
            self.test.assertTrue(any(inner.begin == inner.outer == call.begin and
                                     inner.end < begin_ns(event) for inner in self.calls), call)
        elif call.begin > begin_ns(event):
            self.test.assertIn(call.begin, self.ends | {call.outer})


class Exporting(Recorded):
    def chrome(self, *files, status=0, **options):
        output, self.said = self.tool("export", "--to", "chrome", *files, status=status, **options)
        return Trace(self, output)

    def speedscope(self, *files, status=0, **options):
        output, self.said = self.tool("export", "--to", "speedscope", *files, status=status,
                                      **options)
        profiles = Profiles(self, output)
        self.assertEqual(profiles.document["steptrace"]["time_base"], profiles.document["name"])
        self.assertEqual(len(set(profiles.names)), len(profiles.names))
        self.assertEqual(len({json.dumps(frame) for frame in profiles.frames}),
                         len(profiles.frames))
        return profiles

    def table(self, name, *files, status=0, **options):
        output, self.said = self.tool("export", "--to", "csv", "--table", name, *files,
                                      status=status, **options)
        self.assertEqual(output.count("\r\n"), len(output.splitlines()))
        return list(csv.DictReader(io.StringIO(output, newline=""), strict=True))

    def write(self, lines, name="made.ndjson"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.writelines(line if isinstance(line, str) else json.dumps(line) + "\n"
                            for line in lines)
        return self.path(name)

    def made(self, count, host="vm", boot="b", day=1, pid=7):
        """A recording made by hand: `count` commands of a step, one a second."""
        def at(second, ns):
            return "2026-01-%02dT00:00:%02d.%09dZ" % (day, second, ns)

        events = [{"event": "trace.started", "timestamp": at(0, 0), "monotonic_ns": 1, "part": 1,
                   "schema_version": 2, "version": "0", "host": host, "boot_id": boot}]
        for number in range(count):
            common = {"correlation_id": "c", "execution_id": "%s-%s-%d-%d" % (host, boot, day,
                                                                              number),
                      "command_slug": "go", "user_id": "u",
                      "source": {"pid": pid, "tid": pid, "uid": 0, "comm": "runner", "cpu": 0}}
            events += [
                {"event": "command.execution.started", "timestamp": at(number, 1), **common},
                {"event": "dsl.step.executed", "timestamp": at(number, 500), "outcome": "success",
                 "duration_ms": 0.000123, "step_id": "s%d" % number, "step_type": "T",
                 "step": {"name": "n", "index": 0, "depth": 0, "parent_step_id": None}, **common},
                {"event": "command.execution.completed", "timestamp": at(number, 700),
                 "total_duration_ms": 0.0006, "outcome": "success", **common}]
        return events
