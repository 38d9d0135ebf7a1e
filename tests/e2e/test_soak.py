# SPDX-License-Identifier: BSD-2-Clause
"""The soak test, for a little while: `make soak` does it for ten minutes."""
import unittest

import soak
from harness import EndToEnd

SECONDS = 12


class Soak(EndToEnd):
    def test_a_little_while(self):
        seen = soak.soak(SECONDS)
        self.assertGreater(seen["runners"], 0)
        # the steady runner has 5000 steps a second in commands of five, for a second less
        self.assertEqual(seen["commands_steady"], 1000 * (SECONDS - 1))
        self.assertGreater(seen["hits"], 7 * seen["commands_steady"])


def looks_with(memory):
    return [{"memory": int(kib), "descriptors": 60, "threads": 4, "mappings": 130}
            for kib in memory]


class Growth(unittest.TestCase):
    """The check of the soak test itself, with ten minutes of two looks a second."""

    def test_queues_that_fill_up(self):
        memory = [4900] * 300 + [5700] * 200 + [6500] * 700
        soak.check_growth(looks_with(memory), 600)

    def test_queues_that_are_full_later(self):
        memory = [5100] * 900 + [5100 + 3 * 1024] * 300
        soak.check_growth(looks_with(memory), 600)

    def test_a_slow_leak(self):
        memory = [5000 + look / 2 for look in range(1200)]  # 1 KiB a second
        with self.assertRaisesRegex(soak.Failure, "grew in every part"):
            soak.check_growth(looks_with(memory), 600)

    def test_a_fast_leak(self):
        memory = [5000 + 20 * look for look in range(1200)]
        with self.assertRaisesRegex(soak.Failure, "memory grew from"):
            soak.check_growth(looks_with(memory), 600)


if __name__ == "__main__":
    unittest.main()
