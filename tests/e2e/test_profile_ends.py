# SPDX-License-Identifier: BSD-2-Clause
"""steptrace profile: its options, where the result goes, and how it ends."""
import html.parser
import json
import os
import signal
import subprocess
import tempfile
import threading
import unittest
import xml.dom.minidom

import needs
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, Scenario, Tracer, run, target,
                     wait_until)
from profiles import CALLERS, Profile, Profiler

SLEEPS = ["--unwind", "dwarf", "--off-cpu", "--min-blocked", "0"]
NAP = ["main", "do_kind", *CALLERS, "sleep_here"]


def children(pid):
    """The process that keeps the reader of symbols, and the reader."""
    found = []
    for parent in [pid, pid]:
        parent = found[-1] if found else parent
        with open("/proc/%d/task/%d/children" % (parent, parent), encoding="ascii") as file:
            found += [child for child in map(int, file.read().split())
                      if status_of(child)["Name"] == "steptrace-names"]
    return found


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def programs_of(pid):
    """The children that are not steptrace's own."""
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [child for child in map(int, file.read().split())
                if not status_of(child)["Name"].startswith("steptrace")]


def is_gone(pid):
    """Ended; perhaps nobody has waited for it."""
    try:
        return status_of(pid)["State"][0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class WithRunner(Scenario):
    """Each test has a runner."""

    def setUp(self):
        super().setUp()
        self.runner = Runner(target("profiled"))
        self.addCleanup(self.runner.close)

    def profiler(self, *arguments, **options):
        return Profiler("-p", str(self.runner.pid), *SLEEPS, *arguments, **options)

    def do(self, *orders):
        for words in orders:
            self.runner.do(words)

    def path(self, name):
        return os.path.join(self.directory, name)


class Options(WithRunner):
    def test_hold(self):
        """When the memory is full, the oldest samples go; those that are left are shown."""
        profiler = self.profiler("--hold", "64K")
        self.do("naps 1000", "sleep 20")
        profile = profiler.stop()
        self.assertGreater(profiler.counted(" samples were dropped because the memory of --hold"),
                           100)
        self.assertGreaterEqual(profile.us(*NAP), 19000)

    def test_nothing_is_dropped(self):
        profiler = self.profiler()
        self.do("naps 1000", "sleep 20")
        profile = profiler.stop()
        self.assertNotIn("dropped", profiler.said())
        self.assertNotIn("lost in the kernel", profiler.said())
        self.assertGreaterEqual(profile.us(*CALLERS, "naps_here"), 1000 * 2000 - 1000)

    def test_min_blocked(self):
        """Naps of 2 ms are shorter than half a second, also on a busy machine."""
        profiler = self.profiler("--min-blocked", "500ms")
        self.do("naps 50", "sleep 600")
        profile = profiler.stop()
        self.assertEqual(profile.of("naps_here"), [])
        self.assertGreaterEqual(profile.us(*NAP), 599000)

    def test_frequency(self):
        """A sample stands for the time between two: fewer samples, but the same time."""
        for frequency in (49, 999):
            profiler = Profiler("-p", str(self.runner.pid), "--on-cpu", "--unwind", "dwarf",
                                "--frequency", str(frequency))
            self.do("spin 400")
            profile = profiler.stop()
            period = 1000000 // frequency
            for row in profile.rows:
                samples = row.us / period
                self.assertAlmostEqual(samples, round(samples), delta=0.1 * max(1, samples / 20))
            self.assertGreater(profile.us("spin_here"), 300000)
            self.assertLess(profile.us("spin_here"), 500000)

    def test_small_copies_cut_stacks(self):
        with Runner(target("profiled")) as runner:
            profiler = Profiler("-p", str(runner.pid), "--unwind", "dwarf,1K", "--off-cpu")
            runner.do("deep 300")
            profile = profiler.stop()
        rows = profile.of("deeper", "deeper", "sleep_here")
        self.assertEqual({row.is_cut for row in rows}, {True})
        self.assertEqual([row for row in rows if "main" in row.path], [])
        self.assertRegex(profiler.said(), r"[1-9]\d* of \d+ samples have a cut stack")

    def test_deep_stacks(self):
        """With 32K, as many functions as there can be; 30 of them are whole."""
        profiler = Profiler("-p", str(self.runner.pid), "--unwind", "dwarf,32K", "--off-cpu")
        self.do("deep 30", "deep 300")
        profile = profiler.stop()
        whole = profile.of("main", "do_deep", *["deeper"] * 30, "sleep_here")
        self.assertEqual({row.is_cut for row in whole}, {False})
        cut = profile.of(*["deeper"] * 100, "sleep_here")
        self.assertEqual({row.is_cut for row in cut}, {True})
        self.assertEqual({"main" in row.path for row in cut}, {False})

    def test_the_end_of_the_stack(self):
        """Without an environment and random addresses, the first function is less than a kilobyte
        away from it."""
        with Runner(["setarch", "-R", target("profiled")], env={"PATH": "/usr/bin"}) as runner:
            profiler = Profiler("-p", str(runner.pid), *SLEEPS)
            for depth in range(1, 13):
                runner.do("deep %d" % depth)
            profile = profiler.stop()
        rows = profile.of("sleep_here")
        self.assertGreaterEqual(len(rows), 12)
        self.assertEqual([row.names for row in rows if row.is_cut], [])

    def test_formats(self):
        """All of them have the same functions in them."""
        for name in ("folded", "speedscope", "svg", "html"):
            with self.subTest(name):
                profiler = self.profiler("--format", name)
                self.do("sleep 20")
                self.assertEqual(profiler.end(signal.SIGINT), 0)
                text = profiler.read()
                for function in NAP:
                    self.assertIn(function, text)
                self.check_format(name, text)

    def check_format(self, name, text):
        if name == "folded":
            self.assertTrue(Profile(text).of(*NAP, state="sleep"))
        if name == "speedscope":
            frames = [frame["name"] for frame in json.loads(text)["shared"]["frames"]]
            self.assertIn("sleep_here", frames)
        if name == "svg":
            self.assertTrue(xml.dom.minidom.parseString(text).getElementsByTagName("rect"))
        if name == "html":
            html.parser.HTMLParser().feed(text)
            self.assertTrue(text.rstrip().endswith("</html>"))

    def test_wrong_options(self):
        for arguments, word in ((["--frequency", "0"], "--frequency"),
                                (["--frequency", "10001"], "10000"),
                                (["--frequency", "x"], "--frequency"),
                                (["--hold", "1K"], "--hold"), (["--hold", "65G"], "--hold"),
                                (["--unwind", "lbr"], "--unwind"),
                                (["--unwind", "dwarf,64K"], "--unwind"),
                                (["--unwind", "dwarf,"], "--unwind"),
                                (["--unwind", "dwarfs"], "--unwind"),
                                (["--min-blocked", "soon"], "--min-blocked"),
                                (["--format", "png"], "png"), (["--execution", "12"], "32"),
                                (["--duration", "0"], "--duration"), (["--nonsense"], "nonsense"),
                                (["file"], "file")):
            with self.subTest(arguments):
                status, out, words = run("profile", *arguments)
                self.assertEqual((status, out), (2, ""), words)
                self.assertIn(word, words)
                self.assertEqual(words.count("\n"), 1, words)

    def test_help(self):
        status, out, words = run("profile", "--help")
        self.assertEqual((status, words), (0, ""))
        self.assertIn("--unwind", out)


class Output(WithRunner):
    """Where the result goes."""

    def test_a_file_is_replaced_as_a_whole(self):
        path = self.path("result")
        with open(path, "w", encoding="ascii") as file:
            file.write("older;result 1\n" * 100000)
        profiler = self.profiler(output=path)
        with open(path, encoding="ascii") as file:
            self.assertTrue(file.read().startswith("older"), "it stays until the end")
        self.do("sleep 20")
        profile = profiler.stop()
        self.assertNotIn("older", profile.text)
        self.assertTrue(profile.of(*NAP))

    def test_a_file_stays_where_nothing_is_found(self):
        path = self.path("result")
        with open(path, "w", encoding="ascii") as file:
            file.write("older;result 1\n")
        profiler = self.profiler(output=path)
        self.assertEqual(profiler.end(signal.SIGINT), 1)
        self.assertEqual(profiler.read(), "older;result 1\n")

    def test_a_full_disk(self):
        needs.mounts()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", self.directory],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", self.directory], check=True)
        with open(self.path("filling"), "wb") as file:
            file.write(b"x" * 4096)
        for path in ("/dev/full", self.path("result")):
            with self.subTest(path):
                profiler = self.profiler("--format", "html", output=path)
                self.do("sleep 20")
                self.assertEqual(profiler.end(signal.SIGINT), 1)
                self.assertIn("cannot write to '%s': No space left on device" % path,
                              profiler.said())

    def test_what_cannot_be_opened(self):
        """It is said at once, and PROGRAM is not executed."""
        for path, reason in ((self.directory, "Is a directory"),
                             (self.path("no/folder"), "No such file or directory"),
                             (target("profiled"), "Text file busy")):
            with self.subTest(path):
                status, out, words = run("profile", "-o", path, "--", "touch",
                                         self.path("executed"))
                self.assertEqual((status, out), (1, ""))
                self.assertIn("cannot open '%s' for writing: %s" % (path, reason), words)
                self.assertFalse(os.path.exists(self.path("executed")))

    def test_standard_output(self):
        """Without -o. The same with "-o -"."""
        for arguments in ([], ["-o", "-"]):
            process = subprocess.Popen([STEPTRACE, "profile", "-p", str(self.runner.pid), *SLEEPS,
                                        *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       bufsize=0)
            Tracer.running.append(process)
            lines = Lines(process.stderr, "steptrace profile")
            lines.until("attached to")
            self.do("sleep 20")
            process.send_signal(signal.SIGINT)
            text = process.stdout.read().decode()
            lines.rest()
            self.assertEqual(process.wait(PATIENCE_S), 0)
            process.stdout.close()
            self.assertTrue(Profile(text).of(*NAP))

    def test_a_closed_standard_output(self):
        """The file descriptor is closed, or its reader has gone."""
        reading, writing = os.pipe()
        os.close(reading)
        for shell, options in ((">&-", {}), ("", {"stdout": writing})):
            with self.subTest(shell):
                process = subprocess.Popen(
                    ["sh", "-c", 'exec "$@" ' + shell, "sh", STEPTRACE, "profile", "-p",
                     str(self.runner.pid), *SLEEPS], stderr=subprocess.PIPE, bufsize=0, **options)
                Tracer.running.append(process)
                lines = Lines(process.stderr, "steptrace profile")
                lines.until("attached to")
                self.do("sleep 20")
                process.send_signal(signal.SIGINT)
                words = "\n".join(lines.rest())
                self.assertEqual(process.wait(PATIENCE_S), 1, words)
                self.assertIn("cannot write to 'standard output'", words.replace(
                    "to standard output", "to 'standard output'"))
        os.close(writing)

    def test_a_fifo(self):
        """It waits for a reader, and the reader gets all of it."""
        path, read = self.path("fifo"), []
        os.mkfifo(path)

        def read_all():
            with open(path, encoding="utf-8") as file:
                read.append(file.read())
        reader = threading.Thread(target=read_all)
        reader.start()
        profiler = self.profiler("--format", "html", output=path)
        self.do("sleep 20")
        self.assertEqual(profiler.end(signal.SIGINT), 0, profiler.said())
        reader.join()
        self.assertTrue(read[0].rstrip().endswith("</html>"))


class Ends(WithRunner):
    def test_signals(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            profiler = self.profiler()
            self.do("sleep 20")
            self.assertTrue(profiler.stop(how).of(*NAP))

    def test_two_signals(self):
        """The second one may come at any time: the result is whole, or there is none."""
        profiler = self.profiler()
        self.do("sleep 20")
        profiler.process.send_signal(signal.SIGINT)
        profiler.process.send_signal(signal.SIGINT)
        status = profiler.end()
        self.assertIn(status, (0, 1, 130, -signal.SIGINT))
        if status == 0:
            self.assertTrue(Profile(profiler.read()).of(*NAP))

    def test_duration(self):
        profiler = self.profiler("--duration", "300ms")
        self.runner.order("sleep 20")
        profile = profiler.ended()
        self.assertIn("duration", profiler.said())
        self.assertTrue(profile.of(*NAP))

    def test_the_target_exits(self):
        profiler = self.profiler()
        self.do("sleep 20")
        self.runner.close()
        self.assertTrue(profiler.ended().of(*NAP))

    def test_nothing_found(self):
        profiler = self.profiler()
        self.assertEqual(profiler.end(signal.SIGINT), 1)
        self.assertIn("no stack was found: 0 commands ended", profiler.said())
        self.assertEqual(profiler.read(), "")

    def test_a_pid_that_does_not_exist(self):
        status, out, words = run("profile", "-p", "4194303")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("4194303", words)

    def test_a_program_of_its_own(self):
        """Its exit status, its standard output, and its orders."""
        path = self.path("result")
        done = subprocess.run([STEPTRACE, "profile", *SLEEPS, "-o", path, "--", target("profiled")],
                              input="sleep 20\nquit\n", capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertRegex(done.stdout, r"^truth \d+ \d+\nok\n$")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(Profile(text).of(*NAP), text)

    def test_a_program_that_ended_before_the_tracer_looked(self):
        """The C library was mapped after the tracer had seen the program. While the program did all
        that it did, the tracer stood still."""
        profiler = self.profiler_of_program()
        lines = Lines(profiler.process.stdout, "the program")
        profiler.process.stdin.write(b"name idle\n")
        lines.until("ok")
        [program] = programs_of(profiler.pid)
        os.kill(profiler.pid, signal.SIGSTOP)
        profiler.process.stdin.write(b"sleep 20\nquit\n")
        wait_until(lambda: is_gone(program), "the program ends")
        os.kill(profiler.pid, signal.SIGCONT)
        self.assertEqual(profiler.end(), 7, profiler.said())
        self.assertGreaterEqual(Profile(profiler.read()).us(*NAP), 19000, profiler.read())
        self.assertEqual(profiler.counted(" samples have a cut stack"), 0)
        lines.rest()
        profiler.process.stdin.close()

    def profiler_of_program(self):
        return Profiler(*SLEEPS, "--", target("profiled"), stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE)

    def test_a_program_and_a_result_on_standard_output(self):
        done = subprocess.run([STEPTRACE, "profile", *SLEEPS, "--", target("profiled")],
                              input="sleep 20\n", capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 7)
        self.assertNotIn("truth", done.stdout)
        self.assertIn("truth", done.stderr)
        self.assertTrue(Profile(done.stdout).of(*NAP))

    def test_a_program_without_probes(self):
        status, out, _ = run("profile", "--", "true")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(run("profile", "--", "sh", "-c", "exit 5")[0], 5)

    def test_the_tracer_is_killed(self):
        """The runner goes on, and no process of the tracer is left."""
        profiler = self.profiler()
        helpers = children(profiler.pid)
        self.assertEqual(len(helpers), 2)
        self.do("sleep 20")
        profiler.process.kill()
        profiler.process.wait()
        wait_until(lambda: all(map(is_gone, helpers)), "the children have ended")
        self.do("sleep 20")
        self.assertIsNone(self.runner.process.poll())

    def test_the_helpers_are_killed(self):
        """Another reader of symbols is started; without its keeper, functions have no names."""
        profiler = self.profiler()
        self.do("sleep 20")
        keeper, reader = children(profiler.pid)
        os.kill(reader, signal.SIGKILL)
        self.do("sleep 20")
        self.assertTrue(profiler.stop().of("sleep_here"))
        profiler = self.profiler()
        keeper, reader = children(profiler.pid)
        self.do("sleep 20")
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: is_gone(reader), "the reader ends with its keeper")
        self.do("sleep 20")
        profile = profiler.stop()
        self.assertGreaterEqual(sum(row.us for row in profile.rows if row.state == "sleep"), 39000)


class Rights(WithRunner):
    # of record, as far as following new files needs them
    ALLOWED = {"CAP_DAC_READ_SEARCH": 2, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21,
               "CAP_LEASE": 28, "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_CHECKPOINT_RESTORE": 40}

    def test_of_the_tracer_and_its_children(self):
        profiler = self.profiler()
        processes = [profiler.pid, *children(profiler.pid)]
        self.assertEqual(len(processes), 3)
        for pid in processes:
            status = status_of(pid)
            self.assertNotIn("0", status["Uid"].split() + status["Gid"].split())
            self.assertEqual(status["Groups"].split(), [])
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(int(status["CapInh"], 16) | int(status["CapBnd"], 16), 0)
        allowed = sum(1 << bit for bit in self.ALLOWED.values())
        self.assertEqual(int(status_of(processes[0])["CapEff"], 16) & ~allowed, 0)
        self.assertEqual(status_of(processes[0])["Seccomp"], "2")
        for pid in processes[1:]:
            self.assertEqual(int(status_of(pid)["CapPrm"], 16), 0)
        # The first child only starts the second one, which reads what is foreign.
        self.assertEqual(status_of(processes[2])["Seccomp"], "2")
        self.do("sleep 20")
        self.assertTrue(profiler.stop().of(*NAP))

    def test_without_root(self):
        needs.other_users()
        needs.program("setpriv")
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = os.path.join(directory, "steptrace")
            subprocess.run(["cp", STEPTRACE, program], check=True)
            done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534",
                                   "--clear-groups", program, "profile", "-p",
                                   str(self.runner.pid)], text=True, capture_output=True,
                                  timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("CAP_BPF", done.stderr)
        self.assertIn("CAP_PERFMON", done.stderr)


if __name__ == "__main__":
    unittest.main()
