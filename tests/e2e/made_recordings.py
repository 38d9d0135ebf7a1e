# SPDX-License-Identifier: BSD-2-Clause
"""Recordings that no tracer made: any number of commands, from a seed, as steptrace writes them.

    tests/e2e/made_recordings.py COMMANDS [SEED] >events.ndjson
"""
import datetime
import json
import random
import sys
import uuid

START_NS = 1795512518620678778  # 2026-11-24T09:28:38.620678778Z
STEP_TYPES = ("DatabaseUpdateStep", "AiGenerateStep", "ConditionStep", "ToolCallStep", "NotifyStep")
CATEGORIES = ("timeout", "network", "database", "validation", None)


def timestamp(ns):
    second = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9)
    return "%s.%09dZ" % (second.strftime("%Y-%m-%dT%H:%M:%S"), ns % 10**9)


def ms(ns):
    """As the tracer writes it: exact, without trailing zeros."""
    text = "%d.%06d" % divmod(ns, 10**6)
    return text.rstrip("0").rstrip(".")


class Raw(str):
    """Text that is JSON already."""


def as_line(event):
    return "{%s}\n" % ",".join(
        '"%s":%s' % (name, value if isinstance(value, Raw) else
                     json.dumps(value, separators=(",", ":"), ensure_ascii=False))
        for name, value in event.items())


