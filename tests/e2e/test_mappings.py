# SPDX-License-Identifier: BSD-2-Clause
"""Binaries that a process has mapped in unusual ways: twice, private and writable, or with its code
moved to anonymous memory. There the kernel raises the wrong semaphore, or puts breakpoints where it
never removes them. Such a binary is not attached, and every command says so."""
import json
import os
import signal
import unittest

from harness import (PATIENCE_S, Runner, Scenario, Tracer, check_books, completed, copy_of,
                     everyone, of_exe, of_process, run, target)

TIMES = 20
TWICE, MOVED = "mapped more than once", "code in memory where the kernel cannot put probes"
# The orders that make the case; the binary of which it is one; what the commands say.
CASES = {
    "loaded twice": (("load", "again"), "libcarrier.so", "mapped-twice", TWICE),
    "mapped private": (("private", "load"), "libcarrier.so", "mapped-twice", TWICE),
    "code moved": (("move",), "mapper", "code-moved", MOVED),
}


class Mappings(Scenario):
    def mapper(self, orders):
        if not os.listdir(self.directory):
            copy_of(self.directory, "mapper", "libcarrier.so")
        runner = Runner(self.path("mapper"))
        self.addCleanup(runner.close)
        for order in orders:
            runner.do(order)
        return runner

    def path(self, name):
        """As copy_of() names it."""
        return next(os.path.join(self.directory, entry) for entry in os.listdir(self.directory)
                    if entry.startswith(name))

    def listed(self, runner):
        """The row of `list` for each binary of the process."""
        _, output, _ = run("list")
        rows = [line.split() for line in output.splitlines()]
        return {row[4]: row[2:4] for row in rows if row[0] == str(runner.pid)}

    def check_answers(self, runner, binary, word, sentence):
        """`list`, `doctor` and `record` have one answer."""
        self.assertEqual(self.listed(runner)[self.path(binary)], ["0/8", word])
        status, output, _ = run("doctor", "--json", "-p", str(runner.pid))
        found = {(each["section"], each["name"]): each for each in json.loads(output)["findings"]}
        mappings = found[self.path(binary), "mappings"]
        self.assertEqual((status, mappings["verdict"]), (1, "fail"))
        self.assertIn(sentence, mappings["text"])
        status, _, words = run("record", "-x", self.path(binary))
        self.assertEqual(status, 1)
        self.assertIn(sentence, words)

    def test_one_answer(self):
        for name, (orders, binary, word, sentence) in CASES.items():
            with self.subTest(name):
                runner = self.mapper(orders)
                before = runner.do("go 3")
                self.check_answers(runner, binary, word, sentence)
                self.assertEqual(runner.do("go 3"), before)
                runner.close()

    def test_a_process_that_can_only_be_refused(self):
        runner = self.mapper(["move"])
        status, _, words = run("record", "-p", str(runner.pid))
        self.assertEqual(status, 1)
        self.assertIn("process %d has its code in memory" % runner.pid, words)

    def test_the_rest_of_the_process_is_traced(self):
        """Its program is, the library that it has loaded twice is not."""
        runner = self.mapper(["load", "again"])
        tracer = Tracer("-p", str(runner.pid))
        self.assertIn("'%s' is not traced while process %d runs"
                      % (self.path("libcarrier.so"), runner.pid), "\n".join(tracer.words))
        self.assertTrue(runner.do("enabled")[0].startswith("enabled 1 "))
        runner.do("go 2")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 6)
        self.assertEqual({event["command_slug"] for event in of_process(events, runner.pid)},
                         {"mapper"})
        check_books(self, events)

    def test_attached_when_that_process_has_ended(self):
        odd = self.mapper(["private", "load"])
        tracer = Tracer(*everyone())
        library = self.path("libcarrier.so")
        with self.mapper([]) as runner:
            runner.do("load")
            runner.do("go 1")
            self.assertEqual(of_exe([json.loads(line) for line in open(tracer.path)], library), [])
            odd.close()
            tracer.written("trace.attached", library)
            runner.do("go 1")
            events = tracer.stop()
        slugs = [event["command_slug"] for event in of_process(events, runner.pid)]
        self.assertEqual(slugs.count("from.a.library"), 3)

    def test_loaded_again_while_it_is_traced(self):
        """This cannot be prevented: it is said."""
        runner = self.mapper(["load"])
        tracer = Tracer("-p", str(runner.pid))
        runner.do("again")
        tracer.lines.until("process %d has loaded '%s' a second time"
                           % (runner.pid, self.path("libcarrier.so")))
        runner.do("go 1")
        events = tracer.stop()
        self.assertGreaterEqual(len(of_process(events, runner.pid)), 6)

    def test_moved_while_it_is_traced(self):
        """This cannot be prevented, and steptrace(8) says what follows: breakpoints in the copy
        kill the process. Code that was read from the file has none, and is not traced any more."""
        for order, status in (("copy", -signal.SIGTRAP), ("move", 0)):
            with self.subTest(order):
                runner = self.mapper([])
                tracer = Tracer("-p", str(runner.pid), "--site", "nop1")
                for word in ("go 1", order):
                    runner.do(word)
                runner.order("go 1")
                runner.process.stdin.close()
                self.assertEqual(runner.process.wait(PATIENCE_S), status)
                events = tracer.ended()
                check_books(self, events)
                self.assertEqual(len(completed(events)), 1)

    def copied_without_a_tracer(self):
        """The tracer of another test may be attached for a while."""
        while True:
            runner = self.mapper([])
            before = runner.do("go 3")
            if not runner.do("copy"):
                return runner, before
            runner.process.kill()
            runner.process.wait()
            for name in os.listdir(self.directory):
                os.unlink(os.path.join(self.directory, name))

    def test_copied_without_a_tracer(self):
        runner, before = self.copied_without_a_tracer()
        self.assertEqual(runner.do("go 3"), before)
        self.check_answers(runner, "mapper", "code-moved", MOVED)

    def go_in_a_new_process(self, orders):
        runner = self.mapper(orders)
        answer = runner.do("go 3")
        return answer, runner.close()

    def test_twenty_times_the_same(self):
        """New processes, unwatched and watched, while the tracer knows one of their kind."""
        for name, (orders, _, _, _) in CASES.items():
            with self.subTest(name):
                known = self.mapper(orders)
                right = [(known.do("go 3"), 0)] * TIMES
                self.assertEqual([self.go_in_a_new_process(orders) for _ in range(TIMES)], right)
                tracer = Tracer(*everyone())
                self.assertEqual([self.go_in_a_new_process(orders) for _ in range(TIMES)], right)
                self.assertEqual(known.do("go 3"), right[0][0])
                tracer.stop()
                self.assertEqual(known.do("go 3"), right[0][0])
                known.close()


if __name__ == "__main__":
    unittest.main()
