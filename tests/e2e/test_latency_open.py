# SPDX-License-Identifier: BSD-2-Clause
"""steptrace latency: what is open, read from the memory of the runners."""
import os
import signal
import subprocess
import time
import unittest

import needs
from harness import (Lines, Runner, Scenario, Tracer, copy_of, everyone, run, steps, target,
                     validate, wait_until)
from test_latency import Table, rows_of


def milliseconds():
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000


def by_type(text):
    """The rows of steps."""
    problems = validate.validate_lines(text.splitlines(keepends=True))
    assert not problems, problems[:10]
    return {row["by"]["step_type"]: row for row in rows_of(text)}


class Open(Scenario):
    def hanging(self, *orders):
        runner = Runner(target("hanging"))
        self.addCleanup(runner.close)
        for order in orders:
            runner.do(order)
        return runner

    def table(self, runner, *arguments):
        return Table("-p", str(runner.pid), "--json", *arguments)

    def test_a_hang_that_began_before(self):
        """On the stack of a thread that sleeps its age has a lower bound, in the heap it has none.
        (A tracer of the whole machine may have been attached before: then the ages are known.)"""
        runner = self.hanging("stack sleep", "heap")
        began = milliseconds()
        rows = by_type(self.table(runner).stop())
        self.assertEqual({name: (row["count"], row["open"]) for name, row in rows.items()},
                         {"WaitStep": (0, 1), "HeapStep": (0, 1)})
        age = rows["WaitStep"]["oldest_open_at_least_ms"]
        self.assertGreater(age, 0)
        self.assertLess(age, milliseconds() - began + 60000)

    def test_ages(self):
        """Of what began while the tracer was attached."""
        runner = self.hanging()
        table = self.table(runner)
        before = milliseconds()
        runner.do("nested")
        after = milliseconds()
        time.sleep(0.2)
        asked = milliseconds()
        rows = by_type(table.stop())
        ended = milliseconds()
        self.assertEqual({row["open"] for row in rows.values()}, {1})
        self.assertEqual(len(rows), 3)
        for row in rows.values():
            self.assertGreaterEqual(row["oldest_open_ms"], asked - after)
            self.assertLessEqual(row["oldest_open_ms"], ended - before)

    def test_each_command_and_step_once(self):
        runner = self.hanging("parallel 50")
        rows = by_type(self.table(runner).stop())
        self.assertEqual([row["open"] for row in rows.values()], [50])
        commands = rows_of(self.table(runner, "--by", "command").stop())
        self.assertEqual([row["open"] for row in commands], [1])

    def test_a_step_in_a_forked_child(self):
        """The command is in the memory of both processes."""
        runner = self.hanging()
        child = int(runner.do("fork-step")[0].split()[1])
        self.addCleanup(os.kill, child, signal.SIGKILL)
        rows = rows_of(self.table(runner, "--by", "command").stop())
        self.assertEqual([row["open"] for row in rows], [1])
        rows = by_type(self.table(runner).stop())
        self.assertEqual([row["open"] for row in rows.values()], [1])

    def test_without_a_name(self):
        """It has one row while it is open and when it has ended, as its events say."""
        path = os.path.join(self.directory, "rows")
        runner = self.hanging()
        tracer = Tracer("-p", str(runner.pid))
        table = self.table(runner, "--interval", "100ms", "-o", path)
        runner.do("nameless")
        wait_until(lambda: any(row["open"] for row in self.written(path)), "a table shows it")
        runner.do("end")
        wait_until(lambda: any(row["count"] for row in self.written(path)), "a table shows its end")
        table.stop()
        event, = steps(tracer.stop())
        self.assertEqual({(row["by"]["command_slug"], row["by"]["step_type"])
                          for row in self.written(path)},
                         {(event["command_slug"], event["step_type"])})

    def test_a_sample(self):
        """What began before the attach has no id, so it is in no sample."""
        runner = self.hanging("heap")
        table = self.table(runner, "--sample", "1000000")
        self.assertEqual(sum(row["open"] for row in by_type(table.stop()).values()), 0)

    def test_many(self):
        """Where the machine is busy, the table may come without them: it waits for two seconds."""
        runner = self.hanging("coroutines 10000")

        counts = []

        def is_counted():
            rows = by_type(self.table(runner).stop())
            counts.extend(row["open"] for row in rows.values() if row["open"] is not None)
            return counts

        wait_until(is_counted, "a table has what is open")
        self.assertEqual(counts, [10000])

    def test_in_the_percentiles(self):
        with Runner() as runner:
            table = self.table(runner, "--open", "--by", "command")
            runner.do("open")
            runner.do("go 3")
            time.sleep(0.1)
            rows = {row["by"]["command_slug"]: row for row in rows_of(table.stop())}
            runner.do("close")
        held = rows["held"]
        self.assertEqual((held["count"], held["open"], held["buckets"][0][2]), (0, 1, 1))
        self.assertEqual(held["max_ms"], held["oldest_open_ms"])
        self.assertGreater(held["p50_ms"], 100)
        self.assertEqual(rows["fragment.update"]["open"], 0)

    def written(self, path):
        """The rows so far."""
        with open(path, encoding="utf-8") as file:
            return rows_of("".join(line for line in file if line.endswith("\n")))

    def test_every_interval(self):
        path = os.path.join(self.directory, "rows")
        with Runner() as runner:
            table = self.table(runner, "--interval", "100ms", "--by", "command", "-o", path)
            runner.do("open")
            wait_until(lambda: sum(row["open"] or 0 for row in self.written(path)) > 2,
                       "three tables show the open command")
            runner.do("close")
            wait_until(lambda: self.written(path)[-1]["count"], "a table shows its end")
            table.stop()
        rows = self.written(path)
        ages = [row["oldest_open_ms"] for row in rows if row["open"]]
        self.assertEqual(ages, sorted(ages))
        self.assertEqual(sum(row["count"] for row in rows), 1)

    def tables(self, path):
        """What each table so far says of a type of step: (open, open_is_complete)."""
        tables = {}
        for row in self.written(path):
            table = tables.setdefault(row["monotonic_ns"], {})
            table[row["by"]["step_type"]] = (row["open"], row["open_is_complete"])
        return list(tables.values())

    def test_much_memory(self):
        """To search it all for each table would take too long. The tables between show what is on
        stacks, and what was found before."""
        path = os.path.join(self.directory, "rows")
        runner = self.hanging("memory 64", "heap")
        table = self.table(runner, "--interval", "100ms", "-o", path)
        table.words.until("steptrace latency searches the whole memory of the runners about every")
        runner.do("stack sleep")
        wait_until(lambda: self.tables(path)[-1].get("WaitStep") == (1, False),
                   "a table shows the new step, and that it is not complete")
        first = len(self.tables(path))
        wait_until(lambda: len(self.tables(path)) >= first + 10, "ten more tables")
        between = self.tables(path)[first:first + 10]
        table.stop()
        for rows in between:
            self.assertEqual((rows["HeapStep"][0], rows["WaitStep"][0]), (1, 1), between)
        last = self.tables(path)[-1]
        self.assertEqual(last, {"HeapStep": (1, True), "WaitStep": (1, True)})

    def test_filters(self):
        runner = self.hanging("nested", "heap")
        cases = (
            (("--command", "nothing*"), 0),
            (("--step-type", "HeapStep"), 1),
            (("--uid", "65534"), 0),
            (("--comm", "nothing*"), 0),
            (("--min-duration", "1h"), 0),
        )
        for arguments, count in cases:
            rows = by_type(self.table(runner, *arguments).stop())
            self.assertEqual(sum(row["open"] for row in rows.values()), count, arguments)
        with Runner() as other:
            table = self.table(other, "--failed")
            other.do("fail")
            self.assertNotIn("open", rows_of(table.stop())[0])

    def test_other_processes_do_not_count(self):
        runner, other = self.hanging("heap"), self.hanging("heap")
        rows = by_type(self.table(runner).stop())
        self.assertEqual([row["open"] for row in rows.values()], [1])
        rows = by_type(self.table(other, "--no-children").stop())
        self.assertEqual([row["open"] for row in rows.values()], [1])

    def test_the_whole_machine(self):
        path = copy_of(self.directory, "hanging")
        with Runner(path) as runner:
            runner.do("heap")
            table = Table(*everyone(), "--json")
            rows = by_type(table.stop())
        self.assertEqual(rows["HeapStep"]["open"], 1)

    def test_wrong_usage(self):
        status, _, words = run("latency", "--open", "--failed")
        self.assertEqual(status, 2)
        self.assertIn("--open and --failed exclude each other", words)

    def test_the_text(self):
        runner = self.hanging("heap")
        text = Table("-p", str(runner.pid)).stop()
        self.assertIn("  OPEN   OLDEST\n", text)
        self.assertRegex(text, r"HeapStep +0 .* 1 +\S+( \S+)?\n")


