# SPDX-License-Identifier: BSD-2-Clause
"""steptrace export: the documents are compared with the recording by a reader of their own."""
import collections
import decimal
import gzip
import json
import os
import re
import signal
import subprocess
import unittest

from exports import TOOL, Exporting, tools
from harness import PATIENCE_S, completed, of_kind, record, run, started, steps, target
from recordings import READING, duration_ns, nanoseconds, read


class Chrome(Exporting):
    def test_everything(self):
        path = self.record_everything()
        events = read(path)
        trace = self.chrome(path)
        trace.check_spans(events)
        trace.check_counters(len(started(events)) + len(completed(events)))
        self.check_origins(trace, started(events))
        fragments = [line for line in trace.instants if line["args"]["kind"] == "fragment"]
        self.assertEqual(len(fragments), len(of_kind(events, "fragment.changed")))
        self.check_processes(trace, events)
        nested = [event for event in steps(events) if event["step"]["depth"] == 2]
        self.assertEqual(len(nested), 1)
        self.assertNotIn("warning", self.said)

    def check_origins(self, trace, of_recording):
        flows = trace.check_flows()
        queued = [event for event in of_recording if "queue" in event]
        children = [event for event in of_recording if "parent_execution_id" in event]
        self.assertGreaterEqual(len(queued), 1)
        self.assertEqual(collections.Counter(category for category, _ in flows),
                         {"queue": len(queued), "parent": len(children)})
        for event in queued:
            wait, = [one for one in trace.slices if one[0]["cat"] == "queue"
                     and one[0]["id"] == event["execution_id"]]
            self.assertEqual(trace.names[wait[0]["pid"]], "queue " + event["queue"]["name"])
            self.assertEqual(wait[2], nanoseconds(event["timestamp"]))
            self.assertEqual(wait[2] - wait[1], int(event["queue"]["wait_ms"] * 1000000))
            ends = [trace.at(line) for pair in flows.values() for line in pair]
            self.assertIn(wait[1], ends)
            self.assertIn(wait[2], ends)

    def check_processes(self, trace, events):
        host = events[0]["host"]
        by_execution = {line["args"]["execution_id"]: trace.names[line["pid"]]
                        for line, *_ in trace.of("command")}
        for event in started(events):
            self.assertEqual(by_execution[event["execution_id"]], "%s/%d %s" % (
                host, event["source"]["pid"], event["source"]["comm"]))

    def test_many_threads_and_failures(self):
        events, _ = record(["nested", "tool", "fail", "threads 40", "sleep 2"])
        path = self.write(events)
        trace = self.chrome(path)
        trace.check_spans(read(path))
        trace.check_counters(2 * len(started(events)))
        self.assertEqual(len(trace.of("command")), len(completed(events)))

    def test_a_process_that_dies(self):
        status, _, said = self.run_record("die kill")
        self.assertIn("events", said)
        events = read(self.path("dies.ndjson"))
        trace = self.chrome(self.path("dies.ndjson"))
        trace.check_spans(events)
        command, = [one for one in trace.of("command") if one[0]["args"]["outcome"] == "aborted"]
        self.assertEqual((command[0]["args"]["aborted_by"], command[0]["args"]["signal"]),
                         ("signal", "SIGKILL"))
        self.assertNotEqual(status, 0)

    def run_record(self, order):
        """Records a runner that carries out one order."""
        return run("record", "-o", self.path("dies.ndjson"), "--", "/bin/sh", "-c",
                   "echo '%s' | %s" % (order, target("spans")))

    def test_the_recording_begins_and_ends_in_the_middle(self):
        path = self.record_everything()
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        begin = next(number for number, line in enumerate(lines)
                     if line.startswith('{"event":"command.execution.started"'))
        without_start = self.chrome(self.write(lines[:begin] + lines[begin + 1:]))
        self.assertEqual(len(without_start.of("command")), len(completed(self.events)))
        end = max(number for number, line in enumerate(lines)
                  if line.startswith('{"event":"command.execution.completed"'))
        trace = self.chrome(self.write(lines[:end]))
        self.assertIn("1 execution(s) have no end in the recording", self.said)
        self.assertEqual([one for one in trace.of("command")
                          if one[0]["args"].get("end_seen") is False][0][0]["args"]["outcome"],
                         None)
        self.assertEqual(len(trace.of("command")), len(completed(self.events)))

    def test_unknown_beginnings(self):
        events = self.made(3)
        for event in events:
            if "duration_ms" in event:
                event["duration_ms"] = None
        trace = self.chrome(self.write(events))
        self.assertIn("3 span(s) began before the recording", self.said)
        self.assertEqual(len([line for line in trace.instants if line["args"]["kind"] == "step"]),
                         3)
        self.assertEqual(len(trace.of("command")), 3)

    def test_several_hosts_and_boots(self):
        files = [self.write(self.made(2, host, boot, day), "%s%s" % (host, boot))
                 for host, boot, day in (("two", "b", 3), ("one", "a", 1), ("one", "b", 2))]
        trace = self.chrome(*files)
        self.assertEqual(len(trace.of("command")), 6)
        self.assertEqual(sorted(name for number, name in trace.names.items() if number),
                         ["one/7 runner", "one/7 runner", "two/7 runner"])
        self.assertEqual(trace.document["otherData"]["time_base"],
                         "2025-12-31T00:00:00.000000000Z")

    def test_a_pid_that_is_used_again(self):
        events = self.made(2)
        events[3].update(outcome="aborted", aborted={"cause": "exit", "open_steps": 0,
                                                     "step": None})
        trace = self.chrome(self.write(events))
        self.assertEqual(sorted(name for number, name in trace.names.items() if number),
                         ["vm/7 runner", "vm/7 runner (2)"])

    def test_losses(self):
        lost = {"event": "trace.lost", "timestamp": "2026-01-01T00:00:09.000000000Z",
                "monotonic_ns": 1, "kind": "dsl.step.executed", "lost": 5, "reason": "buffer_full",
                "since": "2026-01-01T00:00:01.000000000Z",
                "until": "2026-01-01T00:00:02.000000003Z"}
        trace = self.chrome(self.write([*self.made(1), lost, lost | {"lost": 2}]))
        self.assertIn("7 event(s) were lost", self.said)
        self.assertEqual([(end - begin, line["args"]["lost"], trace.names[line["pid"]])
                          for line, begin, end, _ in trace.of("loss")],
                         [(1000000003, 5, "vm/0 steptrace"), (1000000003, 2, "vm/0 steptrace")])

    def test_slices_that_overlap(self):
        """Steps of several threads: each is in a lane where it nests."""
        events = self.made(1)
        step = events[2]
        more = [json.loads(json.dumps(step)) for _ in range(3)]
        for number, event in enumerate(more):
            event["step_id"] = "more-%d" % number
            event["source"]["tid"] = 100 + number
            event["timestamp"] = "2026-01-01T00:00:00.0000005%02dZ" % (10 * number + 10)
        trace = self.chrome(self.write(events[:3] + more + events[3:]))
        self.assertEqual(len(trace.of("step")), 4)
        self.assertEqual(len({line["id"] for line, *_ in trace.of("step")}), 4)

    def test_nothing_to_show(self):
        trace = self.chrome(self.write(self.made(0)), status=1)
        self.assertIn("there is nothing to show", self.said)
        self.assertEqual(trace.slices, [])
        untimed = [{key: value for key, value in event.items() if key != "timestamp"}
                   for event in self.made(2)]
        self.chrome(self.write(untimed), status=1)
        self.assertIn("6 event(s) have no timestamp", self.said)

    def test_hostile_texts(self):
        events, _ = record(["text quotes", "text control", "text invalid", "text long",
                            "text newline"])
        path = self.write(events)
        trace = self.chrome(path)
        trace.check_spans(read(path))
        self.assertEqual({line["args"]["command"] for line, *_ in trace.of("command")},
                         {event["command_slug"] for event in completed(events)})
        output, _ = self.tool("export", "--to", "chrome", path)
        self.assertEqual(re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", output), [])


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1")


class Csv(Exporting):
    def check_row(self, row, event, columns):
        """Every value, by the name of its column."""
        for column, value in columns.items():
            shown = row[column]
            if value is None:
                self.assertEqual(shown, "", column)
            elif isinstance(value, bool):
                self.assertEqual(shown, str(value).lower(), column)
            elif isinstance(value, (int, decimal.Decimal)):
                self.assertEqual(decimal.Decimal(shown), value, column)
            else:
                self.assertEqual(shown, value, column)
        if duration_ns(event) is not None:
            self.assertEqual(nanoseconds(row["end"]) - nanoseconds(row["begin"]),
                             duration_ns(event))

    def source_columns(self, event):
        cpu = event.get("cpu") or {}
        blocked = cpu.get("blocked_ms", {})
        columns = {"end": event["timestamp"], "execution_id": event["execution_id"],
                   "correlation_id": event["correlation_id"], "command": event["command_slug"],
                   "user_id": event["user_id"], "outcome": event["outcome"],
                   "error_category": event.get("error_category"),
                   **{name: event["source"][name] for name in ("pid", "tid", "uid", "comm")}}
        if event["event"] != TOOL:
            columns |= {"on_cpu_ms": cpu.get("on_cpu_ms"), "runnable_ms": cpu.get("runnable_ms")}
            columns |= {"blocked_%s_ms" % name: blocked.get(name) for name in
                        ("disk", "lock", "network", "sleep", "pipe", "other")}
        return columns

    def check_commands(self, events, path):
        rows, starts = self.table("commands", path), {event["execution_id"]: event
                                                      for event in started(events)}
        self.assertEqual(len(rows), len(completed(events)))
        for row, event in zip(rows, completed(events)):
            start = starts[event["execution_id"]]
            queue, schedule = start.get("queue", {}), start.get("schedule", {})
            failed = event.get("failed_step") or {}
            self.check_row(row, event, self.source_columns(event) | {
                "host": events[0]["host"], "duration_ms": event["total_duration_ms"],
                "steps_executed": event["steps_executed"], "complete": event["complete"],
                "steps_failed": event["steps_failed"], "dry_run": event["dry_run"],
                "request_source": start["request_source"], "queue": queue.get("name"),
                "queue_attempt": queue.get("attempt"), "queue_wait_ms": queue.get("wait_ms"),
                "schedule_id": schedule.get("schedule_id"),
                "schedule_run_id": schedule.get("schedule_run_id"),
                "failed_step": failed.get("name"), "failed_step_id": failed.get("step_id"),
                "parent_execution_id": event.get("parent_execution_id")})

    def check_steps(self, events, path):
        rows = self.table("steps", path)
        self.assertEqual(len(rows), len(steps(events)))
        for row, event in zip(rows, steps(events)):
            items = event.get("items", {})
            self.check_row(row, event, self.source_columns(event) | {
                "step_id": event["step_id"], "step_type": event["step_type"],
                "step_name": event["step"]["name"], "step_index": event["step"]["index"],
                "step_depth": event["step"]["depth"],
                "parent_step_id": event["step"]["parent_step_id"],
                "duration_ms": event["duration_ms"], "fragment_id": event["fragment_id"],
                "mutations_count": event["mutations_count"], "items_in": items.get("in"),
                "items_out": items.get("out")})

    def test_everything(self):
        path = self.record_everything()
        events = read(path)
        self.check_commands(events, path)
        self.check_steps(events, path)
        rows = self.table("tools", path)
        self.assertEqual(len(rows), len(tools(events)))
        for row, event in zip(rows, tools(events)):
            self.check_row(row, event, self.source_columns(event) | {
                "tool": event["tool_slug"], "invocation_id": event["invocation_id"],
                "exit_status": event["exit_status"], "duration_ms": event["duration_ms"]})
        self.assertNotIn("warning", self.said)

    def test_formulas_and_hostile_texts(self):
        texts = FORMULAS + ('a,"b"', "two\nlines\r\n", "\x1b[31mred\x9b", "\u202egnp", "é" * 32,
                            " blank ", "a=b", "")
        events = []
        for number, text in enumerate(texts):
            events.append({"event": "command.execution.completed", "execution_id": "e%d" % number,
                           "correlation_id": text, "command_slug": text, "user_id": text,
                           "timestamp": "2026-01-01T00:00:00.000000000Z", "outcome": "success",
                           "total_duration_ms": 1})
        rows = self.table("commands", self.write(events))
        shown = [row["command"] for row in rows]
        self.assertEqual(shown[:5], ["'" + text for text in FORMULAS[:5]])
        self.assertEqual(shown[5:], ["'\\t=1", 'a,"b"', "two\\nlines\\r\\n",
                                     "\\x1b[31mred\\u009b", "\\u202egnp", "é" * 32, " blank ",
                                     "a=b", ""])
        self.assertEqual([row["user_id"] for row in rows], shown)
        self.assertIn("%d command(s) have no start" % len(texts), self.said)

    def test_commands_without_an_end_come_last(self):
        path = self.record_everything()
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if '"command.execution.completed"' not in line
                     or '"command_slug":"wait"' not in line]
        rows = self.table("commands", self.write(lines))
        self.assertEqual([(row["command"], row["outcome"], row["end"]) for row in rows[-2:]],
                         [("wait", "", "")] * 2)
        self.assertEqual(rows[-1]["request_source"], "api")
        self.assertIn("2 command(s) have no end", self.said)

    def test_only_basic_fields(self):
        events, _ = record(["go 2"], "--fields", "seed")
        rows = self.table("steps", self.write(events))
        self.assertEqual(len(rows), 10)
        self.assertEqual({(row["begin"], row["pid"]) for row in rows}, {("", "")})


