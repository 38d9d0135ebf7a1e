# SPDX-License-Identifier: BSD-2-Clause
"""Recordings for the tests of the commands that read them: real ones, and lines made by hand.

STEPTRACE_ASAN names a steptrace that is built with sanitizers. It reads what the other one has
recorded.
"""
import datetime
import decimal
import json
import os
import subprocess

from harness import PACKS, STEPTRACE, Tracer, completed, of_kind
from server import Later, Server
from workers import Workshop

READING = os.path.abspath(os.environ.get("STEPTRACE_ASAN", STEPTRACE))
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(timestamp):
    """Since 1970, exact."""
    whole, rest = timestamp.rstrip("Z").split(".")
    seconds = (datetime.datetime.fromisoformat(whole + "+00:00") - EPOCH).total_seconds()
    return int(seconds) * 10**9 + int(rest)


def decimals(text):
    """JSON whose numbers are exact."""
    return json.loads(text, parse_float=decimal.Decimal)


def duration_ns(event):
    """Exact, if the event was read by decimals(); None: not known."""
    milliseconds = event.get("duration_ms", event.get("total_duration_ms"))
    return None if milliseconds is None else int(milliseconds * 1000000)


def begin_ns(event):
    """Suspended time is no part of the duration."""
    suspended = int((event.get("suspended_ms") or 0) * 1000000)
    return nanoseconds(event["timestamp"]) - duration_ns(event) - suspended


def read(path):
    with open(path, encoding="utf-8") as file:
        return [decimals(line) for line in file]


class Recorded(Workshop):
    """A recording of everything that the runner has: nested steps, failures, tool calls, jobs of a
    parent, a schedule, and two executions at the same time."""

    def tool(self, *arguments, status=0, **options):
        """(standard output, standard error) of steptrace."""
        done = subprocess.run([READING, *arguments], capture_output=True, check=False, **options)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def serve(self):
        server = Server("--packs", self.packs, "--packs", PACKS, "--db", self.database,
                        "--tools", self.tools, "--background", "1", program=self.program)
        self.addCleanup(server.process.stderr.close)
        return server

    def record_everything(self, *arguments):
        """The path of the recording."""
        self.create_tables()
        path = self.path("all.ndjson")
        tracer = Tracer("-x", self.program, "--breakdown", "-o", path, *arguments)
        self.execute("dispatch", command="note", arguments={"body": "later"}, queue="mail")
        self.execute("fail", status=1)
        self.schedule("add", "soon", "note", "daily_at:08:30", "--set", "body=x", "--packs",
                      self.packs)
        self.schedule("run-now", "soon")
        self.run_steprun("exec", os.path.join(PACKS, "route-task"), "urgent milk", "--db",
                         self.database)
        server = self.serve()
        waiting = [Later(server.execute, "wait", arguments={"fifo": fifo})
                   for fifo in ("one", "two")]
        server.wait_for(running=2)
        self.release("one")
        self.release("two")
        for answer in waiting:
            self.assertEqual(answer.result().status, 200, answer.result())
        self.until("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')", (0,))
        self.until("SELECT count(*) FROM schedule_runs WHERE status IN ('queued', 'running')",
                   (0,))
        server.stop()
        self.events = tracer.stop()
        self.assertGreaterEqual(len(completed(self.events)), 7)
        self.assertGreaterEqual(len(of_kind(self.events, "tool.invocation.completed")), 2)
        return path
