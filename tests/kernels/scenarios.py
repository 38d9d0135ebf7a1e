# SPDX-License-Identifier: BSD-2-Clause
"""The table of scenarios that run in each kernel.

A scenario is a shell script for the guest and a check of the files that the script has written. The
script may use the functions of tests/kernels/helpers. It fails when a command fails.
"""
import collections
import datetime
import json
import re

from harness import check_books, completed, of_kind, runner_events, started, steps

Scenario = collections.namedtuple("Scenario", "name guest check is_refusal only")
SCENARIOS = []


def scenario(name, guest, is_refusal=False, only=None):
    """Adds a scenario. With is_refusal it runs only in kernels that are too old for steptrace, and
    is the only one there. `only` limits it to amd64 or arm64."""
    def add(check):
        SCENARIOS.append(Scenario(name, guest.strip() + "\n", check, is_refusal, only))
        return check
    return add


@scenario("by-command", """
printf 'go 100\\nfail\\nnested\\ntool\\nreject\\ntext invalid\\nthreads 20\\nquit\\n' >orders
steptrace record -o events -- spans <orders >answers
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


@scenario("preempted", """
printf 'threads 100\\nquit\\n' >orders
steptrace record -o all -- spans <orders >answers
grep '"trace[.]' all >events
rm all
""")
def preempted(test, files):
    """Many threads on one processor preempt each other, also inside BPF programs."""
    stopped = files.events()[-1]
    test.assertEqual((stopped["hits"], stopped["events"]), (5600, 5600))


@scenario("by-pid", """
start_runner
order open
until_says answers ok
start_tracer -p $runner --count 3
order step 0; order close; order go 1
wait $tracer
""")
def by_pid(test, files):
    """The tracer attaches in the middle of a command and ends by --count."""
    events = files.events()
    check_books(test, events)
    held = [event for event in runner_events(events) if event["command_slug"] == "held"]
    test.assertEqual([event["event"] for event in held],
                     ["dsl.step.executed", "command.execution.completed"])
    test.assertEqual(held[0]["user_id"], "tester")
    test.assertIs(held[1]["complete"], False)
    test.assertEqual(len(runner_events(events)), 3)


@scenario("forked", """
start_runner
start_tracer -p $runner
order go 20; order fork; order go 1; order quit
wait $tracer
""")
def forked(test, files):
    """A child that is forked after the kernel has optimised the probe sites survives, and its
    events are recorded."""
    events = files.events()
    check_books(test, events)
    test.assertRegex(files.text("answers"), r"child \d+ 0\n")
    test.assertEqual(len(completed(events)), 22)
    test.assertEqual(len({event["source"]["pid"] for event in completed(events)}), 2)


@scenario("older", "steptrace record -o events -- older older\n")
def older(test, files):
    """A runner with an older, shorter layout of its spans."""
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
""")
def all_runners(test, files):
    """The runner starts after the tracer."""
    events = files.events()
    check_books(test, events)
    attached = of_kind(events, "trace.attached")
    test.assertIn("/bin/spans", [event["exe"] for event in attached])
    test.assertEqual({event["outcome"] for event in completed(events)}, {"success"})


@scenario("held", """
printf 'go 1\\nquit\\n' >orders
cat >starts <<'END'
for number in 1 2 3 4 5 6; do
	cp /bin/spans new$number
	./new$number <orders >>answers
done
END
steptrace record -o events -- sh starts
rm new*
""")
def held(test, files):
    """The exec of a program that the command starts waits until its probes are attached."""
    events = files.events()
    check_books(test, events)
    done = completed(events)
    test.assertEqual(len(done), 6)
    test.assertTrue(all(command["complete"] for command in done))
    test.assertEqual(len(of_kind(events, "trace.attached")), 6)


@scenario("loaded", """
start_tracer --all
mkfifo counts
dlopener <counts >answers &
exec 4>counts
rm counts
until_says events libcarrier
echo 3 >&4
exec 4>&-
wait $!
kill -INT $tracer
wait $tracer
""")
def loaded(test, files):
    """A library that a process loads is attached when it is mapped."""
    events = files.events()
    check_books(test, events)
    test.assertEqual(len(completed(events)), 3)


@scenario("cgroup", """
start_runner
mkdir groups
mount -t cgroup2 none groups
mkdir groups/service
start_tracer --all --cgroup $PWD/groups/service
sh -c 'echo $$ >groups/service/cgroup.procs; printf "go 1\\nquit\\n" | spans'
rmdir groups/service
mkdir groups/service
sh -c 'echo $$ >groups/service/cgroup.procs; printf "go 2\\nquit\\n" | spans'
printf 'go 4\\nquit\\n' | spans
kill -INT $tracer
wait $tracer
order quit
rmdir groups/service
umount groups
rmdir groups
""")
def cgroup(test, files):
    """--cgroup follows the path when the cgroup is made again. A runner outside it is there from
    the beginning, so that the probes are attached when the others start."""
    events = files.events()
    check_books(test, events)
    test.assertEqual(len(completed(events)), 3)


