# SPDX-License-Identifier: BSD-2-Clause
"""The books of the tracer against the books of eight producers, who know what they did: per kind,
hits = events + lost; per execution, who lost something says so, exactly, and nobody else does."""
import collections
import json
import os
import random
import signal
import time
import unittest

from harness import (EndToEnd, Runner, Tracer, aborted, check_books, completed, of_kind, started, steps, target,
                     wait_until)

KINDS = ("command.execution.started", "dsl.step.executed", "command.execution.completed",
         "command.validation.failed", "tool.invocation.completed", "fragment.changed")
RUNS = 100


class Truth:
    """What the producers say they did."""

    def __init__(self):
        self.steps_made, self.hits = {}, collections.Counter()

    def add(self, answer):
        for line in answer:
            word, name, number = line.split()
            if word == "command":
                self.steps_made[name] = int(number)
            else:
                self.hits[name] += int(number)


def freeze(tracer):
    """Stops the reader; returns when it stands still."""
    os.kill(tracer.process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, tracer.process.pid, os.WSTOPPED | os.WNOWAIT)


def say(text):
    print("        " + text, flush=True)


def thaw(tracer):
    os.kill(tracer.process.pid, signal.SIGCONT)


def by_execution(events):
    """Events by the id of their execution, as the producers write it."""
    found = collections.defaultdict(list)
    for event in events:
        found[event["execution_id"].replace("-", "")].append(event)
    return found


class Accounting(EndToEnd):
    def check_kinds(self, events, truth):
        """hits = events + lost, of each kind, where the hits are the producers' own count."""
        stopped = check_books(self, events)
        for kind in KINDS:
            self.assertEqual(truth.hits[kind], len(of_kind(events, kind)) + stopped["lost"][kind], kind)
        self.assertEqual(stopped["hits"], sum(truth.hits.values()))
        self.assertEqual(aborted(events), [])
        return stopped

    def check_executions(self, events, truth):
        """Returns how many of the ends that were written claim a loss."""
        begun, made, ended = by_execution(started(events)), by_execution(steps(events)), by_execution(completed(events))
        self.assertLessEqual(set(begun) | set(made) | set(ended), set(truth.steps_made))
        for event in events:
            self.assertEqual("complete" in event or "steps_lost" in event,
                             event["event"] == "command.execution.completed")
        for name, ends in ended.items():
            self.assertEqual((len(ends), len(begun[name]) < 2), (1, True), name)
            lost = truth.steps_made[name] - len(made[name])
            said = {key: ends[0][key] for key in ("steps_executed", "steps_lost", "complete")}
            self.assertEqual(said, {"steps_executed": truth.steps_made[name], "steps_lost": lost,
                                    "complete": len(begun[name]) == 1 and lost == 0}, name)
        for name, done in made.items():
            indices = [step["step"]["index"] for step in done]
            self.assertEqual(indices, sorted(set(indices)), "each step once, in its order")
        return sum(not ends[0]["complete"] for ends in ended.values())

    def check_notices(self, events):
        """One trace.lost for a kind and reason in a second, but for the last one, which is written
        at the end; windows side by side; and together what trace.stopped says."""
        windows, sums = collections.defaultdict(list), collections.Counter()
        for event in of_kind(events, "trace.lost"):
            windows[event["kind"], event["reason"]].append((event["since"], event["until"]))
            sums[event["kind"]] += event["lost"]
        self.assertEqual(dict(sums), {kind: lost for kind, lost in events[-1]["lost"].items() if lost})
        for told in windows.values():
            for since, until in told:
                self.assertLess(since, until)
            for before, after in zip(told, told[1:]):
                self.assertLessEqual(before[1], after[0])
            for before, after in zip(told[:-1], told[1:-1]):
                self.assertGreaterEqual(nanoseconds(after[1]) - nanoseconds(before[1]), 10**9)

    def check(self, events, truth):
        stopped = self.check_kinds(events, truth)
        claims = self.check_executions(events, truth)
        self.check_notices(events)
        return sum(stopped["lost"].values()), claims


