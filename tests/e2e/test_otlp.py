# SPDX-License-Identifier: BSD-2-Clause
"""OTLP outputs, against a receiver that is written in Python, reads requests with the official
definitions of OTLP (tests/otlp_check.py), and can be slow, closing, lying and dead."""
import collections
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import needs
import otlp
from harness import (PATIENCE_S, ROOT, STEPTRACE, Lines, Runner, completed, of_kind, resident_kib,
                     run, runner_events, steps, wait_until)
from otlp import hang_up, partial, status
from outputs import Outputs
from recordings import begin_ns, duration_ns, nanoseconds, read
from test_tls import Certificates

ALL = ("go 3", "tool", "nested", "fail", "reject", "refuse", "hop 2")
STATUS_ERROR = 2


class Otlp(Outputs):
    def setUp(self):
        super().setUp()
        needs.localhost()
        self.said_first = []

    def receiver(self, name="received", **options):
        receiver = otlp.Receiver(self.path(name), **options)
        self.addCleanup(receiver.close)
        return receiver

    def where(self, receiver, scheme="http", host="127.0.0.1"):
        return "otlp:%s://%s:%d" % (scheme, host, receiver.port)

    def record(self, receiver, *orders, arguments=(), status=0):
        """Records the orders; returns the totals that the receiver got."""
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), *arguments)
            for order in orders:
                runner.do(order)
            self.stop(tracer, status)
        return self.totals(receiver)

    def totals(self, receiver, is_checked=True):
        """taken = accepted + refused + lost, exactly."""
        wait_until(lambda: receiver.logs("trace.stopped"), "the totals")  # kept after the answer
        stopped = [log["attributes"] for log in receiver.logs("trace.stopped")]
        self.assertEqual(len({json.dumps(totals) for totals in stopped}), 1, self.words)
        totals = stopped[0]
        reasons = totals["steptrace.lost_by_reason"]
        self.assertEqual(totals["steptrace.hits"], totals["steptrace.events"]
                         + sum(reasons.values()) + sum(totals["steptrace.filtered"].values()))
        self.assertEqual(totals["steptrace.lost"], sum(reasons.values()))
        if is_checked:
            self.check_official(receiver)
        return totals

    def check_official(self, receiver):
        """Strictly, with the official definitions, where the machine has them."""
        if os.environ.get("STEPTRACE_REQUIRE_OTLP"):
            self.assertIsNone(otlp.definitions_refusal())
        if otlp.definitions_refusal() is None:
            done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "otlp_check.py"),
                                   receiver.folder], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)