class Maker:
    """One trace of one host. `apart_ns` is the time between two commands."""

    def __init__(self, seed, host="host-1", part=1, apart_ns=20 * 10**6, slugs=12):
        self.random = random.Random(seed)
        self.host, self.part, self.apart_ns = host, part, apart_ns
        self.now_ns = START_NS
        self.slugs = ["command-%d.%s" % (i, "run" if i % 2 else "überprüfen")
                      for i in range(slugs)]
        self.events = 0

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def passed(self, ns):
        self.now_ns += ns
        self.events += 1
        return self.now_ns

    def common(self, ns):
        return {"timestamp": timestamp(ns), "monotonic_ns": ns - START_NS + 40611397349114,
                "source": {"pid": 4711, "tid": 4711 + self.random.randrange(8), "cpu": 1, "uid": 0,
                           "comm": "runner", "cgroup_id": 4021}}

    def duration_ns(self):
        return int(self.random.lognormvariate(14, 2.5))

    def started(self):
        return as_line({"event": "trace.started", "timestamp": timestamp(START_NS),
                        "monotonic_ns": 40611397349114, "schema_version": 2, "version": "0.1.0",
                        "host": self.host, "boot_id": "00000000-0000-4000-8000-000000000000",
                        "kernel": "6.18.0", "probe_site": "nop1", "targets": ["-a"],
                        "clock": {"monotonic_ns": 40611397349114, "realtime_ns": START_NS},
                        "part": self.part})

    def stopped(self, lost=0):
        ns = self.passed(10**6)
        return as_line({"event": "trace.stopped", "timestamp": timestamp(ns), "monotonic_ns": ns,
                        "hits": self.events + lost, "events": self.events, "lost": lost,
                        "reason": "interrupted"})

    def lost(self, kind, count, reason="buffer_full"):
        ns = self.passed(10**5)
        return as_line({"event": "trace.lost", "timestamp": timestamp(ns), "monotonic_ns": ns,
                        "kind": kind, "lost": count, "since": timestamp(ns - 10**5),
                        "until": timestamp(ns), "reason": reason})

    # ---- one command

    def command(self):
        rare = self.random.random
        ids = {"correlation_id": self.id(), "execution_id": self.id()}
        slug = self.slugs[min(int(self.random.expovariate(0.4)), len(self.slugs) - 1)]
        begin_ns = self.passed(self.apart_ns)
        more = {}
        if rare() < 0.1:
            more["schedule"] = {"schedule_id": self.random.randrange(4), "schedule_run_id": 9,
                                "planned_run_at":
                                    timestamp(begin_ns - self.random.randrange(-10**7, 10**10))}
        if rare() < 0.2:
            wait = Raw(ms(self.duration_ns())) if rare() < 0.9 else Raw("null")
            more["queue"] = Raw('{"name":"%s","attempt":%d,"wait_ms":%s}'
                                % (self.random.choice(("high", "low")),
                                   self.random.randrange(1, 4), wait))
        yield as_line({"event": "command.execution.started", **ids, "command_slug": slug,
                       "dry_run": False, "user_id": "mia", "request_source": "api",
                       **self.common(begin_ns), **more, "arguments_count": 2})
        failed, steps = None, self.random.randrange(7)
        for index in range(steps):
            lines, outcome, step = self.step(ids, slug, index)
            yield from lines
            if outcome == "failure" and not failed:
                failed = step
        yield from self.completed(ids, slug, steps, failed, begin_ns)

    def step(self, ids, slug, index):
        step_type = self.random.choice(STEP_TYPES)
        duration_ns = self.duration_ns()
        outcome = self.random.choices(("success", "failure", "skipped"), (90, 4, 6))[0]
        step = {"step_id": self.id(), "step_type": step_type, "name": "step-%d" % index}
        now_ns = self.passed(duration_ns)
        event = {"event": "dsl.step.executed", **ids, "step_id": step["step_id"],
                 "step_type": step_type, "command_slug": slug, "fragment_id": None,
                 "duration_ms": Raw(ms(duration_ns)),
                 "mutations_count": self.random.randrange(3)
                 if step_type == "DatabaseUpdateStep" and outcome == "success" else 0,
                 "dry_run": False, "outcome": outcome, "user_id": "mia", **self.common(now_ns),
                 "step": {"name": step["name"], "index": index, "depth": 0, "parent_step_id": None}}
        if outcome == "failure":
            event["error_category"] = self.random.choice(CATEGORIES)
        if step_type == "AiGenerateStep":
            event["ai"] = {"cache": self.random.choice(("hit", "miss", "off")),
                           "prompt_tokens": self.random.randrange(5000),
                           "completion_tokens": self.random.randrange(900)}
        lines = [as_line(event)]
        if step_type == "ToolCallStep":
            lines.append(self.tool(ids, slug, step))
        if event["mutations_count"]:
            lines.append(self.fragment(ids, slug, step))
        return lines, outcome, step

    def tool(self, ids, slug, step):
        return as_line({"event": "tool.invocation.completed", **ids, "command_slug": slug,
                        "user_id": "mia", "step_id": step["step_id"], "invocation_id": self.id(),
                        "tool_slug": self.random.choice(("shell.grep", "mail")),
                        "duration_ms": Raw(ms(self.duration_ns())),
                        "outcome": self.random.choice(("success", "failure")), "exit_status": 0,
                        **self.common(self.passed(1000))})

    def fragment(self, ids, slug, step):
        return as_line({"event": "fragment.changed", **ids, "command_slug": slug,
                        "user_id": "mia", "step_id": step["step_id"], "fragment_id": 41,
                        "operation": self.random.choice(("created", "updated", "deleted")),
                        **self.common(self.passed(1000))})

    def completed(self, ids, slug, steps, failed, begin_ns):
        rare = self.random.random()
        outcome = "failure" if failed or rare < 0.01 else "success"
        if rare > 0.98:
            outcome = self.random.choice(("aborted", "cancelled"))
        now_ns = self.passed(1000)
        event = {"event": "command.execution.completed", **ids, "command_slug": slug,
                 "total_duration_ms": Raw(ms(now_ns - begin_ns) if rare > 0.005 else "null"),
                 "steps_executed": steps, "steps_successful": steps, "steps_failed": 0,
                 "dry_run": rare < 0.1, "outcome": outcome, "user_id": "mia",
                 **self.common(now_ns)}
        if outcome == "failure":
            event["error_category"] = self.random.choice(CATEGORIES)
            event["failed_step"] = failed
        if outcome == "aborted":
            event["aborted"] = {"cause": "signal", "signal": 9, "signal_name": "SIGKILL",
                                "open_steps": 1, "step": {"step_id": self.id(),
                                                          "step_type": "AiGenerateStep",
                                                          "name": "ask", "index": 3}}
        event["complete"] = rare < 0.9
        yield as_line(event)


def lines_of(commands, seed=1, **options):
    """A whole recording, with losses."""
    maker = Maker(seed, **options)
    yield maker.started()
    for index in range(commands):
        yield from maker.command()
        if index % 1000 == 999:
            yield maker.lost("dsl.step.executed", index // 1000 + 1)
    yield maker.stopped(sum(range(1, commands // 1000 + 1)))


if __name__ == "__main__":
    sys.stdout.writelines(lines_of(int(sys.argv[1]), *map(int, sys.argv[2:])))
