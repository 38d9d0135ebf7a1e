#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast `steptrace report` reads a recording, in one run: all of its sections, next to jq and
DuckDB answering one question (how often each step type was executed, and for how long), and next to
DuckDB answering the questions of all sections (report.sql). And how much memory a recording of any
size needs.

All times are processor time. DuckDB has one thread, as report has, and its time is without the
start of node, which the time of report is not. It is a package of npm in the folder
STEPTRACE_QUERIES (make test-queries); without it, it is left out.

Absolute rates change with the machine; look at the ratios. The targets: ten times jq, and all
sections not slower than DuckDB.
"""
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import made_recordings  # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
STEPTRACE = os.path.join(BUILD, "steptrace")
PACKAGES = os.environ.get("STEPTRACE_QUERIES", os.path.join("build", "queries"))
COMMANDS = int(os.environ.get("BENCH_COMMANDS", 10000))
COPIES = int(os.environ.get("BENCH_COPIES", 6))
PIPED = int(os.environ.get("BENCH_PIPED", 5))  # how often the recording goes through a pipe
RUNS = 3
GROUP_BY = ('reduce (inputs | select(.event == "dsl.step.executed")) as $e ({}; '
            '.[$e.step_type].count += 1 | .[$e.step_type].sum += $e.duration_ms)')


SQL_GROUP_BY = """
SELECT step_type, count(*), sum(duration_ms)
FROM read_ndjson('FILE', columns = {event: 'VARCHAR', step_type: 'VARCHAR', duration_ms: 'DOUBLE'})
WHERE event = 'dsl.step.executed' GROUP BY ALL;
"""


def make(path):
    """The same recording several times; the times differ, so that no line is repeated."""
    lines = list(made_recordings.lines_of(COMMANDS))
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines[:-1])
        for copy in range(1, COPIES):
            file.write("".join(line for line in lines if '"event":"trace.' not in line)
                       .replace('"monotonic_ns":4', '"monotonic_ns":%d4' % copy))
        file.write(lines[-1])


def processor_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds(*command):
    """Processor time: other processes change it less than the time on the wall."""
    best = float("inf")
    for _ in range(RUNS):
        before = processor_s()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        best = min(best, processor_s() - before)
    return best


def show_rate(what, path, taken_s):
    """Returns how many MB of text it reads per second."""
    rate = os.path.getsize(path) / taken_s / 1e6
    print("  %-44s %8.0f MB/s" % (what, rate), flush=True)
    return rate


def show(what, path, *command):
    return show_rate(what, path, seconds(*command))


def show_ratio(what, ratio, target=None):
    print("  %-44s %8.1f x%s" % (what, ratio, " (target: %d)" % target if target else ""))


# ---- DuckDB

# Of report.sql, in this order.
STATEMENTS = ("load", "coverage", "traces", "losses", "commands", "steps")


class DuckDB:
    def __init__(self, path):
        self.path = path
        self.is_there = bool(shutil.which("node")) and os.path.isdir(
            os.path.join(PACKAGES, "node_modules", "@duckdb"))

    def execute(self, sql, runs=RUNS):
        """(seconds, rows of each statement)"""
        text = re.sub("^--.*", "", sql, flags=re.MULTILINE).replace("FILE", self.path)
        statements = [statement for statement in text.split(";") if statement.strip()]
        done = subprocess.run(["node", os.path.join(HERE, "duckdb.mjs"), PACKAGES, str(runs)],
                              input=json.dumps(statements), capture_output=True, text=True,
                              check=True)
        answer = json.loads(done.stdout)
        return answer["seconds"], answer["rows"]


def check_answers(path, answers):
    """Both have answered the same questions: commands and steps are counted in the same way."""
    report = json.loads(subprocess.run([STEPTRACE, "report", "--json", path], check=True,
                                       capture_output=True).stdout)
    for name, keys in (("commands", ("command",)),
                       ("steps", ("command", "step_type", "step_name"))):
        told = sorted(([row[key] for key in keys] + [row["count"]] for row in report[name]),
                      key=str)
        answer = answers[STATEMENTS.index(name)]
        if told != sorted(([*row[:len(keys)], int(row[len(keys)])] for row in answer), key=str):
            raise SystemExit("DuckDB and report do not count the same %s" % name)


def show_duckdb(path, whole):
    duckdb = DuckDB(path)
    if not duckdb.is_there:
        print("  DuckDB is left out: its npm package is not installed (make test-queries)")
        return
    taken_s, _ = duckdb.execute(SQL_GROUP_BY)
    show_ratio("report / DuckDB, one group-by",
               whole / show_rate("DuckDB, one group-by, one thread", path, taken_s))
    with open(os.path.join(HERE, "report.sql"), encoding="utf-8") as file:
        taken_s, answers = duckdb.execute(file.read())
    check_answers(path, answers)
    show_ratio("report / DuckDB, all sections",
               whole / show_rate("DuckDB, the questions of all sections", path, taken_s), 1)


def show_compressed(path):
    with open(path, "rb") as file, gzip.open(path + ".gz", "wb", compresslevel=1) as to:
        shutil.copyfileobj(file, to)
    show("report, compressed (MB of text)", path, STEPTRACE, "report", path + ".gz")


def show_memory(path):
    """Of a recording that comes through a pipe, several times the size of the file."""
    process = subprocess.Popen([STEPTRACE, "report", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    for _ in range(PIPED):
        with open(path, "rb") as file:
            shutil.copyfileobj(file, process.stdin, 1 << 20)
    with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    process.stdin.close()
    if process.wait():
        raise SystemExit("report failed")
    print("  %-44s %8.1f MiB" % ("report, peak memory for %.1f GB" % (
        PIPED * os.path.getsize(path) / 1e9), peak / 1024))


def main():
    print("report: a recording of %d commands" % (COMMANDS * COPIES))
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        path = os.path.join(folder, "events.ndjson")
        make(path)
        whole = show("report, all sections", path, STEPTRACE, "report", path)
        show("report --json", path, STEPTRACE, "report", "--json", path)
        show_compressed(path)
        if shutil.which("jq"):
            one = show("jq, one group-by", path, "jq", "-n", GROUP_BY, path)
            show_ratio("report / jq", whole / one, 10)
        show_duckdb(path, whole)
        show_memory(path)


if __name__ == "__main__":
    main()
