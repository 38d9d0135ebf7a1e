# SPDX-License-Identifier: BSD-2-Clause
"""The counts of the tracer against the counts of eight producers, which write down what they did.
Of each kind: hits = events + lost. Of each execution: the completed event says exactly how many
steps were lost."""
import calendar
import collections
import json
import os
import random
import time
import unittest

from harness import (PATIENCE_S, EndToEnd, Runner, Tracer, aborted, check_books, completed, of_kind,
                     started, steps, target, wait_until)

KINDS = ("command.execution.started", "dsl.step.executed", "command.execution.completed",
         "command.validation.failed", "tool.invocation.completed", "fragment.changed")
RUNS = 100
SECOND_NS = 10**9


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


def say(text):
    print("        " + text, flush=True)


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
            self.assertEqual(truth.hits[kind],
                             len(of_kind(events, kind)) + stopped["lost_by_kind"][kind], kind)
        self.assertEqual(stopped["hits"], sum(truth.hits.values()))
        self.assertEqual(aborted(events), [])
        return stopped

    def check_executions(self, events, truth):
        """Returns how many of the completed events claim a loss."""
        begun, made, ended = (by_execution(kind(events)) for kind in (started, steps, completed))
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
        """At most one trace.lost of a kind and reason in a second, apart from the last one, which
        is written at the end. Their windows do not overlap, and trace.stopped has their sum."""
        windows, sums = collections.defaultdict(list), collections.Counter()
        for event in of_kind(events, "trace.lost"):
            windows[event["kind"], event["reason"]].append((event["since"], event["until"]))
            sums[event["kind"]] += event["lost"]
        self.assertEqual(dict(sums),
                         {kind: lost for kind, lost in events[-1]["lost_by_kind"].items() if lost})
        for told in windows.values():
            for since, until in told:
                self.assertLess(since, until)
            for before, after in zip(told, told[1:]):
                self.assertLessEqual(before[1], after[0])
            for before, after in zip(told[:-1], told[1:-1]):
                self.assertGreaterEqual(nanoseconds(after[1]) - nanoseconds(before[1]), SECOND_NS)

    def check(self, events, truth):
        stopped = self.check_kinds(events, truth)
        claims = self.check_executions(events, truth)
        self.check_notices(events)
        return stopped["lost"], claims


