# SPDX-License-Identifier: BSD-2-Clause
"""The header in other languages: the C++ wrapper, the Python example of usdt/README.md, and what
`make install` gives to both."""
import os
import re
import subprocess
import tempfile
import unittest

import needs
from harness import (BUILD, EndToEnd, ROOT, Runner, Tracer, completed, read_events, run, started,
                     steps)
from test_header import STRICT

USDT = os.path.join(ROOT, "usdt")

CXX = r"""
#include <steptrace.hpp>
#include <stdexcept>

static void fail(steptrace::command &command)
{
    steptrace::step step(command, "ThrowingStep");
    steptrace::tool tool(step, "thrower");
    throw std::runtime_error("wrong");
}

static void run()
{
    steptrace::command command("wrapped", [](steptrace_command &about) {
        about.user_id = "mia";
        about.queue = "high";
        about.attempt = 2;
    });
    {
        steptrace::step outer(command, "OuterStep");
        steptrace::step inner(outer, "InnerStep", [](steptrace_step &about) {
            about.name = "inside";
        });
        inner->mutations_count = 3;
        inner.fragment_changed(7, STEPTRACE_CREATED);
        steptrace::tool tool(inner, "shell");
        tool.exited(4);
        steptrace::suspension<steptrace::step> pause(outer);
    }
    {
        steptrace::step step(command, "FailingStep");
        step.fail(STEPTRACE_ERROR_NETWORK);
    }
    {
        steptrace::step step(command, "SuspendedStep");
        step.suspend();
    }
    {
        steptrace::step step(command, "EndedStep");
        step.end(STEPTRACE_SKIPPED);
        step.end(STEPTRACE_FAILURE);
    }
    try {
        fail(command);
    } catch (const std::exception &) {
        command->error_category = STEPTRACE_ERROR_LIMIT;
        throw;
    }
}

int main()
{
    try {
        run();
    } catch (const std::exception &) {
        return 0;
    }
    return 1;
}
"""

# A constructor that throws before the span has begun leaves nothing to end.
THROWS_EARLY = r"""
#include <steptrace.hpp>
int main()
{
    try {
        steptrace::command command("never", [](steptrace_command &) { throw 1; });
    } catch (int) {
        steptrace::command command("after");
    }
    return 0;
}
"""

LIBRARY = r"""
#include <steptrace.hpp>
class holder {
    steptrace::command command_{"held"};
    steptrace::step step_{command_, "HeldStep"};
};
extern "C" void use_NAME()
{
    holder held;
}
"""


class Folder(EndToEnd):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-wrap-")

    def tearDown(self):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def do(self, *command, **options):
        done = subprocess.run(command, cwd=self.directory.name, capture_output=True, text=True,
                              check=False, **options)
        self.assertEqual(done.returncode, 0, "%s: %s" % (" ".join(command), done.stderr))
        return done.stdout

    def recorded(self, program):
        status, _, words = run("record", "-o", self.path("events"), "--", self.path(program))
        self.assertEqual(status, 0, words)
        events = read_events(self.path("events"))
        os.unlink(self.path("events"))
        return events


