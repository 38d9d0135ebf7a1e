# SPDX-License-Identifier: BSD-2-Clause
"""The tracer's own numbers: --stats for a person, --metrics for Prometheus."""
import collections
import http.client
import re
import socket
import subprocess
import time
import unittest

from harness import (PATIENCE_S, EndToEnd, Runner, Tracer, check_books, completed, run, steps,
                     target, wait_until)

STATS = re.compile(r"steptrace: (\d+) events/s, (\d+) lost/s, lag ([\d.]+) ms, "
                   r"buffer ([\d.]+) % of (\w+), queue ([\d.]+) % of (\w+), "
                   r"cpu ([\d.]+) %, memory ([\d.]+)M$")
SAMPLE = re.compile(r'([a-z_]+)(\{([a-z_]+="(\\.|[^"\\\n])*",?)+\})? [0-9.]+$')
EVENTS = 'steptrace_events_total{event="%s"}'


class Stats(EndToEnd):
    def test_every_second_a_line(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--stats")
            runner.do("go 1000")
            seen = []
            while sum(int(line[1]) for line in seen) == 0 or len(seen) < 2:
                words = tracer.lines.until("events/s")
                tracer.words += words
                seen.append(STATS.match(words[-1]))
                self.assertIsNotNone(seen[-1], words[-1])
            check_books(self, tracer.stop())
        self.assertEqual({(line[5], line[7]) for line in seen}, {("16M", "32M")})
        self.assertGreater(max(float(line[3]) for line in seen), 0)
        self.assertGreater(min(float(line[9]) for line in seen), 1)


class Metrics(EndToEnd):
    def open(self, *arguments, **options):
        tracer = Tracer("--metrics", "0", *arguments, **options)
        url = next(word for line in tracer.words for word in line.split()
                   if word.startswith("http"))
        self.address = url.split("/")[2]
        return tracer

    def ask(self, path="/metrics", method="GET", body=None, accept="*/*"):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        connection.request(method, path, body=body, headers={"Accept": accept})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text

    def samples(self):
        response, text = self.ask()
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertTrue(text.endswith("\n"))
        samples, types = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types)
                types[name] = kind
            elif not line.startswith("# HELP "):
                self.assertRegex(line, SAMPLE)
                name, value = line.rsplit(" ", 1)
                family = name.split("{")[0]
                self.assertIn(family if family in types else
                              re.sub("_(bucket|sum|count)$", "", family), types)
                self.assertNotIn(name, samples)
                samples[name] = float(value)
        return samples

    def events_told(self):
        return sum(count for name, count in self.samples().items()
                   if name.startswith("steptrace_events_total{"))

    def test_the_counts(self):
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid))
            runner.do("go 100")
            runner.do("reject")
            wait_until(lambda: self.events_told() == 701, "all events are written")
            samples = self.samples()
            stopped = check_books(self, tracer.stop())
        self.assertEqual(samples[EVENTS % "command.execution.started"], 100)
        self.assertEqual(samples[EVENTS % "dsl.step.executed"], 500)
        self.assertEqual(samples[EVENTS % "command.execution.completed"], 100)
        self.assertEqual(samples[EVENTS % "command.validation.failed"], 1)
        self.assertEqual((samples["steptrace_hits_total"], stopped["hits"]), (701, 701))
        self.assertEqual(samples["steptrace_buffer_bytes"], 16 << 20)
        self.assertEqual(samples["steptrace_attached_binaries"], 1)
        self.assertGreater(samples["process_cpu_seconds_total"], 0)
        self.assertGreater(samples["process_resident_memory_bytes"],
                           samples["steptrace_own_memory_bytes"])

    def check_histogram(self, samples, name, labels, durations_ms, bounds):
        for bound in bounds:
            within = [ms for ms in durations_ms
                      if bound == "+Inf" or round(ms * 1e6) <= round(float(bound) * 1e9)]
            self.assertEqual(samples['%s_bucket{%s,le="%s"}' % (name, labels, bound)], len(within))
        self.assertEqual(samples["%s_count{%s}" % (name, labels)], len(durations_ms))
        self.assertAlmostEqual(samples["%s_sum{%s}" % (name, labels)], sum(durations_ms) / 1e3, 6)

    def test_durations(self):
        """They are those of the events."""
        bounds = ["1e-07", "0.0001", "0.001", "0.1", "+Inf"]
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid), "--metrics-buckets", "100ns,100us,1ms,100ms")
            for order in ("go 100", "fail", "sleep 3", "nested"):
                runner.do(order)
            tracer.written("command.execution.completed", '"command_slug":"parent"')
            samples = self.samples()
            events = tracer.stop()
        kinds = {(event["command_slug"], event["step_type"]) for event in steps(events)}
        self.assertGreater(len(kinds), 3)
        for slug, step_type in kinds:
            self.check_histogram(
                samples, "steptrace_step_duration_seconds",
                'command="%s",step_type="%s"' % (slug, step_type),
                [event["duration_ms"] for event in steps(events)
                 if (event["command_slug"], event["step_type"]) == (slug, step_type)], bounds)
        for slug in {slug for slug, _ in kinds}:
            self.check_histogram(
                samples, "steptrace_command_duration_seconds", 'command="%s"' % slug,
                [event["total_duration_ms"] for event in completed(events)
                 if event["command_slug"] == slug], bounds)
        ended = collections.Counter(
            'steptrace_commands_ended_total{command="%s",outcome="%s",error_category="%s"}'
            % (event["command_slug"], event["outcome"], event.get("error_category") or "none")
            for event in completed(events))
        self.assertGreater(len(ended), 3)
        self.assertEqual({name: count for name, count in samples.items()
                          if name.startswith("steptrace_commands_ended")}, ended)

    def hits_decided_and_held(self):
        return sum(value for name, value in self.samples().items() if re.match(
            "steptrace_(events|lost|filtered)_total|steptrace_held_events", name))

    def test_whole(self):
        """With --whole, the commands that are left out are counted as well."""
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid), "--whole", "failed")
            for order in ("go 10", "fail", "open"):
                runner.do(order)
            wait_until(lambda: self.hits_decided_and_held() == 76, "all events are read")
            samples = self.samples()
            stopped = check_books(self, tracer.stop())
            runner.do("close")
        self.assertEqual(samples["steptrace_hits_total"], 76)
        self.assertEqual(samples["steptrace_held_events"], 1)
        self.assertGreater(samples["steptrace_held_bytes"], 500)
        self.assertEqual(samples["steptrace_executions_written_total"], 1)
        self.assertEqual(samples["steptrace_executions_left_out_total"], 10)
        self.assertEqual(samples['steptrace_commands_ended_total{command="fragment.update",'
                                 'outcome="success",error_category="none"}'], 10)
        self.assertEqual((stopped["executions_written"], stopped["executions_left_out"]), (1, 11))

    def test_openmetrics(self):
        """Counters and exemplars look different there."""
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid))
            runner.do("go 1")
            wait_until(lambda: self.events_told() == 7, "all events are written")
            response, text = self.ask(
                accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
            events = tracer.stop()
        self.assertEqual(response.headers["Content-Type"],
                         "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(text.endswith("\n# EOF\n"))
        self.assertIn("\n# TYPE steptrace_events counter\n", text)
        self.assertIn("\n# TYPE process_cpu_seconds counter\n", text)
        self.assertRegex(text, r'_bucket\{command="fragment.update",le="[0-9.e+Inf-]+"\} 1 '
                               r'# \{execution_id="%s"\} [0-9.]+ [0-9.]+\n'
                         % completed(events)[0]["execution_id"])

    def test_what_is_open(self):
        """How many, and the age of the oldest; it grows until that one ends."""
        oldest, count = "steptrace_oldest_open_execution_seconds", "steptrace_open_executions"
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid))
            self.assertEqual((self.samples()[oldest], self.samples()[count]), (0, 0))
            begun = time.monotonic()
            runner.do("open")
            wait_until(lambda: self.samples()[count] == 1, "an open execution")
            first = self.samples()[oldest]
            wait_until(lambda: self.samples()[oldest] > first, "a greater age")
            self.assertLessEqual(self.samples()[oldest], time.monotonic() - begun)
            runner.do("flood 2")
            wait_until(lambda: self.samples()[count] == 3, "the other open executions")
            self.assertGreater(self.samples()[oldest], first)
            runner.do("close")
            wait_until(lambda: self.samples()[count] == 2, "one that ended")
            self.assertGreater(self.samples()[oldest], 0)
            runner.do("drain 2")
            wait_until(lambda: self.samples()[count] == 0, "no open execution")
            self.assertEqual(self.samples()[oldest], 0)
            tracer.stop()

    def test_the_final_counts(self):
        """They are served while steptrace waits for the command."""
        tracer = self.open("--count", "5", "--", target("spans"), stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL)
        tracer.process.stdin.write(b"go 5\n")
        tracer.lines.until("steptrace waits until '/")
        samples = self.samples()
        tracer.process.stdin.close()
        self.assertEqual(tracer.wait(), 0)
        stopped = check_books(self, tracer.events())
        self.assertEqual(samples["steptrace_hits_total"], stopped["hits"])
        for event, count in stopped["filtered"].items():
            self.assertEqual(samples['steptrace_filtered_total{event="%s"}' % event], count, event)

    def test_other_questions(self):
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid))
            self.assertEqual(self.ask("/")[0].status, 404)
            self.assertEqual(self.ask("/metrics/x")[0].status, 404)
            self.assertEqual(self.ask(method="PUT")[0].status, 405)
            response, text = self.ask(method="HEAD")
            self.assertEqual((response.status, text), (200, ""))
            tracer.stop()

    def test_slow_clients_do_not_delay_others(self):
        host, port = None, None
        with Runner() as runner:
            tracer = self.open("-p", str(runner.pid))
            host, port = self.address.rsplit(":", 1)
            silent = [socket.create_connection((host, int(port))) for _ in range(8)]
            silent[0].sendall(b"GET /metr")
            runner.do("go 10")
            tracer.written("command.execution.completed")
            self.assertIn("steptrace_hits_total", self.samples())
            for connection in silent:
                connection.close()
            stopped = check_books(self, tracer.stop())
        self.assertEqual(stopped["hits"], 70)

    def test_addresses_that_are_none(self):
        for address, words in ((":1", "ADDRESS:PORT"), ("::1:80", "ADDRESS:PORT"),
                               ("127.0.0.1:x", "x"),
                               ("host.invalid:80", "host.invalid:80"),
                               ("127.0.0.1:99999", "ADDRESS:PORT"), ("99999", "ADDRESS:PORT"),
                               ("127.0.0.1", "ADDRESS:PORT"), ("x", "ADDRESS:PORT")):
            status, _, stderr = run("record", "-a", "--metrics", address)
            self.assertEqual(status, 2 if words == "ADDRESS:PORT" else 1, address)
            self.assertIn(words, stderr)

    def test_an_address_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            status, _, stderr = run("record", "-a", "--metrics", str(other.getsockname()[1]))
        self.assertEqual(status, 1)
        self.assertIn("in use", stderr)


if __name__ == "__main__":
    unittest.main()