class Files(Exporting):
    def test_files_and_pipes(self):
        path = self.record_everything()
        expected, _ = self.tool("export", "--to", "csv", path)
        with open(path, "rb") as file:
            text = file.read()
        with gzip.open(self.path("all.gz"), "wb") as file:
            file.write(text)
        for arguments, given in (((self.path("all.gz"),), None), (("-",), text)):
            self.assertEqual(self.tool("export", "--to", "csv", *arguments, input=given)[0],
                             expected)
        output, _ = self.tool("export", "--to", "csv", path, "-o", self.path("out.csv"))
        self.assertEqual(output, "")
        with open(self.path("out.csv"), encoding="utf-8", newline="") as file:
            self.assertEqual(file.read(), expected)

    def test_wrong_usage(self):
        path = self.write([])
        for arguments, words, status in (
                ((path,), "give a format", 2),
                (("--to", "xml", path), "--to cannot be 'xml'", 2),
                (("--to", "chrome"), "give a recording", 2),
                (("--to", "chrome", "--table", "steps", path), "--table belongs to", 2),
                (("--to", "csv", "--table", "rows", path), "--table cannot be 'rows'", 2),
                (("--to", "csv", "/nonexistent"), "/nonexistent", 1),
                (("--to", "csv", path), "the table has no row", 1),
                (("--to", "csv", path, "-o", path), "is the recording", 1),
                (("--to", "csv", path, "-o", "/nonexistent/x"), "cannot write", 1)):
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.tool("export", *arguments, status=status)[1])

    def test_a_full_disk(self):
        events, _ = record(["go 2"])
        path = self.write(events)
        for arguments in (("--to", "chrome"), ("--to", "csv")):
            said = self.tool("export", *arguments, path, "-o", "/dev/full", status=1)[1]
            self.assertIn("cannot write", said)

    def test_the_output_is_replaced_as_a_whole(self):
        """Up to the end, and after an error, the file has what it had before."""
        path, output, link = self.write(self.made(3)), self.path("out"), self.path("link")
        with open(output, "w", encoding="utf-8") as file:
            file.write("before")
        os.chmod(output, 0o640)
        os.symlink("out", link)
        os.mkfifo(self.path("fifo"))
        before = set(os.listdir(self.directory))
        command = [READING, "export", "--to", "csv", self.path("fifo"), "-o", link]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        with open(self.path("fifo"), "w", encoding="utf-8") as fifo:
            fifo.write(self.content(path))
            fifo.flush()
            self.assertEqual(self.content(output), "before")
            self.assertEqual(set(os.listdir(self.directory)), before)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(self.content(output).count("\r\n"), 4)
        self.assertEqual(os.stat(output).st_mode & 0o777, 0o640)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(set(os.listdir(self.directory)), before)
        limited = ["prlimit", "--fsize=100", READING, "export", "--to", "csv", path, "-o", output]
        done = subprocess.run(limited, capture_output=True, text=True, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)
        self.assertEqual(self.content(output).count("\r\n"), 4)
        self.assertEqual(set(os.listdir(self.directory)), before)
        new = self.path("new")
        self.tool("export", "--to", "csv", path, "-o", new, umask=0o027)
        self.assertEqual(os.stat(new).st_mode & 0o777, 0o640)

    def content(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()

    def test_foreign_lines_are_counted(self):
        events, _ = record(["go 2"])
        path = self.write([*events, "hello\n", '{"event":"torn'])
        said = self.tool("export", "--to", "csv", "--table", "steps", path)[1]
        self.assertIn("1 line is left out: they are no JSON object", said)
        self.assertIn(os.path.basename(path), said)


if __name__ == "__main__":
    unittest.main()
