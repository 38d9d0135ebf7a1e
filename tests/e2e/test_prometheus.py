# SPDX-License-Identifier: BSD-2-Clause
"""Prometheus itself, as Debian has it, reads --metrics: what it computes from the histograms is
what the events say."""
import json
import math
import os
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

import needs
from harness import PATIENCE_S, Runner, Scenario, Tracer, completed, steps, wait_until

BOUNDS = [0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 2.5e-2, 1e-1, 1]
BUCKETS = "100ns,1us,10us,100us,1ms,10ms,25ms,100ms,1s"
QUANTILES = (0.5, 0.9, 0.99)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def address_of(tracer):
    """Where it serves its metrics."""
    return next(word for line in tracer.words for word in line.split()
                if word.startswith("http")).split("/")[2]


class Prometheus:
    """A server on the loopback address, with its files in `directory`, that reads one target."""

    def __init__(self, directory, target):
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w", encoding="ascii") as file:
            file.write("scrape_configs:\n- job_name: steptrace\n  scrape_interval: 200ms\n"
                       "  scrape_timeout: 200ms\n  static_configs:\n  - targets: ['%s']\n" % target)
        self.url = "http://127.0.0.1:%d" % free_port()
        self.log = open(os.path.join(directory, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [needs.unpacked("prometheus"), "--config.file=" + config,
             "--storage.tsdb.path=" + os.path.join(directory, "data"),
             "--web.listen-address=" + self.url.split("/")[2]],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def is_ready(self):
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=PATIENCE_S) as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def ask(self, expression):
        """{(values of the labels, by name): number}"""
        url = self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            found = json.load(answer)["data"]["result"]
        return {tuple(value for name, value in sorted(row["metric"].items())
                      if name not in ("__name__", "instance", "job")): float(row["value"][1])
                for row in found}

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def exact(durations, quantile):
    """In seconds."""
    return sorted(durations)[max(math.ceil(quantile * len(durations)), 1) - 1] / 1e3


def bucket_of(seconds):
    """(lower, upper); a duration that is equal to the upper bound is within."""
    upper = next(i for i, bound in enumerate(BOUNDS)
                 if i and round(seconds * 1e9) <= round(bound * 1e9))
    return BOUNDS[upper - 1], BOUNDS[upper]


class Scrapes(Scenario):
    def record(self, server_needed="prometheus"):
        needs.unpacked(server_needed)
        runner = Runner()
        self.addCleanup(runner.close)
        return runner, Tracer("--metrics", "0", "--metrics-buckets", BUCKETS,
                              "-p", str(runner.pid))

    def check(self, answers, durations):
        """Each answer is in the bucket in which the exact one is."""
        self.assertEqual(set(answers), set(durations))
        for key, value in answers.items():
            low, high = bucket_of(exact(*durations[key]))
            self.assertTrue(low <= value <= high, (key, value, low, high))

    def test_quantiles(self):
        runner, tracer = self.record()
        for order in ("go 400", "fail", "nested", "sleep 3", "tool", "sleep 20"):
            runner.do(order)
        with Prometheus(self.directory, address_of(tracer)) as server:
            wait_until(server.is_ready, "a Prometheus that is ready")
            wait_until(lambda: server.ask("sum(steptrace_command_duration_seconds_count)")
                       == {(): 406}, "a scrape of all commands")
            answers = {(metric, quantile): server.ask(
                "histogram_quantile(%s, steptrace_%s_duration_seconds_bucket)" % (quantile, metric))
                for metric in ("command", "step") for quantile in QUANTILES}
            ended = server.ask("steptrace_commands_ended_total")
            is_up = server.ask("up")
        events = tracer.stop()
        self.assertEqual(is_up, {(): 1})
        self.assertEqual(ended[("fragment.update", "none", "success")], 400)
        self.assertEqual(ended[("fragment.update", "database", "failure")], 1)
        for quantile in QUANTILES:
            durations = {}
            for event in completed(events):
                durations.setdefault((event["command_slug"],), ([], quantile))[0].append(
                    event["total_duration_ms"])
            self.check(answers["command", quantile], durations)
            durations = {}
            for event in steps(events):
                durations.setdefault((event["command_slug"], event["step_type"]),
                                     ([], quantile))[0].append(event["duration_ms"])
            self.check(answers["step", quantile], durations)

    def test_what_is_open(self):
        runner, tracer = self.record()
        runner.do("open")
        with Prometheus(self.directory, address_of(tracer)) as server:
            wait_until(server.is_ready, "a Prometheus that is ready")
            wait_until(lambda: server.ask("steptrace_oldest_open_execution_seconds > 0.1"),
                       "an old execution")
            runner.do("close")
            wait_until(lambda: server.ask("steptrace_oldest_open_execution_seconds") == {(): 0},
                       "no open execution")
        tracer.stop()

    def test_the_names(self):
        """promtool has nothing to say, not even about names and texts."""
        runner, tracer = self.record("promtool")
        for order in ("go 10", "fail", "reject", "text quotes", "text invalid", "text newline"):
            runner.do(order)
        tracer.written("command.validation.failed", "one\\ntwo")
        with urllib.request.urlopen("http://%s/metrics" % address_of(tracer),
                                    timeout=PATIENCE_S) as answer:
            text = answer.read()
        checked = subprocess.run([needs.unpacked("promtool"), "check", "metrics"], input=text,
                                 capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))
        self.assertIn(b"steptrace_step_duration_seconds_bucket", text)
        tracer.stop()


if __name__ == "__main__":
    unittest.main()
