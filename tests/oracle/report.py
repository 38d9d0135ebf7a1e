#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `steptrace report --json` has to say about recordings, computed from the same files in
another way: everything is kept in memory, and numbers are exact fractions.

    tests/oracle/report.py REPORT.json FILE...      prints each difference; exit status 1 if any

FILEs are in the order in which the report reads them. Percentiles may differ by 1 %.
"""
import calendar
import collections
import datetime
import fractions
import gzip
import json
import math
import re
import sys

WINDOW = 65536
LINE_BYTES = 1 << 20
OUTCOMES = ("success", "failure", "skipped", "aborted", "cancelled")
PERCENTILES = {"p50_ns": 50, "p95_ns": 95, "p99_ns": 99}
RUNNER = ("command.execution.started", "dsl.step.executed", "command.execution.completed",
          "command.validation.failed", "tool.invocation.completed", "fragment.changed",
          "command.execution.overdue")
TRACE = ("trace.started", "trace.stopped", "trace.lost", "trace.attached", "trace.detached",
         "trace.clock", "trace.degraded")


def ns_of_ms(value):
    return None if value is None else round(fractions.Fraction(value) * 10**6)


def ns_of_time(text):
    if not text:
        return None
    date, time = text.rstrip("Z").split("T")
    clock, _, fraction = time.partition(".")
    numbers = [int(part) for part in date.split("-") + clock.split(":")]
    return calendar.timegm((*numbers, 0, 0, 0)) * 10**9 + int(fraction.ljust(9, "0"))


def time_of_ns(ns):
    if ns is None:
        return None
    second = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9)
    return "%s.%09dZ" % (second.isoformat(), ns % 10**9)


class Reader:
    """The events of the files, and the counts of what is none."""

    def __init__(self, paths):
        self.counts = collections.Counter()
        self.skipped, self.first_skipped = collections.Counter(), {}
        self.window = collections.deque()
        self.in_window = set()
        self.first_backwards = None
        self.events = [(index, event) for index, path in enumerate(paths)
                       for event in self.events_of(path)]

    def skip(self, reason, place):
        self.skipped[reason] += 1
        self.first_skipped.setdefault(reason, place)

    def events_of(self, path):
        with open(path, "rb") as file:
            data = file.read()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        self.counts["files"] += 1
        self.counts["bytes"] += len(data)
        lines, at, last_ns = data.split(b"\n"), 0, 0
        if lines[-1] == b"":
            lines.pop()
        self.counts["files_empty"] += not lines
        for number, line in enumerate(lines, 1):
            place = {"file": path, "line": number, "byte": at}
            at += len(line) + 1
            self.counts["lines"] += 1
            event = self.event_of(line, place, at <= len(data))
            if event is None:
                continue
            self.counts["events"] += 1
            self.counts["events_other"] += event["event"] not in RUNNER + TRACE
            ns = ns_of_time(event.get("timestamp"))
            if ns is not None:
                if ns < last_ns:
                    self.counts["backwards"] += 1
                    self.first_backwards = self.first_backwards or place
                    self.counts["backwards_ns"] = max(self.counts["backwards_ns"], last_ns - ns)
                last_ns = ns
            yield event

    def event_of(self, line, place, has_end):
        if len(line) > LINE_BYTES:
            return self.skip("too_long", place)
        if not line.strip(b" \t\r"):
            return self.skip("empty", place)
        try:
            event = json.loads(line, parse_float=str)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            return self.skip("binary" if b"\0" in line else "not_json" if has_end else "torn",
                             place)
        if not isinstance(event.get("event"), str):
            return self.skip("not_event", place)
        if event.get("timestamp"):
            if line in self.in_window:
                return self.skip("repeated", place)
            if len(self.window) == WINDOW:
                self.in_window.remove(self.window.popleft())
            self.window.append(line)
            self.in_window.add(line)
        return event


class Row:
    def __init__(self):
        self.count = 0
        self.outcomes, self.numbers = collections.Counter(), collections.Counter()
        self.times, self.values, self.untimed = [], [], 0

    def see(self, event):
        if event.get("timestamp"):
            self.times.append(ns_of_time(event["timestamp"]))

    def add_value(self, ns):
        self.untimed += ns is None
        self.values += [] if ns is None else [ns]

    def percentile(self, percent):
        values = sorted(self.values)
        return values[max(math.ceil(fractions.Fraction(percent, 100) * len(values)), 1) - 1] \
            if values else 0


# section: (keys, has outcomes, has values, has a share, numbers)
SECTIONS = {
    "commands": (("command",), True, True, True,
                 ("started", "incomplete", "dry_runs", "slow", "slow_ns")),
    "steps": (("command", "step_type", "step_name"), True, True, True, ("slow", "slow_ns")),
    "errors": (("error_category", "command", "step_type", "step_name"), False, False, False, ()),
    "aborted": (("command", "cause", "step_type", "step_name"), False, True, False, ()),
    "ai": (("command", "step_type", "step_name"), False, False, False,
           ("cache_hits", "cache_misses", "cache_off", "prompt_tokens", "completion_tokens")),
    "mutations": (("command",), False, False, False,
                  ("steps", "rows", "fragments_created", "fragments_updated",
                   "fragments_deleted")),
    "tools": (("tool",), True, True, False, ()),
    "schedules": (("schedule_id", "command"), False, True, False, ("early",)),
    "queues": (("queue",), False, True, False, ("retries",)),
    "overdue": (("overdue", "command", "step_type", "step_name"), False, True, False,
                ("executions", "at_least")),
    "rejected": (("command", "reason"), False, False, False, ()),
}


class Report:
    def __init__(self, paths, since_ns=0, until_ns=None, matches=None, slow_command_ns=5 * 10**9,
                 slow_step_ns=3 * 10**9, slowest=5):
        self.reader = Reader(paths)
        self.tables = {name: collections.defaultdict(Row) for name in SECTIONS}
        self.since_ns, self.until_ns, self.matches = since_ns, until_ns, matches
        self.slow_ns = {"commands": slow_command_ns, "steps": slow_step_ns}
        self.slowest_count = slowest
        self.selection = collections.Counter()
        self.seconds = collections.defaultdict(lambda: [0, 0, 0])
        self.without_time = 0
        self.steps_of, self.ended, self.ends = collections.defaultdict(list), [], set()
        self.ended_repeatedly, self.overdue = 0, set()
        for _, event in self.reader.events:
            if event["event"] in RUNNER and self.is_selected(event):
                getattr(self, event["event"].replace(".", "_"))(event)

    def is_selected(self, event):
        ns = ns_of_time(event.get("timestamp"))
        if self.since_ns or self.until_ns:
            if ns is None:
                self.selection["without_time"] += 1
                return False
            if ns < self.since_ns or self.until_ns and ns >= self.until_ns:
                self.selection["other_time"] += 1
                return False
        if self.matches and not self.matches(event["command_slug"]):
            self.selection["other_command"] += 1
            return False
        self.selection["events"] += 1
        return True

    def row(self, section, event, *key):
        row = self.tables[section][tuple("" if text is None else str(text) for text in key)]
        row.see(event)
        return row

    def add(self, section, event, *key):
        row = self.row(section, event, *key)
        row.count += 1
        return row

    # ---- one method for each event

    def command_execution_started(self, event):
        slug = event.get("command_slug")
        self.row("commands", event, slug).numbers["started"] += 1
        schedule, queue = event.get("schedule"), event.get("queue")
        if schedule:
            row = self.add("schedules", event, schedule["schedule_id"], slug)
            planned, at = (ns_of_time(text)
                           for text in (schedule["planned_run_at"], event.get("timestamp")))
            is_known = planned is not None and at is not None
            row.numbers["early"] += is_known and at < planned
            row.add_value(max(at - planned, 0) if is_known else None)
        if queue:
            row = self.add("queues", event, queue["name"])
            row.numbers["retries"] += (queue["attempt"] or 0) > 1
            row.add_value(ns_of_ms(queue["wait_ms"]))

    def ended_in(self, section, event, duration, *key):
        row, ns = self.add(section, event, *key), ns_of_ms(event.get(duration))
        outcome = event.get("outcome")
        row.outcomes[outcome if outcome in OUTCOMES else "other_outcome"] += 1
        row.add_value(ns)
        if section in self.slow_ns and ns is not None and ns > self.slow_ns[section]:
            row.numbers["slow"] += 1
            row.numbers["slow_ns"] += ns
        return row, ns

    def command_execution_completed(self, event):
        slug, outcome = event.get("command_slug"), event.get("outcome")
        row, ns = self.ended_in("commands", event, "total_duration_ms", slug)
        row.numbers["incomplete"] += event.get("complete") is False
        row.numbers["dry_runs"] += event.get("dry_run") is True
        if event.get("timestamp"):
            second = self.seconds[ns_of_time(event["timestamp"]) // 10**9]
            for i, more in enumerate((1, outcome in ("failure", "aborted"), ns or 0)):
                second[i] += more
        else:
            self.without_time += 1
        if event.get("execution_id"):
            self.ended_repeatedly += event["execution_id"] in self.ends
            self.ends.add(event["execution_id"])
        if outcome == "aborted":
            aborted = event.get("aborted") or {}
            step = aborted.get("step") or {}
            self.add("aborted", event, slug, aborted.get("signal_name") or aborted.get("cause"),
                     step.get("step_type"), step.get("name")).add_value(ns)
        if outcome == "failure" and not event.get("failed_step"):
            self.add("errors", event, event.get("error_category"), slug, "", "")
        if event.get("execution_id"):
            steps = self.steps_of.pop(event["execution_id"], [])
            if ns is not None:
                self.ended.append((ns, event, steps))

    def dsl_step_executed(self, event):
        key = (event.get("command_slug"), event.get("step_type"), event["step"]["name"])
        _, ns = self.ended_in("steps", event, "duration_ms", *key)
        ai = event.get("ai")
        if event.get("outcome") == "failure":
            self.add("errors", event, event.get("error_category"), *key)
        if ai:
            row = self.add("ai", event, *key)
            names = {"hit": "cache_hits", "miss": "cache_misses", "off": "cache_off"}
            row.numbers[names[ai["cache"]]] += 1
            row.numbers["prompt_tokens"] += ai["prompt_tokens"]
            row.numbers["completion_tokens"] += ai["completion_tokens"]
        if event.get("mutations_count"):
            row = self.add("mutations", event, key[0])
            row.numbers["steps"] += 1
            row.numbers["rows"] += event["mutations_count"]
        if event.get("execution_id"):
            self.steps_of[event["execution_id"]].append((ns, event))

    def tool_invocation_completed(self, event):
        self.ended_in("tools", event, "duration_ms", event["tool_slug"])

    def fragment_changed(self, event):
        row = self.add("mutations", event, event.get("command_slug"))
        row.numbers["fragments_" + event["operation"]] += 1

    def command_validation_failed(self, event):
        self.add("rejected", event, event.get("command_slug"), event["reason"])

    def command_execution_overdue(self, event):
        step = event.get("step") or {}
        for what, key, opened, id_of in (
                ("command", ("", ""), event, event.get("execution_id")),
                ("step", (step.get("step_type"), step.get("name")), step, step.get("step_id"))):
            if what not in event["overdue"]:
                continue
            row = self.add("overdue", event, what, event.get("command_slug"), *key)
            row.numbers["executions"] += id_of is None or id_of not in self.overdue
            self.overdue.add(id_of)
            age, bound = ns_of_ms(opened.get("age_ms")), ns_of_ms(opened.get("age_at_least_ms"))
            row.numbers["at_least"] += age is None and bool(bound)
            row.add_value(bound if age is None and bound else age)

    # ---- the whole report

    def as_json(self):
        report = {"report_version": 1, "coverage": self.coverage(), "selection": {
            "since": time_of_ns(self.since_ns or None), "until": time_of_ns(self.until_ns),
            **{name: self.selection[name]
               for name in ("events", "other_time", "other_command", "without_time")}}}
        for name in SECTIONS:
            report[name] = self.section(name)
        report["bottlenecks"] = {
            "commands_over_ns": self.slow_ns["commands"], "steps_over_ns": self.slow_ns["steps"],
            **{name: [{key: row[key] for key in (*SECTIONS[name][0], "slow", "slow_ns", "max_ns")}
                      for row in report[name] if row["slow"]] for name in ("commands", "steps")}}
        report["timeline"] = self.timeline()
        report["slowest"] = self.slowest()
        return report

    def section(self, name):
        keys, has_outcomes, has_values, has_share, numbers = SECTIONS[name]
        whole = sum(sum(row.values) for row in self.tables[name].values())
        rows = []
        for key, row in sorted(self.tables[name].items(), key=lambda item: (
                -item[1].count, b"".join(text.encode() + b"\0" for text in item[0]))):
            told = {"count": row.count, **{k: text or None for k, text in zip(keys, key)}}
            if has_outcomes:
                told.update({o: row.outcomes[o] for o in ("other_outcome", *OUTCOMES)})
            if has_values:
                told.update(untimed=row.untimed, sum_ns=sum(row.values),
                            min_ns=min(row.values, default=0), max_ns=max(row.values, default=0),
                            **{p: row.percentile(f) for p, f in PERCENTILES.items()})
            if has_share:
                told["share"] = sum(row.values) / whole if whole else 0
            told.update({number: row.numbers[number] for number in numbers})
            told["first"] = time_of_ns(min(row.times, default=None))
            told["last"] = time_of_ns(max(row.times, default=None))
            rows.append(told)
        return rows

    def timeline(self):
        width = 1
        for wider, limit in ((60, 300), (3600, 3 * 3600), (86400, 7 * 86400)):
            starts = [second // width * width for second in self.seconds]
            if starts and max(starts) - min(starts) >= limit:
                width = wider
        slots = collections.defaultdict(lambda: [0, 0, 0])
        for second in sorted(self.seconds):
            for i, value in enumerate(self.seconds[second]):
                slots[second // width * width][i] += value
        return {"width_ns": width * 10**9 if slots else 0, "untimed": self.without_time,
                "slots": [{"start": time_of_ns(second * 10**9), "count": slot[0],
                           "failed": slot[1], "sum_ns": slot[2]}
                          for second, slot in slots.items()]}

    def slowest(self):
        self.ended.sort(key=lambda end: -end[0])
        return [self.waterfall(*end) for end in self.ended[:self.slowest_count]]

    def waterfall(self, ns, event, steps):
        end_ns = ns_of_time(event.get("timestamp")) or 0
        told = []
        for step_ns, step in steps[:200]:
            start_ns = (ns_of_time(step.get("timestamp")) or 0) - (step_ns or 0) - (end_ns - ns)
            told.append({"step_type": step["step_type"] or None,
                         "step_name": step["step"]["name"] or None,
                         "outcome": step["outcome"], "depth": step["step"]["depth"],
                         "start_ns": max(start_ns, 0) if end_ns else 0,
                         **({} if step_ns is None else {"duration_ns": step_ns})})
        return {"execution_id": event["execution_id"], "command": event["command_slug"] or None,
                "outcome": event["outcome"], "ended": time_of_ns(end_ns or None),
                "duration_ns": ns, "steps_executed": event["steps_executed"], "steps": told}

    def coverage(self):
        times = [ns_of_time(event["timestamp"]) for _, event in self.reader.events
                 if event["event"] in RUNNER and event.get("timestamp")]
        losses = collections.Counter()
        for _, event in self.reader.events:
            if event["event"] == "trace.lost":
                losses[event["kind"], event["reason"]] += event["lost"]
        traces, unattributed = self.traces()
        counts = self.reader.counts
        told = {name: counts[name] for name in (
            "files", "files_empty", "bytes", "lines", "events", "events_other", "backwards",
            "backwards_ns")}
        told.update(
            files_copied=0, files_damaged=0, odd_lines=0, repeated_window=WINDOW,
            skipped={reason: self.reader.skipped[reason] for reason in (
                "empty", "not_json", "not_event", "binary", "torn", "too_long", "repeated")},
            first_skipped=self.reader.first_skipped, first=time_of_ns(min(times, default=None)),
            last=time_of_ns(max(times, default=None)), traces=traces, other_traces=0,
            unattributed=unattributed, lost=sum(trace["lost"] for trace in traces),
            losses=[{"kind": kind, "reason": reason, "lost": lost} for (kind, reason), lost in
                    sorted(losses.items(), key=lambda item: (-item[1], item[0]))],
            ended_repeatedly=self.ended_repeatedly)
        if self.reader.first_backwards:
            told["first_backwards"] = self.reader.first_backwards
        return told

    def traces(self):
        traces, now, last_index, unattributed = {}, None, None, 0
        for index, event in self.reader.events:
            now = now if index == last_index else None
            last_index = index
            if event["event"] == "trace.started":
                key = event["host"], event["boot_id"], event["monotonic_ns"], event["timestamp"]
                now = traces.setdefault(key, {
                    "host": event["host"], "boot_id": event["boot_id"],
                    "version": event["version"], "started": event["timestamp"], "stopped": None,
                    "last": None, "reason": None, "parts": 0, "last_part": 0, "events": 0,
                    "hits": 0, "lost": 0, "lost_lines": 0, "processes_untraced": 0, "filtered": 0,
                    "degraded": 0, "clock_changes": 0, "attached": 0, "detached": 0,
                    "breakdown": event.get("breakdown", False)})
                now["parts"] += 1
                now["last_part"] = max(now["last_part"], event["part"])
            if now is None:
                unattributed += event["event"] in RUNNER
                continue
            now["events"] += event["event"] in RUNNER
            if event.get("timestamp"):
                now["last"] = max(now["last"] or "", event["timestamp"])
            if event["event"] == "trace.lost":
                now["lost_lines"] += event["lost"]
            now["degraded"] += event["event"] == "trace.degraded" and event["level"] != "all"
            now["clock_changes"] += event["event"] == "trace.clock"
            now["attached"] += event["event"] == "trace.attached"
            now["detached"] += event["event"] == "trace.detached"
            if event["event"] == "trace.stopped":
                now["filtered"] += sum(map(int, event.get("filtered", {}).values()))
                now.update(stopped=event["timestamp"], reason=event["reason"])
                now["hits"] += event["hits"]
                now["lost"] += event["lost"]
                now["processes_untraced"] += event.get("processes_untraced", 0)
        for trace in traces.values():
            trace["lost"] = max(trace["lost"], trace["lost_lines"])
        return list(traces.values()), unattributed


def differences(told, expected, path=""):
    """Lines of text. Members that only the report has are differences, too."""
    if isinstance(expected, dict) and isinstance(told, dict):
        for name in sorted(set(told) | set(expected)):
            if name == "slow_lines":  # how a line was read, not what it says
                continue
            if name not in told or name not in expected:
                yield "%s.%s: only in %s" % (path, name,
                                             "the report" if name in told else "the oracle")
            else:
                yield from differences(told[name], expected[name], "%s.%s" % (path, name))
    elif isinstance(expected, list) and isinstance(told, list):
        if len(told) != len(expected):
            yield "%s: %d elements, not %d" % (path, len(told), len(expected))
        for index, pair in enumerate(zip(told, expected)):
            yield from differences(*pair, "%s[%d]" % (path, index))
    elif re.search(r"\.p\d+_ns$", path):
        if abs(told - expected) > expected / 100:
            yield "%s: %s, not %s" % (path, told, expected)
    elif path.endswith(".share"):
        if abs(told - expected) > 1e-6:
            yield "%s: %s, not %s" % (path, told, expected)
    elif told != expected or isinstance(told, bool) != isinstance(expected, bool):
        yield "%s: %r, not %r" % (path, told, expected)


def check(report_text, paths, **options):
    return list(differences(json.loads(report_text), Report(paths, **options).as_json()))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as report_file:
        found = check(report_file.read(), sys.argv[2:])
    print("\n".join(found))
    sys.exit(bool(found))
