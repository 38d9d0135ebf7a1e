# SPDX-License-Identifier: BSD-2-Clause
"""The least privilege: what a recording needs to begin, and what it holds once it is attached."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import needs
from harness import (PATIENCE_S, ROOT, EndToEnd, Lines, Runner, STEPTRACE, check_books, completed,
                     copy_of, everyone, read_events, runner_events, target, wait_until)

CAPABILITIES = {"CAP_KILL": 5, "CAP_DAC_READ_SEARCH": 2, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21,
                "CAP_LEASE": 28, "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_CHECKPOINT_RESTORE": 40}
FOLLOWING = {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH",
             "CAP_CHECKPOINT_RESTORE", "CAP_LEASE"}


def bits(names):
    return sum(1 << CAPABILITIES[name] for name in names)


def installed_capabilities():
    """What `make install SETCAP=1` passes to setcap."""
    with open(os.path.join(ROOT, "Makefile"), encoding="ascii") as file:
        return next(line.split("=", 1)[1].strip() for line in file
                    if line.startswith("CAPABILITIES ="))


class Privileged:
    """`steptrace record` as a user, with capabilities, in a folder that every user may write to."""

    def __init__(self, *arguments, user=None, capabilities=None, environment=None, **options):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        os.chmod(self.directory.name, 0o777)
        self.path = os.path.join(self.directory.name, "events.ndjson")
        self.program = os.path.join(self.directory.name, "steptrace")
        shutil.copy(STEPTRACE, self.program)
        command = [self.program, "record", "-o", self.path, *arguments]
        if capabilities is not None:
            names = ",".join("+" + name[4:].lower() for name in sorted(capabilities)) or "-all"
            command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups",
                       "--inh-caps", "-all" + ("," + names if capabilities else ""),
                       "--ambient-caps", "-all" + ("," + names if capabilities else ""),
                       *command]
        env = {key: value for key, value in os.environ.items() if not key.startswith("SUDO_")}
        env.update(environment or {})
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, bufsize=0, env=env,
                                        cwd=self.directory.name, **options)
        self.lines = Lines(self.process.stderr, "steptrace")

    def status(self):
        """Its /proc/PID/status once it is attached."""
        self.lines.until("attached to")
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def end(self, how=None):
        if how:
            self.process.send_signal(how)
        words = self.lines.rest()
        status = self.process.wait(PATIENCE_S)
        events = read_events(self.path) if os.path.exists(self.path) else []
        self.directory.cleanup()
        return status, events, "\n".join(words)


class Privilege(EndToEnd):
    def setUp(self):
        needs.other_users()
        needs.program("setpriv")

    def check(self, status, uid, capabilities):
        self.assertEqual(int(status["CapEff"], 16), bits(capabilities))
        self.assertEqual(int(status["CapPrm"], 16), bits(capabilities))
        self.assertEqual(int(status["CapInh"], 16), 0)
        self.assertEqual(int(status["CapAmb"], 16), 0)
        self.assertEqual(status["Uid"].split(), [str(uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(uid)] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")

    def check_recording(self, tracer, runner):
        runner.do("go 2")
        status, events, words = tracer.end(signal.SIGINT)
        self.assertEqual(status, 0, words)
        check_books(self, events)
        ours = [event for event in runner_events(events) if event["source"]["pid"] == runner.pid]
        self.assertEqual(len(ours), 14)

    def test_root_becomes_nobody(self):
        """Root with two supplementary groups, which must go as well."""
        with Runner() as runner:
            tracer = Privileged("-p", str(runner.pid), extra_groups=[4, 24])
            status = tracer.status()
            self.check(status, 65534, FOLLOWING)
            self.assertEqual(int(status["CapBnd"], 16), 0)
            self.assertEqual(status["Groups"].split(), [])
            self.check_recording(tracer, runner)

    def test_sudo_becomes_its_user(self):
        with Runner() as runner:
            tracer = Privileged("-p", str(runner.pid),
                                environment={"SUDO_UID": "12345", "SUDO_GID": "12345"})
            self.check(tracer.status(), 12345, FOLLOWING)
            self.check_recording(tracer, runner)

    def test_what_sudo_does_not_say(self):
        for nonsense in ("0", "-1", "root", "4294967295", ""):
            with Runner() as runner:
                tracer = Privileged("-p", str(runner.pid), environment={"SUDO_UID": nonsense})
                self.assertEqual(tracer.status()["Uid"].split(), ["65534"] * 4)
                self.check_recording(tracer, runner)

    def test_two_capabilities_are_enough(self):
        """For processes of the same user, on kernels with uprobe_multi."""
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = shutil.copy(target("spans"), directory)
            with Runner(program, user=12345, group=12345, extra_groups=[]) as runner:
                tracer = Privileged("-p", str(runner.pid), user=12345,
                                    capabilities={"CAP_BPF", "CAP_PERFMON"})
                self.check(tracer.status(), 12345, {"CAP_BPF", "CAP_PERFMON"})
                self.check_recording(tracer, runner)

    def test_two_capabilities_and_a_command(self):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = shutil.copy(target("spans"), directory)
            tracer = Privileged("--", program, user=12345, capabilities={"CAP_BPF", "CAP_PERFMON"},
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self.check(tracer.status(), 12345, {"CAP_BPF", "CAP_PERFMON"})
            tracer.process.stdin.write(b"go 1\ndie exit\n")
            tracer.process.stdin.close()
            status, events, words = tracer.end()
            self.assertEqual(status, 3, words)
            check_books(self, events)
            self.assertEqual([done["outcome"] for done in completed(events)],
                             ["success", "aborted"])

    def test_the_next_runner_is_attached_all_the_same(self):
        """By a tracer that runs as user nobody, in a binary that only root may read."""
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o700)
            program = copy_of(directory, "spans")
            os.chmod(program, 0o700)
            tracer = Privileged(*everyone())
            tracer.status()
            with Runner(program) as runner:
                tracer.lines.until("attached to '%s'" % program)
                runner.do("go 1")
                status, events, words = tracer.end(signal.SIGINT)
        self.assertEqual(status, 0, words)
        self.assertEqual([done["source"]["pid"] for done in completed(events)
                          if done["source"]["pid"] == runner.pid], [runner.pid])

    def test_as_the_service_runs_it(self):
        """An ordinary user with the capabilities of systemd/steptrace.service.in follows the
        processes of all users."""
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o700)
            program = copy_of(directory, "spans")
            tracer = Privileged(*everyone(), user=12345, capabilities=FOLLOWING)
            self.check(tracer.status(), 12345, FOLLOWING)
            with Runner(program) as runner:
                tracer.lines.until("attached to '%s'" % program)
                self.check_recording(tracer, runner)

    def test_the_service_grants_what_is_kept(self):
        with open(os.path.join(ROOT, "systemd", "steptrace.service.in"), encoding="ascii") as file:
            granted = [set(line.split("=")[1].split()) for line in file
                       if line.startswith(("AmbientCap", "CapabilityBound"))]
        self.assertEqual(granted, [FOLLOWING] * 2)

    def test_file_capabilities(self):
        """What `make install SETCAP=1` sets."""
        needs.file_capabilities()
        names = installed_capabilities()
        self.assertEqual({name.upper() for name in names[:-3].split(",")}, FOLLOWING)
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = shutil.copy(STEPTRACE, directory)
            subprocess.run(["setcap", names, program], check=True)
            with Runner() as runner:
                done = subprocess.run([program, "record", "-p", str(runner.pid),
                                       "--duration", "1ms"],
                                      user=12345, group=12345, extra_groups=[], cwd="/",
                                      timeout=PATIENCE_S, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"trace.stopped"', done.stdout)

    def test_signals_still_reach_the_command(self):
        """The command runs as root, the tracer does not any more."""
        tracer = Privileged("--", target("spans"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        status = tracer.status()
        self.check(status, 65534, FOLLOWING | {"CAP_KILL"})
        tracer.process.stdin.write(b"die hang\n")
        Lines(tracer.process.stdout, "the runner").until("hanging")
        status, events, _ = tracer.end(signal.SIGTERM)
        self.assertEqual(status, 128 + signal.SIGTERM)
        self.assertEqual(completed(events)[0]["aborted"]["signal"], signal.SIGTERM)
        tracer.process.stdin.close()
        tracer.process.stdout.close()

    def test_without_any(self):
        """One sentence: what is missing, and how to grant it."""
        for capabilities, missing in ((set(), "missing: CAP_BPF and CAP_PERFMON ("),
                                      ({"CAP_BPF"}, "missing: CAP_PERFMON ("),
                                      ({"CAP_PERFMON"}, "missing: CAP_BPF (")):
            tracer = Privileged("-a", user=12345, capabilities=capabilities)
            program = tracer.program
            status, events, words = tracer.end()
            self.assertEqual((status, events), (1, []))
            self.assertEqual(words.count("\n"), 0, words)
            self.assertIn(missing, words)
            self.assertIn("sudo setcap cap_bpf,cap_perfmon,", words)
            self.assertIn(program, words)


class Caller(EndToEnd):
    """A program that has rights which its caller does not have opens what the caller names with the
    rights of the caller."""
    CALLER = {"user": 12345, "group": 12345, "extra_groups": [], "cwd": "/"}

    def setUp(self):
        needs.other_users()
        needs.file_capabilities()
        holder = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.addCleanup(holder.cleanup)
        self.directory, self.closed = holder.name, os.path.join(holder.name, "closed")
        os.chmod(self.directory, 0o755)
        os.mkdir(self.closed, 0o700)
        self.programs = [self.with_rights(name) for name in ("capabilities", "set-user-id")]

    def with_rights(self, name):
        path = shutil.copy(STEPTRACE, os.path.join(self.directory, name))
        if name == "set-user-id":
            os.chmod(path, 0o4755)
        else:
            subprocess.run(["setcap", installed_capabilities(), path], check=True)
        return path

    def file(self, name, mode, text=b""):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run_as_caller(self, program, *arguments):
        return subprocess.run([program, *arguments], timeout=PATIENCE_S, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, **self.CALLER)

    def refused(self, words, *arguments, status=1):
        for program in self.programs:
            with self.subTest(program=os.path.basename(program), arguments=arguments):
                done = self.run_as_caller(program, *arguments)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(words, done.stderr + done.stdout)
                self.assertNotIn('"event"', done.stdout)

    def test_files_of_root(self):
        key = self.file("key", 0o600, bytes(range(32)))
        hidden = self.file("closed/hidden", 0o666)
        shutil.copy(target("spans"), os.path.join(self.closed, "spans"))
        os.mkfifo(os.path.join(self.closed, "fifo"))
        os.chmod(os.path.join(self.closed, "fifo"), 0o666)
        with Runner() as runner:
            whom = ("record", "--duration", "1ms", "-p", str(runner.pid))
            for arguments in (("--pseudonymize", "user_id", "--pseudonym-key", key),
                              ("-o", self.file("own", 0o600)), ("-o", hidden),
                              ("-o", os.path.join(self.closed, "fifo"))):
                self.refused("Permission denied", *whom, *arguments)
            tls = (*whom, "-o", "tls:127.0.0.1:1")
            self.refused("Error while reading file", *tls, "--tls-ca", key)
            self.refused("Error while reading file", *tls, "--tls-cert", key)
        for arguments in (("record", "-x", "spans"), ("record", "--", "spans"), ("list", "spans"),
                          ("doctor", "-x", "spans")):
            path = os.path.join(self.closed, arguments[-1])
            self.refused("Permission denied", *arguments[:-1], path)

    def test_a_socket_of_root(self):
        path = os.path.join(self.closed, "socket")
        with socket.socket(socket.AF_UNIX) as listener, Runner() as runner:
            listener.bind(path)
            os.chmod(path, 0o666)
            listener.listen()
            listener.setblocking(False)
            self.refused("Permission denied", "record", "--duration", "1ms", "-p", str(runner.pid),
                         "-o", "unix:" + path)
            with self.assertRaises(BlockingIOError):
                listener.accept()

    def test_a_cgroup_of_root(self):
        closed = os.path.join(needs.cgroup2(), "steptrace-test-%d" % os.getpid())
        below = os.path.join(closed, "below")
        for path in (closed, below):
            os.mkdir(path)
            self.addCleanup(os.rmdir, path)
        os.chmod(closed, 0o700)
        self.refused("is no cgroup", "record", "--cgroup", below, "--duration", "1ms", status=2)

    def test_files_of_the_caller(self):
        key = self.file("key", 0o600, bytes(range(32)))
        os.chown(key, 12345, 12345)
        with Runner() as runner:
            for program in self.programs:
                done = self.run_as_caller(program, "record", "-p", str(runner.pid),
                                          "--duration", "1ms", "--pseudonymize", "user_id",
                                          "--pseudonym-key", key)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn('"trace.stopped"', done.stdout)

    def test_the_tracer_becomes_its_caller(self):
        """Whatever the environment says."""
        for program in self.programs:
            tracer = subprocess.Popen([program, "record", *everyone(), "-o", "/dev/null"],
                                      stderr=subprocess.PIPE, bufsize=0,
                                      env={"SUDO_UID": "4711", "SUDO_GID": "4711"}, **self.CALLER)
            lines = Lines(tracer.stderr, "steptrace")
            lines.until("attached to")
            with open("/proc/%d/status" % tracer.pid, encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            self.assertEqual((status["Uid"].split(), status["Gid"].split()), (["12345"] * 4,) * 2)
            tracer.send_signal(signal.SIGINT)
            lines.rest()
            self.assertEqual(tracer.wait(PATIENCE_S), 0)

    def test_the_threads_of_outputs_have_no_capabilities(self):
        with Runner() as runner:
            tracer = Privileged("-p", str(runner.pid))
            tracer.status()
            wait_until(lambda: self.held_by_threads(tracer.process.pid) == [0, bits(FOLLOWING)],
                       "a thread without capabilities")
            tracer.end(signal.SIGINT)

    def held_by_threads(self, pid):
        held = []
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, thread), encoding="ascii") as file:
                held += [int(line.split()[1], 16) for line in file if line.startswith("CapPrm")]
        return sorted(held)


if __name__ == "__main__":
    unittest.main()