@scenario("overwritten", """
cp /bin/spans runner
start_tracer -x $PWD/runner
cat /bin/spans >runner
until_says words 'for writing'
until [ $(grep -c 'trace[.]attached' events) = 2 ]; do usleep 20000; done
printf 'go 3\\nquit\\n' | ./runner
kill -INT $tracer
wait $tracer
rm runner
""")
def overwritten(test, files):
    """The program that writes waits until the probes are detached."""
    events = files.events()
    check_books(test, events)
    test.assertEqual(len(of_kind(events, "trace.detached")), 1)
    test.assertEqual(len(runner_events(events)), 21)


@scenario("aborted", """
start_runner
start_tracer -p $runner
order die hang
until_says answers hanging
kill -KILL $runner
wait $tracer
""")
def aborted(test, files):
    """The runner is killed inside two nested steps."""
    events = files.events()
    check_books(test, events)
    test.assertEqual([(event["step"]["name"], event["outcome"]) for event in steps(events)][-2:],
                     [("fatal", "aborted"), ("outer", "aborted")])
    done = completed(events)
    test.assertEqual([(event["outcome"], event["aborted"]["signal"]) for event in done],
                     [("aborted", 9)])
    test.assertEqual(len(started(events)), 1)


@scenario("stepped-clock", """
start_runner
start_tracer -p $runner
order sleep 2
until_says answers ok
now=$(date +%s)
date -s @$((now + 3600)) >said-by-date
order sleep 2
until [ $(grep -c slept answers) = 4 ]; do usleep 20000; done
date -s @$((now - 3600)) >>said-by-date
order sleep 2; order quit
wait $tracer
""")
def stepped_clock(test, files):
    """The wall clock is set forward and back by an hour. The times of the events do not change, and
    trace.clock events report both changes."""
    events = files.events()
    check_books(test, events)
    clock = events[0]["clock"]
    ahead = clock["realtime_ns"] - clock["monotonic_ns"]
    stamps = [event["monotonic_ns"] for event in runner_events(events)]
    test.assertEqual(stamps, sorted(stamps))
    slept = [int(words) for words in re.findall(r"slept (\d+)", files.text("answers"))]
    test.assertEqual(len(slept), 6)
    for event, ns in zip(steps(events), slept):
        test.assertGreaterEqual(event["duration_ms"] * 1e6, ns)
        test.assertLess(event["duration_ms"] * 1e6, ns + 1e9)
    for event in runner_events(events):
        wall = event["monotonic_ns"] + ahead
        said = datetime.datetime.fromisoformat(event["timestamp"][:19] + "+00:00").timestamp()
        test.assertEqual(int(said), wall // 1000000000)
    told = of_kind(events, "trace.clock")
    test.assertEqual([round(event["ahead_ns"] / 3600e9, 1) for event in told], [1, -1])
    for event in told:
        test.assertEqual(event["realtime_ns"], event["monotonic_ns"] + ahead + event["ahead_ns"])


@scenario("breakdown", """
printf '%s\\n' 'burn 30' 'sleep 30' 'futex 30' 'pipe 30' 'socket 30' 'poll 30' 'select 30' >orders
printf '%s\\n' 'epoll 30' 'event 30' 'threads 20' 'handed 5' quit >>orders
uname -r >release
if ! steptrace record -o events --breakdown -- waiter <orders >answers 2>words; then
	grep cmpxchg16b words
	steptrace doctor >>words || true
	rm -f events
fi
""")
def breakdown(test, files):
    """Where the time of steps went: each of them waits in one way, up to 30 ms long. The emulator
    has no cmpxchg16b (see tests/run-kernels), and Linux 7 and later need it."""
    kinds = {"sleep": "sleep", "futex": "lock", "pipe": "pipe", "socket": "network",
             "poll": "network", "select": "network", "epoll": "network", "event": "other"}
    if int(files.text("release").split(".")[0]) >= 7:
        test.assertRegex(files.text("words"), r"--breakdown cannot keep the times of a thread")
        test.assertRegex(files.text("words"), r"warn +--breakdown +not possible")
        return
    events = files.events()
    check_books(test, events)
    test.assertIs(events[0]["breakdown"], True)
    for event in steps(events) + completed(events):
        if event["cpu"]:
            blocked = sum(round(each * 1e6) for each in event["cpu"]["blocked_ms"].values())
            test.assertEqual(round(event["cpu"]["threads_ms"] * 1e6),
                             round(event["cpu"]["on_cpu_ms"] * 1e6) + blocked +
                             round(event["cpu"]["runnable_ms"] * 1e6))
    for step in steps(events):
        name, cpu = step["step"]["name"], step["cpu"]
        test.assertEqual(cpu is None, name == "handed", step)
        if cpu:
            test.assertEqual(cpu["threads_ms"], step["duration_ms"])
        if name == "burn":
            test.assertEqual(sum(cpu["blocked_ms"].values()), 0)
        if name in kinds:
            off = cpu["threads_ms"] - cpu["runnable_ms"]
            test.assertGreater(cpu["blocked_ms"][kinds[name]], off / 2, step)
            test.assertGreater(cpu["blocked_ms"][kinds[name]],
                               sum(cpu["blocked_ms"].values()) * 0.9, step)
    done = {event["execution_id"]: event for event in completed(events)}
    threads = [done[step["execution_id"]]["cpu"] for step in steps(events)
               if step["step"]["name"] == "own"]
    test.assertEqual(len(threads), 1)
    # The clock of a pause begins before the thread leaves the processor.
    test.assertGreater(threads[0]["blocked_ms"]["sleep"], 48)


@scenario("profile", """
printf '%s\\n' 'burn 300' 'sleep 30' quit >orders
for unwind in fp dwarf; do
	steptrace profile --unwind $unwind -o $unwind -- waiter <orders >answers 2>>words
done
steptrace doctor >findings || true
""")
def profile(test, files):
    """Stacks on and off a processor. The waiter is compiled without frame pointers, so only the
    stacks that are unwound by DWARF begin with its main function."""
    for name in ("--on-cpu", "--off-cpu", "--unwind dwarf"):
        test.assertRegex(files.text("findings"), r"ok +profile %s " % name)
    burns = r"(?m)^waiter\.run;WaitStep;.*;main;.*;wait_burn(;.*)? \d+$"
    sleeps = r"(?m)^waiter\.run;WaitStep;.*;\w*nanosleep;(.*_\[k\];)+\[sleep\] (\d+)$"
    for unwind in ("fp", "dwarf"):
        test.assertRegex(files.text(unwind), sleeps)
        # microseconds; the clock of a pause begins before the thread leaves the processor
        test.assertGreater(int(re.search(sleeps, files.text(unwind)).group(2)), 29000)
    test.assertRegex(files.text("dwarf"), burns)
    test.assertRegex(files.text("dwarf"), sleeps.replace(";.*;", ";.*;main;.*;wait_sleep;.*;", 1))


@scenario("inflight", """
mkfifo orders
hanging <orders >answers &
runner=$!
exec 3>orders
order stack futex; order stack sleep; order heap; order stack spin
until [ "$(grep -c ok answers)" = 4 ]; do usleep 20000; done
code=0
until [ $code = 3 ]; do
	code=0
	steptrace inflight -p $runner --older-than 500ms --json >old || code=$?
done
steptrace inflight -p $runner --stack --json >now
""")
def inflight(test, files):
    """What began before a tracer was there: found, with its thread, what it waits for, and since
    when at least."""
    old, now = ([json.loads(line) for line in files.text(name).splitlines()]
                for name in ("old", "now"))
    test.assertEqual({row["command_slug"] for row in old[:-1]}, {"hang.stack"})
    test.assertTrue(all(row["age_at_least_ms"] >= 500 for row in old[:-1]))
    test.assertEqual(now[-1]["rows"], 4)
    found = {row["thread"]["syscall"] if row["thread"] else "heap": row for row in now[:-1]}
    test.assertEqual(set(found), {"futex", "clock_nanosleep", "heap", None})
    test.assertEqual(found[None]["thread"]["state"], "running")
    test.assertEqual(found["futex"]["thread"]["state"], "sleeping")
    test.assertTrue(any("futex" in name for name in found["futex"]["thread"]["stack"]))
    test.assertEqual(found["heap"]["step"]["step_type"], "HeapStep")


@scenario("header", """
for program in /bin/test_usdt_*; do $program 2>&1; echo "ended $?"; done >words
""", only="arm64")
def header(test, files):
    """The unit tests of the header, which `make test` runs on the local architecture only."""
    ends = re.findall(r"^ended (\d+)$", files.text("words"), re.MULTILINE)
    test.assertGreaterEqual(len(ends), 6)
    test.assertEqual(set(ends), {"0"}, files.text("words"))


@scenario("refused", """
steptrace record -o events -- spans </dev/null >words 2>&1 && exit 1
cat words
""", is_refusal=True)
def refused(test, files):
    """On a kernel that is too old, steptrace prints an error and writes no events."""
    test.assertEqual(files.text("events"), "")
    test.assertRegex(files.text("words"), r"steptrace: .*5\.12")
