# SPDX-License-Identifier: BSD-2-Clause
"""steprun, a real runner on a real database, traced."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from harness import (PACKS, PATIENCE_S, EndToEnd, Lines, STEPRUN, Tracer, check_books, completed,
                     of_kind, read_events, run, runner_events, started, steps, target)

# The same in every run, so that results can be compared byte for byte.
FIXED = ["--now", "2026-03-01T08:30:00Z", "--seed", "7"]


class Workplace(EndToEnd):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-runner-")
        self.database = self.path("test.db")
        self.events_path = self.path("events")

    def tearDown(self):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def command(self, *arguments, database="test.db"):
        return [STEPRUN, "exec", *arguments, "--packs", PACKS, "--db", self.path(database)]

    def trace(self, *arguments, status=0, **options):
        """The events of a whole steprun; its output in self.output."""
        got, self.output, self.words = run("record", "-o", self.events_path, "--",
                                           *self.command(*arguments, **options))
        self.assertEqual(got, status, self.words)
        events = read_events(self.events_path)
        os.unlink(self.events_path)
        check_books(self, events)
        return events

    def rows(self, query):
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


class Commands(Workplace):
    def test_five_steps(self):
        events = self.trace("triage", "call the printer", "--user", "mia", "--source", "api",
                            "--correlation-id", "req-00000042", "--ids")
        start, done = started(events)[0], completed(events)[0]
        self.assertEqual((start["command_slug"], start["user_id"], start["request_source"]),
                         ("triage", "mia", "api"))
        self.assertTrue(all(event["correlation_id"] == "req-00000042"
                            for event in runner_events(events)))
        self.assertEqual(json.loads(self.output)["execution_id"], start["execution_id"])
        self.assertEqual([step["step_type"] for step in steps(events)],
                         ["FragmentCreateStep", "TransformStep", "FragmentUpdateStep",
                          "ListMapStep", "NotifyStep"])
        self.assertEqual([step["mutations_count"] for step in steps(events)], [1, 0, 1, 0, 0])
        self.assertEqual([step["step"]["index"] for step in steps(events)], [0, 1, 2, 3, 4])
        self.assertEqual((done["steps_executed"], done["steps_successful"], done["outcome"],
                          done["complete"]), (5, 5, "success", True))
        fragment = self.rows("SELECT id FROM fragments")[0][0]
        self.assertEqual([step["fragment_id"] for step in steps(events)],
                         [fragment, None, fragment, None, None])
        self.assertEqual([(change["operation"], change["fragment_id"])
                          for change in of_kind(events, "fragment.changed")],
                         [("created", fragment), ("updated", fragment)])
        mapped = steps(events)[3]
        self.assertEqual(mapped["items"]["in"], mapped["items"]["out"])
        self.assertGreater(mapped["items"]["in"], 0)

    def test_failure_in_step_three(self):
        events = self.trace("fails-midway", status=1)
        self.assertEqual([step["outcome"] for step in steps(events)],
                         ["success", "success", "failure"])
        failed = steps(events)[2]
        self.assertIn("error_category", failed)
        self.assertEqual(failed["mutations_count"], 0)
        done = completed(events)[0]
        self.assertEqual((done["outcome"], done["steps_executed"], done["steps_failed"]),
                         ("failure", 3, 1))
        self.assertEqual(done["error_category"], failed["error_category"])
        self.assertIs(json.loads(self.output)["success"], False)

    def test_whole_numbers_of_64_bits(self):
        pack = self.path("big")
        os.mkdir(pack)
        with open(os.path.join(pack, "command.yaml"), "w", encoding="utf-8") as file:
            file.write("name: Big\nslug: big\nversion: 1.0.0\nsteps:\n"
                       "  - {id: n, type: transform, template: '{{ ctx.n - 1 }}'}\n")
        context = self.path("context.json")
        with open(context, "w", encoding="utf-8") as file:
            file.write('{"n": 9223372036854775807}')
        self.trace(pack, "--context", context)
        self.assertEqual(json.loads(self.output)["outputs"], {"n": 9223372036854775806})

    def test_a_tool(self):
        pack, tools = self.path("calls"), self.path("tools.yaml")
        os.mkdir(pack)
        with open(os.path.join(pack, "command.yaml"), "w", encoding="utf-8") as file:
            file.write("name: Calls\nslug: calls\nversion: 1.0.0\nsteps:\n"
                       "  - {id: good, type: tool.call, with: {tool: sh, args: {code: 0}}}\n"
                       "  - {id: bad, type: tool.call, with: {tool: sh, args: {code: 3}}}\n")
        with open(tools, "w", encoding="utf-8") as file:
            file.write("tools:\n  - slug: sh\n"
                       "    argv: [/bin/sh, -c, 'exit {{ args.code }}']\n")
        events = self.trace(pack, "--tools", tools, status=1)
        calls = of_kind(events, "tool.invocation.completed")
        self.assertEqual([(call["tool_slug"], call["outcome"], call["exit_status"])
                          for call in calls],
                         [("sh", "success", 0), ("sh", "failure", 3)])
        self.assertEqual([call["step_id"] for call in calls],
                         [step["step_id"] for step in steps(events)])
        self.assertEqual(self.rows("SELECT invocation_id, exit_status, execution_id "
                                   "FROM tool_invocations ORDER BY id"),
                         [(call["invocation_id"], call["exit_status"], call["execution_id"])
                          for call in calls])
        self.assertIn("the tool 'sh' ended with exit status 3", self.words)
        self.trace(pack, status=1)
        self.assertIn("no tools were given (--tools FILE)", self.words)

    def test_a_state_of_another_program(self):
        """It cannot be merged, and is not thrown away."""
        self.trace("triage", "a note")
        state = '{"hash":18446744073709551615,"a":1}'
        connection = sqlite3.connect(self.database)
        connection.execute("UPDATE fragments SET state = ?", (state,))
        connection.commit()
        connection.close()
        pack = self.path("merges")
        os.mkdir(pack)
        with open(os.path.join(pack, "command.yaml"), "w", encoding="utf-8") as file:
            file.write("name: M\nslug: merges\nversion: 1.0.0\nsteps:\n"
                       "  - {id: u, type: fragment.update, with: {id: 1, data: {state.x: 1}}}\n")
        self.trace(pack, status=1)
        self.assertIn("the state of the fragment cannot be read", self.words)
        self.assertEqual(self.rows("SELECT state FROM fragments"), [(state,)])

    def test_nested_branches(self):
        events = self.trace("route-task", "urgent: the roof leaks")
        nested = [step for step in steps(events) if step["step"]["depth"] > 0]
        self.assertGreaterEqual(max(step["step"]["depth"] for step in nested), 2)
        by_id = {step["step_id"]: step for step in steps(events)}
        for step in nested:
            parent = by_id[step["step"]["parent_step_id"]]
            self.assertEqual(parent["step_type"], "ConditionStep")
            self.assertEqual(parent["step"]["depth"], step["step"]["depth"] - 1)
            self.assertGreaterEqual(parent["duration_ms"], step["duration_ms"])
        self.assertEqual(completed(events)[0]["steps_executed"], len(steps(events)))

    def test_dry_run(self):
        self.trace("triage", "a note to begin with")
        before = self.rows("SELECT count(*) FROM fragments")
        events = self.trace("triage", "another note", "--dry-run")
        self.assertTrue(all(event["dry_run"] for event in
                            started(events) + steps(events) + completed(events)))
        self.assertEqual([step["mutations_count"] for step in steps(events)], [0] * 5)
        self.assertEqual(completed(events)[0]["outcome"], "success")
        self.assertEqual(of_kind(events, "fragment.changed"), [])
        self.assertEqual(self.rows("SELECT count(*) FROM fragments"), before)

    def test_what_never_became_a_command(self):
        """Of what the user wrote, only the slug is told."""
        unnamed, bad = "unnamed", ("--packs", os.path.join(PACKS, "../packs-bad"))
        for arguments, expected in (
                (("nonesuch SECRET",), ("nonesuch", "unknown_command")),
                (("nonesuch\tSECRET",), ("nonesuch", "unknown_command")),
                (("SECRET word",), (unnamed, "unknown_command")),
                (("./SECRET",), (unnamed, "unknown_command")),
                (("x" * 200,), (unnamed, "unknown_command")),
                (("twice", *bad), ("twice", "invalid_pack")),
                (("triage", "x", "--ai-url", "ftp://SECRET"), ("triage", "invalid_argument")),
                (("triage", "\udcff"), ("triage", "invalid_argument"))):
            with self.subTest(arguments):
                events = self.trace(*arguments, status=1)
                event, = runner_events(events)
                self.assertEqual(event["event"], "command.validation.failed")
                self.assertEqual((event["command_slug"], event["reason"]), expected)
                self.assertNotIn("SECRET", json.dumps(event))
        event, = runner_events(self.trace("triage", "x", database="nonexistent/x", status=1))
        self.assertEqual((event["command_slug"], event["reason"]),
                         ("triage", "database_unavailable"))

    def test_unknown_command(self):
        events = self.trace("nonesuch", status=1)
        rejected = runner_events(events)
        self.assertEqual([event["event"] for event in rejected], ["command.validation.failed"])
        self.assertEqual((rejected[0]["command_slug"], rejected[0]["reason"]),
                         ("nonesuch", "unknown_command"))
        self.assertIn("nonesuch", self.words)

    def test_a_malformed_pack(self):
        events = self.trace(os.path.join(PACKS, "../packs-bad/", self.bad_pack()), status=1)
        self.assertEqual([event["reason"] for event in runner_events(events)], ["invalid_pack"])
        self.assertRegex(self.words, r"command\.yaml:\d+:\d+: ")

    def bad_pack(self):
        """One whose YAML is broken."""
        folder = os.path.join(PACKS, "../packs-bad")
        for name in sorted(os.listdir(folder)):
            done = subprocess.run(self.command(os.path.join(folder, name)), capture_output=True,
                                  text=True)
            if re.search(r":\d+:\d+: ", done.stderr):
                return name
        self.fail("no pack in tests/packs-bad has an error with line and column")

    def test_every_pack_of_ours(self):
        expected = {"fails-midway": 1}
        seen = set()
        with ModelServer() as model:
            for slug in sorted(os.listdir(PACKS)):
                events = self.trace(slug, "write the report #work", "--ai-url", model.url,
                                    "--ai-model", "test", status=expected.get(slug, 0))
                self.assertIs(completed(events)[0]["complete"], True)
                seen |= {step["step_type"] for step in steps(events)}
        self.assertLessEqual({"DatabaseUpdateStep", "FragmentUpdateStep", "ListMapStep",
                              "NotifyStep", "ModelDeleteStep", "AiGenerateStep", "TransformStep",
                              "ConditionStep", "FragmentCreateStep", "FragmentQueryStep"}, seen)


class ModelServer:
    """tests/support/ai_server.c, on loopback."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([target("ai_server"), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        self.lines = Lines(self.process.stdout, "the model")
        address = self.lines.until("listening ")[-1].split()[1]
        self.url = "http://%s/v1" % address

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.lines.rest()


