# SPDX-License-Identifier: BSD-2-Clause
"""steptrace top, in a terminal of its own (tmux): keys go in, screens come out."""
import os
import re
import signal
import subprocess

import needs
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, Scenario, Tracer, completed, run, steps,
                     target, wait_until)
from screens import Screen

# A row of the table: name, rate, count, three durations, failed, open, oldest.
DURATION = r"(?:-|[0-9.]+ [nmu]?s)"
ROW = re.compile(r"^ ?(\S.*?) +([0-9.]+) +([0-9]+) +(%s) +(%s) +(%s) +([0-9]+) +([0-9]+|-) +"
                 r"(-|>?[0-9][0-9a-z. ]*)$" % (DURATION, DURATION, DURATION))


def rows_of(lines):
    """{name: (count, p50, p99, max, failed, open, oldest)}"""
    found = filter(None, map(ROW.match, lines))
    return {row[1]: (int(row[3]), *row.groups()[3:6], int(row[7]), row[8], row[9])
            for row in found}


def duration_text(ms):
    """As steptrace prints it: three digits, in the unit that fits."""
    ns = round(ms * 1e6)
    for unit, name in ((1, "ns"), (1e3, "us"), (1e6, "ms"), (1e9, "s")):
        if ns < 999.5 * unit or name == "s":
            break
    value = ns / unit
    digits = 0 if unit == 1 or value >= 99.95 else 1 if value >= 9.995 else 2
    return "%.*f %s" % (digits, value, name)


class OnATerminal(Scenario):
    def setUp(self):
        super().setUp()
        needs.program("tmux")

    def screen(self, **options):
        screen = Screen(self.directory, **options)
        self.addCleanup(screen.close)
        return screen

    def top(self, screen, *arguments, **environment):
        screen.start(STEPTRACE, "top", "--interval", "100ms", *arguments, **environment)
        screen.until("^ steptrace top  ")
        return screen

    def names(self, screen):
        return list(rows_of(screen.lines()))


