# SPDX-License-Identifier: BSD-2-Clause
"""Reads events from stdin and prints a summary: kinds of events, slowest step types, losses."""
import collections
import json
import statistics
import sys

kinds = collections.Counter()
durations = collections.defaultdict(list)
stopped = None
for line in sys.stdin:
    event = json.loads(line)
    if event["event"] == "trace.stopped":
        stopped = event
    if event["event"].startswith("trace."):
        continue
    kinds[event["event"]] += 1
    if event["event"] == "dsl.step.executed" and event["duration_ms"] is not None:
        durations[event["step_type"]].append(event["duration_ms"])

print("   events by kind")
for name, count in kinds.most_common():
    print("     %7d  %s" % (count, name))
print("   slowest step types      runs    median ms       max ms")
slowest = sorted(durations.items(), key=lambda item: -statistics.median(item[1]))
for name, times in slowest[:6]:
    print("     %-20s %6d %12.3f %12.3f" % (name, len(times), statistics.median(times), max(times)))
if stopped is None:
    sys.exit("the recording is incomplete: it has no trace.stopped")
print("   %d probe hits = %d events + %d lost" % (stopped["hits"], stopped["events"],
                                                    stopped["lost"]))
