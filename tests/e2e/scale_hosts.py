# SPDX-License-Identifier: BSD-2-Clause
"""The events of many hosts, and the answers to the queries of docs/scale.md, in plain Python.

The recording of one host is made here. tests/replay/replay_hosts.c makes it into the streams of
many hosts. This file knows from the comment there, not from its output, when which host has which
event: so it can compute what the queries must find, without ten million events.
"""
import bisect
import collections
import json
import math

from harness import of_kind
from made_recordings import START_NS, Maker, Raw, as_line, ms, timestamp
from recordings import decimals, duration_ns, nanoseconds

STARTED, COMPLETED = "command.execution.started", "command.execution.completed"
STEP, TOOL, FRAGMENT = "dsl.step.executed", "tool.invocation.completed", "fragment.changed"
ZEROS = dict.fromkeys((STARTED, STEP, COMPLETED, "command.validation.failed", TOOL, FRAGMENT), 0)
REASONS = ("buffer_full", "unreadable", "invalid", "unknown_layout", "unattributed", "missed",
           "degraded", "not_written")
MINUTE_NS = 60 * 10**9
JOB = "00000000-0000-0000-0000-000000000017"  # an execution id that all hosts use, several times


class HostMaker(Maker):
    """A recording whose lines match the schemas, with events that only one column of the key tells
    apart."""

    def mono(self, ns):
        return ns - START_NS + 40611397349114

    def started(self):
        event = json.loads(super().started())
        return as_line(event | {"attach_method": "uprobe_multi"})

    def lost(self, kind, count, reason="buffer_full"):
        event = json.loads(super().lost(kind, count, reason))
        return as_line(event | {"monotonic_ns": self.mono(self.now_ns)})

    def stopped(self, lost=0):
        ns = self.passed(10**6)
        return as_line({"event": "trace.stopped", "timestamp": timestamp(ns),
                        "monotonic_ns": self.mono(ns), "hits": self.events + lost,
                        "events": self.events, "aborted_events": 0, "lost": lost,
                        "lost_by_kind": ZEROS | {STEP: lost},
                        "lost_by_reason": dict.fromkeys(REASONS, 0) | {"buffer_full": lost},
                        "filtered": ZEROS, "reason": "interrupted"})

    def command(self):
        for line in super().command():
            yield line.replace(',"error_category":null', "").replace(
                '"signal_name":"SIGKILL"',
                '"signal_name":"SIGKILL","core_dumped":false,"oom_killed":false')

    def job(self, execution):
        """All at one instant: two steps in two threads, and of one of them two tool calls and two
        changes. And an execution of another id, which has no end."""
        ids, now_ns = {"correlation_id": "req-1", "execution_id": execution}, self.passed(10**6)
        common = {"command_slug": "job", "user_id": "mia"}
        step = {"fragment_id": None, "duration_ms": Raw(ms(7)), "mutations_count": 2,
                "dry_run": False, "outcome": "success"}
        yield as_line({"event": STARTED, **ids, "command_slug": "job", "dry_run": False,
                       "user_id": "mia", "request_source": "queue", **self.common(now_ns),
                       "arguments_count": 0})
        yield as_line({"event": STARTED, **ids, "execution_id": self.id(), "command_slug": "job",
                       "dry_run": False, "user_id": "mia", "request_source": "queue",
                       **self.common(now_ns), "arguments_count": 0})
        steps = [self.id(), self.id()]
        for index, step_id in enumerate(steps):
            yield as_line({"event": STEP, **ids, "step_id": step_id, "step_type": "ToolCallStep",
                           "command_slug": "job", **step, "user_id": "mia", **self.common(now_ns),
                           "step": {"name": "s%d" % index, "index": index, "depth": 0,
                                    "parent_step_id": None}})
        for _ in range(2):
            yield as_line({"event": TOOL, **ids, **common, "step_id": steps[0],
                           "invocation_id": self.id(), "tool_slug": "mail",
                           "duration_ms": Raw(ms(5)), "outcome": "success", "exit_status": 0,
                           **self.common(now_ns)})
        for fragment in (1, 2):
            yield as_line({"event": FRAGMENT, **ids, **common, "step_id": steps[0],
                           "fragment_id": fragment, "operation": "created",
                           **self.common(now_ns)})
        yield as_line({"event": COMPLETED, **ids, "command_slug": "job",
                       "total_duration_ms": Raw(ms(0)), "steps_executed": 2, "steps_successful": 2,
                       "steps_failed": 0, "dry_run": False, "outcome": "success",
                       "user_id": "mia", **self.common(now_ns), "complete": True})


def recording(commands=170):
    """Of one host: about six events for each command, in ten minutes."""
    maker = HostMaker(5, apart_ns=3400 * 10**6)
    yield maker.started()
    for index in range(commands):
        yield from maker.command()
        if index in (40, 41):
            yield from maker.job(JOB)
        if index == 80:
            yield maker.lost(STEP, 2)
        if index == 120:
            yield maker.lost(STEP, 5, "not_written")
    yield maker.stopped(7)


def mix(x):
    """The finalizer of splitmix64."""
    x = (x + 0x9e3779b97f4a7c15) % 2**64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    x = (x ^ x >> 27) * 0x94d049bb133111eb % 2**64
    return x ^ x >> 31


def rank(weighted, quantile):
    """The two values next to the quantile, of sorted (value, weight)."""
    total = sum(weight for _, weight in weighted)
    place, seen, found = quantile * (total - 1), 0, []
    for value, weight in weighted:
        seen += weight
        while len(found) < 2 and seen > (math.floor(place), math.ceil(place))[len(found)]:
            found.append(value)
    return found