class Keys(OnATerminal):
    """Every key of the help."""

    def setUp(self):
        super().setUp()
        self.runner = Runner()
        self.addCleanup(self.runner.close)
        self.shown = self.top(self.screen(), "-p", str(self.runner.pid), "--sort", "command")
        for order in ("go 3", "fail", "nested", "tool", "sleep 1", "open"):
            self.runner.do(order)
        self.shown.until("^ fragment.update +[0-9.]+ +4 ", "^ held +", "^ sleepy ", "1-6 of 6",
                         r"^ 44 events  0 lost  1 open, the oldest [0-9.]+ m?s: held")

    def test_the_rows(self):
        lines = self.shown.lines()
        self.assertRegex(lines[0], r"^ steptrace top  process %d +[0-9]+ s$" % self.runner.pid)
        self.assertRegex(lines[2], r"^ COMMAND▼ +RATE/s +COUNT +P50 +P99 +MAX +FAILED +OPEN +OLDES")
        rows = rows_of(lines)
        self.assertEqual(list(rows), ["fragment.update", "held", "nested", "parent", "sleepy",
                                      "toolbox"])
        self.assertEqual(rows["fragment.update"][4:], (1, "0", "-"))
        self.assertEqual(rows["held"][:6], (0, "-", "-", "-", 0, "1"))
        self.assertEqual(rows["toolbox"][0], 1)

    def test_selecting(self):
        """The row that is selected, on a screen that shows all of them."""
        shown = self.shown
        shown.until_selected("fragment.update")
        for key, name in (("Down", "held"), ("j", "nested"), ("Up", "held"),
                          ("k", "fragment.update"), ("k", "fragment.update"), ("End", "toolbox"),
                          ("Down", "toolbox"), ("Home", "fragment.update"), ("G", "toolbox"),
                          ("g", "fragment.update"), ("NPage", "toolbox"),
                          ("PPage", "fragment.update")):
            shown.press(key)
            shown.until_selected(name)

    def test_sorting(self):
        shown = self.shown
        shown.press("i")
        shown.until("COMMAND▲", r"(?s)^ toolbox.*^ held.*^ fragment")
        shown.press("i")
        shown.until("COMMAND▼")
        for key, title in (("s", "▼RATE/s"), (">", "▼COUNT"), ("S", "▼RATE/s"), ("<", "COMMAND▼"),
                           ("2", "▼RATE/s"), ("3", "▼COUNT"), ("4", "▼P50"), ("5", "▼P99"),
                           ("6", "▼MAX"), ("7", "▼FAILED"), ("8", "▼OPEN"), ("9", "▼OLDEST"),
                           ("1", "COMMAND▼")):
            shown.press(key)
            shown.until(title)
        for key, first in (("3", "fragment.update"), ("6", "sleepy"), ("7", "fragment.update"),
                           ("8", "held"), ("9", "held")):
            shown.press(key)
            shown.until(r"(?s)COMMAND[^\n]*\n %s " % re.escape(first))

    def test_steps(self):
        shown = self.shown
        for opens, closes in (("Enter", "Escape"), ("Right", "Left"), ("Enter", "BSpace")):
            shown.press("G", opens)
            shown.until("process [0-9]+ › toolbox ", "^ STEP▼", "^ call ToolCallStep ", "1-1 of 1")
            shown.press(closes)
            shown.until("^ COMMAND▼", "1-6 of 6")
            shown.until_selected("toolbox")

    def test_filter(self):
        shown = self.shown
        shown.press("/")
        shown.until("^ filter: ")
        shown.type("NE")
        shown.until("^ filter: NE", "1-1 of 1", "^ nested ")
        shown.press("BSpace")
        shown.until("^ filter: N", "1-3 of 3", "^ fragment.update ")
        shown.press("Enter")
        shown.until("filter 'N'")
        shown.press("Escape")
        shown.until("1-6 of 6")
        shown.press("/")
        shown.type("é€")
        shown.until("filter: é€", "^ no command contains 'é€'")
        shown.press("C-u")
        shown.until("1-6 of 6")
        shown.press("Escape")
        shown.until("Enter steps")

    def test_pause(self):
        for key in ("p", "Space"):
            self.shown.press(key)
            self.shown.until("PAUSED  [0-9]+")
            paused = self.shown.text()
            self.runner.do("names 3")
            self.shown.press("?")
            self.shown.until("any key: back")
            self.shown.press("x")
            self.shown.until("^ COMMAND")
            self.assertEqual(self.shown.text(), paused)
            self.shown.press(key)
            self.shown.until("1-9 of 9", r"^ name-2 +[0-9.]+ +%d" % (1 if key == "p" else 2))

    def test_reset(self):
        self.shown.press("r")
        self.shown.until("^ 0 events  0 lost  1 open", "1-1 of 1")
        self.assertEqual(self.names(self.shown), ["held"])
        self.runner.do("go 2")
        self.shown.until("^ 14 events ", r"^ fragment.update +[0-9.]+ +2 ")
        self.runner.do("close")
        self.shown.until("none open")

    def test_help(self):
        for key in ("?", "h", "F1"):
            self.shown.press(key)
            self.shown.until("help .any key: back", "^ Up, Down ", "^ Enter ", "^ 9 OLDEST")
            self.shown.press("Escape")
            self.shown.until("^ COMMAND▼")

    def test_leaving(self):
        """By each of the ways; messages are printed then."""
        before = None
        for leave in (lambda: self.shown.press("q"), lambda: self.shown.press("C-c"),
                      lambda: os.kill(self.shown.pid(), signal.SIGTERM)):
            leave()
            self.shown.until("^ended 0", r"^steptrace: attached to 1 binary",
                             r"^steptrace: [0-9]+ events, 0 lost \((interrupted|terminated)\)")
            self.assertNotIn("COMMAND", self.shown.text())
            modes = self.shown.modes()
            self.assertEqual(before or modes, modes)
            before = modes
            self.top(self.shown, "-p", str(self.runner.pid))

    def test_redraw(self):
        """Another program has written to the terminal."""
        with open(self.shown.run("display-message", "-p", "#{pane_tty}").strip(), "w",
                  encoding="ascii") as terminal:
            terminal.write("\x1b[5;1HSCRIBBLE")
        self.shown.until("^SCRIBBLE")
        self.shown.press("C-l")
        self.shown.until_gone("SCRIBBLE")


