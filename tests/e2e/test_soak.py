# SPDX-License-Identifier: BSD-2-Clause
"""The soak test, for a little while: `make soak` does it for ten minutes."""
import unittest

import soak
from harness import EndToEnd


class Soak(EndToEnd):
    def test_a_little_while(self):
        seen = soak.soak(12)
        self.assertGreater(seen["runners"], 10)
        self.assertGreater(seen["events"], 7 * seen["commands_steady"])
        self.assertGreater(seen["commands_steady"], 1000)


if __name__ == "__main__":
    unittest.main()
