# SPDX-License-Identifier: BSD-2-Clause
"""usdt/steptrace.h, built in every way that runners are built, and fired each time."""
import os
import re
import subprocess
import tempfile
import unittest

import needs
from harness import EndToEnd, ROOT, completed, read_events, run, steps

MAIN = """
#include <steptrace.h>
#ifdef __cplusplus
extern "C"
#endif
void other(struct steptrace_command *command);
int main(void)
{
    struct steptrace_command command;
    struct steptrace_step step;
    steptrace_command_init(&command, "built");
    steptrace_command_begin(&command);
    steptrace_step_init(&step, &command, "MainStep");
    steptrace_step_begin(&step);
    steptrace_step_end(&step, STEPTRACE_SUCCESS);
    other(&command);
    steptrace_command_end(&command, STEPTRACE_SUCCESS);
    return 0;
}
"""

OTHER = """
#include <steptrace.h>
#ifdef __cplusplus
extern "C"
#endif
void other(struct steptrace_command *command);
void other(struct steptrace_command *command)
{
    struct steptrace_step step;
    steptrace_step_init(&step, command, "OtherStep");
    steptrace_step_begin(&step);
    steptrace_step_end(&step, STEPTRACE_SUCCESS);
}
"""

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
          "-I", os.path.join(ROOT, "usdt")]


def compilers():
    """Both, or the test is skipped."""
    needs.program("gcc")
    needs.program("clang")
    return [("gcc", "g++"), ("clang", "clang++")]


