# SPDX-License-Identifier: BSD-2-Clause
"""Packs that other people wrote for another engine, in the folder STEPTRACE_WILD_PACKS: each passes
'steprun check' or is refused for the reason in wild_cases.py, and each is executed with its own
samples and with our inputs, on the database of runner_fixture.py, until all of its steps and both
branches of all of its conditions were executed.

The packs are not ours to copy. tests/recordings/wild-packs.json has the names of keys, the changed
rows, and hashes of results and of event streams. After a change that is meant, look at the results
and write it anew:

    STEPTRACE_WILD_PACKS=FOLDER STEPTRACE_RENEW_GOLDENS=1 tests/run-e2e test_wild_packs
"""
import collections
import json
import os
import re
import shutil
import subprocess
import unittest

import needs
import wild_cases
from harness import PATIENCE_S, ROOT, STEPRUN, Scenario
from model_server import AnsweringModel
from pack_runs import (RENEW, TOOLS, PackRuns, as_lines, digest, key_sets, read_goldens, samples,
                       step_ids, write_goldens)

WILD = os.environ.get("STEPTRACE_WILD_PACKS")
GOLDENS = os.path.join(ROOT, "tests", "recordings", "wild-packs.json")
# What no message may contain: a template that was not rendered, a list written as PHP does it.
LEFTOVERS = re.compile(r"\{\{|\{%|\bArray\b")


def folders():
    """{"current/bookmark": its path, ...} for all packs that are there."""
    return {"%s/%s" % (age, name): os.path.join(WILD, age, name)
            for age in ("current", "older") for name in sorted(os.listdir(os.path.join(WILD, age)))}


def branches(runs):
    """{step id: branches of this condition that were executed}"""
    found = collections.defaultdict(set)
    for run in runs:
        for name, output in (run.result or {}).get("outputs", {}).items():
            if isinstance(output, dict) and "executed_branch" in output:
                found[name].add(output["executed_branch"])
    return found


def golden_of(runs):
    sets = collections.defaultdict(set)
    for run in runs:
        for path, keys in key_sets(run.result).items():
            sets[path] |= keys
    return {"keys": as_lines(sets),
            "cases": {run.case.name: {"result": digest(run.result), "events": digest(run.stream),
                                      "changes": run.changes} for run in runs}}


@unittest.skipUnless(WILD, needs.FILES_OF_OTHERS + "STEPTRACE_WILD_PACKS names no folder of packs")
class WildPacks(Scenario):
    def test_each_is_known(self):
        """Each pack has cases, and each case a pack."""
        self.assertEqual(set(folders()) | set(wild_cases.AMENDED), set(wild_cases.CASES))

    def test_check_refuses_for_the_right_reason(self):
        for age in ("current", "older"):
            done = subprocess.run([STEPRUN, "check", "--json", os.path.join(WILD, age)],
                                  capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            found = collections.defaultdict(list)
            for line in done.stdout.splitlines():
                problem = json.loads(line)
                folder = os.path.dirname(problem["file"])
                found["%s/%s" % (age, os.path.basename(folder))].append(problem["rule"])
            self.assertEqual(found, {name: rules for name, rules in wild_cases.REFUSED.items()
                                     if name.startswith(age)})

    def amended(self, name):
        """A copy of a pack without the lines that the engine refuses."""
        original, lines = wild_cases.AMENDED[name]
        folder = shutil.copytree(folders()[original], os.path.join(self.directory, name))
        path = os.path.join(folder, "command.yaml")
        with open(path, encoding="utf-8") as file:
            text, count = re.subn(lines, "", file.read(), flags=re.MULTILINE)
        self.assertEqual(count, 1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return folder

    def executed(self, *options):
        tools = os.path.join(self.directory, "tools.yaml")
        with open(tools, "w", encoding="utf-8") as file:
            file.write(TOOLS)

        def answer(prompt):
            return wild_cases.MODEL_PROSE if "NO JSON" in prompt else wild_cases.MODEL_ANSWER

        with AnsweringModel(answer) as model:
            runs = PackRuns(self.directory, "--tools", tools, "--ai-url", model.url,
                            "--ai-model", "test", *options)
            paths = folders() | {name: self.amended(name) for name in wild_cases.AMENDED}
            for name, cases in wild_cases.CASES.items():
                runs.add(name, paths[name], *cases, *samples(paths[name]))
            by_pack = collections.defaultdict(list)
            for run in runs.execute(self):
                by_pack[run.pack].append(run)
        return by_pack

    def check_run(self, run):
        expected = 1 if run.pack in wild_cases.ALWAYS_FAILS else run.case.status
        self.assertEqual(run.status, expected, run.words)
        self.assertIn(wild_cases.ALWAYS_FAILS.get(run.pack, ""), run.words)
        self.assertIs(run.result["success"], expected == 0)
        self.assertNotRegex(json.dumps(run.result["response"], ensure_ascii=False), LEFTOVERS)
        self.assertEqual([row[0] for row in run.stream if row[0].startswith("command.")],
                         ["command.execution.started", "command.execution.completed"])

    def check_reached(self, name, runs):
        unreached = wild_cases.UNREACHED.get(name, {})
        executed = {row[1] for run in runs for row in run.stream if row[1]}
        ids = step_ids(runs[0].folder)
        self.assertTrue(ids)
        self.assertEqual(ids - executed, set(unreached))
        self.assertLessEqual(executed, ids)
        conditions = {row[1] for run in runs for row in run.stream if row[2] == "ConditionStep"}
        reached = branches(runs)
        self.assertEqual({step: reached[step] for step in conditions},
                         {step: {"then", "else"} for step in conditions})

    def check_golden(self, name, runs, golden):
        now = golden_of(runs)
        self.assertEqual(now["keys"], golden["keys"])
        changed = [run for run in runs
                   if now["cases"][run.case.name] != golden["cases"].get(run.case.name)]
        for run in changed:
            print("        %s is not as it was:\n%s\n%s" % (
                run.name, json.dumps(run.result, indent=1, ensure_ascii=False),
                "\n".join(map(str, run.stream + run.changes))))
        self.assertEqual([run.name for run in changed], [])
        self.assertEqual(set(golden["cases"]), set(now["cases"]), "cases of %s" % name)

    def test_every_branch_of_every_pack(self):
        by_pack = self.executed()
        if os.environ.get(RENEW) == "1":
            write_goldens(GOLDENS, {name: golden_of(runs) for name, runs in by_pack.items()})
        goldens = read_goldens(GOLDENS)
        self.assertEqual(set(goldens), set(by_pack))
        for name, runs in by_pack.items():
            for run in runs:
                with self.subTest(run.name):
                    self.check_run(run)
            with self.subTest("steps of " + name):
                self.check_reached(name, runs)
            with self.subTest("goldens of " + name):
                self.check_golden(name, runs, goldens[name])

    def test_dry_runs_change_nothing(self):
        for name, runs in self.executed("--dry-run").items():
            for run in runs:
                with self.subTest(run.name):
                    self.assertEqual(run.changes, [])
                    self.assertIn(run.status, (0, run.case.status), run.words)
                    self.assertEqual({row[4] for row in run.stream} - {None}, {0})
                    self.assertNotIn("fragment.changed", [row[0] for row in run.stream])
            self.assertTrue(runs, name)


if __name__ == "__main__":
    unittest.main()
