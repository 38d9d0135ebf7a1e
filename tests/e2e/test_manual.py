# SPDX-License-Identifier: BSD-2-Clause
"""The man pages know the options that there are, and no others."""
import os
import re
import subprocess
import unittest

from harness import ROOT, STEPRUN, STEPTRACE, EndToEnd


def of_help(program, *commands):
    found = set()
    for command in commands:
        shown = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=True).stdout
        for letter, name in re.findall(r"^  (?:(-\w), |    )(--[\w-]+)", shown, re.MULTILINE):
            found |= {letter, name} - {""}
    return found


def of_page(name):
    """Of the lines that describe an option, not of those that mention one."""
    with open(os.path.join(ROOT, "docs", "man", name), encoding="utf-8") as file:
        lines = [line for line in file if line.startswith((".It Fl", ".Op Fl"))]
    return {"-" + flag for line in lines for flag in re.findall(r"Fl (-?[a-z][\w-]*)", line)}


class Manual(EndToEnd):
    def check(self, page, *help_of):
        shown, told = of_help(*help_of) - {"-h", "--help"}, of_page(page)
        self.assertGreater(len(told), 15)
        self.assertEqual(told - shown, set(), "there are no such options")
        self.assertEqual(shown - told, set(), "the page does not know them")

    def test_steptrace(self):
        self.check("steptrace.8", STEPTRACE, "record", "list", "doctor", "schema")

    def test_steprun(self):
        self.check("steprun.1", STEPRUN, "exec", "check", "list")


if __name__ == "__main__":
    unittest.main()
