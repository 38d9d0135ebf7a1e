# SPDX-License-Identifier: BSD-2-Clause
"""What is attached to: files, whatever their names, and whatever becomes of them."""
import os
import shutil
import subprocess
import time

from harness import (EndToEnd, Runner, Scenario, Tracer, check_books, compiled, copy_of, of_exe, of_kind,
                     of_process, runner_events, target)


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return notes.split("Build ID: ")[1].split()[0]


def names(events):
    return [event["event"] for event in events]


class Kinds(Scenario):
    def check(self, program, **options):
        with Runner(program, **options) as runner:
            runner.do("go 1")
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 1")
            runner.do("threads 1")
            runner.do("fork")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 63)
        self.assertEqual(len(runner_events(events)), 70)
        check_books(self, events)
        return of_kind(events, "trace.attached")

    def check_type(self, path, elf_type):
        header = subprocess.run(["readelf", "-h", path], capture_output=True, text=True, check=True).stdout
        self.assertRegex(header, r"Type: +%s " % elf_type)
        attached = self.check(path)
        self.assertEqual([event["exe"] for event in attached], [path])
        self.assertEqual(attached[0]["build_id"], build_id(path))

    def path(self, name):
        return os.path.join(self.directory, name)

    def test_static(self):
        self.check_type(compiled(self.path("static"), "-static", "-Wl,--build-id"), "EXEC")

    def test_static_pie(self):
        self.check_type(compiled(self.path("static-pie"), "-static-pie", "-Wl,--build-id"), "DYN")

    def test_position_dependent(self):
        self.check_type(compiled(self.path("no-pie"), "-no-pie", "-Wl,--build-id"), "EXEC")

    def test_position_independent(self):
        self.check_type(compiled(self.path("pie"), "-pie", "-fPIE", "-Wl,--build-id"), "DYN")

    def test_stripped_and_without_a_build_id(self):
        path = compiled(self.path("stripped"), "-s", "-Wl,--build-id=none")
        self.assertIsNone(self.check(path)[0]["build_id"])

    def test_a_symbolic_link(self):
        link = self.path("link")
        os.symlink(target("spans"), link)
        self.assertEqual(self.check(link)[0]["exe"], target("spans"))

    def test_a_link_that_is_named(self):
        spans, link = copy_of(self.directory, "spans"), self.path("link")
        os.symlink(spans, link)
        with Runner(link) as early:
            tracer = Tracer("-x", link)
            with Runner(spans) as late:
                early.do("go 1")
                late.do("go 1")
                events = tracer.stop()
        self.assertEqual(len(of_process(events, early.pid, late.pid)), 14)

    def test_no_file_at_all(self):
        """A program in memory that has no name, executed by its descriptor."""
        with open(target("spans"), "rb") as file:
            program = file.read()
        memory = os.memfd_create("nameless")
        os.write(memory, program)
        attached = self.check(["/proc/self/fd/%d" % memory], pass_fds=[memory])
        self.assertIn("/memfd:nameless", attached[0]["exe"])
        os.close(memory)

    def test_a_mount_that_only_the_runner_sees(self):
        place = self.path("private")
        os.mkdir(place)
        script = "mount -t tmpfs none {0} && cp {1} {0}/spans && exec {0}/spans"
        runner = Runner(["unshare", "-m", "sh", "-c", script.format(place, target("spans"))])
        self.addCleanup(runner.close)
        runner.do("go 1")
        self.assertEqual(os.listdir(place), [])
        for arguments in (["-p", str(runner.pid)], ["-a"]):
            tracer = Tracer(*arguments)
            runner.do("go 1")
            events = tracer.stop()
            self.assertEqual(len(of_process(events, runner.pid)), 7)
            self.assertEqual(len(of_exe(events, place)), 1)


class Replaced(Scenario):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "runner")
        shutil.copy(target("spans"), self.path)

    def variant(self, *flags):
        """The same program, its probes elsewhere."""
        path = compiled(os.path.join(self.directory, "variant"), "-O0", *flags)
        self.assertNotEqual(build_id(path), build_id(self.path))
        return path

    def test_deleted_before(self):
        with Runner(self.path) as runner:
            runner.do("go 1")
            os.unlink(self.path)
            for arguments in (["-p", str(runner.pid)], ["-a"]):
                tracer = Tracer(*arguments)
                runner.do("go 1")
                events = tracer.stop()
                self.assertEqual(len(of_process(events, runner.pid)), 7)
                self.assertEqual(names(of_exe(events, self.path)), ["trace.attached"])
                check_books(self, events)

    def check_while_attached(self, change, arguments):
        """A change of its name or its inode must not cost or double a boundary."""
        with Runner(self.path) as runner:
            tracer = Tracer(*arguments(runner))
            runner.do("go 10")
            change()
            for _ in range(60):
                runner.do("go 1")
                time.sleep(0.01)  # the tracer looks around meanwhile
            events = tracer.stop()
            self.assertEqual(len(of_process(events, runner.pid)), 70 * 7)
            self.assertEqual(names(of_exe(events, self.path)), ["trace.attached"])
            check_books(self, events)

    def test_deleted_while_attached(self):
        self.check_while_attached(lambda: os.unlink(self.path), lambda _: ["-a"])

    def test_linked_while_attached(self):
        self.check_while_attached(lambda: os.link(self.path, self.path + "-2"), lambda _: ["-x", self.path])

    def test_chmod_while_attached(self):
        self.check_while_attached(lambda: os.chmod(self.path, 0o700), lambda runner: ["-p", str(runner.pid)])


if __name__ == "__main__":
    import unittest
    unittest.main()