class OtlpContent(Otlp):
    def events_and_spans(self, *orders, arguments=()):
        """What a file got, and what the receiver got of the same recording."""
        receiver, path = self.receiver(), self.path("events.ndjson")
        totals = self.record(receiver, *orders, arguments=("-o", path, *arguments))
        self.assertEqual(totals["steptrace.lost"], 0)
        return read(path), receiver

    def check_spans(self, events, spans):
        """One span for each event that ends something; ids, parents, times. A command that runs and
        rejects its arguments has one span, with a span event."""
        running = {event["execution_id"]: event["correlation_id"] for event in completed(events)}
        self.linked = {event["execution_id"] for event in completed(events)
                       if event.get("parent_execution_id") and event["correlation_id"]
                       != running[event["parent_execution_id"]]}
        ended = [event for event in events if event["event"] in (
            "dsl.step.executed", "command.execution.completed", "tool.invocation.completed",
            "command.validation.failed") and not (
                event["event"] == "command.validation.failed"
                and event["execution_id"] in running)]
        self.assertEqual(len(spans), len(ended))
        self.assertEqual(len({(span["traceId"], span["spanId"]) for span in spans}), len(ended))
        ids = {}
        for event, span in zip(ended, spans):
            ids[event["execution_id"], event.get("step_id"), event.get("invocation_id")] = \
                span["spanId"]
        for event, span in zip(ended, spans):
            self.check_span(event, span, ids)

    def check_span(self, event, span, ids):
        execution = event["execution_id"]
        self.assertEqual(int(span["endTimeUnixNano"]), nanoseconds(event["timestamp"]))
        if duration_ns(event) is not None:
            self.assertEqual(int(span["startTimeUnixNano"]), begin_ns(event))
        if re.fullmatch("[0-9a-f-]{36}", event["correlation_id"]):
            self.assertEqual(span["traceId"], event["correlation_id"].replace("-", ""))
        if event["event"] == "dsl.step.executed":
            parent = ids[execution, event["step"]["parent_step_id"], None]
        elif event["event"] == "tool.invocation.completed":
            parent = ids[execution, event["step_id"], None]
        elif event.get("parent_execution_id") and execution not in self.linked:
            parent = ids[event["parent_execution_id"], None, None]
        else:
            parent = None
        links = [link["spanId"] for link in span.get("links", ())]
        self.assertEqual(links, [ids[event["parent_execution_id"], None, None]]
                         if event["event"] == "command.execution.completed"
                         and execution in self.linked else [])
        self.assertEqual(span.get("parentSpanId"), parent)
        failed = (event["event"] == "command.validation.failed"
                  or event.get("outcome") not in ("success", "skipped"))
        self.assertEqual(span["status"].get("code"), STATUS_ERROR if failed else None)
        self.assertEqual("error.type" in span["attributes"], failed)

    def test_spans_of_all_kinds(self):
        events, receiver = self.events_and_spans(*ALL)
        self.check_spans(events, receiver.spans())
        changes = [change for span in receiver.spans() for change in span.get("events", ())]
        expected = of_kind(events, "fragment.changed")
        self.assertGreater(len(expected), 0)
        expected += of_kind(events, "command.validation.failed")[1:]
        self.assertEqual([(change["name"], int(change["timeUnixNano"])) for change in changes],
                         [(event["event"], nanoseconds(event["timestamp"])) for event in expected])
        about = otlp.attributes_of(changes[0]["attributes"])
        self.assertEqual(about["steptrace.operation"], expected[0]["operation"])

    def test_ten_thousand_executions(self):
        """Every span arrives under one id, with the official definitions."""
        if otlp.definitions_refusal():
            self.skipTest(needs.FILES_OF_OTHERS + "the definitions of OTLP (make test-otlp): "
                          + otlp.definitions_refusal())
        events, receiver = self.events_and_spans(
            "go 10000", arguments=("--buffer", "64M", "--queue", "256M"))
        self.assertEqual(len(completed(events)), 10000)
        self.check_spans(events, receiver.spans())

    def test_a_command_that_does_not_end(self):
        """Its start is not lost: a log record of its trace."""
        events, receiver = self.events_and_spans("open", "step 0", "step 1")
        self.assertEqual(len(receiver.spans()), len(steps(events)))
        logged = receiver.logs("command.execution.started")
        self.assertEqual([log["traceId"] for log in logged], [receiver.spans()[0]["traceId"]])
        self.assertEqual([log["spanId"] for log in logged],
                         [receiver.spans()[0]["parentSpanId"]])

    def test_attributes_are_documented(self):
        """docs/otlp.md has each attribute that is sent."""
        _, receiver = self.events_and_spans(*ALL, arguments=("--breakdown", "--label", "env=test"))
        with open(os.path.join(ROOT, "docs", "otlp.md"), encoding="utf-8") as file:
            documented = set(re.findall(r"`([a-z0-9_.]+)`", file.read()))
        sent = {key for span in receiver.spans()
                for key in [*span["attributes"], *span["resource"]]} - {"env"}
        self.assertEqual(sent - documented, set())
        self.assertIn("steptrace.cpu.on_cpu_ms", sent)

    def test_resource(self):
        _, receiver = self.events_and_spans("go 1", arguments=("--service", "shop", "--label",
                                                               "env=test"))
        resource = receiver.spans()[0]["resource"]
        self.assertEqual(resource["service.name"], "shop")
        self.assertEqual(resource["host.name"], socket.gethostname())
        self.assertEqual(resource["process.executable.name"], "spans")
        self.assertEqual(resource["env"], "test")
        self.assertEqual({log["resource"]["service.name"] for log in receiver.logs()}, {"shop"})