def nanoseconds(timestamp):
    """Since 1970, of an event's timestamp."""
    second = calendar.timegm(time.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S"))
    return second * SECOND_NS + int(timestamp[20:-1])


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


# What the tracer does while the producers work.

def reads_on(producers, _, chance):
    producers.work(chance.randrange(1, 5))


def stands_still(producers, tracer, chance):
    tracer.freeze()
    producers.work(chance.randrange(5, 30))
    tracer.thaw()


def stands_still_first(producers, tracer, chance):
    tracer.freeze()
    producers.work(chance.randrange(1, 15))
    tracer.thaw()
    producers.work(chance.randrange(1, 6))


def stands_still_later(producers, tracer, chance):
    producers.work(chance.randrange(1, 4))
    tracer.freeze()
    producers.work(chance.randrange(1, 15))
    tracer.thaw()
    producers.work(chance.randrange(1, 4))


def stumbles(producers, tracer, chance):
    """Stops and goes on again and again in the middle of the work."""
    producers.begin(chance.randrange(10, 40))
    while producers.are_at_work():
        tracer.freeze()
        time.sleep(chance.uniform(0, 0.003))
        tracer.thaw()
        time.sleep(chance.uniform(0, 0.003))
    producers.finish()


READERS = (reads_on, stands_still, stands_still_first, stands_still_later, stumbles)


class AHundredRuns(Accounting):
    def run_once(self, producers, reader, chance):
        """Returns how many events were lost, and how many completed events said so."""
        named = chance.choice((["-p", str(producers.pid)], ["-x", target("producers")]))
        size = chance.choice(("64K", "64K", "256K"))
        # Without a pause the tracer must lose nothing. The buffer has room for all of the work, so
        # that this does not depend on how soon the tracer gets a processor.
        tracer = Tracer(*named, "--buffer", "16M" if reader is reads_on else size)
        try:
            reader(producers, tracer, chance)
        finally:
            truth = producers.take_truth()
        lost, claims = self.check(tracer.stop(), truth)
        if reader is reads_on:
            self.assertEqual(lost, 0)
        return lost, claims

    def test_a_hundred_runs(self):
        seed = int(os.environ.get("STEPTRACE_SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        lost, claims, whole = 0, 0, 0
        with Producers("threads") as threads, Producers("processes") as processes:
            for number in range(RUNS):
                producers = (threads, processes)[number % 2]
                reader = READERS[number // 2 % len(READERS)]
                with self.subTest("STEPTRACE_SEED=%d" % seed, run=number, reader=reader.__name__,
                                  how=producers.how):
                    run_lost, run_claims = self.run_once(producers, reader, chance)
                    lost, claims = lost + run_lost, claims + run_claims
                    whole += run_lost == 0
        say("%d runs, %d without loss; %d events lost in all, %d commands said so"
            % (RUNS, whole, lost, claims))
        self.assertGreater(lost, 10000)
        self.assertGreater(claims, 100)

    def test_notices_while_it_goes_on(self):
        """Losses in each of several seconds. Each is said before the next one, in one window
        around it."""
        spells = []
        with Producers("threads") as producers:
            tracer = Tracer("-p", str(producers.pid), "--buffer", "64K")
            now = clock_of(tracer)
            for _ in range(4):
                tracer.freeze()
                began = now()
                producers.work(20)
                spells.append((began, now()))
                tracer.thaw()
                wait_until(lambda: windows(tracer) and windows(tracer)[-1][1] >= spells[-1][1],
                           "a trace.lost about what was lost until %s" % spells[-1][1])
            producers.work(1)
            events, truth = tracer.stop(), producers.take_truth()
        lost, _ = self.check(events, truth)
        self.assertGreater(lost, 4 * 500)
        told = {(event["since"], event["until"]) for event in of_kind(events, "trace.lost")}
        for began, ended in spells:
            around = [since <= began and ended <= until for since, until in told]
            self.assertEqual(sum(around), 1, (began, ended, told))


class LastRecords(EndToEnd):
    def test_are_read_before_the_process_is_given_up(self):
        """The ring buffer is so full that the kernel cannot even report the end of a process. The
        tracer finds out that the process is gone while its last records are still unread. Those say
        how its command ended, and that nothing of the command was lost."""
        with Runner() as other, Runner() as runner:
            os.sched_setaffinity(runner.pid, {min(os.sched_getaffinity(0))})
            tracer = Tracer("-p", "%d,%d" % (runner.pid, other.pid),
                            "--buffer", "4M", "--rings", "1")
            runner.do("open")
            runner.do("step 0")
            tracer.written("dsl.step.executed")
            tracer.freeze()
            runner.do("go 800")  # more records than the tracer reads before it looks at its timer
            runner.do("step 0")
            runner.do("close")
            runner.do("go 1000")  # fills the buffer
            for _ in range(12):
                runner.do("fork")  # the ends of small processes fill what is left of it
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            tracer.thaw()
            tracer.written("trace.lost")
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_reason"]["buffer_full"], 0)
        self.assertEqual(stopped["lost_by_reason"]["unattributed"], 0)
        self.assertEqual(aborted(events), [])
        held = [event for event in completed(events) if event["command_slug"] == "held"]
        told = [(event["outcome"], event["complete"], event["steps_lost"]) for event in held]
        self.assertEqual(told, [("success", True, 0)])


def clock_of(tracer):
    """A function that says what time it is, as the tracer's timestamps have it: they go on from the
    first one by the monotonic clock, also when the wall clock is set."""
    began = json.loads(tracer.written("trace.started"))
    ahead_ns = nanoseconds(began["timestamp"]) - began["monotonic_ns"]

    def now():
        seconds, rest = divmod(time.monotonic_ns() + ahead_ns, SECOND_NS)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%09dZ" % rest
    return now


def windows(tracer):
    """Of the trace.lost that were written so far."""
    with open(tracer.path, encoding="utf-8") as file:
        lost = [json.loads(line) for line in file if '"trace.lost"' in line and line.endswith("\n")]
    return [(event["since"], event["until"]) for event in lost]


if __name__ == "__main__":
    unittest.main()
