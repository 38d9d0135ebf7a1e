# SPDX-License-Identifier: BSD-2-Clause
"""steptrace export --to otlp: the same spans as those of a recording that sends them itself."""
import array
import fcntl
import json
import os
import re
import signal
import subprocess
import termios
import threading

import otlp
from harness import PATIENCE_S, STEPTRACE, Lines, Runner, run, wait_until
from otlp import partial, status
from recordings import Recorded, read
from test_otlp import ALL, Otlp


def of_spans(spans):
    """In one order, as texts that can be compared."""
    return sorted(json.dumps(span, sort_keys=True) for span in spans)


def unread_bytes(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class OtlpExport(Otlp):
    def export(self, receiver, *arguments, status=0):
        done = subprocess.run([STEPTRACE, "export", "--to", self.where(receiver), *arguments],
                              capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.check_official(receiver)
        return done.stderr

    def record_both(self, *orders, arguments=()):
        """The path of a recording, and the receiver that got the same events live."""
        live, path = self.receiver("live"), self.path("events.ndjson")
        self.record(live, *orders, arguments=("-o", path, *arguments))
        return path, live

    def test_the_same_as_live(self):
        """Ids, parents, times, attributes, resources; of spans and of log records."""
        path, live = self.record_both(*ALL, "open", "step 0", arguments=("--label", "env=test"))
        receiver = self.receiver()
        self.export(receiver, path)
        self.assertEqual(of_spans(receiver.spans()), of_spans(live.spans()))
        names = [sorted(log["attributes"]["event.name"] for log in of.logs())
                 for of in (receiver, live)]
        self.assertEqual(*names)

    def test_twice(self):
        """A receiver can tell that it has them already."""
        path, live = self.record_both("go 5")
        receiver = self.receiver()
        for _ in range(2):
            self.export(receiver, path)
        ids = [(span["traceId"], span["spanId"]) for span in receiver.spans()]
        self.assertEqual(len(ids), 60)
        self.assertEqual(set(ids), {(span["traceId"], span["spanId"]) for span in live.spans()})

    def interrupted(self, path, receiver):
        """Ends an export in the middle. Returns the place where it says to go on."""
        released = threading.Event()
        self.addCleanup(released.set)
        receiver.script(otlp.accept, otlp.accept, otlp.accept,
                        lambda *_: released.wait(PATIENCE_S) and False)
        process = subprocess.Popen([STEPTRACE, "export", "--to", self.where(receiver), path],
                                   stderr=subprocess.PIPE, bufsize=0)
        lines = Lines(process.stderr, "steptrace")
        wait_until(lambda: receiver.seen == 4, "the fourth request")
        process.send_signal(signal.SIGINT)
        said = "\n".join(lines.rest())
        self.assertEqual(process.wait(PATIENCE_S), 1, said)
        return re.search(r"--from (\d+:\d+)", said).group(1)

    def test_it_says_why_it_stopped(self):
        """A receiver that answers 503 can be reached."""
        path, _ = self.record_both("go 1")
        receiver = self.receiver()
        receiver.script(status(503, headers=[("Retry-After", "60")]))
        process = subprocess.Popen([STEPTRACE, "export", "--to", self.where(receiver), path],
                                   stderr=subprocess.PIPE, bufsize=0)
        lines = Lines(process.stderr, "steptrace")
        lines.until("HTTP status 503; trying again")
        process.send_signal(signal.SIGINT)
        self.assertRegex("\n".join(lines.rest()), "stopped because otlp:.* answers HTTP status 503")
        self.assertEqual(process.wait(PATIENCE_S), 1)

    def test_an_interrupted_export_goes_on(self):
        path, live = self.record_both("go 1000", "go 1000", arguments=(
            "--queue", "64M", "--buffer", "16M"))
        first, second = self.receiver("first"), self.receiver("second")
        place = self.interrupted(path, first)
        self.export(second, path, "--from", place)
        ids = [{(span["traceId"], span["spanId"]) for span in of.spans()}
               for of in (first, second, live)]
        self.assertEqual(ids[0] | ids[1], ids[2])
        self.assertLess(len(ids[1]), len(ids[2]))
        self.assertEqual(len(ids[2]), 12000)
        resources = [of.spans()[0]["resource"] for of in (second, live)]
        self.assertEqual(*resources)

    def test_ctrl_c_while_more_is_awaited(self):
        """The recording comes through a pipe that stays open."""
        path, _ = self.record_both("go 5")
        for how in (signal.SIGINT, signal.SIGTERM):
            receiver = self.receiver("piped-%d" % how)
            process = subprocess.Popen([STEPTRACE, "export", "--to", self.where(receiver), "-"],
                                       stdin=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            with open(path, "rb") as file:
                process.stdin.write(file.read())
            wait_until(lambda process=process: not unread_bytes(process.stdin), "the reader")
            process.send_signal(how)
            self.assertEqual(process.wait(PATIENCE_S), 1)
            said = process.stderr.read().decode()
            process.stdin.close()
            process.stderr.close()
            self.assertIn("interrupted", said)
            self.assertRegex(said, r"--from 1:\d+")

    def test_the_environment_makes_no_file(self):
        """libcurl and GnuTLS would write the keys of connections into it."""
        path, _ = self.record_both("go 1")
        keys = self.path("keys")
        process = subprocess.Popen([STEPTRACE, "export", "--to", "otlp:https://127.0.0.1:1", path],
                                   env={**os.environ, "SSLKEYLOGFILE": keys},
                                   stderr=subprocess.PIPE, bufsize=0)
        lines = Lines(process.stderr, "steptrace")
        lines.until("trying again")
        process.send_signal(signal.SIGINT)
        lines.rest()
        self.assertEqual(process.wait(PATIENCE_S), 1)
        self.assertFalse(os.path.exists(keys))

    def test_a_place_that_is_not_there(self):
        path, _ = self.record_both("go 1")
        for place, words in (("1:3", "no line begins at byte 3 of part 1"),
                             ("1:99999999", "the recording ends before --from 1:99999999"),
                             ("2:0", "the recording ends before --from 2:0")):
            said = self.export(self.receiver(), path, "--from", place, status=1)
            self.assertIn(words, said)

    def test_refused(self):
        path, _ = self.record_both("go 1")
        receiver = self.receiver()

        def refuse(handler, request_path, raw):
            if request_path == "/v1/traces":
                return partial(2)(handler, request_path, raw)
            return otlp.accept(handler, request_path, raw)
        receiver.script(refuse, refuse)
        said = self.export(receiver, path, status=1)
        self.assertIn("not all events were accepted", said)

    def test_events_without_a_time(self):
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--fields", "seed")
            runner.do("go 1")
            self.stop(tracer)
        said = self.export(self.receiver(), path)
        self.assertIn("7 event(s) have no timestamp", said)

    def test_wrong_usage(self):
        where = "otlp:http://127.0.0.1:1"
        for words, *arguments in (
                ("must begin with otlp:http://", "--to", "otlp:127.0.0.1", "x"),
                ("-o and --table cannot", "--to", where, "-o", "x", "x"),
                ("-o and --table cannot", "--to", where, "--table", "steps", "x"),
                ("give no other format", "--to", where, "--to", "csv", "x"),
                ("needs --to otlp:https://", "--to", where, "--otlp-ca", "ca.pem", "x"),
                ("--from cannot be 'nothing'", "--to", where, "--from", "nothing", "x"),
                ("need --to otlp:", "--to", "chrome", "--service", "s", "x")):
            code, _, said = run("export", *arguments)
            self.assertEqual(code, 2, said)
            self.assertIn(words, said)


class OtlpRunner(Recorded):
    """A recording of everything that steprun has: queues, schedules, children, tools."""

    def test_it(self):
        path = self.record_everything()
        receiver = otlp.Receiver(self.path("received"))
        self.addCleanup(receiver.close)
        self.tool("export", "--to", "otlp:http://127.0.0.1:%d" % receiver.port, path)
        spans, events = receiver.spans(), read(path)
        by_execution = {span["attributes"]["steptrace.execution_id"]: span for span in spans
                        if "steptrace.execution_id" in span["attributes"]}
        begun = [event for event in events if event["event"] == "command.execution.started"]
        queued = [event for event in begun if event.get("queue")]
        self.assertGreater(len(queued), 0)
        for event in queued:
            span = by_execution[event["execution_id"]]
            self.assertEqual(span["kind"], 5)
            self.assertEqual(span["attributes"]["messaging.destination.name"],
                             event["queue"]["name"])
            self.assertEqual(span["attributes"]["steptrace.queue.attempt"],
                             event["queue"]["attempt"])
        scheduled = [event for event in begun if event.get("schedule")]
        self.assertGreater(len(scheduled), 0)
        for event in scheduled:
            about = by_execution[event["execution_id"]]["attributes"]
            self.assertEqual(about["steptrace.schedule.schedule_id"],
                             event["schedule"]["schedule_id"])
            self.assertEqual(about["steptrace.schedule.planned_run_at"],
                             event["schedule"]["planned_run_at"])
        children = [event for event in begun if event.get("parent_execution_id")]
        self.assertGreater(len(children), 0)
        for event in children:
            parent = by_execution[event["parent_execution_id"]]
            child = by_execution[event["execution_id"]]
            if parent["traceId"] == child["traceId"]:
                self.assertEqual(child["parentSpanId"], parent["spanId"])
            else:
                self.assertEqual(child["links"], [{"traceId": parent["traceId"],
                                                   "spanId": parent["spanId"]}])
