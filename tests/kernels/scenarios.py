# SPDX-License-Identifier: BSD-2-Clause
"""What is done in each kernel, and what must come of it: one table.

A scenario is a shell script for the guest (tests/kernels/helpers are there; it fails when a command
fails) and a check of the files that it left behind. `needs` is a word that `steptrace record
--help` must know; without it the scenario is skipped, and the table says so.
"""
import collections

from harness import check_books, completed, of_kind, runner_events, started, steps

Scenario = collections.namedtuple("Scenario", "name guest check needs floor")
SCENARIOS = []


def scenario(name, guest, needs=None, floor=True):
    """`floor`: for kernels that can (True), or for those below the floor, which must be refused."""
    def add(check):
        SCENARIOS.append(Scenario(name, guest.strip() + "\n", check, needs, floor))
        return check
    return add


@scenario("by-command", """
printf 'go 100\\nfail\\nnested\\ntool\\nreject\\ntext invalid\\nthreads 20\\nquit\\n' >words_for_it
steptrace record -o events -- spans <words_for_it >answers
""")
def by_command(test, files):
    events = files.events()
    check_books(test, events)
    done = completed(events)
    test.assertEqual(len(done), 100 + 1 + 2 + 1 + 1 + 160)
    test.assertTrue(all(command["complete"] for command in done))
    test.assertEqual(len(of_kind(events, "tool.invocation.completed")), 1)
    test.assertEqual(len(of_kind(events, "fragment.changed")), 3)
    test.assertEqual(len(of_kind(events, "command.validation.failed")), 2)


@scenario("by-pid", """
start_runner
order open
until_says answers ok
start_tracer -p $runner --count 3
order step 0; order close; order go 1
wait $tracer
""")
def by_pid(test, files):
    """Attached in the middle of a command; ended by --count."""
    events = files.events()
    check_books(test, events)
    held = [event for event in runner_events(events) if event["command_slug"] == "held"]
    test.assertEqual([event["event"] for event in held],
                     ["dsl.step.executed", "command.execution.completed"])
    test.assertEqual(held[0]["user_id"], "tester")
    test.assertIs(held[1]["complete"], False)
    test.assertEqual(len(runner_events(events)), 3)


@scenario("older", "steptrace record -o events -- older older\n")
def older(test, files):
    """A runner with an older, shorter layout."""
    events = files.events()
    check_books(test, events)
    test.assertEqual([event["event"] for event in runner_events(events)],
                     ["command.execution.started", "dsl.step.executed",
                      "command.execution.completed"])


@scenario("all", """
start_tracer --all
start_runner
until_says events trace.attached
order go 5
until_says events command.execution.completed
kill -INT $tracer
wait $tracer
""", needs="--all")
def all_runners(test, files):
    """A runner that is executed only after the tracer began."""
    events = files.events()
    check_books(test, events)
    attached = of_kind(events, "trace.attached")
    test.assertIn("/bin/spans", [event["exe"] for event in attached])
    test.assertEqual({event["outcome"] for event in completed(events)}, {"success"})


@scenario("aborted", """
start_runner
start_tracer -p $runner
order hang
until_says answers hanging
kill -KILL $runner
wait $tracer
""", needs="--all")
def aborted(test, files):
    """A runner that is killed in the middle of a step."""
    events = files.events()
    check_books(test, events)
    test.assertEqual([event["outcome"] for event in steps(events)], ["aborted"])
    test.assertEqual([(event["outcome"], event["signal"]) for event in completed(events)],
                     [("aborted", 9)])
    test.assertEqual(len(started(events)), 1)


@scenario("refused", """
steptrace record -o events -- spans </dev/null >words 2>&1 && exit 1
cat words
""", floor=False)
def refused(test, files):
    """Below the floor steptrace says so in a sentence, and writes nothing."""
    test.assertEqual(files.text("events"), "")
    test.assertRegex(files.text("words"), r"steptrace: .*5\.12")
