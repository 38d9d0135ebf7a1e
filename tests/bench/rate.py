#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the tracer keeps up with, and what it takes for that: producers that do nothing but hit probes, and
one at a steady pace. Into a file. Rates drift with the machine; what was lost, and ratios, are the message."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
COMMANDS = 60000  # of a producer; seven events each
PACE_STEPS, PACE_S = 10000, 4
MiB = 1 << 20


class Tracer:
    def __init__(self, folder, name, *arguments):
        self.program = os.path.join(folder, name)
        shutil.copy(os.path.join(BUILD, "tests", name), self.program)
        self.path = os.path.join(folder, "events")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen([os.path.join(BUILD, "steptrace"), "record", "-x", self.program, "-o",
                                         self.path, *arguments], stderr=subprocess.PIPE, text=True)
        said = ""
        for said in self.process.stderr:
            if "attached to" in said:
                return
        raise SystemExit("rate: " + said)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident bytes: all, without the two mappings of the ring buffer, and what is nobody else's."""
        total = ring = anonymous = 0
        with open("/proc/%d/smaps" % self.process.pid, encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if "-" in words[0] and ":" not in words[0]:
                    mapping = words[-1]
                elif words[0] == "Rss:":
                    total += int(words[1]) << 10
                    ring += int(words[1]) << 10 if "bpf-map" in mapping else 0
                elif words[0] == "Anonymous:":
                    anonymous += int(words[1]) << 10
        return total, total - ring, anonymous

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.stderr.read()
        self.process.wait()
        with open(self.path, "rb") as file:
            file.seek(-4096, os.SEEK_END)
            return json.loads(file.read().splitlines()[-1])


def produce(program, count):
    """Seconds that so many producers take together."""
    start = time.monotonic()
    running = [subprocess.Popen([program, str(COMMANDS)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
               for _ in range(count)]
    for process in running:
        process.wait()
    return time.monotonic() - start


def show_spinning(folder):
    print("producers that do nothing but hit probes, into a file")
    for producers in sorted({1, os.cpu_count()}):
        for buffer in ("1M", "4M", "16M", "64M"):
            tracer = Tracer(folder, "load", "--buffer", buffer)
            cpu_s = tracer.cpu_s()
            took_s = produce(tracer.program, producers)
            cpu_s = tracer.cpu_s() - cpu_s
            stopped = tracer.stop()
            lost = sum(stopped["lost"].values())
            print("  %d producer%s, buffer %-4s %8.0f events/s hit, %8.0f written, %5.2f %% lost, "
                  "tracer %3.0f %% of a core%s"
                  % (producers, "s" if producers > 1 else " ", buffer, stopped["hits"] / took_s,
                     stopped["events"] / took_s, 100 * lost / stopped["hits"], 100 * cpu_s / took_s,
                     "   (the producer is the limit)" if lost == 0 else ""))


def verdict(met):
    return "met" if met else "missed"


def show_pace(folder):
    print("a steady %d steps a second" % PACE_STEPS)
    tracer = Tracer(folder, "pace")
    subprocess.run([tracer.program, str(PACE_STEPS), "1"], check=True, stdout=subprocess.DEVNULL)
    cpu_s, start = tracer.cpu_s(), time.monotonic()
    subprocess.run([tracer.program, str(PACE_STEPS), str(PACE_S)], check=True, stdout=subprocess.DEVNULL)
    percent = 100 * (tracer.cpu_s() - cpu_s) / (time.monotonic() - start)
    total, beside, anonymous = tracer.memory()
    stopped = tracer.stop()
    print("  events %d, lost %d" % (stopped["events"], sum(stopped["lost"].values())))
    print("  the tracer's processor time   %6.2f %% of a core   (target: under 2 %%, %s)"
          % (percent, verdict(percent < 2)))
    print("  its memory beside the ring    %6.1f MiB, %.1f of it its own   (target: under 30 MiB, %s); "
          "%.1f in all, the ring buffer mapped twice"
          % (beside / MiB, anonymous / MiB, verdict(beside < 30 * MiB), total / MiB))


def main():
    if os.geteuid():
        print("what the tracer keeps up with\n  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        show_spinning(folder)
        show_pace(folder)


if __name__ == "__main__":
    main()
