#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What recording costs steprun: commands per second of `exec --repeat` and of `serve`, untraced and
traced, and what the probes cost while nobody looks.

    tests/bench/runner.py FOLDER PLAIN      the build folder; steprun without probes

Absolute rates change with the machine; look at the ratios.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD, PLAIN = sys.argv[1], sys.argv[2]
PACKS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packs")
STEPTRACE, STEPRUN = (os.path.join(BUILD, name) for name in ("steptrace", "steprun"))
COMMANDS, REQUESTS, CONNECTIONS, TURNS = 20000, 20000, 16, 5


class Tracer:
    """A `steptrace record` of one binary into /dev/null."""

    def __init__(self, path):
        self.process = subprocess.Popen([STEPTRACE, "record", "-x", path, "-o", "/dev/null"],
                                        stderr=subprocess.PIPE, text=True)
        said = ""
        for said in self.process.stderr:
            if "attached to" in said:
                return
        raise SystemExit("bench: " + said)

    def end(self):
        self.process.terminate()
        self.process.stderr.read()
        self.process.wait()


def hit_ns():
    """What one hit costs here, as `doctor` measures it."""
    said = subprocess.run([STEPTRACE, "doctor", "--json"], capture_output=True, text=True,
                          check=False).stdout
    finding = next(one for one in json.loads(said)["findings"] if one["name"] == "captured hit")
    return int(re.match(r"(\d+) ns", finding["text"]).group(1))


def hits_of_a_command(program):
    """Probes that fire in one command: two for each step and for the command, one for each fragment
    that changes. (The hits in `trace.stopped` are those that make events, so none for the begin of
    a step.)"""
    done = subprocess.run([STEPTRACE, "record", "--", *exec_of(program, 1)],
                          capture_output=True, text=True, check=True)
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    return (events.count("command.execution.started") + events.count("command.execution.completed")
            + 2 * events.count("dsl.step.executed") + events.count("fragment.changed"))


def exec_of(program, count, database=":memory:"):
    return [program, "exec", "triage", "buy milk #home", "--packs", PACKS, "--db", database,
            "--quiet", "--repeat", str(count)]


def exec_us(program, database=":memory:"):
    """(microseconds of wall time, and of CPU, of one command)"""
    before, begun = os.times(), time.monotonic()
    subprocess.run(exec_of(program, COMMANDS, database), check=True)
    after, wall = os.times(), time.monotonic() - begun
    cpu = (after.children_user + after.children_system
           - before.children_user - before.children_system)
    return wall / COMMANDS * 1e6, cpu / COMMANDS * 1e6


class Server:
    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program, "serve", "--packs", PACKS, "--db", os.path.join(folder, "serve.db"),
             "--listen", "0", "--workers", "2", "--background", "0", "--backlog", "1000"],
            stderr=subprocess.PIPE, text=True)
        self.url = re.search(r"http://\S+", self.process.stderr.readline()).group()

    def rate(self, body):
        """Requests per second, as ab counts them."""
        said = subprocess.run(["ab", "-q", "-k", "-c", str(CONNECTIONS), "-n", str(REQUESTS),
                               "-T", "application/json", "-p", body,
                               self.url + "/api/commands/execute"],
                              capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said:
            raise SystemExit("bench: the server refused requests:\n" + said)
        return float(re.search(r"Requests per second:\s+([0-9.]+)", said).group(1))

    def end(self):
        self.process.terminate()
        self.process.stderr.read()
        self.process.wait()


def show(name, values, unit, note=""):
    print("    %-46s %9.1f %s   (%.1f to %.1f)%s"
          % (name, statistics.median(values), unit, min(values), max(values), note))


def in_turns(cases, turns=TURNS):
    """Measures each case once a turn; the values by name."""
    told = {name: [] for name in cases}
    for _ in range(turns):
        for name, measure in cases.items():
            told[name].append(measure())
    return told


def traced(path, measure):
    tracer = Tracer(path)
    try:
        return measure()
    finally:
        tracer.end()


def bench_exec(program, plain):
    told = in_turns({"without probes": lambda: exec_us(plain),
                     "untraced": lambda: exec_us(program),
                     "traced": lambda: traced(program, lambda: exec_us(program))})
    wall = {name: [value[0] for value in values] for name, values in told.items()}
    cpu = {name: [value[1] for value in values] for name, values in told.items()}
    print("steprun exec --repeat: a command of five steps, database in memory")
    for name, values in wall.items():
        show(name, values, "us", "   CPU %.1f us" % statistics.median(cpu[name]))
    middle = {name: statistics.median(values) for name, values in wall.items()}
    hits, cost = hits_of_a_command(program), hit_ns() / 1e3
    added = middle["traced"] - middle["untraced"]
    print("    traced rate: %.0f %% of the untraced one; tracing adds %.1f us a command,\n"
          "    %.2f x the %.0f hits of a command at %.2f us each (doctor; target: 1.1 x)"
          % (100 * middle["untraced"] / middle["traced"], added, added / (hits * cost), hits,
             cost))
    print("    probes that nobody looks at: %+.1f %% of the CPU of a command"
          % (100 * (statistics.median(cpu["untraced"])
                    / statistics.median(cpu["without probes"]) - 1)))


def bench_serve(program, folder):
    if not shutil.which("ab"):
        print("steprun serve: left out, because ab is not installed (package apache2-utils)")
        return
    body = os.path.join(folder, "body")
    with open(body, "w", encoding="utf-8") as file:
        json.dump({"command": "/triage buy milk #home", "dry_run": True}, file)
    server = Server(program, folder)
    told = in_turns({"untraced": lambda: server.rate(body),
                     "traced": lambda: traced(program, lambda: server.rate(body))})
    server.end()
    print("steprun serve: dry runs of that command, %d connections, 2 workers" % CONNECTIONS)
    for name, values in told.items():
        show(name, values, "requests/s")
    print("    traced rate: %.0f %% of the untraced one"
          % (100 * statistics.median(told["traced"]) / statistics.median(told["untraced"])))


def main():
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        program = shutil.copy(STEPRUN, folder)
        bench_exec(program, PLAIN)
        bench_serve(program, folder)


if __name__ == "__main__":
    main()
