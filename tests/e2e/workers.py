# SPDX-License-Identifier: BSD-2-Clause
"""Processes of `steprun work` and `steprun serve` on one database, with packs and a clock of the
test."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess

from harness import PATIENCE_S, STEPRUN, Lines, Scenario, Tracer, wait_until

# A tool that ends when the test calls Workshop.release().
HOLD = "- {slug: hold, argv: [/bin/cat, '%s/{{ args.fifo }}'], timeout: 600}\n"


class Worker:
    """A running `steprun work` or `steprun serve`; it has begun when the constructor returns."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stderr=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        self.lines = Lines(self.process.stderr, "steprun %s" % arguments[0])
        self.words = self.lines.until("database '")

    def until(self, word):
        self.words += self.lines.until(word)
        return self.words[-1]

    def said(self, word):
        """The lines so far that have the word."""
        if not self.process.stderr.closed:
            self.words += self.lines.so_far()
        return [line for line in self.words if word in line]

    def send(self, number):
        self.process.send_signal(number)

    def freeze(self):
        self.send(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self):
        self.send(signal.SIGCONT)

    def wait(self):
        """The exit status."""
        self.words += self.lines.rest()
        return self.process.wait(PATIENCE_S)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.send(number)
        return self.wait()

    def kill(self):
        self.stop(signal.SIGKILL)


class Workshop(Scenario):
    """A database, packs and a clock, and the workers on them. Those that are left are killed at the
    end."""

    def setUp(self):
        super().setUp()
        self.database = self.path("test.db")
        self.packs, self.tools = self.path("packs"), self.path("tools.yaml")
        self.clock_path = None
        # A copy, so that a recording of this binary has no other processes.
        self.program = shutil.copy(STEPRUN, self.path("steprun"))
        os.mkdir(self.packs)
        for fifo in ("one", "two"):
            os.mkfifo(self.path(fifo))
        with open(self.tools, "w", encoding="utf-8") as file:
            file.write("tools:\n  " + HOLD % self.directory)
        self.pack("note", "{id: save, type: fragment.create, with: {type: note, "
                          "message: '{{ ctx.body }}'}}")
        held = ("{id: held, type: tool.call, with: {tool: hold, args: {fifo: '{{ ctx.fifo | "
                "default: \"one\" }}'}}}")
        self.pack("wait", held)
        self.pack("hold", held,
                  "{id: save, type: fragment.create, with: {type: note, message: held}}")
        self.pack("fail", "{id: no, type: validate, with: {values: {x: 1}, rules: {x: 'min:2'}}}")
        self.pack("dispatch", "{id: job, type: job.dispatch, with: {command: '{{ ctx.command }}', "
                              "arguments: '{{ ctx.arguments }}', queue: '{{ ctx.queue }}', "
                              "max_attempts: '{{ ctx.max_attempts | default: 3 }}'}}")

    def path(self, name):
        return os.path.join(self.directory, name)

    def pack(self, slug, *steps):
        folder = os.path.join(self.packs, slug)
        os.mkdir(folder)
        with open(os.path.join(folder, "command.yaml"), "w", encoding="utf-8") as file:
            file.write("name: A test\nslug: %s\nversion: 1.0.0\nsteps:\n" % slug)
            file.writelines("  - %s\n" % step for step in steps)

    # ---- time

    def set_clock(self, time, rate):
        """`time` as in 2025-03-30T00:59:00Z."""
        self.clock_path = self.path("clock")
        with open(self.clock_path + ".new", "w", encoding="ascii") as file:
            file.write("%s %d\n" % (time, rate))
        os.rename(self.clock_path + ".new", self.clock_path)

    def with_clock(self):
        return ["--clock", self.clock_path] if self.clock_path else []

    # ---- commands

    def run_steprun(self, *arguments, status=0, **options):
        """(standard output, standard error) of a whole steprun."""
        done = subprocess.run([self.program, *arguments, *self.with_clock()], capture_output=True,
                              text=True, timeout=PATIENCE_S, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def schedule(self, *arguments, status=0):
        """What `steprun schedule` prints; with another status than 0, on standard error."""
        return self.run_steprun("schedule", *arguments, "--db", self.database,
                                status=status)[status != 0]

    def execute(self, slug, status=0, **values):
        """The result of a command with this input."""
        output, said = self.run_steprun("exec", slug, "--packs", self.packs, "--db", self.database,
                                        "--tools", self.tools, "--ids", "--context", "-",
                                        input=json.dumps(values), status=status)
        return json.loads(output) if output else said

    def worker(self, *arguments, command="work"):
        if command == "serve":
            arguments += ("--listen", "127.0.0.1:0")
        worker = Worker(self.program, command, *arguments, "--packs", self.packs,
                        "--db", self.database, "--tools", self.tools, *self.with_clock())
        self.addCleanup(worker.kill)
        return worker

    def work_until_empty(self, *arguments, status=0):
        worker = self.worker("--until-empty", *arguments)
        self.assertEqual(worker.wait(), status, worker.words)
        return worker

    def release(self, fifo="one"):
        """Lets a command `hold` go on, when it has come so far."""
        with open(self.path(fifo), "wb"):
            pass

    def tracer(self, *arguments):
        """A recording of all processes of this workshop, also of those that start later."""
        return Tracer("-x", self.program, *arguments)

    # ---- the database

    @contextlib.contextmanager
    def connection(self):
        """Another program on the database."""
        connection = sqlite3.connect(self.database, timeout=PATIENCE_S, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, query, *values):
        with self.connection() as connection:
            return connection.execute(query, values).fetchall()

    def row(self, query, *values):
        rows = self.rows(query, *values)
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    def until(self, query, *expected):
        """Waits until the query gives exactly these rows."""
        try:
            wait_until(lambda: self.rows(query) == list(expected), query)
        except AssertionError as error:
            raise AssertionError("%s -> %r, not %r" % (error, self.rows(query),
                                                       expected)) from None

    def create_tables(self):
        self.run_steprun("exec", "note", "x", "--packs", self.packs, "--db", self.database,
                         "--dry-run")

    def add_job(self, command, **columns):
        """As job.dispatch does it."""
        columns = {"command_slug": command, "available_at": "2025-01-01T00:00:00.000000Z",
                   "correlation_id": "job-correlation", **columns}
        with self.connection() as connection:
            return connection.execute(
                "INSERT INTO jobs (%s) VALUES (%s)" % (", ".join(columns),
                                                       ", ".join("?" * len(columns))),
                tuple(columns.values())).lastrowid