class Cxx(Folder):
    EXPECTED = {  # step type: outcome, error category
        "OuterStep": ("success", None), "InnerStep": ("success", None),
        "FailingStep": ("failure", "network"), "SuspendedStep": ("cancelled", None),
        "EndedStep": ("skipped", None), "ThrowingStep": ("failure", "general"),
    }

    def check(self, events):
        found = {each["step_type"]: each for each in steps(events)}
        self.assertEqual({name: (each["outcome"], each.get("error_category"))
                          for name, each in found.items()}, self.EXPECTED)
        self.assertEqual(found["InnerStep"]["step"]["parent_step_id"],
                         found["OuterStep"]["step_id"])
        self.assertEqual(found["InnerStep"]["mutations_count"], 3)
        self.assertGreater(found["OuterStep"]["suspended_ms"], 0)
        tools = [(each["tool_slug"], each["outcome"], each["exit_status"])
                 for each in events if each["event"] == "tool.invocation.completed"]
        self.assertEqual(tools, [("shell", "failure", 4), ("thrower", "failure", None)])
        self.assertEqual(started(events)[0]["queue"],
                         {"name": "high", "attempt": 2, "wait_ms": None})
        done = completed(events)[0]
        self.assertEqual((done["outcome"], done["error_category"], done["complete"]),
                         ("failure", "limit", True))
        self.assertEqual((done["steps_executed"], done["steps_failed"]), (6, 2))

    def test_spans_end_with_their_scope(self):
        self.write("program.cc", CXX)
        for compiler in ("g++", "clang++"):
            needs.program(compiler)
            for standard in ("c++17", "c++20"):
                with self.subTest(compiler=compiler, standard=standard):
                    self.do(compiler, *STRICT, "-std=" + standard, "-O2", "program.cc",
                            "-o", "program")
                    self.check(self.recorded("program"))

    def test_a_constructor_that_throws(self):
        self.write("program.cc", THROWS_EARLY)
        self.do("g++", *STRICT, "-std=c++17", "program.cc", "-o", "program")
        events = self.recorded("program")
        self.assertEqual([each["command_slug"] for each in completed(events)], ["after"])

    def test_libraries_do_not_share_functions(self):
        """Otherwise one library would look at the semaphore of the other."""
        for name in ("one", "two"):
            self.write(name + ".cc", LIBRARY.replace("NAME", name))
            self.do("g++", *STRICT, "-std=c++17", "-O0", "-fPIC", "-shared", name + ".cc",
                    "-o", "lib%s.so" % name)
            exported = self.do("nm", "-D", "--defined-only", "-C", "lib%s.so" % name)
            self.assertIn("use_" + name, exported)
            self.assertNotIn("steptrace", exported)

    def test_an_older_standard_is_one_error(self):
        self.write("program.cc", CXX)
        done = subprocess.run(["g++", "-std=c++14", "-I", USDT, "program.cc", "-o", "program"],
                              cwd=self.directory.name, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("steptrace.hpp needs C++17 or later", done.stderr)
        self.assertLessEqual(done.stderr.count("error:"), 2, done.stderr)


class Python(Folder):
    def blocks(self):
        """The C and the Python of the page, and the command that compiles the C."""
        with open(os.path.join(USDT, "README.md"), encoding="utf-8") as file:
            blocks = dict(re.findall(r"^```(c|python)\n(.*?)^```$", file.read(),
                                     re.MULTILINE | re.DOTALL))
        command = re.match(r"/\* (cc .*?) \*/\n", blocks["c"]).group(1)
        return blocks["c"], blocks["python"], command.split()

    def check(self, events):
        done = completed(events)
        self.assertEqual([each["outcome"] for each in done], ["success", "failure"])
        self.assertEqual({each["user_id"] for each in events if "user_id" in each}, {"mia"})
        told = [(each["step_type"], each["outcome"], each["mutations_count"])
                for each in steps(events)]
        self.assertEqual(told, [("NoteUpdateStep", "success", 2)] * 3 +
                         [("RowsStep", "success", 0), ("NoteUpdateStep", "failure", 0),
                          ("RowsStep", "cancelled", 0)])
        rows = [each for each in steps(events) if each["step_type"] == "RowsStep"]
        for each in rows:
            self.assertGreater(each["suspended_ms"], 0)
        self.assertEqual({each["complete"] for each in done}, {True})

    def test_the_example_of_the_page(self):
        source, program, command = self.blocks()
        self.write("probes.c", source)
        self.write("runner.py", program)
        self.do(*command, "-I", USDT, "-Wall", "-Wextra", "-Werror")
        with Runner(["python3", self.path("runner.py")]) as runner:
            runner.order("1")
            runner.lines.until("saved")
            tracer = Tracer("-p", str(runner.pid))
            for line, answer in (("2", "saved"), ("two", "not a number")):
                runner.order(line)
                runner.lines.until(answer)
            events = tracer.stop()
        self.check(events)


class Install(Folder):
    def make(self, goal, prefix="/opt/it", root="root"):
        self.do("make", "-s", "-C", ROOT, goal, "PREFIX=" + prefix,
                "BUILD=" + os.path.relpath(BUILD, ROOT), "DESTDIR=" + self.path(root))

    def installed(self):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.path("root"))
                for name in names]

    def test_install_and_uninstall(self):
        self.make("install")
        names = {os.path.relpath(path, self.path("root/opt/it")) for path in self.installed()}
        self.assertLessEqual({"bin/steptrace", "bin/steprun", "include/steptrace.h",
                              "include/steptrace.hpp", "share/pkgconfig/steptrace.pc",
                              "share/man/man8/steptrace.8", "share/man/man5/steprun-pack.5",
                              "lib/systemd/system/steptrace.service",
                              "lib/sysusers.d/steptrace.conf", "etc/steptrace/steptrace.conf",
                              "share/bash-completion/completions/steptrace",
                              "share/bash-completion/completions/steprun"}, names)
        self.assertEqual(os.stat(self.path("root/opt/it/bin/steptrace")).st_mode & 0o777, 0o755)
        with open(self.path("root/opt/it/lib/systemd/system/steptrace.service"),
                  encoding="utf-8") as file:
            self.assertIn("/opt/it/bin/steptrace record --config /opt/it/etc/steptrace/"
                          "steptrace.conf\n", file.read())
        self.make("uninstall")
        self.assertEqual(self.installed(), [])

    def test_a_changed_configuration_stays(self):
        self.make("install")
        path = self.path("root/opt/it/etc/steptrace/steptrace.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("all\n")
        self.make("install")
        self.make("uninstall")
        self.assertEqual(self.installed(), [path])
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "all\n")

    def test_where_the_configuration_is(self):
        """Programs of the system read /etc."""
        for number, (prefix, place) in enumerate((("/usr", "etc"), ("/usr/local", "etc"),
                                                  ("/opt/x", "opt/x/etc"))):
            self.make("install", prefix, str(number))
            self.assertTrue(os.path.exists(os.path.join(
                self.path(str(number)), place, "steptrace/steptrace.conf")))

    def test_pkg_config(self):
        needs.program("pkg-config")
        self.make("install")
        place = {"PKG_CONFIG_PATH": self.path("root/opt/it/share/pkgconfig"),
                 "PATH": os.environ["PATH"]}
        flags = self.do("pkg-config", "--cflags", "steptrace", env=place).split()
        self.assertEqual(flags, ["-I/opt/it/include"])
        version = self.do("pkg-config", "--modversion", "steptrace", env=place).strip()
        self.assertEqual(run("--version")[1].split()[1], version)


if __name__ == "__main__":
    unittest.main()
