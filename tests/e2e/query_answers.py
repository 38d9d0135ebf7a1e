# SPDX-License-Identifier: BSD-2-Clause
"""The questions of docs/queries.md, answered in plain Python.

    ANSWERS["the title of the section"](events, tool)   the rows, in any order

A number that the queries round is a Rounded.
"""
import collections
import datetime
import math

COMPLETED, STARTED = "command.execution.completed", "command.execution.started"
BLOCKED = ("disk", "lock", "network", "sleep", "pipe", "other")


class Rounded(float):
    """Equal to what a tool says if it is as near as rounding can be."""

    def __new__(cls, value, places):
        number = super().__new__(cls, value)
        number.tolerance = 0.500001 * 10 ** -places
        return number


def ms(value):
    return Rounded(value, 3)


def of(events, *names):
    return [event for event in events if event["event"] in names]


def groups(events, *keys):
    """[(key, events)], by the values of the functions."""
    found = collections.defaultdict(list)
    for event in events:
        found[tuple(key(event) for key in keys)].append(event)
    return list(found.items())


def slug(event):
    return event["command_slug"]


def step_name(event):
    return event["step"]["name"]


def p95(values, tool):
    """The nearest rank. ClickHouse has another rule where the rank is a whole number."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    exact = len(values) * 95 / 100
    return values[int(exact) if tool == "ClickHouse" else math.ceil(exact) - 1]


def coverage(events, _):
    stops, ends = of(events, "trace.stopped"), of(events, COMPLETED)
    times = sorted(event["timestamp"] for event in events)
    seen = {event["execution_id"] for event in events
            if "execution_id" in event and event["event"] != "command.validation.failed"}
    ended = {event["execution_id"] for event in ends}
    return [[times[0], times[-1], len({event["host"] for event in of(events, "trace.started")}),
             len(of(events, "trace.started")), len(stops), sum(event["lost"] for event in stops),
             sum(event["lost"] for event in of(events, "trace.lost")),
             sum(not event["complete"] for event in ends), len(seen - ended),
             sum(event.get("processes_untraced", 0) for event in stops)]]


def losses(events, _):
    return [[*key, sum(event["lost"] for event in lost), min(event["since"] for event in lost),
             max(event["until"] for event in lost)]
            for key, lost in groups(of(events, "trace.lost"), lambda event: event["kind"],
                                    lambda event: event["reason"])]


def percentiles(events, tool):
    steps = [step for step in of(events, "dsl.step.executed")
             if step["outcome"] != "skipped" and step["duration_ms"] is not None]
    return [[*key, len(group), p95([step["duration_ms"] for step in group], tool)]
            for key, group in groups(steps, lambda step: step["step_type"],
                                     lambda step: step["timestamp"].split(":")[0])]


def failures(events, _):
    rows = []
    for end in of(events, COMPLETED):
        if end["outcome"] == "failure":
            cause, step = end["error_category"], end["failed_step"]
        elif end["outcome"] == "aborted":
            cause = end["aborted"].get("signal_name", end["aborted"]["cause"])
            step = end["aborted"]["step"]
        else:
            continue
        rows.append([end["timestamp"], end["execution_id"], slug(end), end["outcome"], cause,
                     step and step["step_type"], step and step["name"]])
    return rows


def waits(events, _):
    measured = [step for step in of(events, "dsl.step.executed")
                if step.get("cpu") and step["cpu"]["threads_ms"]]
    rows = []
    for key, steps in groups(measured, slug, step_name):
        parts = [[step["cpu"][name] for step in steps]
                 for name in ("threads_ms", "on_cpu_ms", "runnable_ms")]
        parts += [[step["cpu"]["blocked_ms"][name] for step in steps] for name in BLOCKED]
        sums = [math.fsum(part) for part in parts]
        if sums[1] * 2 < sums[0]:
            rows.append([*key, len(steps), *map(ms, sums)])
    return rows


def one_request(events, _):
    rows = []
    for begin in of(events, STARTED):
        if begin["correlation_id"] == "req-42":
            end = next((end for end in of(events, COMPLETED)
                        if end["execution_id"] == begin["execution_id"]), {})
            rows.append([begin["timestamp"], begin["execution_id"], slug(begin),
                         begin.get("parent_execution_id"), begin["request_source"],
                         end.get("outcome"), end.get("total_duration_ms")])
    return rows


def two_days(events, tool):
    rows = []
    for key, ends in groups(of(events, COMPLETED), slug):
        days = [[end for end in ends if end["timestamp"].startswith(day)]
                for day in ("2026-11-28", "2026-11-29")]
        failed = [[end for end in day if end["outcome"] in ("failure", "aborted")] for day in days]
        rows.append([*key, *map(len, days), *map(len, failed),
                     *(p95([end["total_duration_ms"] for end in day], tool) for day in days)])
    return rows


def durations(ends):
    return math.fsum(end["total_duration_ms"] or 0 for end in ends)


def total_times(events, _):
    ends = of(events, COMPLETED)
    return [[*key, len(group), ms(durations(group)),
             Rounded(100 * durations(group) / durations(ends), 1)]
            for key, group in groups(ends, slug)]


def mutations(events, _):
    steps = [step for step in of(events, "dsl.step.executed") if not step["dry_run"]]
    return [[*key, len({step["execution_id"] for step in group}),
             sum(step["mutations_count"] for step in group)] for key, group in groups(steps, slug)]


def instant(text):
    return datetime.datetime.fromisoformat(text[:26])


def late(begin):
    planned = instant(begin["schedule"]["planned_run_at"])
    return (instant(begin["timestamp"]) - planned) / datetime.timedelta(milliseconds=1)


def lateness(events, _):
    """The tools cut or round each time to milliseconds."""
    begins = [begin for begin in of(events, STARTED) if "schedule" in begin]
    return [[*key, len(group), Rounded(max(map(late, group)), -0.4)]
            for key, group in groups(begins, lambda begin: begin["schedule"]["schedule_id"], slug)]


def queues(events, _):
    rows = []
    begins = [begin for begin in of(events, STARTED) if "queue" in begin]
    for key, group in groups(begins, lambda begin: begin["queue"]["name"]):
        waited = [begin["queue"]["wait_ms"] for begin in group
                  if begin["queue"]["wait_ms"] is not None]
        rows.append([*key, len(group), sum(begin["queue"]["attempt"] > 1 for begin in group),
                     ms(math.fsum(waited) / len(waited)), max(waited)])
    return rows


def models(events, _):
    rows = []
    for key, steps in groups([step for step in of(events, "dsl.step.executed") if "ai" in step],
                             slug, step_name):
        by_cache = collections.Counter(step["ai"]["cache"] for step in steps)
        looked = by_cache["hit"] + by_cache["miss"]
        asked = [step["ai"] for step in steps if step["ai"]["cache"] != "hit"]
        rows.append([*key, len(steps), by_cache["hit"],
                     Rounded(100 * by_cache["hit"] / looked, 1) if looked else None,
                     sum(ai["prompt_tokens"] for ai in asked),
                     sum(ai["completion_tokens"] for ai in asked)])
    return rows


ANSWERS = {
    "What was lost?": coverage,
    "When and why were events lost?": losses,
    "How long do steps take, by type and hour?": percentiles,
    "Which executions failed, and in which step?": failures,
    "Which steps are slow because they wait?": waits,
    "What did one request cause?": one_request,
    "What changed since yesterday?": two_days,
    "Which commands take the most time?": total_times,
    "How many rows do commands change?": mutations,
    "How late do schedules start?": lateness,
    "How long do jobs wait in queues?": queues,
    "How well does the cache of AI steps work, and how many tokens are used?": models,
}

# The column by which the rows are sorted, and whether the largest comes first. The rows of the
# other queries are sorted by the first column.
ORDERS = {
    "When and why were events lost?": (2, True),
    "Which steps are slow because they wait?": (3, True),
    "Which commands take the most time?": (2, True),
    "How many rows do commands change?": (2, True),
    "How late do schedules start?": (3, True),
}
