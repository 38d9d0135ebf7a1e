# SPDX-License-Identifier: BSD-2-Clause
"""What can go wrong, and what the tracer says then."""
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import unittest

import needs
from harness import (PATIENCE_S, EndToEnd, Lines, Runner, STEPTRACE, Tracer, read_events, run,
                     runner_events, target, validate)


class Usage(EndToEnd):
    def expect(self, status, words, *arguments):
        got, output, said = run(*arguments)
        self.assertEqual((got, output), (status, ""), said)
        self.assertIn(words, said)
        self.assertEqual(said.count("\n"), 1, said)

    def test_nothing_to_do(self):
        status, _, words = run()
        self.assertEqual(status, 2)
        self.assertIn("usage: steptrace COMMAND", words)

    def test_help_and_version(self):
        for arguments in (["--help"], ["record", "--help"], ["list", "--help"], ["record", "-h"]):
            status, output, words = run(*arguments)
            self.assertEqual((status, words), (0, ""))
            self.assertIn("usage: steptrace", output)
        self.assertRegex(run("--version")[1], r"^steptrace \d+\.\d+\.\d+\n$")

    def test_wrong_usage(self):
        self.expect(2, "there is no command 'recrod'", "recrod")
        self.expect(2, "unknown option '--pdi'", "record", "--pdi", "1")
        self.expect(2, "unknown option '-q'", "record", "-q")
        self.expect(2, "'-p' needs a value", "record", "-p")
        self.expect(2, "exclude each other", "record", "-a", "-p", "1")
        self.expect(2, "--site cannot be 'nop7'", "record", "--site", "nop7")
        self.expect(2, "--linger 10s", "record", "--linger", "soon")
        self.expect(2, "'x' is not a process id", "record", "-p", "1,x")
        self.expect(2, "--count cannot be '0'", "record", "-p", "1", "--count", "0")
        self.expect(2, "--duration cannot be '5x'", "record", "-p", "1", "--duration", "5x")
        self.expect(2, "--format must be json or compact", "record", "-p", "1", "--format", "xml")
        self.expect(2, "no event has a field 'some'", "record", "-p", "1", "--fields", "some")
        self.expect(2, "exclude each other", "record", "-p", "1", "-x", "/bin/ls")
        self.expect(2, "goes after '--'", "record", "ls")
        self.expect(2, "there is no program after '--'", "record", "--")
        self.expect(2, "goes after '--'", "record", "-o", "--", "ls")

    def test_words_that_find_no_room(self):
        for arguments in (("--help",), ("--version",), ("list",), ("doctor",), ("schema",),
                          ("record", "--help")):
            with open("/dev/full", "wb") as full, Runner() as runner:
                runner.do("go 0")
                done = subprocess.run([STEPTRACE, *arguments], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("cannot write to standard output: No space left on device", done.stderr)

    def test_targets_that_are_none(self):
        self.expect(1, "there is no process 4194000", "record", "-p", "4194000")
        self.expect(1, "process %d runs nothing with steptrace probes" % os.getpid(),
                    "record", "-p", str(os.getpid()))
        self.expect(1, "cannot open '/nonesuch': No such file", "record", "-x", "/nonesuch")
        self.expect(1, "'/etc/passwd': not an ELF file", "record", "-x", "/etc/passwd")
        self.expect(1, "'/etc' is not a regular file", "record", "-x", "/etc")
        self.expect(1, "no steptrace probes in '/bin/ls'", "record", "-x", "/bin/ls")
        self.expect(1, "cannot run 'nonesuch': no such program", "record", "--", "nonesuch")
        self.expect(1, "cannot run '/etc/passwd': Permission denied", "record", "--", "/etc/passwd")

    def as_nobody(self, *arguments):
        """Copies of the programs in a folder that every user may enter."""
        needs.other_users()
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            for program in (STEPTRACE, target("spans")):
                shutil.copy(program, directory)
            done = subprocess.run(
                [os.path.join(directory, "steptrace"), *arguments], capture_output=True, text=True,
                timeout=PATIENCE_S, cwd=directory, user=65534, group=65534, extra_groups=[])
        return done.returncode, done.stdout, done.stderr

    def test_without_privilege(self):
        status, output, words = self.as_nobody("record", "-x", "spans")
        self.assertEqual((status, output), (1, ""))
        self.assertIn("CAP_BPF", words)
        self.assertIn("sudo", words)

    def test_a_process_of_somebody_else(self):
        status, _, words = self.as_nobody("record", "-p", "1")
        self.assertEqual(status, 1)
        self.assertIn("CAP_BPF", words)

    def test_a_file_name_with_control_characters(self):
        status, _, words = run("record", "-x", "/no\n\x1b[31msuch")
        self.assertEqual(status, 1)
        self.assertIn(r"/no\n\x1b[31msuch", words)


class Output(EndToEnd):
    def trace_into(self, *arguments, words="go 2000\nquit\n", **options):
        return subprocess.run([STEPTRACE, "record", *arguments, "--", target("spans")], input=words,
                              capture_output=True, text=True, timeout=PATIENCE_S, **options)

    def test_a_directory_that_is_not_there(self):
        done = self.trace_into("-o", "/nonesuch/events")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to '/nonesuch/events': No such file or directory", done.stderr)

    def test_a_symbolic_link_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            link = os.path.join(directory, "link")
            os.symlink("/etc/nonesuch", link)
            done = self.trace_into("-o", link)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is a symbolic link", done.stderr)

    def test_a_torn_file_is_refused(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write('{"event":"dsl.st')
            file.flush()
            done = self.trace_into("-o", file.name)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not end with a whole line", done.stderr)

    def test_appends(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            for _ in range(2):
                self.assertEqual(self.trace_into("-o", path, words="go 1\n").returncode, 0)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
            self.assertEqual(len(runner_events(read_events(path))), 14)

    def test_a_full_device(self):
        done = self.trace_into("-o", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to /dev/full: No space left on device", done.stderr)

    def test_a_full_disk_keeps_whole_lines(self):
        """The runner goes on, so the full disk is what ends the recording."""
        needs.mounts()
        with tempfile.TemporaryDirectory() as directory, Runner() as runner:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", directory],
                           check=True)
            try:
                path = os.path.join(directory, "events")
                tracer = subprocess.Popen(
                    [STEPTRACE, "record", "-p", str(runner.pid), "-o", path],
                    stderr=subprocess.PIPE, bufsize=0)
                said = Lines(tracer.stderr, "steptrace")
                said.until("attached to")
                runner.do("go 2000")
                words = "\n".join(said.rest())
                self.assertEqual(tracer.wait(PATIENCE_S), 1)
                events = read_events(path)
            finally:
                subprocess.run(["umount", directory], check=True)
        self.assertIn("No space left on device", words)
        self.assertGreater(len(events), 100)
        self.assertEqual(events[0]["event"], "trace.started")
        self.assertRegex(words, r"\b%d events, [1-9]\d* lost \(output_failed\)"
                         % len(runner_events(events)))

    def test_a_full_disk_at_the_end(self):
        """All events are still in the ring buffer when the recording stops: the books balance."""
        needs.mounts()
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", directory],
                           check=True)
            try:
                path = os.path.join(directory, "events")
                with Runner() as runner:
                    tracer = subprocess.Popen(
                        [STEPTRACE, "record", "-p", str(runner.pid), "-o", path, "--flush", "60s",
                         "--buffer", "128M"], stderr=subprocess.PIPE, bufsize=0)
                    said = Lines(tracer.stderr, "steptrace")
                    said.until("attached to")
                    tracer.send_signal(signal.SIGSTOP)
                    runner.do("go 2000")
                    tracer.send_signal(signal.SIGINT)
                    tracer.send_signal(signal.SIGCONT)
                    words = "\n".join(said.rest())
                    self.assertEqual(tracer.wait(PATIENCE_S), 1)
                events = read_events(path)
            finally:
                subprocess.run(["umount", directory], check=True)
        self.assertIn("No space left on device", words)
        self.assertNotIn("balance", words)
        written = len(runner_events(events))
        self.assertIn("%d events, %d lost" % (written, 14000 - written), words)
        self.assertIn("%d of the lost events were captured, but not written" %
                      (14000 - written), words)

    def test_a_file_size_limit(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            done = subprocess.run(
                ["sh", "-c", 'ulimit -f 128; exec "$@"', "sh", STEPTRACE, "record", "-o", path,
                 "--", target("spans")], input="go 2000\nquit\n", capture_output=True, text=True)
            events = read_events(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("File too large", done.stderr)
        self.assertGreater(len(events), 50)

    def test_standard_output_is_closed(self):
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", STEPTRACE, "record",
                               "--", target("older")], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output: Bad file descriptor", done.stderr)

    def test_closed_standard_streams(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", STEPTRACE, "record",
                                   "-o", path, "--", target("older")])
            events = read_events(path)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(runner_events(events)), 3)

    def test_a_terminal_that_stopped(self):
        """No process reads the other end; Ctrl-C still works."""
        master, slave = pty.openpty()
        with Runner() as runner:
            tracer = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid)], stdout=slave,
                                      stderr=subprocess.PIPE, bufsize=0)
            os.close(slave)
            said = Lines(tracer.stderr, "steptrace")
            said.until("attached to")
            runner.do("go 3000")
            tracer.send_signal(signal.SIGINT)
            self.assertEqual(tracer.wait(PATIENCE_S), 1)
            self.assertIn("did not read", "\n".join(said.rest()))
        os.close(master)

    def test_a_closed_pipe(self):
        with Runner() as runner:
            tracer = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            said = Lines(tracer.stderr, "steptrace")
            said.until("attached to")
            tracer.stdout.close()
            runner.do("go 10")
            status = tracer.wait(PATIENCE_S)
            words = "\n".join(said.rest())
            self.assertEqual(status, 1)
            self.assertIn("the reader of standard output closed it", words)
            self.assertEqual(runner.do("go 1"), [])

    def test_a_reader_that_does_not_read(self):
        with Runner() as runner:
            tracer = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            said = Lines(tracer.stderr, "steptrace")
            said.until("attached to")
            runner.do("go 2000")
            self.assertEqual(runner.do("go 1"), [])  # it never waits for the tracer
            tracer.send_signal(signal.SIGTERM)
            status = tracer.wait(PATIENCE_S)
            lines = tracer.stdout.read().decode().splitlines(True)
            tracer.stdout.close()
            said.rest()
        self.assertEqual(status, 1)
        if not lines[-1].endswith("\n"):
            lines.pop()  # a pipe that is full in the middle of a line stays so
        self.assertGreater(len(lines), 10)
        self.assertEqual(validate.validate_lines(lines), [])

    def test_to_standard_output(self):
        done = subprocess.run([STEPTRACE, "record", "--", target("older")], capture_output=True,
                              text=True, timeout=PATIENCE_S)
        self.assertEqual(validate.validate_lines(done.stdout.splitlines(True)), [])
        self.assertEqual(done.stdout.count("\n"), 6)

    def test_compact_is_for_people(self):
        done = self.trace_into("--format", "compact", words="fail\nreject\ntext control\n")
        self.assertEqual(done.returncode, 0)
        self.assertIn("failure: database", done.stdout)
        self.assertIn("rejected  unknown_command: title,tags", done.stdout)
        self.assertRegex(done.stdout,
                         r"(?m)^\d\d:\d\d:\d\d\.\d{6} +\d+  [0-9a-f]{8}  fragment.update +"
                         r"started  test")
        printable = done.stdout.replace("\n", "")
        self.assertTrue(all(character.isprintable() for character in printable))

    def test_ctrl_c(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 3")
            events = tracer.stop(signal.SIGINT)
        self.assertEqual(events[-1]["reason"], "interrupted")
        self.assertEqual(len(runner_events(events)), 21)

    def test_terminated(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            self.assertEqual(tracer.stop(signal.SIGTERM)[-1]["reason"], "terminated")


if __name__ == "__main__":
    unittest.main()
