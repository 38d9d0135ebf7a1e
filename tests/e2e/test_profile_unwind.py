# SPDX-License-Identifier: BSD-2-Clause
"""steptrace profile --unwind: how stacks are found."""
import re
import unittest

from harness import EndToEnd, run, target

ORDERS = "burn 100\nsleep 20\nquit\n"


def stacks(*arguments):
    """The folded text of a profile of the waiter, and what was said."""
    status, text, words = run("profile", *arguments, "--", target("waiter"), input=ORDERS)
    assert status == 0, words
    return text, words


class Unwind(EndToEnd):
    def check_whole(self, text):
        """The waiter has no frame pointers: from main on, a stack was unwound from a copy."""
        self.assertRegex(text, r"(?m)^waiter\.run;WaitStep;.*;main;.*;wait_burn(;.*)? \d+$")
        self.assertRegex(text, r"(?m)^waiter\.run;WaitStep;.*;main;.*;wait_sleep;.*;\[sleep\] \d+$")

    def test_copies_are_the_default(self):
        self.check_whole(stacks()[0])

    def test_sizes(self):
        for size in ("4K", "32K"):
            with self.subTest(size=size):
                self.check_whole(stacks("--unwind", "dwarf," + size)[0])

    def test_frame_pointers(self):
        text, words = stacks("--unwind", "fp")
        self.assertRegex(text, r"(?m)^waiter\.run;WaitStep;\[cut\];.*;\[sleep\] \d+$")
        self.assertIn("--unwind dwarf finds more", words)

    def test_the_kernels_functions(self):
        """They are taken when the thread comes back. The scheduler's are left out."""
        for unwind in ("fp", "dwarf"):
            with self.subTest(unwind=unwind):
                text = stacks("--unwind", unwind, "--off-cpu")[0]
                line = re.search(r"(?m)^.*;\[sleep\] \d+$", text).group()
                self.assertRegex(line, r"nanosleep\w*_\[k\];\[sleep\]")
                self.assertNotIn("schedule", line)


if __name__ == "__main__":
    unittest.main()
