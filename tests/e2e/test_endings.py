# SPDX-License-Identifier: BSD-2-Clause
"""How a recording ends: with everything that its outputs still take, and without waiting for ever
for one that takes nothing."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

import validate
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, check_books, completed, cpu_seconds,
                     is_full, read_events, runner_events, target, wait_until)
from outputs import Outputs


class Endings(Outputs):
    @contextlib.contextmanager
    def producers(self, count):
        """Processes that do nothing but run commands; yields the path of their binary."""
        load = target("load")
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                process = stack.enter_context(subprocess.Popen([load, "1"], stdin=subprocess.PIPE,
                                                               stdout=subprocess.DEVNULL))
                stack.callback(process.kill)
            yield load

    def begin(self, *arguments, nice=(), **options):
        process = subprocess.Popen([*nice, STEPTRACE, "record", *arguments],
                                   stderr=subprocess.PIPE, bufsize=0, **options)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.said = Lines(process.stderr, "steptrace")
        self.said.until("attached to")
        return process

    def test_while_runners_go_on_and_nobody_reads(self):
        with self.producers(3) as load:
            with self.begin("-x", load, "--queue", "1M", nice=("nice", "-n", "19"),
                            stdout=subprocess.PIPE) as tracer:
                wait_until(lambda: is_full(tracer.stdout), "a full pipe")
                self.stop(tracer, status=1)
        self.assertIn("(interrupted)", self.words)
        self.assertIn("stopped because the reader of standard output did not read", self.words)

    def slow_reader(self, pipe, pauses_s):
        """Reads in a thread, with a pause after each piece. Returns the thread and the list of
        pieces, which is complete when the thread has ended."""
        parts = []

        def read():
            while data := os.read(pipe.fileno(), 1 << 16):
                parts.append(data)
                time.sleep(pauses_s)
        thread = threading.Thread(target=read)
        thread.start()
        return thread, parts

    def record_for(self, pauses_s, signals=0):
        """Records 28,000 events. The first signal ends the recording; `signals` more follow it."""
        with Runner() as runner, \
                self.begin("-p", str(runner.pid), stdout=subprocess.PIPE) as tracer:
            thread, parts = self.slow_reader(tracer.stdout, pauses_s)
            runner.do("go 4000")
            tracer.send_signal(signal.SIGINT)
            for _ in range(signals):
                self.said.until("Ctrl-C again")
                tracer.send_signal(signal.SIGINT)
            self.words = "\n".join(self.said.rest())
            status = tracer.wait(PATIENCE_S)
            thread.join()
        return status, b"".join(parts).decode().splitlines(True)

    def test_a_slow_reader_gets_everything(self):
        status, lines = self.record_for(0.01)
        self.assertEqual(status, 0, self.words)
        self.assertEqual(validate.validate_lines(lines), [])
        events = [json.loads(line) for line in lines]
        self.assertEqual(check_books(self, events)["lost"], 0)
        self.assertEqual(len(runner_events(events)), 28000)

    def test_a_runner_is_killed_while_the_reader_is_slow(self):
        """Its end is recorded behind all the other events."""
        with Runner() as runner:
            tracer = self.begin("-p", str(runner.pid), "--queue", "64K", stdout=subprocess.PIPE)
            runner.do("go 1000")
            runner.order("die kill")
            runner.process.wait(PATIENCE_S)
            thread, parts = self.slow_reader(tracer.stdout, 0.02)
            self.words = "\n".join(self.said.rest())
            self.assertEqual(tracer.wait(PATIENCE_S), 0, self.words)
            thread.join()
            tracer.stdout.close()
        events = [json.loads(line) for line in b"".join(parts).splitlines()]
        self.assertEqual(check_books(self, events)["lost"], 0)
        signals = [event["aborted"]["signal"] for event in completed(events) if "aborted" in event]
        self.assertEqual(signals, [9])

    def test_a_slow_collector_gets_everything(self):
        """A socket takes a few more bytes long before poll() says so."""
        path = self.path("socket")
        server = socket.create_server(path, family=socket.AF_UNIX)
        os.chmod(path, 0o666)
        with server, Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + path)
            runner.do("go 200")
            connection, _ = server.accept()
            with connection:
                parts = []

                def read():
                    while data := connection.recv(8192):
                        parts.append(data)
                        time.sleep(0.04)
                thread = threading.Thread(target=read)
                thread.start()
                self.stop(tracer)
                thread.join()
        events = [json.loads(line) for line in b"".join(parts).splitlines()]
        self.assertEqual(check_books(self, events)["events"], 1400)

    def test_a_command_that_goes_on(self):
        """After the end of the recording the tracer waits for the command and does nothing else."""
        outputs = [word for number in range(8) for word in ("-o", self.path("e%d" % number))]
        tracer = self.begin(*outputs, "--duration", "100ms", "--", "sleep", "2")
        self.said.until("(duration)")
        self.said.until("steptrace waits until '/")
        before = cpu_seconds(tracer.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(tracer.pid) - before, 0.3)
        self.assertEqual(tracer.wait(PATIENCE_S), 1)  # sleep has no probes

    def test_told_to_look_again_at_the_end(self):
        """SIGHUP is for the tracer; it is not passed to the command."""
        path = self.path("events")
        tracer = self.begin("-o", path, "-o", "-", "--count", "20000", "--", target("load"), "1",
                            stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        thread, parts = self.slow_reader(tracer.stdout, 0.02)
        self.await_text(path, '"trace.stopped"')
        tracer.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(tracer.poll(), self.said.so_far())
        tracer.stdin.close()
        self.assertEqual(tracer.wait(PATIENCE_S), 0)
        self.words = "\n".join(self.said.rest())
        thread.join()
        tracer.stdout.close()

    def test_a_slow_reader_is_left(self):
        status, lines = self.record_for(0.5, signals=1)
        self.assertEqual(status, 1, self.words)
        self.assertLess(len(lines), 28000)

    def test_a_socket_as_standard_output(self):
        for stalls in (False, True):
            ours, theirs = socket.socketpair()
            with ours, theirs, Runner() as runner:
                with self.begin("-p", str(runner.pid), stdout=theirs) as tracer:
                    theirs.close()
                    thread, parts = self.slow_reader(ours, 0) if not stalls else (None, None)
                    runner.do("go 3000")
                    self.stop(tracer, status=int(stalls))
                if not stalls:
                    thread.join()
                    events = [json.loads(line) for line in b"".join(parts).splitlines()]
                    self.assertEqual(check_books(self, events)["events"], 21000)
                else:
                    self.assertIn("did not read", self.words)

    def test_a_reader_that_leaves_while_nothing_happens(self):
        """As `steptrace record -p IDLE | head -1`: the recording ends without another event."""
        def of_pipe():
            ours, theirs = os.pipe()
            return open(ours, "rb", buffering=0), open(theirs, "wb")

        def of_sockets():
            ours, theirs = socket.socketpair()
            return ours.makefile("rb", buffering=0), theirs

        for make in (of_pipe, of_sockets):
            with self.subTest(make.__name__), Runner() as idle:
                ours, theirs = make()
                tracer = self.begin("-p", str(idle.pid), stdout=theirs)
                theirs.close()
                self.assertIn(b"trace.started", ours.readline())
                ours.close()
                self.assertEqual(tracer.wait(PATIENCE_S), 1)
                self.assertIn("the reader of standard output closed it",
                              "\n".join(self.said.rest()))

    def test_a_pipe_in_the_place_of_the_file(self):
        """No process reads the pipe, and it is not a file."""
        path = self.path("events")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path)
            runner.do("go 1")
            os.unlink(path)
            os.mkfifo(path)
            os.chmod(path, 0o666)

            def fails():
                runner.do("go 100")
                return tracer.poll() is not None
            wait_until(fails, "an end")
            self.words = "\n".join(self.said.rest())
        self.assertEqual(tracer.returncode, 1)
        self.assertIn("is not a regular file any more", self.words)
        self.assertNotIn("as user 4294967295", self.words)

    def test_standard_output_on_a_disk_that_was_full(self):
        """Standard output without O_APPEND: no hole is left where a half-written line was taken
        back."""
        disk = self.disk("2m")
        path, ballast = os.path.join(disk, "events"), os.path.join(disk, "ballast")
        with open(ballast, "wb") as file:
            file.write(b"x" * (3 << 19))
        with Runner() as runner, open(path, "wb") as file:
            tracer = self.begin("-p", str(runner.pid), "-o", "-", "--when-full", "drop",
                                stdout=file)
            runner.do("go 250")
            self.said.until("lines are dropped")
            os.unlink(ballast)

            def goes_on():
                runner.do("go 1")
                return b'"trace.lost"' in open(path, "rb").read()
            wait_until(goes_on, "a trace.lost")
            self.stop(tracer)
        self.assertGreater(check_books(self, read_events(path))["lost_by_reason"]["not_written"], 0)

    def test_a_pipe_whose_reader_goes(self):
        """What it left unread is lost. The next reader finds a part with its own header."""
        path = self.path("pipe")
        os.mkfifo(path)
        first = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--when-full", "drop")
            runner.do("go 1000")
            wait_until(lambda: is_full(first), "a full pipe")
            first.close()
            self.said.until("lines are dropped")
            second = os.open(path, os.O_RDONLY)
            with os.fdopen(second, "rb") as pipe:
                thread, parts = self.slow_reader(pipe, 0)

                def goes_on():
                    runner.do("go 1")
                    return b'"part":2' in b"".join(parts)
                wait_until(goes_on, "another part")
                self.stop(tracer)
                thread.join()
        lines = b"".join(parts).decode().splitlines(True)
        self.assertEqual(validate.validate_lines(lines), [])
        events = [json.loads(line) for line in lines]
        parts = [event["part"] for event in events if event["event"] == "trace.started"]
        self.assertEqual(parts, [2])
        self.assertEqual(len(runner_events(events)), events[-1]["events"])
        self.assertGreater(events[-1]["lost_by_reason"]["not_written"], 0)

    def test_descriptors_by_name(self):
        for where, options in (("/dev/stdout", {"stdout": subprocess.PIPE}), ("/dev/stderr", {}),
                               ("/dev/fd/%d", {})):
            reads, writes = os.pipe()
            if "%d" in where:
                where, options = where % writes, {"pass_fds": [writes]}
            done = subprocess.run([STEPTRACE, "record", "-o", where, "--", target("older")],
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True,
                                  **options)
            os.close(writes)
            with os.fdopen(reads, "rb") as pipe:
                data = (done.stdout or b"") + pipe.read() + done.stderr
            self.assertIn(b'{"event":"trace.stopped"', data)

    def test_a_collector_that_accepts_and_closes(self):
        """The tracer connects less and less often, and does not report each attempt."""
        server = socket.create_server(("127.0.0.1", 0))
        accepted = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()
                    accepted.append(time.monotonic())
        threading.Thread(target=serve, daemon=True).start()
        with Runner() as runner:
            port = server.getsockname()[1]
            tracer = self.trace(runner, "-o", "tcp:127.0.0.1:%d" % port)

            def is_asked_again():
                runner.do("go 10")
                return len(accepted) >= 6
            wait_until(is_asked_again, "connections")
            self.stop(tracer, status=1)
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        self.assertGreater(accepted[5] - accepted[4], 0.2)
        self.assertLessEqual(self.words.count("cannot be reached"), 2)

    def test_told_to_look_again_at_the_same_file(self):
        """SIGHUP does not make the file younger: it rotates when it is a second old."""
        path = self.path("events")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--rotate-age", "1s")

            def is_rotated():
                runner.do("go 1")
                tracer.send_signal(signal.SIGHUP)
                return os.path.exists(path + ".1")
            wait_until(is_rotated, "another file")
            self.stop(tracer)

    def test_a_full_pipe_as_standard_error(self):
        """No process reads it; the tracer does not wait for a reader."""
        reads, writes = os.pipe()
        with os.fdopen(reads, "rb"), os.fdopen(writes, "wb", 0) as full, Runner() as runner:
            path = self.path("events")
            tracer = subprocess.Popen(
                [STEPTRACE, "record", "-p", str(runner.pid), "-o", path, "--stats"], stderr=full)
            self.await_text(path, '"trace.attached"')
            os.set_blocking(full.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(full.fileno(), b"x")
            os.set_blocking(full.fileno(), True)
            time.sleep(1.2)
            runner.do("go 10")
            tracer.send_signal(signal.SIGINT)
            self.assertEqual(tracer.wait(PATIENCE_S), 0)
        self.assertEqual(check_books(self, read_events(path))["events"], 70)

    def test_a_hangup_that_is_ignored(self):
        with Runner() as runner:
            tracer = self.begin("-p", str(runner.pid), stdout=subprocess.DEVNULL, nice=("nohup",))
            tracer.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            self.assertIsNone(tracer.poll())
            self.stop(tracer)
        self.assertIn("(interrupted)", self.words)

    def test_a_folder_where_only_owners_rename(self):
        """A file that root made before cannot be rotated by the user nobody. A new one can: it
        belongs to this user."""
        os.chmod(self.directory, 0o1777)
        with open(self.path("old"), "wb"):
            pass
        for name, status in (("old", 1), ("new", 0)):
            done = subprocess.run([STEPTRACE, "record", "-o", self.path(name), "--rotate-size",
                                   "1M", "--", target("older")], stderr=subprocess.PIPE,
                                  text=True, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual("may not rename the files of other users in" in done.stderr,
                             status == 1)
