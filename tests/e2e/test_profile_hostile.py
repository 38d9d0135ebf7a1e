# SPDX-License-Identifier: BSD-2-Clause
"""steptrace profile and processes that want to break it: what they map, their perf maps, and their
names (tests/targets/wrecker.c). No file is read that the user of the process could not read."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import unittest

import needs
from harness import Lines, Runner, Scenario, Tracer, check_books, compiled, target
from profiles import CALLERS, Profiler
from test_profile_stacks import library

SPIN = ["--unwind", "dwarf", "--on-cpu", "--frequency", "1999"]
USER = 12345
SECRET = "only_root_may_read_this"


class Hostile(Scenario):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)

    def path(self, name):
        return os.path.join(self.directory, name)

    def profile(self, runner, *orders, arguments=SPIN):
        profiler = Profiler("-p", str(runner.pid), *arguments)
        for words in orders:
            runner.do(words)
        profile = profiler.stop()
        self.said = profiler.said()
        return profile

    def check_spin(self, profile, ms, *functions):
        """All of it is there; perhaps it has no names above the function."""
        found = sum(row.us for row in profile.of(*functions))
        self.assertGreaterEqual(found, ms * 1000 * 0.8, profile.text)


class PerfMaps(Hostile):
    """/tmp/perf-PID.map of a runner of an unprivileged user."""

    def setUp(self):
        super().setUp()
        needs.other_users()
        self.runner = Runner(target("wrecker"))
        self.addCleanup(self.runner.close)
        self.map = "/tmp/perf-%d.map" % self.runner.pid
        self.addCleanup(self.remove)
        self.remove()
        self.line = "%s 100 " % self.runner.do("load - 0")[0].split()[1]
        self.runner.do("become %d" % USER)

    def remove(self):
        if os.path.lexists(self.map):
            os.unlink(self.map)

    def write(self, path, name, owner=USER, mode=0o644):
        with open(path, "w", encoding="ascii") as file:
            file.write(self.line + name + "\n")
        os.chown(path, owner, owner)
        os.chmod(path, mode)

    def spun(self):
        profile = self.profile(self.runner, "spin 60")
        self.check_spin(profile, 60, "spin_below")
        self.assertNotIn(SECRET, profile.text)
        return profile

    def test_its_own(self):
        """So that the other tests could fail."""
        self.write(self.map, "compiled_just_in_time")
        self.check_spin(self.spun(), 60, "compiled_just_in_time", "spin_below")
        self.assertNotIn("not read", self.said)

    def test_of_another_user(self):
        for owner, mode in ((0, 0o600), (0, 0o644), (USER + 1, 0o644), (USER, 0o666)):
            with self.subTest((owner, oct(mode))):
                self.write(self.map, SECRET, owner, mode)
                self.spun()
                self.assertIn("1 perf map was not read", self.said)

    def test_links(self):
        """To a file that only root may read, to one of the user, and a hard link."""
        self.write(self.path("secret"), SECRET, 0, 0o600)
        self.write(self.path("own"), SECRET, USER, 0o600)
        for to in ("secret", "own"):
            with self.subTest(to):
                os.symlink(self.path(to), self.map)
                self.spun()
                self.remove()
        if os.stat("/tmp").st_dev == os.stat(self.directory).st_dev:
            os.link(self.path("secret"), self.map)
            self.spun()

    def test_what_is_no_text(self):
        """Too large, binary, endless, and what would block a reader."""
        def sparse():
            self.write(self.map, SECRET)
            os.truncate(self.map, 10 << 30)

        def binary():
            with open(self.map, "wb") as file:
                file.write(self.line.encode() + SECRET.encode() + b"\n" +
                           random.Random(1).randbytes(100000) + b"\0")
            os.chown(self.map, USER, USER)

        def fifo():
            os.mkfifo(self.map)
            os.chown(self.map, USER, USER)

        def folder():
            os.mkdir(self.map)
            self.addCleanup(os.rmdir, self.map)

        for make in (sparse, binary, fifo):
            with self.subTest(make.__name__):
                make()
                self.spun()
                self.remove()
        with self.subTest("folder"):
            os.mkdir(self.map)
            try:
                self.spun()
            finally:
                os.rmdir(self.map)

    def test_names(self):
        """A name may be anything; it does not make a line or a frame of its own."""
        self.write(self.map, "a;b </script><script>\x1b[31m%s" % ("x" * 3000))
        profile = self.spun()
        self.assertNotIn("\x1b", profile.text)
        [(function, _)] = {(row.path[row.path.index("spin_below") - 1], 0)
                           for row in profile.of("spin_below")}
        self.assertTrue(function.startswith("a:b_</script><script>"))
        self.assertLess(len(function), 1000)


class Files(Hostile):
    """What processes have mapped as code."""

    def secret_library(self, mode):
        """A library, and where in the file its function begins: the runner puts its code there."""
        path = library(self.path("libsecret.so"), "-DSPINNER=" + SECRET,
                       "-falign-functions=4096")
        symbols = subprocess.run(["nm", path], text=True, check=True, capture_output=True).stdout
        offset = int(re.search(r"([0-9a-f]+) T %s\n" % SECRET, symbols).group(1), 16)
        os.chmod(path, mode)
        self.assertEqual(offset % 4096, 0)
        return path, offset

    def test_a_file_of_root(self):
        """The process has it mapped, and gave up the right to read it."""
        needs.other_users()
        for mode, is_shown in ((0o644, True), (0o600, False)):
            with self.subTest(oct(mode)), Runner(target("wrecker")) as runner:
                path, page = self.secret_library(mode)
                runner.do("load %s %d" % (path, page))
                runner.do("become %d" % USER)
                profile = self.profile(runner, "spin 60")
                self.check_spin(profile, 60, "spin_below")
                callers = {row.path[row.path.index("spin_below") - 1]
                           for row in profile.of("spin_below")}
                self.assertEqual(SECRET in profile.text, is_shown, callers)
                self.assertEqual("1 file was not read" not in self.said, is_shown, self.said)

    def broken(self, seed):
        """A library with other bytes in a part of it, and room for the code at its end."""
        path = library(self.path("broken-%d.so" % seed))
        with open(path, "rb") as file:
            program = bytearray(file.read())
        rough = random.Random(seed)
        for _ in range(200):
            at = rough.randrange(4, len(program))
            program[at] = rough.choice((0, 0xff, 0x80, rough.randrange(256)))
        if seed % 3 == 0:  # the section headers lie
            for at in range(0x20, 0x40):
                program[at] = rough.randrange(256)
        end = (len(program) + 4095) // 4096 * 4096
        with open(path, "wb") as file:
            file.write(bytes(program).ljust(end + 4096, b"\0"))
        return path, end

    def test_broken_libraries(self):
        for seed in range(6):
            with self.subTest(seed), Runner(target("wrecker")) as runner:
                path, end = self.broken(seed)
                runner.do("load %s %d" % (path, end))
                self.check_spin(self.profile(runner, "spin 40"), 40, "spin_below")

    def sections(self, program):
        """(offset, size) of the unwind tables."""
        listed = subprocess.run(["readelf", "-SW", program], text=True, check=True,
                                capture_output=True).stdout
        return [(int(found.group(2), 16), int(found.group(3), 16)) for found in
                re.finditer(r"(\.eh_frame(?:_hdr)?) +PROGBITS +\w+ (\w+) (\w+)", listed)]

    def test_broken_unwind_tables(self):
        """Stacks may be cut, or wrong; the functions in which the time is spent stay right."""
        rough = random.Random(7)
        for name, change in (("zeros", lambda size: bytes(size)),
                             ("ones", lambda size: b"\xff" * size), ("random", rough.randbytes)):
            with self.subTest(name):
                program = compiled(self.path(name), source="profiled")
                sections = self.sections(program)
                self.assertEqual(len(sections), 2)
                with open(program, "r+b") as file:
                    for offset, size in sections:
                        file.seek(offset)
                        file.write(change(size))
                with Runner(program) as runner:
                    self.check_spin(self.profile(runner, "spin 60"), 60, "spin_here")

    def slow_library(self):
        """library_step() has 200,000 instructions, and an unwind table of 16 million operations:
        each address is another question that takes long."""
        source, path = self.path("slow.S"), self.path("libslow.so")
        with open(source, "w", encoding="ascii") as file:
            file.write("""
                .globl library_step
                .type library_step, @function
            library_step: .Lstep:
                mov $%d, %%ecx
            1:  .fill 200000, 1, 0x90
                dec %%ecx
                jnz 1b
                xor %%eax, %%eax
                ret
                .size library_step, . - library_step
                .section .eh_frame, "a", @progbits
            2:  .long 4f - 3f
            3:  .long 0
                .byte 1
                .asciz "zR"
                .byte 1, 0x78, 16, 1, 0x1b     /* pc-relative, 4 bytes */
                .byte 0x0c, 7, 8, 0x90, 1      /* CFA: rsp + 8; rip at CFA - 8 */
                .balign 8
            4:  .long 6f - 5f
            5:  .long 5b - 2b
                .long .Lstep - .
                .long 200100
                .byte 0
                .fill 16000000, 2, 0x0b0a      /* remember, restore */
                .balign 8
            6:  .long 0
                .section .note.GNU-stack, "", @progbits
            """ % 40000)
        subprocess.run(["gcc", "-nostdlib", "-shared", "-o", path, source], check=True)
        return path

    @unittest.skipUnless(os.uname().machine == "x86_64", "the library is in x86-64 machine code")
    def test_a_slow_unwind_table(self):
        """Each answer comes in time, but the profile would not end."""
        with Runner(target("profiled")) as runner:
            self.profile(runner, "library " + self.slow_library())
            self.assertIn("1 file took too long to read", self.said)

    def test_a_thousand_libraries(self):
        folder = self.path("libraries")
        os.mkdir(folder)
        first = library(self.path("first.so"))
        for number in range(1000):
            shutil.copy(first, os.path.join(folder, "lib%d.so" % number))
        with Runner(target("wrecker")) as runner:
            self.assertEqual(runner.do("map " + folder), ["mapped 1000"])
            runner.do("load - 0")
            self.check_spin(self.profile(runner, "spin 60"), 60, "spin_below")

    def test_hostile_file_names(self):
        """A library whose name has a line end and more in it."""
        path, _ = self.secret_library(0o644)
        os.mkdir(self.path("folder"))
        os.rename(path, self.path("folder/a\nb;c <script> 5"))
        with Runner(target("wrecker")) as runner:
            runner.do("map " + self.path("folder"))
            runner.do("load - 0")
            self.check_spin(self.profile(runner, "spin 60"), 60, "spin_below")

    def test_code_that_goes_away(self):
        """It is unmapped while it is on the stack, and other memory is there then."""
        path = library(self.path("libspinner.so"))
        for order in ("load - 0", "load %s 4096" % path):
            with self.subTest(order), Runner(target("wrecker")) as runner:
                runner.do(order)
                profile = self.profile(runner, "wreck 40", "spin 40", "unload", "spin 40")
                self.check_spin(profile, 5 * 40, "spin_below")


class Names(Hostile):
    SLUG, TYPE = r"a;b\n</script><script>\s9", r"T;c\n</script>\s7"

    def test_in_every_format(self):
        for name in ("folded", "speedscope", "svg", "html"):
            with self.subTest(name), Runner(target("profiled")) as runner:
                runner.do("as %s %s" % (self.SLUG, self.TYPE))
                runner.do(r"name x;y\n</script>")
                profiler = Profiler("-p", str(runner.pid), *SPIN, "--format", name)
                runner.do("spin 60")
                self.assertEqual(profiler.end(signal.SIGINT), 0)
                text = profiler.read()
                self.check_text(name, text)

    def check_text(self, name, text):
        if name == "folded":
            for line in text.splitlines():
                self.assertRegex(line, r"^a:b\\n</script><script>_9;(T:c\\n</script>_7;)?.* \d+$")
        elif name == "speedscope":
            self.assertIn("</script>", json.dumps(json.loads(text)))
        elif name == "svg":
            self.assertNotIn("<script>_9", text)
            self.assertNotIn("b\n</script>", text)
        else:
            self.assertEqual(text.count("</script>"), text.count("<script"))


class Crowd(Hostile):
    def test_three_tracers_of_two_hundred_threads(self):
        """Threads that hand work to each other. Nothing is lost without being said."""
        with Runner(target("profiled")) as runner:
            profiler = Profiler("-p", str(runner.pid), "--off-cpu", "--min-blocked", "0")
            recorder = Tracer("-p", str(runner.pid), "--breakdown")
            latency = subprocess.Popen(
                [profiler.process.args[0], "latency", "--breakdown", "--json", "-p",
                 str(runner.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(latency)
            said = Lines(latency.stderr, "latency")
            said.until("attached to")
            runner.do("crowd 200 10")
            profile = profiler.stop()
            events = recorder.stop()
            latency.send_signal(signal.SIGINT)
            said.rest()
            rows = [json.loads(line) for line in latency.stdout.read().splitlines()]
            self.assertEqual(latency.wait(), 0)
            latency.stdout.close()
        stopped = check_books(self, events)
        steps = [event for event in events if event["event"] == "dsl.step.executed"]
        self.assertGreaterEqual(len(steps), 2000)
        whole = [step["cpu"] for step in steps if step.get("cpu")]
        self.assertEqual(len(steps) - len(whole) <= stopped.get("breakdowns_lost", 0), True)
        for step in steps:
            if step.get("cpu"):
                parts = (step["cpu"]["on_cpu_ms"] + step["cpu"]["runnable_ms"]
                         + sum(step["cpu"]["blocked_ms"].values()))
                self.assertAlmostEqual(parts, step["duration_ms"], places=5)
        self.assertTrue(rows)
        # What the profile knows of locks is what the breakdown knows: the same switches.
        lock_ms = sum(cpu["blocked_ms"]["lock"] for cpu in whole)
        found_ms = sum(row.us for row in profile.rows if row.state == "lock"
                       and row.path[1:2] == ["KnownStep"]) / 1000
        missing = (profiler.counted(" samples were lost") + profiler.counted(" samples were drop")
                   + len(steps) - len(whole))
        if not missing:
            self.assertAlmostEqual(found_ms, lock_ms, delta=lock_ms / 20)


if __name__ == "__main__":
    unittest.main()