class Hosts:
    """`count` hosts that replay the lines, from `begin_s` on."""

    def __init__(self, lines, count, begin_s, seed=1, tick_ns=1):
        self.events = [decimals(line) for line in lines]
        self.hosts, self.begin_ns = range(count), begin_s * 10**9
        self.seed, self.tick_ns = seed, tick_ns
        self.first_ns = nanoseconds(self.events[0]["timestamp"])
        self.of_runner = [event for event in self.events if not event["event"].startswith("trace.")]
        self.of_trace = [event for event in self.events if event["event"].startswith("trace.")]
        self.offsets = sorted(map(self.offset_ns, self.hosts))

    def name(self, host):
        return "host-%05d" % host

    def offset_ns(self, host):
        return mix(self.seed + host) % 10**9 // self.tick_ns * self.tick_ns

    def id_of(self, host, text):
        """Of a UUID, as this host has it."""
        key = mix(self.seed + host)
        masks = mix(key) & ~0xf000, mix(key + 1) & ~(0xf << 60)
        number = int(text.replace("-", ""), 16) ^ (masks[0] << 64 | masks[1])
        digits = "%032x" % number
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def shifted_ns(self, event):
        return self.begin_ns + nanoseconds(event["timestamp"]) - self.first_ns

    def at_ns(self, event, host):
        return self.shifted_ns(event) + self.offset_ns(host)

    def minutes(self, event):
        """(minute in seconds, how many hosts have the event in it)."""
        at_ns = self.shifted_ns(event)
        minute, end = at_ns // MINUTE_NS, (at_ns + 10**9) // MINUTE_NS
        early = bisect.bisect_left(self.offsets, (minute + 1) * MINUTE_NS - at_ns)
        parts = [(minute * 60, early)]
        if end > minute:
            parts.append((end * 60, len(self.offsets) - early))
        return [(at, count) for at, count in parts if count]

    # ---- what the tables and queries of the page must have

    def events_count(self):
        return len(self.of_runner) * len(self.hosts)

    def by_minute(self):
        """{(minute, event, command, step type, tool, outcome, category): [events, nanoseconds,
        mutations, [(duration, weight)]]}"""
        groups = collections.defaultdict(lambda: [0, 0, 0, []])
        for event in self.of_runner:
            of_event = (event["event"], event["command_slug"], event.get("step_type", ""),
                        event.get("tool_slug", ""), event.get("outcome", ""),
                        event.get("error_category") or "")
            for minute, count in self.minutes(event):
                group = groups[(minute, *of_event)]
                group[0] += count
                group[2] += count * event.get("mutations_count", 0)
                if duration_ns(event) is not None:
                    group[1] += count * duration_ns(event)
                    group[3].append((duration_ns(event), count))
        return groups

    def grouped(self, key_of, chosen):
        """The groups of by_minute() added up by a part of their keys."""
        added = collections.defaultdict(lambda: [0, 0, 0, []])
        for key, group in self.by_minute().items():
            if chosen(key):
                for i, value in enumerate(group):
                    added[key_of(key)][i] += value
        return added

    def loss(self):
        losses = collections.defaultdict(lambda: [0, len(self.hosts)])
        for event in of_kind(self.of_trace, "trace.lost"):
            losses[event["reason"], event["kind"]][0] += event["lost"] * len(self.hosts)
        return sorted(((*key, *value) for key, value in losses.items()), key=lambda row: -row[2])

    def last_seen(self):
        last = max(self.of_runner, key=self.shifted_ns)
        return {self.name(host): self.at_ns(last, host) for host in self.hosts}

    def slowest(self, count):
        rows = []
        ends = [event for event in of_kind(self.of_runner, COMPLETED)
                if duration_ns(event) is not None]
        for event in sorted(ends, key=duration_ns, reverse=True)[:2]:
            order = sorted((self.at_ns(event, host), self.name(host), host) for host in self.hosts)
            rows += [(at_ns, name, self.id_of(host, event["execution_id"]), event["command_slug"],
                      event["outcome"], duration_ns(event)) for at_ns, name, host in order]
        return rows[:count]

    def without_end(self):
        starts = {event["execution_id"]: event["command_slug"]
                  for event in of_kind(self.of_runner, STARTED)}
        ends = {event["execution_id"] for event in of_kind(self.of_runner, COMPLETED)}
        open_ones = collections.Counter(slug for execution, slug in starts.items()
                                        if execution not in ends)
        return {slug: count * len(self.hosts) for slug, count in open_ones.items()}

    def keys(self, left_out=None):
        """How many different keys the events of all hosts have, without one column of the key."""
        columns = [column for column in KEY if column != left_out]
        keys = set()
        for host in self.hosts:
            for event in self.of_runner:
                at_ns = self.at_ns(event, host)
                values = {"minute": at_ns // MINUTE_NS, "host": host, "step_id": "",
                          "invocation_id": "", "fragment_id": 0, **event,
                          "monotonic_ns": event["monotonic_ns"] + self.offset_ns(host)}
                if event["execution_id"] != JOB:
                    values["execution_id"] = host, event["execution_id"]
                keys.add(tuple((values[column] or 0, host) if column in UUIDS and values[column]
                               else values[column] or 0 for column in columns))
        return len(keys)


KEY = ("minute", "host", "execution_id", "event", "step_id", "monotonic_ns", "invocation_id",
       "fragment_id")
UUIDS = ("step_id", "invocation_id")  # other ones on each host