class OtlpReceivers(Otlp):
    def test_statuses_that_are_tried_again(self):
        receiver = self.receiver()
        receiver.script(*[status(code) for code in (429, 502, 503, 504)],
                        status(503, headers=[("Retry-After", "1")]))
        totals = self.record(receiver, "go 2")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        self.assertEqual(len(receiver.spans()), 12)
        self.assertIn("works again", self.words)

    def test_statuses_that_are_final(self):
        """What was refused is counted, and not sent again. trace.lost says so."""
        for code in (301, 400, 401, 404, 413, 500, 501):
            with self.subTest(code):
                receiver = self.receiver("received-%d" % code)

                def refuse(handler, path, raw, code=code):
                    if path != "/v1/traces":
                        return otlp.accept(handler, path, raw)
                    handler.answer(code, headers=[("Location", "http://127.0.0.1:1/")])
                    return False
                receiver.script(*[refuse] * 8)
                totals = self.record(receiver, "go 2",
                                     arguments=("--otlp-compression", "none"))
                self.assertEqual(totals["steptrace.lost_by_reason"]["refused"], 14)
                self.assertEqual(totals["steptrace.events"], 0)
                told = [log["attributes"] for log in receiver.logs("trace.lost")]
                self.assertEqual(sum(lost["steptrace.lost"] for lost in told), 14)
                self.assertEqual({lost["steptrace.reason"] for lost in told}, {"refused"})
                self.assertIn("HTTP status %d" % code, self.words)

    def test_all_is_refused(self):
        """Also the totals. Then the recording did not succeed. 404: perhaps no receiver at all."""
        for code in (401, 404):
            receiver = self.receiver("received-%d" % code)
            receiver.script(*[status(code)] * 50)
            with Runner() as runner:
                tracer = self.trace(runner, "-o", self.where(receiver))
                runner.do("go 2")
                self.stop(tracer, status=1)
            said = "\n".join(self.said_first) + self.words
            for words in ("spans: HTTP status %d" % code, "log records: HTTP status %d" % code):
                self.assertIn(words, said)
            self.assertIn("14 lost", self.words)

    def test_a_receiver_without_log_records(self):
        """Some take spans only. That is said, and is no failure."""
        receiver = self.receiver()

        def spans_only(handler, path, raw):
            receiver.script(spans_only)
            if path == "/v1/traces":
                return otlp.accept(handler, path, raw)
            handler.answer(404)
            return False
        receiver.script(spans_only)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver))
            runner.do("go 2")
            self.stop(tracer)
        self.assertEqual(len(receiver.spans()), 12)
        self.assertIn("14 events, 0 lost", self.words)

    def test_partial_success(self):
        """Of 12 spans, three are refused: the command of the last one, with its start, and two
        steps."""
        receiver = self.receiver()

        def on_traces(handler, path, raw):
            if path == "/v1/traces":
                return partial(3)(handler, path, raw)
            receiver.script(on_traces)
            return otlp.accept(handler, path, raw)
        receiver.script(on_traces)
        totals = self.record(receiver, "go 2")
        self.assertEqual(totals["steptrace.lost_by_reason"]["refused"], 4)
        self.assertEqual(totals["steptrace.lost_by_kind"]["dsl.step.executed"], 2)
        self.assertIn("refused 3 of 12 spans of a request: too many", self.words)

    def test_lying_receivers(self):
        """Answers that make no sense neither end the recording nor unbalance the books."""
        liars = {
            "more than was sent": (partial(10 ** 15), 14),
            "less than nothing": (partial(-3), 0),
            "no JSON": (status(200, b"<html>"), 0),
            "an endless answer": (status(200, b" " * 1000000), 0),
        }
        for name, (script, refused) in liars.items():
            with self.subTest(name):
                receiver = self.receiver(name)

                def lie(handler, path, raw, script=script, receiver=receiver):
                    if path == "/v1/traces":
                        script(handler, path, raw)
                        return True
                    receiver.script(lie)
                    return otlp.accept(handler, path, raw)
                receiver.script(lie)
                totals = self.record(receiver, "go 2")
                self.assertEqual(totals["steptrace.lost_by_reason"]["refused"], refused)
                self.assertEqual(len(receiver.spans()), 12)

    def test_endless_lines_behind_an_answer(self):
        """Trailers of a chunked body. The answer counts; the rest is not waited for."""
        receiver = self.receiver()

        def trailers(handler, path, raw):
            if path != "/v1/traces":
                receiver.script(trailers)
                return otlp.accept(handler, path, raw)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                b"2\r\n{}\r\n0\r\n")
            with contextlib.suppress(OSError):
                while True:
                    handler.wfile.write((b"x: " + b"y" * 1000 + b"\r\n") * 100)
            handler.close_connection = True
            return True
        receiver.script(trailers)
        totals = self.record(receiver, "go 2")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        self.assertEqual(len(receiver.spans()), 12)

    def test_a_torn_refusal(self):
        """The status is known: nothing is sent again."""
        receiver = self.receiver()

        def torn(handler, path, raw):
            if path != "/v1/traces":
                receiver.script(torn)
                return otlp.accept(handler, path, raw)
            handler.wfile.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{")
            return hang_up(handler, path, raw)
        receiver.script(torn)
        totals = self.record(receiver, "go 2", arguments=("--otlp-compression", "none"))
        self.assertEqual(totals["steptrace.lost_by_reason"]["refused"], 14)

    def test_answers_that_always_break_off(self):
        """A receiver, or what is between, tears each "200 OK" of spans. What says 200 three times
        is believed, so that the next events are sent."""
        receiver = self.receiver()

        def torn(handler, path, raw):
            receiver.script(torn)
            if path != "/v1/traces":
                return otlp.accept(handler, path, raw)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            hang_up(handler, path, raw)
            return True
        receiver.script(torn)
        totals = self.record(receiver, "go 2")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        self.assertEqual(len(receiver.spans()), 3 * 12)
        self.assertEqual(len({span["spanId"] for span in receiver.spans()}), 12)
        self.assertIn("accepts requests, but its answers break off; the 12 spans", self.words)

    def test_an_answer_that_stands_still(self):
        """Its status is known. The third time, nothing more is waited for."""
        receiver = self.receiver()

        def stands_still(handler, path, raw):
            receiver.script(stands_still)
            if path != "/v1/traces":
                return otlp.accept(handler, path, raw)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            handler.rfile.read(1)  # until steptrace closes the connection
            handler.close_connection = True
            return True
        receiver.script(stands_still)
        totals = self.record(receiver, "go 2", arguments=("--tcp-timeout", "1s"))
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        self.assertIn("broke off (it did not answer", self.words)

    def test_nothing_is_accepted_in_part(self):
        receiver = self.receiver()
        receiver.script(*[partial(10 ** 6), partial(10 ** 6, "rejectedLogRecords")] * 20)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver))
            runner.do("go 2")
            self.stop(tracer, status=1)

    def test_what_waits_for_later_spans_is_lost_without_a_receiver(self):
        """Fragments are sent with the span of their step. No part of the books forgets them."""
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "otlp:http://127.0.0.1:1")
            runner.do("flood 500")
            runner.do("go 300")
            self.stop(tracer, status=1)
        self.assertRegex(self.words, r"\b0 events, 2600 lost")

    def test_what_is_no_http(self):
        """Bytes of another protocol; a connection that closes in the middle of an answer."""
        receiver = self.receiver()

        def other(handler, _path, _raw):
            handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return hang_up(handler, _path, _raw)

        def torn(handler, _path, _raw):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            return hang_up(handler, _path, _raw)
        receiver.script(other, torn)
        totals = self.record(receiver, "go 2")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))

    def test_connections_that_close(self):
        """The receiver has read the request, but nobody knows: it is sent again, with the same ids,
        and that is counted."""
        receiver = self.receiver()

        def read_and_close(handler, path, raw):
            hang_up(handler, path, raw)
            return True

        def on_traces(handler, path, raw):
            if path == "/v1/traces":
                return read_and_close(handler, path, raw)
            receiver.script(on_traces)
            return otlp.accept(handler, path, raw)
        receiver.script(on_traces)
        totals = self.record(receiver, "go 2")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        counted = collections.Counter(span["spanId"] for span in receiver.spans())
        self.assertEqual((len(counted), set(counted.values())), (12, {2}))
        self.assertIn("14 events were sent again", self.words)

    def test_a_receiver_that_does_not_read(self):
        """It answers to the head of a large request, and closes the connection."""
        receiver = self.receiver()

        def too_large(handler):
            handler.send_response(413)
            handler.send_header("Content-Length", "0")
            handler.send_header("Connection", "close")
            handler.end_headers()
        receiver.refuses = lambda handler: handler.path == "/v1/traces" and (
            too_large(handler) or True)
        totals = self.record(receiver, "go 2000", arguments=("--otlp-compression", "none"))
        self.assertEqual(totals["steptrace.lost_by_reason"]["refused"], 14000)
        self.assertEqual(totals["steptrace.events"], 0)
        self.assertIn("HTTP status 413", self.words)

    def test_gzip_is_refused(self):
        for code in (415, 400):
            with self.subTest(code):
                receiver = self.receiver("plain-%d" % code)

                def plain_only(handler, path, raw, receiver=receiver, code=code):
                    receiver.script(plain_only)
                    if "Content-Encoding" not in handler.headers:
                        return otlp.accept(handler, path, raw)
                    handler.answer(code)
                    return False
                receiver.script(plain_only)
                totals = self.record(receiver, "go 2")
                self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
                said = "\n".join(self.said_first) + self.words
                self.assertEqual(said.count("takes no compressed requests"), 1)

    def test_requests_are_compressed(self):
        receiver = self.receiver()
        self.record(receiver, "go 2")
        self.assertEqual({headers.get("Content-Encoding") for _, headers, _ in receiver.requests},
                         {"gzip"})
        self.assertEqual({headers["Content-Type"] for _, headers, _ in receiver.requests},
                         {"application/json"})