class Models(Workplace):
    def ask(self, model):
        events = self.trace("summarize", "three lines about cheese", "--ai-url", model.url,
                            "--ai-model", "test")
        return [step for step in steps(events) if step["step_type"] == "AiGenerateStep"]

    def test_cache_and_tokens(self):
        with ModelServer() as model:
            first, second = self.ask(model), self.ask(model)
        self.assertEqual(first[0]["ai"]["cache"], "miss")
        self.assertGreater(first[0]["ai"]["prompt_tokens"], 0)
        self.assertGreater(first[0]["ai"]["completion_tokens"], 0)
        self.assertEqual(second[0]["ai"]["cache"], "hit")

    def test_a_step_of_twenty_milliseconds(self):
        with ModelServer("--delay-ms", "20") as model:
            reported, measured = [], []
            for number in range(5):
                events = self.trace("summarize", "note %d" % number, "--ai-url", model.url,
                                    "--ai-model", "test", "--timing")
                told = dict(re.findall(r"step (\S+) \S+ duration_ns=(\d+)", self.words))
                for step in steps(events):
                    reported.append(step["duration_ms"])
                    measured.append(int(told[step["step"]["name"]]) / 1e6)
        differences = sorted(abs(a - b) for a, b in zip(reported, measured))
        self.assertGreater(max(reported), 20)
        self.assertLess(differences[len(differences) // 2], 0.2)


class Load(Workplace):
    TEXT = "call the printer #office"

    def test_results_are_the_same_when_watched(self):
        """Attached and detached ten times while steprun works. Then the same number of commands
        runs without a tracer, and its results are the same, byte for byte."""
        with open(self.path("output"), "wb") as output:
            runner = subprocess.Popen(
                self.command("triage", self.TEXT, "--repeat", "0", "--rate", "100/s", *FIXED,
                             database="watched.db"),
                stdout=output, stderr=subprocess.DEVNULL)
        self.addCleanup(runner.kill)
        for _ in range(10):
            tracer = Tracer("-p", str(runner.pid), "--count", "50")
            self.assertEqual(tracer.wait(), 0)
            check_books(self, tracer.events())
        runner.send_signal(signal.SIGINT)
        self.assertEqual(runner.wait(PATIENCE_S), 0)
        with open(self.path("output"), "rb") as file:
            watched = file.read()
        commands = watched.count(b"\n")
        self.assertGreater(commands, 10)
        plain = subprocess.run(self.command("triage", self.TEXT, "--repeat", str(commands), *FIXED,
                                            database="plain.db"),
                               capture_output=True, check=True).stdout
        self.assertEqual(watched, plain)


class CommandLine(Workplace):
    def run_plain(self, *arguments, **options):
        done = subprocess.run([STEPRUN, *arguments], capture_output=True, text=True,
                              timeout=PATIENCE_S, cwd=self.directory.name, **options)
        return done.returncode, done.stdout, done.stderr

    def expect(self, status, words, *arguments):
        got, output, said = self.run_plain(*arguments)
        self.assertEqual((got, output), (status, ""), said)
        self.assertIn(words, said)

    def test_help_and_version(self):
        commands = ("exec", "serve", "work", "schedule", "check", "list")
        for arguments in (["--help"], *([name, "--help"] for name in commands)):
            status, output, said = self.run_plain(*arguments)
            self.assertEqual((status, said), (0, ""))
            self.assertIn("usage: steprun", output)
        self.assertRegex(self.run_plain("--version")[1], r"^steprun \d+\.\d+\.\d+\n$")

    def test_wrong_usage(self):
        self.expect(2, "usage: steprun")
        self.expect(2, "exce", "exce")
        self.expect(2, "no command given", "exec")
        self.expect(2, "unknown option '--bad'", "exec", "--bad")
        self.expect(2, "--repeat cannot be 'x'", "exec", "triage", "--repeat", "x")
        self.expect(2, "no given command requires", "exec", "triage", "x", "--packs", PACKS,
                    "--without", "foo")

    def test_without_a_capability(self):
        """Also one that only the second command requires."""
        plain = ["exec", "triage", "x", "--packs", PACKS, "--db", ":memory:"]
        self.assertEqual(self.run_plain(*plain, "--also", "digest", "--without",
                                        "fragment.query")[0], 0)
        status, _, said = self.run_plain(*plain, "--without", "fragment.create")
        self.assertEqual(status, 1)
        self.assertIn("the capability 'fragment.create' is disabled", said)

    def test_what_is_not_there(self):
        packs = ["--packs", PACKS]
        self.expect(1, "unknown command 'nonesuch'", "exec", "nonesuch", *packs)
        self.expect(1, "cannot read '/nonesuch'", "exec", "triage", *packs,
                    "--context", "/nonesuch")
        self.expect(1, "/nonesuch/x.db", "exec", "triage", "x", *packs, "--db", "/nonesuch/x.db")
        with open(self.path("bad.db"), "wb") as file:
            file.write(bytes(range(256)))
        self.expect(1, "not a database", "exec", "triage", "x", *packs, "--db", "bad.db")

    def test_input(self):
        status, output, _ = self.run_plain("exec", "triage", "--packs", PACKS, "--context", "-",
                                           "--set", "source=web", input='{"body": "from stdin"}')
        self.assertEqual(status, 0)
        saved = json.loads(output)["outputs"]["save-note"]
        self.assertEqual((saved["message"], saved["source"]), ("from stdin", "web"))
        status, _, said = self.run_plain("exec", "triage", "--packs", PACKS, "--context", "-",
                                         input="{bad")
        self.assertEqual(status, 1)
        self.assertRegex(said, r"is not JSON \(byte \d\)")

    def test_check_and_list(self):
        status, _, said = self.run_plain("check", PACKS)
        self.assertEqual(status, 0, said)
        status, output, said = self.run_plain("check", os.path.join(PACKS, "../packs-bad"))
        self.assertEqual(status, 1)
        self.assertRegex(output + said, r"command\.yaml:\d+:\d+: ")
        status, output, _ = self.run_plain("list", "--packs", PACKS)
        self.assertEqual(status, 0)
        self.assertIn("triage", output)

    def test_ctrl_c_ends_after_the_command(self):
        runner = subprocess.Popen(self.command("triage", "x", "--repeat", "0"),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        lines = Lines(runner.stdout, "steprun")
        lines.until("success")
        runner.send_signal(signal.SIGINT)
        rest = lines.rest()
        self.assertEqual(runner.wait(PATIENCE_S), 0)
        self.assertTrue(all(json.loads(line)["success"] for line in rest))
        self.assertIn("stopped", runner.stderr.read().decode())
        runner.stderr.close()

    def test_a_full_output(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.command("triage", "x"), stdout=full, stderr=subprocess.PIPE,
                                  text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
