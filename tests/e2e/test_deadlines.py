# SPDX-License-Identifier: BSD-2-Clause
"""The deadline of a command, and Ctrl-C: both reach what a command waits for."""
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import unittest

from harness import (PATIENCE_S, STEPRUN, Scenario, Tracer, completed, run, steps, wait_until)

# What the step of each pack waits for.
STEPS = {
    "model": "{id: wait, type: ai.generate, with: {prompt: hello, fallback_text: instead}}",
    "tool": "{id: wait, type: tool.call, with: {tool: sh, args: {script: 'sleep 1000'}}}",
    "lock": "{id: wait, type: fragment.create, message: one}",
    "template": "{id: wait, type: list.map, with: {input: '{{ ctx.many }}', template: "
                "\"{% for x in ctx.some %}{{ x }}{% endfor %}\"}}",
}


class Deadlines(Scenario):
    def setUp(self):
        super().setUp()
        self.database = os.path.join(self.directory, "test.db")
        with open(self.path("tools.yaml"), "w", encoding="utf-8") as file:
            file.write("tools: [{slug: sh, argv: [/bin/sh, -c, '{{ args.script }}']}]\n")
        with open(self.path("context.json"), "w", encoding="utf-8") as file:
            json.dump({"many": list(range(100000)), "some": list(range(500))}, file)

    def path(self, name):
        return os.path.join(self.directory, name)

    def pack(self, step, timeout=""):
        folder = self.path("pack")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "command.yaml"), "w", encoding="utf-8") as file:
            file.write("name: W\nslug: waits\nversion: 1.0.0\n%s\nsteps:\n  - %s\n"
                       % (timeout, step))
        return folder

    @contextlib.contextmanager
    def silent_model(self):
        """A server that takes questions and never answers."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            yield "http://127.0.0.1:%d/v1" % listener.getsockname()[1]

    @contextlib.contextmanager
    def waiting(self, what):
        """What makes the step wait; the command line of the pack."""
        subprocess.run([STEPRUN, "exec", self.pack("{id: a, type: transform, template: a}"),
                        "--db", self.database, "-q"], check=True)
        holder = sqlite3.connect(self.database, isolation_level=None)
        with self.silent_model() as url, contextlib.closing(holder):
            if what == "lock":
                holder.execute("BEGIN IMMEDIATE")
            yield [STEPRUN, "exec", self.pack(STEPS[what]), "--db", self.database,
                   "--tools", self.path("tools.yaml"), "--context", self.path("context.json"),
                   "--ai-url", url, "--ai-model", "m"]

    def expect_failure(self, output, category):
        result = json.loads(output)
        self.assertEqual((result["success"], result["error"]["category"]), (False, category),
                         result)

    def test_the_deadline(self):
        for what in STEPS:
            with self.subTest(what), self.waiting(what) as command:
                events_path = self.path("events")
                status, output, said = run("record", "-o", events_path, "--", *command,
                                           "--timeout", "300ms")
                self.assertEqual(status, 1, said)
                self.expect_failure(output, "timeout")
                with open(events_path, encoding="utf-8") as file:
                    events = [json.loads(line) for line in file]
                os.unlink(events_path)
                self.assertEqual([(event["outcome"], event["error_category"])
                                  for event in completed(events) + steps(events)],
                                 [("failure", "timeout")] * 2)

    def test_the_deadline_of_the_manifest(self):
        with self.waiting("tool") as command:
            self.pack(STEPS["tool"], "timeout: 0.3")
            for arguments in ((), ("--timeout", "1h")):
                done = subprocess.run([*command, *arguments], capture_output=True, text=True,
                                      timeout=PATIENCE_S, check=False)
                self.assertEqual(done.returncode, 1)
                self.expect_failure(done.stdout, "timeout")

    def test_a_deadline_that_is_not_reached(self):
        done = subprocess.run(
            [STEPRUN, "exec", self.pack("{id: a, type: transform, template: a}", "timeout: 60"),
             "--db", self.database, "--timeout", "1m"], capture_output=True, text=True, check=True)
        self.assertTrue(json.loads(done.stdout)["success"])

    def start(self, command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        Tracer.running.append(process)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def is_waiting(self, process):
        """It has caught SIGINT, and sleeps."""
        with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        return int(fields["SigCgt"], 16) & 1 << (signal.SIGINT - 1) and \
            fields["State"].startswith(("S", "R"))

    def test_ctrl_c(self):
        for what in STEPS:
            with self.subTest(what), self.waiting(what) as command:
                process = self.start(command)
                wait_until(lambda p=process: self.is_waiting(p), "steprun has begun")
                process.send_signal(signal.SIGINT)
                output, said = process.communicate(timeout=PATIENCE_S)
                self.assertEqual(process.returncode, 1, said)
                if output: # the signal may have come before the command
                    self.expect_failure(output, "cancelled")
                self.assertIn("stopped by Ctrl-C", said)

    def test_a_second_ctrl_c(self):
        self.second_signal(signal.SIGINT)

    def test_sigterm_after_ctrl_c(self):
        self.second_signal(signal.SIGTERM)

    def second_signal(self, number):
        with self.waiting("template") as command:
            process = self.start(command)
            wait_until(lambda: self.is_waiting(process), "steprun has begun")
            process.send_signal(signal.SIGINT)
            wait_until(lambda: not self.catches(process), "the first one has come")
            process.send_signal(number)
            process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, -number)

    def catches(self, process):
        with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
            mask = next(line.split()[1] for line in file if line.startswith("SigCgt"))
        return bool(int(mask, 16) & 1 << (signal.SIGINT - 1))

    def test_wrong_usage(self):
        for text in ("0", "soon", "-1s", ""):
            done = subprocess.run([STEPRUN, "exec", "x", "--timeout", text], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--timeout cannot be", done.stderr)


if __name__ == "__main__":
    unittest.main()
