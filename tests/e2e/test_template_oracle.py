# SPDX-License-Identifier: BSD-2-Clause
"""Random templates have the same result in the engine and in a second implementation, the oracle in
tests/oracle. Where one of them fails, the other fails as well; the messages are not compared.

    ORACLE_SEED=N       the number of the first template; a failure prints the number
    ORACLE_ROUNDS=N     how many templates

It needs neither root nor BPF: python3 tests/e2e/test_template_oracle.py
"""
import collections
import json
import os
import random
import re
import subprocess
import sys
import unittest

from harness import ROOT, target

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))

import template_oracle  # noqa: E402
import template_random  # noqa: E402
from template_filters import FILTERS  # noqa: E402
from template_values import Failure, Unsure, json_text  # noqa: E402

SEED = int(os.environ.get("ORACLE_SEED", "20260131"))
ROUNDS = int(os.environ.get("ORACLE_ROUNDS", "8000"))
ROUNDS_OF_EVERYTHING = 5000  # so many templates contain each part of the language
SHOWN = 3  # of the templates that differ, the shortest

PARTS = [*FILTERS, "set", "if", "elif", "elsif", "else", "for", "break", "and", "or", "not", "in",
         "is", "true", "false", "null", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "?",
         ":"]


class Case:
    def __init__(self, seed):
        self.seed = seed
        self.question = template_random.case(random.Random(seed))
        self.template, self.root = self.question["template"], self.question["root"]
        self.engine = self.oracle = None

    def ask_oracle(self):
        try:
            self.oracle = {"value": template_oracle.render(self.template, self.root)}
        except Failure as failure:
            self.oracle = {"error": str(failure)}
        except Unsure:
            self.oracle = {}

    def is_same(self):
        if "value" in self.engine and "value" in self.oracle:
            return json_text(self.engine["value"]) == json_text(self.oracle["value"])
        return self.engine.keys() == self.oracle.keys()

    def __str__(self):
        return ("ORACLE_SEED=%d ORACLE_ROUNDS=1\n  template %s\n  context  %s\n"
                "  engine   %s\n  oracle   %s"
                % (self.seed, json.dumps(self.template, ensure_ascii=False),
                   json.dumps(self.root, ensure_ascii=False),
                   json.dumps(self.engine, ensure_ascii=False),
                   json.dumps(self.oracle, ensure_ascii=False)))


def ask_engine(cases):
    done = subprocess.run([target("template_engine")], capture_output=True, text=True, check=False,
                          input="".join(json.dumps(case.question) + "\n" for case in cases))
    answers = done.stdout.splitlines()
    for case, answer in zip(cases, answers):
        case.engine = json.loads(answer)
    if done.returncode or len(answers) != len(cases):
        raise AssertionError("the engine ended with %d in ORACLE_SEED=%d: %s\n%s"
                             % (done.returncode, cases[min(len(answers), len(cases) - 1)].seed,
                                cases[min(len(answers), len(cases) - 1)].template, done.stderr))


class Oracle(unittest.TestCase):
    def test_engine_and_oracle_agree(self):
        cases = [Case(SEED + number) for number in range(ROUNDS)]
        ask_engine(cases)
        for case in cases:
            case.ask_oracle()
        different = [case for case in cases if case.oracle and not case.is_same()]
        different.sort(key=lambda case: len(case.template))
        if different:
            self.fail("%d of %d templates differ\n%s"
                      % (len(different), ROUNDS, "\n".join(map(str, different[:SHOWN]))))
        if ROUNDS >= ROUNDS_OF_EVERYTHING:
            self.check_the_templates(cases)

    def check_the_templates(self, cases):
        """Most of them have a result, some fail, and no part of the language is missing."""
        kinds = collections.Counter(key for case in cases for key in case.oracle or ["unsure"])
        self.assertGreater(kinds["value"], ROUNDS * 0.6, kinds)
        self.assertGreater(kinds["error"], ROUNDS * 0.1, kinds)
        self.assertLess(kinds["unsure"], ROUNDS * 0.05, kinds)
        words = collections.Counter(word for case in cases if "value" in case.oracle
                                    for word in set(re.findall(r"\w+|[^\w\s]+", case.template)))
        self.assertEqual([part for part in PARTS if words[part] < 10], [])


if __name__ == "__main__":
    unittest.main()
