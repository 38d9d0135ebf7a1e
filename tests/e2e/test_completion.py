# SPDX-License-Identifier: BSD-2-Clause
"""The completion for bash, in a bash, and `steptrace --version --verbose`."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import ROOT, STEPRUN, STEPTRACE, EndToEnd, run
from test_manual import COMMANDS, options_of_help

# Completes the words of a command line as bash does when its user presses the tab key. Prints what
# is offered, and with a dash in front the options of compopt.
COMPLETE = r"""
compopt() { shift $(($# - 1)); offered+=("default: $1"); }
source "$1"; shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(complete -p "$1") && function=${function#*-F }
"${function%% *}" "$1"
printf '%s\n' "${COMPREPLY[@]}" "${offered[@]}"
"""


class Completion(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = subprocess.run([os.path.join(ROOT, "src", "make-completion"), STEPTRACE, STEPRUN],
                              capture_output=True, check=True).stdout
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(made)
        cls.script = file.name
        cls.addClassCleanup(os.unlink, file.name)

    def offered(self, *words):
        done = subprocess.run(["bash", "-c", COMPLETE, "bash", self.script, *words], text=True,
                              capture_output=True, cwd=ROOT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return set(done.stdout.split("\n")) - {""}

    def test_every_option_of_every_command(self):
        for program, commands in COMMANDS.items():
            name = os.path.basename(program)
            self.assertLessEqual(set(commands), self.offered(name, ""))
            for command in commands:
                with self.subTest(program=name, command=command):
                    options = options_of_help(program, command)
                    self.assertEqual(self.offered(name, command, "-"), options)
                    self.assertIn("--help", options)

    def test_the_beginning_of_a_word(self):
        self.assertEqual(self.offered("steptrace", "re"), {"record", "report"})
        self.assertEqual(self.offered("steptrace", "record", "--rot"),
                         {"--rotate-size", "--rotate-age"})
        self.assertEqual(self.offered("steptrace", "--v"), {"--version"})

    def test_values(self):
        self.assertEqual(self.offered("steptrace", "record", "--when-full", ""), {"block", "drop"})
        self.assertEqual(self.offered("steptrace", "record", "--when-full", "d"), {"drop"})
        self.assertEqual(self.offered("steptrace", "record", "--format", "=", "c"), {"compact"})
        self.assertEqual(self.offered("steptrace", "record", "--format", "="), {"json", "compact"})
        self.assertEqual(self.offered("steptrace", "record", "--count", ""), set())

    def test_files(self):
        for words in (("record", "-o"), ("record", "--config"), ("export", "--output"),
                      ("report", "--compare")):
            self.assertEqual(self.offered("steptrace", *words, "Makef"),
                             {"Makefile", "default: filenames"})
        self.assertEqual(self.offered("steptrace", "report", ""), {"default: default"})

    def test_operands(self):
        self.assertIn("trace.lost", self.offered("steptrace", "schema", "trace."))
        self.assertLessEqual({"add", "run-now"}, self.offered("steprun", "schedule", ""))
        self.assertEqual(self.offered("steprun", "schedule", "de"), {"delete"})

    def test_a_program_to_run(self):
        """Words behind -- are not options of steptrace."""
        self.assertIn("bash", self.offered("steptrace", "record", "--", "bas"))
        self.assertEqual(self.offered("steptrace", "record", "--", "cat", "--form"),
                         {"default: default"})


class Version(EndToEnd):
    def test_verbose(self):
        status, output, words = run("--version", "--verbose")
        self.assertEqual((status, words), (0, ""))
        lines = output.split("\n")
        self.assertEqual(lines[0] + "\n", run("--version")[1])
        self.assertRegex(output, r"compilers +\S.*\n +\S*.*clang.*\n +bpftool ")
        libbpf = re.search(r"libbpf (\d+\.\d+)", output).group(1)
        self.assertEqual(libbpf, ".".join(subprocess.run(
            ["pkg-config", "--modversion", "libbpf"], capture_output=True, text=True,
            check=True).stdout.strip().split(".")[:2]))
        self.assertRegex(output, r"in kernel +.*raw_tp/sched_process_exit.* uprobe")

    def test_another_word(self):
        self.assertEqual(run("--version", "--verbos")[0], 2)


if __name__ == "__main__":
    unittest.main()