class Header(EndToEnd):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-header-")
        for name, text in (("main", MAIN), ("other", OTHER)):
            for suffix in (".c", ".cc"):
                with open(os.path.join(self.directory.name, name + suffix), "w") as file:
                    file.write(text)

    def tearDown(self):
        self.directory.cleanup()

    def build(self, *commands):
        for command in commands:
            done = subprocess.run(command, cwd=self.directory.name, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, "%s: %s" % (" ".join(command), done.stderr))

    def notes(self):
        text = subprocess.run(["readelf", "-n", "program"], cwd=self.directory.name,
                              capture_output=True, text=True).stdout
        return re.findall(r"Name: (\w+)", text)

    def fires(self, copies=1):
        """One function for each probe in the program, and both files reach it."""
        names = self.notes()
        self.assertLessEqual({"command__start", "command__done", "step__start", "step__done"},
                             set(names))  # a linker may drop what nobody calls
        self.assertLessEqual(len(names), 8 * copies)
        path = os.path.join(self.directory.name, "events")
        status, _, words = run("record", "-o", path, "--",
                               os.path.join(self.directory.name, "program"))
        self.assertEqual(status, 0, words)
        events = read_events(path)
        os.unlink(path)
        self.assertEqual([step["step_type"] for step in steps(events)], ["MainStep", "OtherStep"])
        self.assertIs(completed(events)[0]["complete"], True)

    def test_c_in_every_way(self):
        ways = [["-std=c11", "-O2"], ["-std=gnu11", "-O0"], ["-O2", "-flto"], ["-O2", "-static"],
                ["-O2", "-no-pie", "-fno-pie"], ["-O3", "-ffunction-sections", "-Wl,--gc-sections"],
                ["-O2", "-fPIE", "-pie", "-fno-plt"], ["-O2", "-fstack-protector-strong"]]
        for compiler, _ in compilers():
            for way in ways:
                with self.subTest(compiler=compiler, way=way):
                    self.build([compiler, *STRICT, *way, "main.c", "other.c", "-o", "program"])
                    self.fires()

    def test_probe_functions_have_unwind_tables(self):
        """A thread that is stopped in one is often one whose stack is wanted."""
        for compiler, _ in compilers():
            with self.subTest(compiler=compiler):
                self.build([compiler, *STRICT, "-O2", "main.c", "other.c", "-o", "program"])
                program = os.path.join(self.directory.name, "program")
                symbols = subprocess.run(["readelf", "-sW", program], check=True, text=True,
                                         capture_output=True).stdout
                frames = subprocess.run(["readelf", "--debug-dump=frames", program], check=True,
                                        text=True, capture_output=True).stdout
                probes = re.findall(r"([0-9a-f]{16}) +(\d+) FUNC .* steptrace_probe_\w+$", symbols,
                                    re.MULTILINE)
                self.assertEqual(len(probes), 8)
                for start, size in probes:
                    self.assertIn("pc=%s..%016x" % (start, int(start, 16) + int(size)), frames)

    def test_gcc_with_sanitizers(self):
        self.build(["gcc", *STRICT, "-O1", "-fsanitize=address,undefined", "main.c", "other.c",
                    "-o", "program"])
        self.fires()

    def test_clang_with_lld_and_lto(self):
        for way, copies in ((["-flto"], 1), (["-flto=thin"], 2)):
            with self.subTest(way=way):
                self.build(["clang", *STRICT, "-O2", *way, "-fuse-ld=lld", "main.c", "other.c",
                            "-o", "program"])
                self.fires(copies)

    def test_cxx_and_mixed(self):
        for compiler, cxx in compilers():
            with self.subTest(compiler=cxx):
                needs.program(cxx)
                self.build([cxx, *STRICT, "-std=c++17", "-O2", "main.cc", "other.cc",
                            "-o", "program"])
                self.fires()
                self.build([compiler, *STRICT, "-O2", "-c", "other.c"],
                           [cxx, *STRICT, "-std=c++20", "-O2", "main.cc", "other.o",
                            "-o", "program"])
                self.fires()

    def test_every_standard_from_c11_on(self):
        for compiler, cxx in compilers():
            for standard in ("c11", "c17", "gnu17", "c2x"):
                with self.subTest(compiler=compiler, standard=standard):
                    self.build([compiler, *STRICT, "-std=" + standard, "-c", "main.c"])
            for standard in ("c++11", "c++14", "c++17", "gnu++20"):
                with self.subTest(compiler=cxx, standard=standard):
                    needs.program(cxx)
                    self.build([cxx, *STRICT, "-std=" + standard, "-c", "main.cc"])

    def test_older_standards_are_one_error(self):
        """A sentence, and not a page of errors."""
        ways = [(compiler, "-std=" + standard, "main.c") for compiler, _ in compilers()
                for standard in ("c89", "gnu89", "c99", "gnu99")]
        ways += [(cxx, "-std=c++98", "main.cc") for _, cxx in compilers()]
        for compiler, standard, source in ways:
            with self.subTest(compiler=compiler, standard=standard):
                needs.program(compiler)
                done = subprocess.run([compiler, standard, "-I", os.path.join(ROOT, "usdt"), "-c",
                                       source], cwd=self.directory.name, capture_output=True,
                                      text=True)
                self.assertEqual(done.returncode, 1)
                self.assertIn("steptrace.h needs C11 or C++11, or later", done.stderr)
                self.assertLessEqual(len(re.findall(r"error:", done.stderr)), 2, done.stderr)

    def test_objects_of_two_compilers(self):
        self.build(["gcc", *STRICT, "-O2", "-c", "main.c"],
                   ["clang", *STRICT, "-O2", "-c", "other.c"],
                   ["gcc", "main.o", "other.o", "-o", "program"])
        self.fires()

    def test_a_library_beside_the_program(self):
        """Each linked object has its own copy, and its own semaphore."""
        self.build(["gcc", *STRICT, "-O2", "-fPIC", "-shared", "other.c", "-o", "libother.so"],
                   ["gcc", *STRICT, "-O2", "main.c", "-L.", "-lother", "-Wl,-rpath,$ORIGIN",
                    "-o", "program"])
        self.assertEqual(len(self.notes()), 8)

    def test_switched_off_it_leaves_nothing(self):
        self.build(["gcc", *STRICT, "-O2", "-DSTEPTRACE_DISABLE", "main.c", "other.c",
                    "-o", "program"])
        self.assertEqual(self.notes(), [])
        done = subprocess.run([os.path.join(self.directory.name, "program")])
        self.assertEqual(done.returncode, 0)

    def test_other_platforms_are_told(self):
        for compiler, _ in compilers():
            command = [compiler, "-U__linux__", "-I", os.path.join(ROOT, "usdt"),
                       "main.c", "other.c", "-o", "program"]
            done = subprocess.run(command, cwd=self.directory.name, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("no probes on this platform", done.stderr)
            self.assertEqual(self.notes(), [])
            self.build(command + ["-DSTEPTRACE_QUIET", "-Wall", "-Wextra", "-Werror"])


if __name__ == "__main__":
    unittest.main()
