# SPDX-License-Identifier: BSD-2-Clause
"""Measures again where something else took the processor.

A hypervisor, an interrupt or a busy neighbour takes a processor in a way that no clock of the
runner sees, and a thread may be preempted between a probe and a clock. A measurement that says
Disturbed is made again. What is always wrong stays wrong.
"""
import contextlib
from functools import wraps
from unittest import mock

ATTEMPTS = 10


class Disturbed(AssertionError):
    """A time differs by more than it may: by our fault, or because the machine was busy."""


def sub_test_inside(*_, **__):
    """unittest catches the failure of a sub-test, and goes on after the sub-test. So the failure
    would not reach measured_again()."""
    raise RuntimeError("a sub-test inside of what is measured again: swap them")


def measured_again(measure):
    """For a test, or for the part of one that can be repeated."""
    @wraps(measure)
    def until_measured(self, *arguments, **options):
        with mock.patch.object(self, "subTest", sub_test_inside):
            for _ in range(ATTEMPTS - 1):
                with contextlib.suppress(Disturbed):
                    return measure(self, *arguments, **options)
            return measure(self, *arguments, **options)
    return until_measured