class Terminal(OnATerminal):
    def test_resize(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            runner.do("names 20")
            shown.until("1-20 of 20", "COUNT", "MAX", "p pause")
            shown.resize(60, 15)
            shown.until("1-10 of 20|1-11 of 20", "^ steptrace top  process", "OLDEST$")
            lines = shown.lines()
            self.assertEqual(len(lines), 15)
            self.assertFalse([line for line in lines if len(line) > 60])
            self.assertNotIn("COUNT", lines[2])
            self.assertRegex(lines[-1], r"^ Enter steps  \? help  q quit .* of 20$")
            shown.press("?")
            shown.until("help .Up, Down")
            shown.press("NPage", "NPage")
            shown.until("^ 9 OLDEST")
            shown.press("q")
            shown.resize(20, 5)
            shown.until("^ steptrace")
            shown.resize(100, 24)
            shown.until("1-20 of 20", "COUNT", "MAX", "p pause", "^ name-1 ")

    def test_suspend(self):
        """Ctrl-Z gives the terminal back to the shell; fg draws again, in the new size."""
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            shown.press("C-z")
            shown.until(r"(?i)(stopped|suspended)", r"^[$#]")
            self.assertNotIn("COMMAND", shown.text())
            shown.type("clear; echo free")
            shown.press("Enter")
            shown.until("^free")
            shown.resize(80, 15)
            shown.type("fg")
            shown.press("Enter")
            shown.until("^ COMMAND", "^ steptrace top")
            runner.do("go 1")
            shown.until("^ fragment.update +[0-9.]+ +1 ")
            self.assertEqual(len(shown.lines()), 15)
            shown.press("q")
            shown.until("events, 0 lost")

    def test_a_crash(self):
        """Whatever signal ends it, the terminal is as before."""
        with Runner() as runner:
            shown = self.screen()
            before = shown.modes()
            for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
                self.top(shown, "-p", str(runner.pid))
                os.kill(shown.pid(), number)
                shown.until("^ended %d" % (128 + number))
                self.assertNotIn("COMMAND", shown.text())
                self.assertEqual(shown.modes(), before)

    def test_a_terminal_that_is_closed(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            pid = shown.pid()
            shown.close()
            wait_until(lambda: not os.path.exists("/proc/%d" % pid), "its end")

    def test_terminals_that_cannot_draw(self):
        with Runner() as runner:
            for name, words in (("dumb", "'dumb' cannot draw a screen .*--once"),
                                ("nonesuch", "'nonesuch' is not known .*--once")):
                shown = self.screen()
                shown.start(STEPTRACE, "top", "-p", str(runner.pid), TERM=name)
                text = shown.until("^ended 1").replace("\n", "")
                self.assertRegex(text, words)

    def test_colours(self):
        """None with NO_COLOR, and none on a terminal without colours."""
        red = "\x1b[1m\x1b[31m"
        with Runner() as runner:
            shown = self.screen()
            for environment, is_red in (({"TERM": "screen"}, True), ({"NO_COLOR": "1"}, False),
                                        ({"TERM": "vt100"}, False)):
                self.top(shown, "-p", str(runner.pid), **environment)
                runner.do("fail")
                shown.until("^ fragment.update ")
                self.assertEqual(red in shown.text("-e"), is_red, environment)
                self.assertTrue(shown.selected())
                shown.press("q")
                shown.until("^ended 0")

    def test_what_it_may_do(self):
        """No root, and a filter of system calls, with the screen."""
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            with open("/proc/%d/status" % shown.pid(), encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            self.assertNotEqual(status["Uid"].split(), ["0"] * 4)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
            shown.press("q")
            shown.until("^ended 0")

    def test_foreign_text(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            for what in ("control", "newline", "invalid"):
                runner.do("text " + what)
            shown.until(r"^ \\x01\\x02\\x03", r"^ one\\ntwo\\r\\nthree ", r"^ \\xff\\xfe ")
            self.assertEqual(len(shown.lines()), 24)


class Runners(OnATerminal):
    def test_one_that_appears_and_dies(self):
        shown = self.top(self.screen(), "-x", target("spans"))
        shown.until("^ no command has ended, and none is open")
        runner = Runner()
        runner.order("die hang")
        runner.lines.until("hanging")
        shown.until(r"^ 3 events  0 lost  1 open, the oldest [0-9.]+ m?s: doomed", "^ doomed ")
        shown.press("Enter")
        shown.until(r"› doomed", r"^ fatal DatabaseUpdateStep .* 1 +[0-9.]+ m?s$",
                    r"^ outer ConditionStep .* 1 +[0-9.]+ m?s$")
        shown.press("Escape")
        runner.process.kill()
        runner.close()
        shown.until("none open", r"^ doomed +[0-9.]+ +1 +%s +%s +%s +1 +0 +-$"
                    % (DURATION, DURATION, DURATION))
        with Runner() as other:
            other.do("go 1")
            shown.until("^ fragment.update ", "^ doomed ")

    def test_the_end_of_the_process(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid))
            runner.do("go 1")
        shown.until("^ended 0", r"^steptrace: 7 events, 0 lost \(target_exited\)")

    def test_one_that_began_before(self):
        """It is open for longer than is known, unless another recorder was attached when it
        began."""
        with Runner() as runner:
            more = "" if runner.do("open") == ["stamped 1"] else ">"
            shown = self.top(self.screen(), "-p", str(runner.pid))
            runner.do("step 0")
            shown.until("1 open, the oldest %s[0-9.]+ m?s: held" % more,
                        r"^ held .* 1 +%s[0-9.]+ m?s$" % more)

    def test_5000_rows(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid), "--limit", "6000")
            runner.do("names 5000")
            shown.until("1-20 of 5000")
            shown.press("1", "G")
            shown.until("4981-5000 of 5000", "^ name-999 ")
            shown.press("/")
            shown.type("4321")
            shown.until("1-1 of 1", "^ name-4321 ")
            shown.press("Enter", "Enter")
            shown.until("› name-4321", "^ set-title DatabaseUpdateStep ")

    def test_more_than_the_limit(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid), "--limit", "3")
            runner.do("names 8")
            shown.until("1-4 of 4", r"^ \(other\) +[0-9.]+ +5 ")

    def test_without_the_beginnings_of_steps(self):
        with Runner() as runner:
            shown = self.top(self.screen(), "-p", str(runner.pid), "--ends-only")
            runner.do("go 1")
            shown.until("^ fragment.update .* 0 +-$")
            shown.press("Enter")
            shown.until("^ set-title DatabaseUpdateStep .* - +-$")


class Once(Scenario):
    """Without a terminal."""

    def test_the_numbers_are_those_of_the_events(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            process = subprocess.Popen(
                [STEPTRACE, "top", "--once", "--duration", "1h", "-p", str(runner.pid)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            words = Lines(process.stderr, "steptrace")
            words.until("attached to")
            for order in ("go 100", "fail", "nested", "sleep 2", "open"):
                runner.do(order)
            tracer.written("command.execution.started", '"held"')
            process.terminate()
            out = process.stdout.read().decode()
            self.assertEqual(process.wait(PATIENCE_S), 0, words.rest())
            events = tracer.stop()
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^steptrace top  process %d  [0-9.]+ [mu]?s$" % runner.pid)
        self.assertRegex(lines[1], r"^%d events  0 lost  1 open, the oldest [0-9.]+ m?s: held$"
                         % (len(completed(events)) * 2 + 1 + len(steps(events))))
        rows = rows_of(lines)
        self.assertEqual(set(rows), {event["command_slug"] for event in completed(events)}
                         | {"held"})
        for name, (count, _, _, longest, failed, is_open, _) in rows.items():
            ended = [event for event in completed(events) if event["command_slug"] == name]
            self.assertEqual(count, len(ended))
            self.assertEqual(failed, sum(event["outcome"] == "failure" for event in ended))
            self.assertEqual(is_open, "1" if name == "held" else "0")
            if ended:
                self.assertEqual(longest, duration_text(max(event["total_duration_ms"]
                                                            for event in ended)))

    def test_of_a_command(self):
        """The exit status is that of the command."""
        for orders, program, expected, words in (
                ("go 4\nquit\n", target("spans"), 0, "\nfragment.update "),
                ("", "/bin/false", 1, "\nno command has ended, and none is open\n")):
            done = subprocess.run([STEPTRACE, "top", "--once", "--", program], input=orders,
                                  text=True, capture_output=True, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, expected, done.stderr)
            self.assertIn(words, done.stdout)

    def test_what_began_before(self):
        """It is read from the memory of the runner, and is silent meanwhile."""
        with Runner(target("hanging")) as runner:
            for order in ("stack sleep", "nested", "heap"):
                runner.do(order)
            status, out, said = run("top", "--once", "--interval", "100ms", "-p", str(runner.pid))
            self.assertEqual(status, 0, said)
            lines = out.splitlines()
            self.assertRegex(lines[1], r"^0 events  0 lost  3 open, the oldest ")
            self.assertEqual({name: row[0] for name, row in rows_of(lines).items()},
                             {"hang.stack": 0, "hang.nested": 0, "hang.heap": 0})
            self.assertEqual([row[5] for row in rows_of(lines).values()], ["1"] * 3)

    def test_what_is_known_twice(self):
        """What the events and the memory show is counted once."""
        with Runner(target("hanging")) as runner:
            process = subprocess.Popen(
                [STEPTRACE, "top", "--once", "--duration", "1h", "-p", str(runner.pid)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            Lines(process.stderr, "steptrace").until("attached to")
            runner.do("nested")
            runner.do("parallel 3")
            process.terminate()
            out = process.stdout.read().decode()
            process.wait(PATIENCE_S)
        self.assertRegex(out, r"\n\d+ events  0 lost  2 open, the oldest ")

    def test_after_one_interval(self):
        with Runner() as runner:
            status, out, said = run("top", "--once", "--interval", "100ms", "-p", str(runner.pid))
        self.assertEqual(status, 0, said)
        self.assertRegex(out, r"^steptrace top  process %d  [0-9.]+ m?s\n" % runner.pid)

    def test_sorted_and_limited(self):
        with Runner() as runner:
            process = subprocess.Popen(
                [STEPTRACE, "top", "--once", "--duration", "1h", "--limit", "2", "--sort",
                 "command", "-p", str(runner.pid)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            words = Lines(process.stderr, "steptrace")
            words.until("attached to")
            for order in ("nested", "go 1", "tool"):
                runner.do(order)
            process.terminate()
            rows = rows_of(process.stdout.read().decode().splitlines())
            self.assertEqual(process.wait(PATIENCE_S), 0, words.rest())
        self.assertEqual([(name, row[0]) for name, row in rows.items()],
                         [("nested", 1), ("parent", 1), ("(other)", 2)])

    def test_no_terminal(self):
        for options in ({"stdin": subprocess.DEVNULL}, {}):
            status, out, said = run("top", **options)
            self.assertEqual((status, out), (2, ""))
            self.assertRegex(said, "draws on a terminal, and standard output is none .--once")

    def test_wrong_use(self):
        for arguments, words in ((["--sort", "p98"], "--sort does not know 'p98'"),
                                 (["--limit", "0"], "--limit"), (["--interval", "1ms"], "100ms"),
                                 (["--", "true"], "needs the terminal for itself"),
                                 (["-o", "x"], "-o"), (["--count", "3"], "--count"),
                                 (["--once", "-p", "1", "-a"], "exclude each other")):
            status, out, said = run("top", *arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn(words, said)


if __name__ == "__main__":
    import unittest
    unittest.main()