class OtlpSlow(Otlp):
    def test_a_slow_receiver_is_not_given_up(self):
        """It takes longer than --tcp-timeout in all, but some byte always moves. Nothing is sent
        twice, also after the recording has ended."""
        receiver = self.receiver()

        def slowly(handler, path, raw):
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
            for at in range(0, len(answer), 5):
                handler.wfile.write(answer[at:at + 5])
                handler.wfile.flush()
                time.sleep(0.3)
            return True
        receiver.script(*[slowly] * 4)
        totals = self.record(receiver, "go 2", arguments=("--tcp-timeout", "1s"))
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14, 0))
        self.assertEqual(len(receiver.spans()), 12)
        self.assertNotIn("sent again", self.words)

    def test_a_receiver_that_thinks_after_the_end(self):
        """Longer than a socket output would be waited for (five seconds), without a byte."""
        receiver = self.receiver()

        def think(handler, path, raw):
            if path != "/v1/traces":
                receiver.script(think)
                return otlp.accept(handler, path, raw)
            time.sleep(7)
            return otlp.accept(handler, path, raw)
        receiver.script(think)
        totals = self.record(receiver, "go 2000")
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (14000, 0))
        self.assertEqual(len(receiver.spans()), 12000)

    def test_a_receiver_that_never_answers(self):
        """After --tcp-timeout the request is sent again."""
        receiver, released = self.receiver(), threading.Event()
        self.addCleanup(released.set)

        def never(_handler, _path, _raw):
            released.wait(PATIENCE_S)
            return False
        receiver.script(never)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), "--tcp-timeout", "1s")
            runner.do("go 2")
            self.said.until("neither took nor sent a byte")
            self.said.until("works again")
            self.stop(tracer)
        self.assertEqual(self.totals(receiver)["steptrace.lost"], 0)

    def test_a_full_queue(self):
        """The receiver stands still. What does not fit is lost and counted; the memory stays within
        the limit of the queue."""
        receiver, released = self.receiver(), threading.Event()
        self.addCleanup(released.set)

        def stand_still(handler, path, raw):
            released.wait(PATIENCE_S)
            return otlp.accept(handler, path, raw)
        receiver.script(stand_still)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), "--queue", "1M",
                                "--buffer", "16M")
            wait_until(lambda: receiver.seen, "a request")
            before = resident_kib(tracer.pid)
            for _ in range(10):
                runner.do("go 2000")
            wait_until(lambda: resident_kib(tracer.pid) >= before, "memory")
            self.assertLess(resident_kib(tracer.pid), before + 48 * 1024)
            released.set()
            self.stop(tracer)
        totals = self.totals(receiver)
        self.assertGreater(totals["steptrace.lost_by_reason"]["not_written"], 0)
        self.assertEqual(totals["steptrace.hits"], 140000)

    def test_a_backlog_of_100_megabytes(self):
        """All of it is delivered when the receiver works again."""
        receiver, released = self.receiver(), threading.Event()
        self.addCleanup(released.set)

        def stand_still(handler, path, raw):
            released.wait(PATIENCE_S)
            return otlp.accept(handler, path, raw)
        receiver.script(stand_still)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), "--queue", "512M",
                                "--buffer", "64M", "--stats")
            wait_until(lambda: receiver.seen, "a request")
            for _ in range(10):
                runner.do("go 3000")
                self.said.until("events/s")
            backlog = resident_kib(tracer.pid)
            released.set()
            self.stop(tracer)
        self.assertGreater(backlog, 100 * 1024)
        totals = self.totals(receiver, is_checked=False)
        self.assertEqual((totals["steptrace.events"], totals["steptrace.lost"]), (210000, 0))
        found = {span for path, _, raw in receiver.requests if path.endswith("traces")
                 for span in re.findall(rb'"spanId":"([0-9a-f]{16})"', raw)}
        self.assertEqual(len(found), 180000)