def nanoseconds(timestamp):
    """Of the day is enough for a difference of seconds: a test that runs over midnight is off by a day,
    in the direction that is allowed."""
    hours, minutes, seconds = timestamp[11:-1].split(":")
    whole, fraction = seconds.split(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10**9 + int(fraction)


class Producers(Runner):
    """Eight of them, and the truth about what they did since the last time it was asked for."""

    def __init__(self, how):
        super().__init__(target("producers"))
        self.how, self.truth = how, Truth()

    def begin(self, commands):
        self.order("%s %d" % (self.how, commands))

    def are_at_work(self):
        return not self.lines.selector.select(0)

    def finish(self):
        self.truth.add(self.lines.until("ok")[:-1])

    def work(self, commands):
        self.begin(commands)
        self.finish()

    def take_truth(self):
        truth, self.truth = self.truth, Truth()
        return truth


# What the reader does while the producers work.

def reads_on(producers, _, chance):
    producers.work(chance.randrange(1, 5))


def stands_still(producers, tracer, chance):
    freeze(tracer)
    producers.work(chance.randrange(5, 30))
    thaw(tracer)


def stands_still_first(producers, tracer, chance):
    freeze(tracer)
    producers.work(chance.randrange(1, 15))
    thaw(tracer)
    producers.work(chance.randrange(1, 6))


def stands_still_later(producers, tracer, chance):
    producers.work(chance.randrange(1, 4))
    freeze(tracer)
    producers.work(chance.randrange(1, 15))
    thaw(tracer)
    producers.work(chance.randrange(1, 4))


def stumbles(producers, tracer, chance):
    """Stops and goes on again and again in the middle of the work."""
    producers.begin(chance.randrange(10, 40))
    while producers.are_at_work():
        freeze(tracer)
        time.sleep(chance.uniform(0, 0.003))
        thaw(tracer)
        time.sleep(chance.uniform(0, 0.003))
    producers.finish()


READERS = (reads_on, stands_still, stands_still_first, stands_still_later, stumbles)


class AHundredRuns(Accounting):
    def run_once(self, producers, reader, chance):
        named = chance.choice((["-p", str(producers.pid)], ["-x", target("producers")]))
        tracer = Tracer(*named, "--buffer", chance.choice(("64K", "64K", "256K")))
        reader(producers, tracer, chance)
        return self.check(tracer.stop(), producers.take_truth())

    def test_a_hundred_runs(self):
        seed = int(os.environ.get("STEPTRACE_SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        lost, claims, whole = 0, 0, 0
        with Producers("threads") as threads, Producers("processes") as processes:
            for number in range(RUNS):
                producers, reader = (threads, processes)[number % 2], READERS[number // 2 % len(READERS)]
                with self.subTest("STEPTRACE_SEED=%d" % seed, run=number, reader=reader.__name__, how=producers.how):
                    run_lost, run_claims = self.run_once(producers, reader, chance)
                    lost, claims, whole = lost + run_lost, claims + run_claims, whole + (run_lost == 0)
        say("%d runs, %d without loss; %d events lost in all, %d commands said so" % (RUNS, whole, lost, claims))
        self.assertGreater(lost, 10000)
        self.assertGreater(claims, 100)
        self.assertGreater(whole, 5)

    def test_notices_while_it_goes_on(self):
        """Losses in each of several seconds, each said in time, once, and with a window around it."""
        spells = []
        with Producers("threads") as producers:
            tracer = Tracer("-p", str(producers.pid), "--buffer", "64K")
            for _ in range(4):
                freeze(tracer)
                began = wall_now()
                producers.work(20)
                spells.append((began, wall_now()))
                thaw(tracer)
                before = len(notices(tracer))
                wait_until(lambda: len(notices(tracer)) > before, "a trace.lost")
            producers.work(1)
            events, truth = tracer.stop(), producers.take_truth()
        lost, _ = self.check(events, truth)
        self.assertGreater(lost, 4 * 500)
        windows = [(event["since"], event["until"]) for event in of_kind(events, "trace.lost")]
        for began, ended in spells:
            self.assertTrue(any(since <= began and ended <= until for since, until in windows), (began, ended, windows))


def wall_now():
    seconds, rest = divmod(time.time_ns(), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%09dZ" % rest


def notices(tracer):
    with open(tracer.path, encoding="utf-8") as file:
        return [line for line in file if "trace.lost" in line and line.endswith("\n")]


if __name__ == "__main__":
    unittest.main()
