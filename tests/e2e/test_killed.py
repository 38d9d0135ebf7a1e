# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of the tracer at any moment: the runner never notices, and nothing of the tracer stays."""
import json
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

import validate
from harness import (PATIENCE_S, EndToEnd, Lines, STEPTRACE, Tracer, check_books, run, target,
                     wait_until)

MOMENTS = 50
OURS = {"command__start", "command__done", "command__rejected", "step__start", "step__done",
        "tool__done", "fragment__changed", "process_execed", "process_forked", "process_ended",
        "each_mapping"}


def semaphore_address(pid, program):
    """Of `steptrace_semaphore` in the memory of a process."""
    symbols = subprocess.run(["readelf", "-sW", program], capture_output=True, text=True, check=True)
    offset = next(int(line.split()[1], 16) for line in symbols.stdout.splitlines()
                  if line.endswith(" steptrace_semaphore"))
    with open("/proc/%d/maps" % pid, encoding="utf-8") as maps:
        base = next(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(program))
    return base + offset


def semaphore(pid, address):
    with open("/proc/%d/mem" % pid, "rb") as memory:
        memory.seek(address)
        return struct.unpack("<H", memory.read(2))[0]


def programs_of(tracer_pids):
    """Our BPF programs that are loaded, but for those of tracers that live."""
    listed = subprocess.run(["bpftool", "-j", "prog", "list"], capture_output=True, text=True,
                            check=True)
    return {program["id"] for program in json.loads(listed.stdout)
            if program.get("name", "") in {name[:15] for name in OURS}
            and not {holder["pid"] for holder in program.get("pids", [])} - set(tracer_pids)}


def links():
    listed = subprocess.run(["bpftool", "-j", "link", "list"], capture_output=True, text=True,
                            check=True)
    return {link["id"]: link.get("prog_id") for link in json.loads(listed.stdout)}


def whole_lines(path):
    with open(path, encoding="utf-8", errors="strict") as file:
        text = file.read()
    return text[:text.rfind("\n") + 1].splitlines(True), text[text.rfind("\n") + 1:]


class Killed(EndToEnd):
    def kill_at(self, runner, path, delay_s):
        """Starts a tracer and kills it after that long, whatever it is doing then."""
        process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid), "-o", path],
                                   stderr=subprocess.DEVNULL)
        time.sleep(delay_s)
        process.kill()
        process.wait(PATIENCE_S)
        return process.pid

    def test_at_fifty_moments_under_load(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        expected = subprocess.run([target("load"), "300000"], capture_output=True, check=True)
        before = programs_of([])
        runner = subprocess.Popen([target("load"), "300000"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        recorded, torn, dead = 0, 0, []
        with tempfile.TemporaryDirectory() as directory:
            wait_until(lambda: re.search("/load$", os.readlink("/proc/%d/exe" % runner.pid)), "exec")
            address = semaphore_address(runner.pid, target("load"))
            for number in range(MOMENTS):
                path = os.path.join(directory, "%d.ndjson" % number)
                dead.append(self.kill_at(runner, path, moments.uniform(0, 0.25)))
                wait_until(lambda: semaphore(runner.pid, address) == 0,
                           "semaphore 0 again (seed %d, moment %d)" % (seed, number))
                self.assertIsNone(runner.poll(), "seed %d, moment %d" % (seed, number))
                if os.path.exists(path):
                    lines, rest = whole_lines(path)
                    self.assertEqual(validate.validate_lines(lines[:20] + lines[-20:]), [])
                    recorded += len(lines)
                    torn += rest != ""
        output, _ = runner.communicate(b"end\n")
        self.assertEqual((runner.returncode, output), (0, expected.stdout), "seed %d" % seed)
        self.assertGreater(recorded, MOMENTS, "some moments were behind the attachment")
        wait_until(lambda: not programs_of(dead) - before, "all programs gone (seed %d)" % seed)
        left = programs_of(dead) - before
        self.assertEqual([link for link, program in links().items() if program in left], [])

    def test_while_it_ends(self):
        """In the middle of detaching."""
        runner = subprocess.Popen([target("load"), "1000"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        for delay_s in (0, 0.005, 0.01, 0.02, 0.04, 0.06):
            tracer = Tracer("-p", str(runner.pid), "--sample", "1000")
            address = semaphore_address(runner.pid, target("load"))
            self.assertGreater(semaphore(runner.pid, address), 0)
            tracer.process.terminate()
            time.sleep(delay_s)
            tracer.process.kill()
            tracer.wait()
            wait_until(lambda: semaphore(runner.pid, address) == 0, "semaphore 0 again")
        tracer = Tracer("-p", str(runner.pid), "--sample", "100", "--duration", "100ms")
        self.assertEqual(tracer.wait(), 0)
        check_books(self, tracer.events())
        runner.communicate(b"end\n")
        self.assertEqual(runner.returncode, 0)

    def test_the_kernel_leaks_nothing(self):
        """It leaves a breakpoint in the runner where who puts it in or takes it out is killed just
        then, and says so in its log, with the name of the program."""
        runner = subprocess.Popen([target("load"), "1000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "sttrc%d" % os.getpid())
            shutil.copy(STEPTRACE, program)
            for number in range(40):
                process = subprocess.Popen([program, "record", "-p", str(runner.pid), "--sample", "1000",
                                            "-o", "/dev/null"], stderr=subprocess.PIPE, bufsize=0)
                Lines(process.stderr, "steptrace").until("attached to")
                process.terminate()
                time.sleep(number * 0.001)
                process.kill()
                process.wait(PATIENCE_S)
                process.stderr.close()
            address = semaphore_address(runner.pid, target("load"))
            wait_until(lambda: semaphore(runner.pid, address) == 0, "semaphore 0 again")
        log = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line for line in log.splitlines() if os.path.basename(program) in line], [])
        runner.communicate(b"end\n")

    def test_its_command_goes_on(self):
        """A command that was started for a tracer does not need it."""
        process = subprocess.Popen([STEPTRACE, "record", "-o", "/dev/null", "--", target("spans")],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, bufsize=0)
        lines = Lines(process.stdout, "the runner")
        process.stdin.write(b"go 1\n")
        lines.until("ok")
        process.kill()
        process.wait(PATIENCE_S)
        process.stdin.write(b"go 1\nenabled\n")
        lines.until("ok")
        wait_until(lambda: self.is_off(process, lines), "semaphore 0 again")
        process.stdin.write(b"quit\n")
        lines.rest()
        process.stdin.close()

    def is_off(self, process, lines):
        process.stdin.write(b"enabled\n")
        return "enabled 0" in lines.until("ok")

    def test_a_line_that_was_cut_off(self):
        """Is not written behind; whoever removes it can go on with the file."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events.ndjson")
            with open(path, "w", encoding="ascii") as file:
                file.write('{"event":"trace.started"}\n{"event":"dsl.st')
            status, _, words = run("record", "-o", path, "--duration", "1ms")
            self.assertEqual(status, 1)
            self.assertIn("remove its last line", words)
            subprocess.run(["sed", "-i", "$d", path], check=True)
            self.assertEqual(run("record", "-o", path, "--duration", "1ms")[0], 0)
            lines, rest = whole_lines(path)
            self.assertEqual(rest, "")
            self.assertEqual(json.loads(lines[-1])["event"], "trace.stopped")


if __name__ == "__main__":
    unittest.main()