class Unknown(Scenario):
    """Where it cannot be read what is open, that is said."""

    def children(self, table):
        """By name."""
        found = {}
        path = "/proc/{0}/task/{0}/children".format(table.process.pid)
        with open(path, encoding="ascii") as file:
            for child in file.read().split():
                with open("/proc/%s/comm" % child, encoding="utf-8") as comm:
                    found[comm.read().strip()] = int(child)
        return found

    def looker(self, table):
        wait_until(lambda: "steptrace-look" in self.children(table), "the child has its name")
        return self.children(table)["steptrace-look"]

    def test_the_child_is_killed(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--json")
            os.kill(self.looker(table), signal.SIGKILL)
            table.words.until("the process 'steptrace-look' has ended")
            runner.do("go 1")
            rows = rows_of(table.stop())
        self.assertEqual([(row["open"], row["open_is_complete"]) for row in rows], [(None, False)])

    def test_the_child_is_stopped(self):
        """The table waits two seconds, and is printed without."""
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--json")
            child = self.looker(table)
            wait_until(lambda: os.stat("/proc/%d" % child).st_uid, "the child has no root any more")
            os.kill(child, signal.SIGSTOP)
            runner.do("go 1")
            rows = rows_of(table.stop())
            self.assertIn("does not know what is open", "\n".join(table.words.rest()))
        self.assertEqual([row["open"] for row in rows], [None])
        wait_until(lambda: not os.path.exists("/proc/%d" % child), "the child has ended")

    def is_taken(self, table, number):
        """Whether the tracer has read this signal from its queue."""
        with open("/proc/%d/status" % table.process.pid, encoding="ascii") as file:
            pending = [int(line.split()[1], 16) for line in file if line.startswith(("SigPnd",
                                                                                     "ShdPnd"))]
        return not any(signals >> (number - 1) & 1 for signals in pending)

    def test_a_second_signal(self):
        """It ends the wait for the child, which is stopped, before its two seconds are over."""
        def ends_at_once():
            with Runner() as runner:
                table = Table("-p", str(runner.pid), "--json", "--by", "command")
                child = self.looker(table)
                wait_until(lambda: os.stat("/proc/%d" % child).st_uid, "the child has no root")
                os.kill(child, signal.SIGSTOP)
                runner.do("go 1")
                table.process.send_signal(signal.SIGINT)
                wait_until(lambda: self.is_taken(table, signal.SIGINT), "the first one is read")
                table.process.send_signal(signal.SIGINT)
                rows = rows_of(table.end())
                self.assertEqual([(row["count"], row["open"]) for row in rows], [(1, None)])
                return "takes more than 2 s" not in "\n".join(table.words.rest())

        wait_until(ends_at_once, "a second signal comes within two seconds, and ends the wait")

    def older(self):
        needs.program("objcopy")
        path = target("hanging")
        subprocess.run(["objcopy", "--remove-section=.note.steptrace", path], check=True)
        return path

    def test_an_older_header(self):
        """What events say is counted: also a command that began before, and executed a step."""
        with Runner(self.older()) as runner:
            runner.do("heap")
            table = Table("-p", str(runner.pid), "--json", "--by", "command,step")
            runner.do("step")
            runner.do("nested")
            rows = by_type(table.stop())
            table.words.until("built with an older steptrace.h: steptrace latency sees only what")
        self.assertEqual({name: (row["count"], row["open"]) for name, row in rows.items()},
                         {"OuterStep": (0, 1), "MiddleStep": (0, 1), "InnerStep": (0, 1),
                          "ShortStep": (1, 0)})
        self.assertEqual({row["open_is_complete"] for row in rows.values()}, {False})

    def test_commands_of_an_older_header(self):
        with Runner(self.older()) as runner:
            runner.do("heap")
            table = Table("-p", str(runner.pid), "--json", "--by", "command", "--interval", "1s")
            lines = Lines(table.process.stdout, "the rows")
            before = milliseconds()
            runner.do("step")
            runner.do("nested")
            lines.until('"command_slug":"hang.nested"')  # of one interval, then of the next
            rows = rows_of("\n".join(lines.until('"command_slug":"hang.nested"')))
            ended = milliseconds()
            table.process.terminate()
            rows += rows_of("\n".join(lines.rest()))
        by_slug = {}
        for row in rows:
            by_slug.setdefault(row["by"]["command_slug"], []).append(row)
        self.assertEqual(sorted(by_slug), ["hang.heap", "hang.nested"])
        for row in by_slug["hang.heap"] + by_slug["hang.nested"]:
            self.assertEqual(row["open"], 1)
        # the age of what began before is known if a tracer of the whole machine was attached
        self.assertGreater(by_slug["hang.heap"][0]["oldest_open_at_least_ms"], 0)
        self.assertLessEqual(by_slug["hang.nested"][0]["oldest_open_ms"], ended - before)

    def test_no_child_stays(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid))
            child = self.looker(table)
            table.process.kill()
            table.process.wait()
            wait_until(lambda: not os.path.exists("/proc/%d" % child), "the child has ended")


if __name__ == "__main__":
    unittest.main()