class OtlpGone(Otlp):
    def process(self, port=0):
        """A receiver that can be killed."""
        process = subprocess.Popen([sys.executable, otlp.__file__, str(port),
                                    self.path("received")], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, int(process.stdout.readline().split()[1])

    def test_the_receiver_is_killed(self):
        """kill -9, and another one takes its place: nothing is lost."""
        process, port = self.process()
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "otlp:http://127.0.0.1:%d" % port)
            runner.do("go 300")
            wait_until(lambda: any("traces" in name for name in os.listdir(self.path("received"))
                                   if name.endswith(".json")), "spans")
            process.send_signal(signal.SIGKILL)
            process.wait()
            runner.do("go 300")
            self.said.until("cannot be reached")
            self.process(port)
            self.said.until("works again")
            runner.do("go 300")
            self.stop(tracer)
        spans = otlp.stored(self.path("received"), "traces")
        self.assertEqual(len({span["spanId"] for span in spans}), 900 * 6)
        stopped = [log["attributes"] for log in otlp.stored(self.path("received"), "logs")
                   if log["attributes"]["event.name"] == "trace.stopped"]
        self.assertEqual((stopped[0]["steptrace.events"], stopped[0]["steptrace.lost"]), (6300, 0))

    def test_nobody_listens(self):
        """The recording begins all the same; at the end the output is given up. A file that is
        written at the same time has everything."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "otlp:http://127.0.0.1:%d" % port, "-o", path)
            runner.do("go 2")
            self.stop(tracer, status=1)
        self.assertIn("14 events were not written to otlp:", self.words)
        self.assertEqual(len(runner_events(read(path))), 14)

    def test_the_second_ctrl_c(self):
        """Gives up a receiver that does not answer."""
        receiver, released = self.receiver(), threading.Event()
        self.addCleanup(released.set)
        receiver.script(*[lambda *_: released.wait(PATIENCE_S) and False] * 9)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver))
            runner.do("go 2")
            tracer.send_signal(signal.SIGINT)
            self.said.until("waiting until all events are written to otlp:")
            self.stop(tracer, status=1)
        self.assertIn("14 lost", self.words)


class OtlpSecurity(Otlp):
    def headers(self, text, mode=0o600):
        path = self.path("headers")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def test_secrets(self):
        """The token reaches the receiver, and nothing else: neither messages, nor the command line,
        nor events; also if the receiver repeats it."""
        receiver, path = self.receiver(), self.path("events.ndjson")
        headers = self.headers("# token\nAuthorization: Bearer s3cret-t0ken\n")

        def repeat(handler, request_path, raw):
            if request_path == "/v1/traces":
                return partial(1, message="s3cret-t0ken")(handler, request_path, raw)
            receiver.script(repeat)
            return otlp.accept(handler, request_path, raw)
        receiver.script(repeat)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), "--otlp-headers", headers,
                                "-o", path)
            with open("/proc/%d/cmdline" % tracer.pid, "rb") as file:
                self.assertNotIn(b"s3cret", file.read())
            os.unlink(headers)  # it was read before the privileges were dropped
            runner.do("go 1")
            self.stop(tracer)
        self.assertEqual({headers["Authorization"] for _, headers, _ in receiver.requests},
                         {"Bearer s3cret-t0ken"})
        self.assertIn("refused 1 of 6 spans of a request", self.words)
        self.assertNotIn("s3cret", "\n".join(self.said_first) + self.words)
        with open(path, encoding="utf-8") as file:
            self.assertNotIn("s3cret", file.read())

    def test_files_of_headers_that_are_refused(self):
        for text, mode, words in (("A: s3cret\n", 0o644, "all users may access"),
                                  ("s3cret\n", 0o600, "line 1"),
                                  ("A: b\nHost: s3cret\n", 0o600, "line 2")):
            code, _, said = run("record", "-p", str(os.getpid()), "-o", "otlp:http://127.0.0.1:1",
                                "--otlp-headers", self.headers(text, mode))
            self.assertEqual(code, 1)
            self.assertIn(words, said)
            self.assertNotIn("s3cret", said)

    def test_check(self):
        """record --check reads the files, and connects to nobody."""
        where = ("record", "--check", "-o", "otlp:https://no-such-host.invalid:1")
        headers = self.headers("A: s3cret\n")
        self.assertEqual(run(*where, "--otlp-headers", headers)[0], 0)
        for words, *arguments in (
                ("all users may access", "--otlp-headers", self.headers("A: s3cret\n", 0o644)),
                ("it contains none", "--otlp-ca", "/dev/null")):
            code, _, said = run(*where, *arguments)
            self.assertEqual(code, 1)
            self.assertIn(words, said)
            self.assertNotIn("s3cret", said)

    def test_the_sandbox_of_the_service(self):
        """It forbids the network, which --check says."""
        unit = self.path("steptrace.service")
        with open(unit, "w", encoding="ascii") as file:
            file.write("[Service]\nRestrictAddressFamilies=AF_UNIX\n")
        code, _, said = run("record", "--check", "--unit", unit, "-o", "otlp:http://127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertIn("needs the network", said)

    def test_wrong_usage(self):
        where = ("-o", "otlp:http://127.0.0.1:1")
        for words, *arguments in (
                ("needs -o otlp:https://", *where, "--otlp-ca", "ca.pem"),
                ("needs whole events", *where, "--fields", "seed"),
                ("needs whole events", *where, "--format", "compact"),
                ("needs whole events", *where, "--fields", "outcome"),
                ("must begin with otlp:http://", "-o", "otlp:127.0.0.1:4318"),
                ("user or password", "-o", "otlp:http://user:s3cret@127.0.0.1:4318"),
                ("must be gzip or none", *where, "--otlp-compression", "zstd"),
                ("need -o otlp:", "-o", "-", "--service", "x")):
            code, _, said = run("record", *arguments)
            self.assertEqual(code, 2, said)
            self.assertIn(words, said)
            self.assertNotIn("s3cret", said)

    def test_the_environment_is_left_out(self):
        """No proxy."""
        receiver = self.receiver()
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver), env={
                **os.environ, "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1",
                "HTTPS_PROXY": "http://127.0.0.1:1"})
            runner.do("go 1")
            self.stop(tracer)
        self.assertEqual(len(receiver.spans()), 6)

    def test_what_the_tracer_keeps(self):
        """Root is given up, and each thread is confined; no thread of libcurl was started before,
        or keeps more."""
        needs.other_users()
        receiver = self.receiver()
        with Runner() as runner:
            env = {key: value for key, value in os.environ.items() if not key.startswith("SUDO_")}
            tracer = self.trace(runner, "-o", self.where(receiver, host="localhost"), env=env)
            runner.do("go 1")
            wait_until(lambda: receiver.spans(), "spans")
            for thread in os.listdir("/proc/%d/task" % tracer.pid):
                with open("/proc/%d/task/%s/status" % (tracer.pid, thread),
                          encoding="ascii") as file:
                    about = dict(line.rstrip("\n").split(":\t", 1)
                                 for line in file if ":\t" in line)
                self.assertEqual(about["Uid"].split(), ["65534"] * 4)
                self.assertEqual((about["NoNewPrivs"], about["Seccomp"]), ("1", "2"))
                if thread != str(tracer.pid):
                    self.assertEqual(int(about["CapEff"], 16) & ~(1 << 40), 0, about["CapEff"])
            self.stop(tracer)


class OtlpTls(Otlp):
    def setUp(self):
        super().setUp()
        needs.program("openssl")
        self.ours = Certificates(self.directory, "ours")

    def server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ours.signed("server", "DNS:localhost"))
        return self.receiver(context=context)

    def test_https(self):
        receiver = self.server()
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver, "https", "localhost"),
                                "--otlp-ca", self.ours.authority)
            os.chmod(self.ours.authority, 0)  # it was read before
            runner.do("go 300")
            self.stop(tracer)
        self.assertEqual(self.totals(receiver)["steptrace.lost"], 0)
        self.assertEqual(len(receiver.spans()), 1800)

    def refused(self, receiver, words, *arguments, host="localhost"):
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(receiver, "https", host), *arguments)
            if not any(words in line for line in self.said_first):
                self.said.until(words)
            runner.do("go 1")
            self.stop(tracer, status=1)
        self.assertEqual(receiver.requests, [])

    def test_servers_that_are_not_trusted(self):
        receiver = self.server()
        theirs = Certificates(self.directory, "theirs")
        self.refused(receiver, "certificate", "--otlp-ca", theirs.authority)
        self.refused(receiver, "certificate", "--otlp-ca", self.ours.authority, host="127.0.0.1")

    def test_files_without_certificates(self):
        code, _, said = run("record", "-p", str(os.getpid()), "-o", "otlp:https://127.0.0.1:1",
                            "--otlp-ca", "/dev/null")
        self.assertEqual(code, 1)
        self.assertIn("it contains none", said)
