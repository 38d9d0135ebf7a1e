# SPDX-License-Identifier: BSD-2-Clause
"""Judges the console of a kernel that tests/run-kernels booted."""
import json
import sys

import validate

with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
    lines = file.read().splitlines()
problems = []
for word in ("RECORDED by command", "RECORDED by pid", "RECORDED an older runner", "THE END"):
    if not any(word in line for line in lines):
        problems.append("never said: %s" % word)
events = [line + "\n" for line in lines if line.startswith("{")]
problems += [str(problem) for problem in validate.validate_lines(events)]
streams = []
for line in events:
    event = json.loads(line)
    if event["event"] == "trace.started":
        streams.append([])
    streams[-1].append(event)
for stream, expected in zip(streams, (1 + 160 + 100, 0, 1)):
    stopped = stream[-1]
    lost = sum(stopped["lost"].values())
    if stopped["event"] != "trace.stopped" or stopped["hits"] != stopped["events"] + lost:
        problems.append("the books do not balance: %r" % stopped)
    done = [event for event in stream if event["event"] == "command.execution.completed"]
    if expected and len(done) < expected:
        problems.append("%d commands completed, not %d" % (len(done), expected))
if len(streams) != 3:
    problems.append("%d recordings, not 3" % len(streams))
kernel = next((line for line in lines if "KERNEL " in line), "KERNEL ?")
kernel = kernel[kernel.index("KERNEL"):]
first = streams[0][0] if streams else {}
print("%s: %d events, %s, site %s: %s" % (
    kernel, len(events), first.get("attach_method"), first.get("probe_site"),
    "ok" if not problems else "; ".join(problems)))
sys.exit(1 if problems else 0)
