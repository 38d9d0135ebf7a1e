# SPDX-License-Identifier: BSD-2-Clause
"""The fixture that measures again (measuring.py)."""
import unittest

from measuring import ATTEMPTS, Disturbed, measured_again


class MeasuredAgain(unittest.TestCase):
    def setUp(self):
        self.measured = 0

    @measured_again
    def disturbed_until(self, times):
        self.measured += 1
        if self.measured < times:
            raise Disturbed("too far")
        return self.measured

    @measured_again
    def wrong(self):
        self.measured += 1
        self.fail("wrong, however busy the machine is")

    @measured_again
    def measured_in_a_sub_test(self):
        with self.subTest("one"):
            raise Disturbed("too far")

    def test_until_it_is_near(self):
        self.assertEqual(self.disturbed_until(ATTEMPTS), ATTEMPTS)

    def test_always_too_far(self):
        self.assertRaises(Disturbed, self.disturbed_until, ATTEMPTS + 1)
        self.assertEqual(self.measured, ATTEMPTS)

    def test_what_is_wrong_is_wrong_at_once(self):
        self.assertRaises(AssertionError, self.wrong)
        self.assertEqual(self.measured, 1)

    def test_a_sub_test_inside(self):
        self.assertRaisesRegex(RuntimeError, "swap them", self.measured_in_a_sub_test)
        with self.subTest("around"):
            self.assertEqual(self.disturbed_until(2), 2)


if __name__ == "__main__":
    unittest.main()
