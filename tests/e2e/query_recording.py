# SPDX-License-Identifier: BSD-2-Clause
"""The recording for the queries of docs/queries.md: real runs of steprun on two days and hosts.

Today is a recording with --breakdown of commands that succeed, fail, wait, are killed, and are
executed by a schedule and by workers of the queue. Yesterday is a recording of another program, so
fast that events are lost. The day and the name of the host are written into it afterwards.
"""
import os
import re
import subprocess

from harness import Runner, Tracer, wait_until
from model_server import AnsweringModel
from workers import Workshop

CORRELATION = "req-42"
NAP = "  - {slug: nap, argv: [/bin/sleep, '0.05']}\n"


def on_day(day, text):
    return re.sub(r"\d{4}-\d\d-\d\d(?=T\d\d:\d\d:\d\d)", day, text)


class QueryRecording(Workshop):
    def make_packs(self):
        with open(self.tools, "a", encoding="utf-8") as file:
            file.write(NAP)
        self.pack("nap", "{id: nap, type: tool.call, with: {tool: nap}}",
                  "{id: many, type: fragment.create, with: {type: note, message: rested}}")
        self.pack("ask", "{id: ask, type: ai.generate, with: {prompt: '{{ ctx.body }}', "
                         "cache: true}}")
        self.pack("choose", "{id: choice, type: condition, condition: '{{ ctx.body }}', then: ["
                  "{id: inner, type: fragment.create, with: {type: note, message: inner}}]}")

    def exec(self, slug, *arguments, status=0):
        self.run_steprun("exec", slug, *arguments, "--packs", self.packs, "--db", self.database,
                         "--tools", self.tools, "--quiet", status=status)

    def ask_model(self):
        """Two of the questions are the same, and one is refused."""
        with AnsweringModel(lambda prompt: None if prompt == "no" else "because") as model:
            for question, status in (("why", 0), ("how", 0), ("why", 0), ("no", 1)):
                self.exec("ask", question, "--ai-url", model.url, "--ai-model", "test",
                          status=status)

    def kill_one(self, tracer):
        """A command dies in its step."""
        process = subprocess.Popen([self.program, "exec", "hold", "x", "--packs", self.packs,
                                    "--db", self.database, "--tools", self.tools, "--quiet"])
        tracer.written('"command.execution.started"', '"hold"')
        with open(self.path("one"), "wb"):  # the tool has opened it
            process.kill()
            process.wait()
        tracer.written('"command.execution.completed"', '"hold"')

    def plan_and_dispatch(self):
        """A run of a schedule, and a chain of jobs of one request."""
        for name, runs in (("daily", 2), ("weekly", 1)):
            self.schedule("add", name, "note", "daily_at:08:30", "--set", "body=planned")
            for _ in range(runs):
                self.schedule("run-now", name)
        self.run_steprun("exec", "dispatch", "--packs", self.packs, "--db", self.database,
                         "--quiet", "--correlation-id", CORRELATION, "--context", "-",
                         input='{"command": "dispatch", "queue": "mail", "arguments": {'
                               '"command": "note", "queue": "later", "arguments": {"body": "x"}}}')
        self.exec("dispatch", "--set", "command=fail", "--set", "queue=mail", "--set",
                  "arguments={}", "--set", "max_attempts=1")
        worker = self.worker()
        self.until("SELECT count(*) FROM schedule_runs WHERE status = 'completed'", (3,))
        self.until("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')", (0,))
        worker.stop()

    def today(self):
        tracer = self.tracer("--breakdown")
        for number in range(24):
            self.exec("note", "note %d" % number)
        for _ in range(3):
            self.exec("nap")
            self.exec("fail", status=1)
        self.exec("choose", "yes")
        self.exec("note", "only tried", "--dry-run")
        self.ask_model()
        self.kill_one(tracer)
        self.plan_and_dispatch()
        return self.text_of(tracer)

    def lossy(self):
        """A recording that begins in the middle of a command, loses events and does not see an
        end."""
        with Runner() as runner:
            runner.do("open")
            tracer = Tracer("-p", str(runner.pid), "--buffer", "256K")
            runner.do("step 0")
            runner.do("close")
            for _ in range(19):  # p95 is another one when the first is counted
                runner.do("open")
                runner.do("close")
            runner.do("go 20")
            for order in ("nested", "tool", "reject", "fail"):
                runner.do(order)
            tracer.written('"command.execution.completed"', '"failure"')
            tracer.freeze()
            runner.do("go 2000")
            tracer.thaw()
            wait_until(lambda: tracer.has_written('"trace.lost"'), "a loss")
            runner.do("go 20")
            runner.do("open")
            return self.text_of(tracer)

    def text_of(self, tracer):
        tracer.process.send_signal(2)
        assert tracer.wait() == 0, tracer.words
        text = tracer.text()
        tracer.events()
        return text

    def earlier(self):
        """The same commands as today, but fewer."""
        tracer = self.tracer()
        for number in range(20):
            self.exec("note", "note %d" % number)
        self.exec("fail", status=1)
        return self.text_of(tracer)

    def make(self, path):
        self.make_packs()
        yesterday = self.lossy() + self.lossy() + self.earlier()
        other = yesterday.replace('"host":"%s"' % os.uname().nodename, '"host":"other"')
        with open(path, "w", encoding="utf-8") as file:
            file.write(on_day("2026-11-28", other) + on_day("2026-11-29", self.today()))
