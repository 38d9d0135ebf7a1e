# SPDX-License-Identifier: BSD-2-Clause
"""The packs of tests/packs, each executed with its samples and other inputs on the database of
runner_fixture.py. tests/recordings/own-packs has the whole result, the stream of events and the
changed rows of each execution. After a change that is meant, write them anew and look at the
difference:

    STEPTRACE_RENEW_GOLDENS=1 tests/run-e2e test_own_packs
"""
import difflib
import json
import os
import unittest

from harness import PACKS, ROOT, Scenario
from model_server import AnsweringModel
from pack_runs import RENEW, Case, PackRuns, read_goldens, samples, step_ids, write_goldens

GOLDENS = os.path.join(ROOT, "tests", "recordings", "own-packs")
LONG = "Größere Bögen für den Frühling – 🌱 " * 3
DRY = ("--dry-run",)

CASES = {
    "archive-stale": [
        Case("plain", {"body": "The old ledger"}), Case("nothing"),
        Case("empty", database="empty"), Case("dry", {"body": "The old ledger"}, options=DRY)],
    "digest": [
        Case("todos", {"type": "todo", "body": "ink"}), Case("none", {"body": "zeppelin"}),
        Case("untitled", {"type": "log"}), Case("percent", {"type": "log", "body": "100%"}),
        Case("empty", database="empty"), Case("dry", options=DRY)],
    "fails-midway": [Case("plain", status=1), Case("dry", options=DRY)],
    "route-task": [
        Case("urgent", {"body": "  URGENT: the roof leaks "}), Case("calm", {"body": LONG}),
        Case("priority", {"body": "Sweep", "priority": "high"}), Case("blank", {"body": "  "}),
        Case("nothing"), Case("dry", {"body": "urgent"}, options=DRY)],
    "summarize": [
        Case("uncached", {"body": LONG, "cache": False}),
        Case("refused", {"body": "REFUSE", "cache": False}, status=1),
        Case("empty-answer", {"body": "NOTHING", "cache": False}),
        Case("dry", {"body": "x"}, options=DRY)],
    "triage": [
        Case("long", {"body": LONG}), Case("source", {"body": "one\ntwo", "source": "web"}),
        Case("empty-text", {"body": ""}), Case("nothing", status=1),
        Case("dry", {"body": "a note"}, options=DRY)],
}


def answer(prompt):
    if "REFUSE" in prompt:
        return None
    return "" if "NOTHING" in prompt else "A sentence of %d letters – \"in quotes\"." % len(prompt)


def event_lines(run):
    """dsl.step.executed save FragmentCreateStep success 1 0 -: see pack_runs.row_of()"""
    return [" ".join("-" if item is None else str(item) for item in row) for row in run.stream]


def golden_of(runs):
    return {run.case.name: {"result": run.result, "events": event_lines(run),
                            "changes": run.changes} for run in runs}


def lines_of(golden):
    lines = json.dumps(golden["result"], indent=1, ensure_ascii=False).splitlines()
    return lines + golden["events"] + golden["changes"]


class OwnPacks(Scenario):
    def test_each_is_known(self):
        self.assertEqual(set(os.listdir(PACKS)), set(CASES))
        self.assertEqual(set(os.listdir(GOLDENS)), {name + ".json" for name in CASES})

    def executed(self):
        with AnsweringModel(answer) as model:
            runs = PackRuns(self.directory, "--ai-url", model.url, "--ai-model", "test")
            for name, cases in CASES.items():
                folder = os.path.join(PACKS, name)
                runs.add(name, folder, *cases, *samples(folder))
            return runs.execute(self)

    def check_golden(self, run, golden):
        now = golden_of([run])[run.case.name]
        difference = "\n".join(difflib.unified_diff(lines_of(golden), lines_of(now), "recorded",
                                                    "now", lineterm=""))
        if difference:
            self.fail("another result or stream of events:\n" + difference)
        self.assertEqual(now, golden)

    def test_results_and_events(self):
        runs = self.executed()
        for name in CASES:
            of_pack = [run for run in runs if run.pack == name]
            path = os.path.join(GOLDENS, name + ".json")
            if os.environ.get(RENEW) == "1":
                write_goldens(path, golden_of(of_pack))
            goldens = read_goldens(path)
            self.assertEqual(set(goldens), {run.case.name for run in of_pack})
            for run in of_pack:
                with self.subTest(run.name):
                    self.assertEqual(run.status, run.case.status, run.words)
                    self.check_golden(run, goldens[run.case.name])
            with self.subTest("steps of " + name):
                self.check_reached(name, of_pack)

    def check_reached(self, name, runs):
        """A dry run goes on where a row is missing, and does not count."""
        executed = {row[1] for run in runs for row in run.stream if run.case.options != DRY}
        unreached = {"never"} if name == "fails-midway" else set()
        self.assertEqual(step_ids(os.path.join(PACKS, name)) - executed, unreached)


if __name__ == "__main__":
    unittest.main()
