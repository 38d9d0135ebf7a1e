# SPDX-License-Identifier: BSD-2-Clause
"""steprun schedule, and the runs of schedules by servers with a clock of the test."""
import datetime
import glob
import json
import os
import unittest
import zoneinfo

from harness import Tracer, check_books, completed, of_kind, started, steps
from workers import Workshop

UTC = datetime.timezone.utc


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def written(moment):
    """As the database has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def minutes(first, last):
    """The instants of the whole minutes behind `first`, up to `last`."""
    moment = first
    while moment < last:
        moment += datetime.timedelta(minutes=1)
        yield moment


def shown_by(zone, moment):
    return moment.astimezone(zone).replace(tzinfo=None)


class CommandLine(Workshop):
    def test_the_life_of_a_schedule(self):
        self.set_clock("2025-03-01T08:30:00Z", 0)
        self.assertEqual(
            self.schedule("add", "morning", "note", "daily_at:08:30", "-z", "Europe/Berlin",
                          "--set", "body=hello", "--packs", self.packs),
            "schedule 1 'morning' runs next at 2025-03-02T07:30:00Z\n")
        self.assertEqual(self.row("SELECT payload FROM schedules"), ('{"body":"hello"}',))
        listed = self.schedule("list").split("\n")
        self.assertEqual(listed[1].split(), ["1", "morning", "active", "2025-03-02T07:30:00Z", "0",
                                             "note", "daily_at:08:30"])
        self.assertEqual(self.schedule("pause", "morning"),
                         "schedule 1 'morning' is paused; next run: -\n")
        self.assertIn("is not active, but paused", self.schedule("pause", "1", status=1))
        self.assertEqual(self.schedule("resume", "1"), "schedule 1 'morning' is active; next run: "
                         "2025-03-02T07:30:00Z\n")
        self.assertEqual(self.schedule("run-now", "1"),
                         "run 1 of 'morning' waits for 'steprun serve' or 'steprun work'\n")
        shown = json.loads(self.schedule("show", "morning", "--json"))
        self.assertEqual([run["status"] for run in shown["runs"]], ["queued"])
        self.assertEqual(self.schedule("delete", "morning"),
                         "schedule 1 'morning' and its runs are deleted\n")
        self.assertEqual(self.rows("SELECT * FROM schedule_runs"), [])
        self.assertIn("there is no schedule 'morning'", self.schedule("show", "morning", status=1))

    def test_wrong_usage(self):
        for words, arguments in (
                ("no verb given", []), ("unknown verb 'drop'", ["drop"]),
                ("usage: steprun schedule show ID|NAME", ["show"]),
                ("put quotes around", ["add", "a", "note", "one_off:2025-03-01", "08:30"]),
                ("are for 'add' only", ["list", "--max-runs", "3"]),
                ("--set takes KEY=VALUE", ["add", "a", "note", "cron:@daily", "--set", "x"])):
            self.assertIn(words, self.schedule(*arguments, status=2))
        for clock in ("/nonexistent", "/dev/null"):
            self.clock_path = clock
            self.assertIn("the clock '%s'" % clock, self.schedule(
                "add", "a", "note", "cron:@daily", status=2))
        self.clock_path = None
        self.assertIn("there is no database", self.schedule("list", status=1))
        self.assertFalse(os.path.exists(self.database))
        self.assertIn("nonesuch", self.schedule("add", "a", "nonesuch", "cron:@daily", "--packs",
                                                self.packs, status=1))

    def test_ten_thousand(self):
        self.schedule("add", "first", "note", "cron:@daily")
        with self.connection() as connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9999) "
                "INSERT INTO schedules (name, command_slug, recurrence) "
                "SELECT 's' || i, 'note', 'cron:@daily' FROM n")
        self.assertEqual(len(self.schedule("list").split("\n")), 10002)
        self.assertEqual(len(self.schedule("list", "--json").split("\n")), 10001)

    def test_no_control_character_reaches_the_terminal(self):
        """Other programs may write anything into the database."""
        self.schedule("add", "\x1b[2J", "note", "cron:@daily")
        self.schedule("run-now", "1")
        with self.connection() as connection:
            connection.execute("PRAGMA ignore_check_constraints = 1")
            connection.execute(
                "UPDATE schedules SET status = '\x1b[s', command_slug = '\x1b[c', "
                "recurrence = '\x1b[r', timezone = '\x1b[t', next_run_at = '\x1b[n', "
                "last_run_at = '\x1b[l', payload = '{\"a\": \"\x9b\"}'")
            connection.execute("UPDATE schedule_runs SET status = '\x1b[S', "
                               "error_category = '\x1b[E', started_at = '\x1b[B'")
        for shown in (self.schedule("list"), self.schedule("show", "1")):
            self.assertTrue(all(ord(character) >= 32 and ord(character) != 0x9b
                                for character in shown.replace("\n", "")), repr(shown))
            self.assertIn("\\x1b[n", shown)
        self.assertNotIn("\x1b", self.schedule("pause", "1", status=1))
        self.assertNotIn("\x1b", self.schedule("delete", "1"))


class Packs(Workshop):
    def act(self, slug, **values):
        return self.execute(slug, **values)["response"]["panel_data"]

    def test_actions_are_told(self):
        self.pack("act", "{id: a, type: action, with: {action: '{{ ctx.do }}'}}")
        tracer = self.tracer()
        self.act("act", do="create", name="m", command="note", recurrence="cron:@daily")
        self.act("act", do="pause", id="m")
        self.act("act", do="list")
        self.execute("act", do="pause", id="m", status=1)
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual([(step["step_type"], step["outcome"], step["mutations_count"])
                          for step in steps(events)],
                         [("ActionStep", "success", 1), ("ActionStep", "success", 1),
                          ("ActionStep", "success", 0), ("ActionStep", "failure", 0)])

    def test_packs_of_the_wild(self):
        """They name classes of the engine that they were written for."""
        folders = glob.glob(os.path.join(os.environ.get("STEPTRACE_WILD_PACKS", "/nonexistent"),
                                         "*", "schedule-create"))
        if not folders:
            self.skipTest("STEPTRACE_WILD_PACKS names no folder with schedule-create")
        self.packs = os.path.dirname(folders[0])
        made = self.act("schedule-create", name="m", command="note", recurrence="daily_at:08:30",
                        timezone="Europe/Berlin", payload={"body": "x"})
        self.assertEqual((made["action"], made["id"]), ("create", 1))
        self.assertEqual(made["schedule"]["payload"], {"body": "x"})
        self.schedule("run-now", "m")
        self.assertEqual([row["name"] for row in self.act("schedule-list")["results"]], ["m"])
        detail = self.act("schedule-detail", body="m")
        self.assertEqual([run["status"] for run in detail["runs"]], ["queued"])
        self.assertEqual(self.act("schedule-delete", id=1, action="pause")["schedule"]["status"],
                         "paused")
        self.assertEqual(self.act("schedule-delete", body="m")["action"], "delete")
        self.assertEqual(self.rows("SELECT * FROM schedules"), [])


class Timed(Workshop):
    def until_done(self):
        """Until nothing is due and nothing runs, at the time of the clock."""
        self.until("SELECT count(*) FROM schedules WHERE status = 'active' AND next_run_at <= '%s'"
                   % self.now, (0,))
        self.until("SELECT count(*) FROM schedule_runs WHERE status IN ('queued', 'running')", (0,))

    def go_to(self, text):
        """Sets the clock, and waits for what is due then. The clock stands still, so that a test
        machine that is slow misses nothing."""
        self.now = written(instant(text))
        self.set_clock(text, 0)

    def planned(self, name):
        return [time for time, in self.rows(
            "SELECT planned_run_at FROM schedule_runs WHERE schedule_id = "
            "(SELECT id FROM schedules WHERE name = ?) ORDER BY planned_run_at", name)]


class Runs(Timed):
    def test_a_run_that_dispatches_a_job(self):
        """The job has the correlation id of the run, and names it as its parent."""
        self.go_to("2025-03-01T08:29:00Z")
        self.schedule("add", "m", "dispatch", "cron:30 8 * * *", "--set", "command=note", "--set",
                      "queue=q", "--set", "arguments={\"body\": \"x\"}")
        tracer = self.tracer()
        worker = self.worker()
        self.go_to("2025-03-01T08:30:00Z")
        self.until("SELECT status FROM jobs", ("completed",))
        worker.stop()
        run, job = started(tracer.stop())
        self.assertEqual(job["correlation_id"], run["correlation_id"])
        self.assertEqual(self.row("SELECT correlation_id FROM schedule_runs"),
                         (run["correlation_id"],))
        self.assertEqual(job["parent_execution_id"], run["execution_id"])
        self.assertNotIn("schedule", job)
        self.assertNotIn("queue", run)

    def test_what_events_say(self):
        self.go_to("2025-03-01T08:29:00Z")
        self.schedule("add", "m", "note", "cron:30 8 * * *", "--set", "body=hello")
        worker = self.worker()
        tracer = Tracer("-p", str(worker.pid))
        self.go_to("2025-03-01T08:31:00Z")
        self.until_done()
        self.schedule("run-now", "m")
        self.until("SELECT count(*) FROM schedule_runs WHERE status = 'completed'", (2,))
        worker.stop()
        events = tracer.ended()
        check_books(self, events)
        runs = self.rows("SELECT id, schedule_id, planned_run_at, correlation_id "
                         "FROM schedule_runs ORDER BY id")
        self.assertEqual([(event["schedule"]["schedule_run_id"], event["schedule"]["schedule_id"],
                           event["correlation_id"], event["request_source"])
                          for event in started(events)],
                         [(run, schedule, correlation, "schedule")
                          for run, schedule, _, correlation in runs])
        self.assertNotEqual(runs[0][3], runs[1][3])
        self.assertEqual(instant(started(events)[0]["schedule"]["planned_run_at"]),
                         instant("2025-03-01T08:30:00Z"))
        self.assertEqual({event["correlation_id"] for event in completed(events)},
                         {run[3] for run in runs})

    def test_runs_and_jobs_take_turns(self):
        """However many runs wait, a job is not the last."""
        self.go_to("2025-03-01T08:29:00Z")
        for number in range(10):
            self.schedule("add", "s%d" % number, "note", "cron:30 8 * * *", "--set", "body=run")
        self.add_job("note", payload='{"body": "job"}')
        self.go_to("2025-03-01T08:30:00Z")
        worker = self.worker("--background", "1")
        self.until("SELECT count(*) FROM fragments", (11,))
        worker.stop()
        notes = [note for note, in self.rows("SELECT message FROM fragments ORDER BY id")]
        self.assertLess(notes.index("job"), 2)

    def test_a_run_that_another_program_forbids(self):
        """It is not taken for a run that has been: its schedule fails, and can be resumed."""
        self.go_to("2025-03-01T08:29:00Z")
        self.schedule("add", "m", "note", "cron:30 8 * * *", "--set", "body=x")
        with self.connection() as connection:
            connection.execute("CREATE TRIGGER no BEFORE INSERT ON schedule_runs "
                               "BEGIN SELECT raise(ABORT, 'not today'); END")
        worker = self.worker()
        self.go_to("2025-03-01T08:30:00Z")
        self.assertIn("not today", worker.until("the schedule 'm' cannot be planned"))
        self.until("SELECT status, run_count, last_run_at FROM schedules", ("failed", 0, None))
        with self.connection() as connection:
            connection.execute("DROP TRIGGER no")
        self.assertIn("is active; next run: 2025-03-02T08:30:00Z", self.schedule("resume", "m"))
        self.go_to("2025-03-02T08:30:00Z")
        self.until("SELECT status FROM schedule_runs", ("completed",))
        worker.stop()

    def test_two_servers_for_ten_minutes(self):
        """Each planned minute once, though both servers look for it at the same time."""
        begin = instant("2025-03-01T08:00:00Z")
        self.go_to("2025-03-01T08:00:00Z")
        for number in range(6):
            self.schedule("add", "s%d" % number, "note", "cron:* * * * *", "--set",
                          "body=%d" % number)
        servers = self.worker(command="serve"), self.worker("--background", "3")
        tracer = Tracer(*(word for server in servers for word in ("-p", str(server.pid))))
        expected = [written(moment) for moment in
                    minutes(begin, begin + datetime.timedelta(minutes=10))]
        for time in expected:
            self.go_to(time)
            self.until_done()
        for server in servers:
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.said("warning"), [])
        for number in range(6):
            self.assertEqual(self.planned("s%d" % number), expected)
        self.assertEqual(self.rows("SELECT message, count(*) FROM fragments GROUP BY message"),
                         [(str(number), 10) for number in range(6)])
        self.assertEqual(self.rows("SELECT DISTINCT status FROM schedule_runs"), [("completed",)])
        events = tracer.ended()
        check_books(self, events)
        told = [event["schedule"]["schedule_run_id"] for event in started(events)]
        self.assertEqual(sorted(told), [run for run, in self.rows(
            "SELECT id FROM schedule_runs ORDER BY id")])
        self.assertEqual({event["outcome"] for event in completed(events)}, {"success"})
        self.assertEqual(of_kind(events, "command.validation.failed"), [])

    def test_two_servers_and_a_clock_that_runs(self):
        """A minute lasts half a second. A planned minute is left out only if both servers came too
        late: if the run before it began after it."""
        begin = instant("2025-03-30T00:59:00Z")
        self.set_clock("2025-03-30T00:00:00Z", 0)
        self.schedule("add", "m", "note", "cron:* * * * *", "-z", "Europe/Berlin", "--set",
                      "body=x")
        with self.connection() as connection:
            connection.execute("UPDATE schedules SET next_run_at = ?",
                               (written(begin + datetime.timedelta(minutes=1)),))
        self.set_clock("2025-03-30T00:59:00Z", 120)
        servers = self.worker(command="serve"), self.worker()
        self.until("SELECT max(planned_run_at) >= '2025-03-30T01:10' FROM schedule_runs", (1,))
        for server in servers:
            self.assertEqual(server.stop(), 0)
        runs = self.rows("SELECT planned_run_at, started_at FROM schedule_runs "
                         "ORDER BY planned_run_at")
        late = [written(begin)] + [start for _, start in runs]
        expected = [written(moment) for moment in minutes(begin, instant(runs[-1][0]))]
        for number, (planned, _) in enumerate(runs):
            self.assertEqual(planned, next(time for time in expected if time > late[number]))
        self.assertEqual(self.row("SELECT count(*) FROM fragments"), (len(runs),))

    def test_a_clock_that_is_set_back(self):
        self.go_to("2025-03-01T08:00:30Z")
        self.schedule("add", "m", "note", "cron:* * * * *", "--set", "body=x")
        worker = self.worker()
        for time in ("2025-03-01T08:01:00Z", "2025-03-01T08:02:00Z"):
            self.go_to(time)
            self.until_done()
        self.go_to("2025-03-01T08:00:10Z")
        self.schedule("pause", "m")
        self.schedule("resume", "m")  # plans 08:01 once more
        self.go_to("2025-03-01T08:01:30Z")
        worker.until("has had its run of 2025-03-01T08:01:00.000000Z")
        self.until("SELECT next_run_at FROM schedules", ("2025-03-01T08:02:00.000000Z",))
        self.go_to("2025-03-01T08:03:00Z")
        worker.until("has had its run of 2025-03-01T08:02:00.000000Z")
        self.go_to("2025-03-01T08:04:00Z")
        self.until_done()
        self.assertEqual(self.planned("m"), ["2025-03-01T08:0%d:00.000000Z" % minute
                                             for minute in (1, 2, 4)])
        self.assertEqual(self.row("SELECT count(*) FROM fragments"), (3,))

    def test_what_was_missed_runs_once(self):
        self.go_to("2025-03-01T08:00:30Z")
        self.schedule("add", "m", "note", "cron:* * * * *", "--set", "body=x")
        self.go_to("2025-03-09T08:00:30Z")
        self.worker()
        self.until_done()
        self.assertEqual(self.planned("m"), ["2025-03-01T08:01:00.000000Z"])
        self.assertEqual(self.row("SELECT next_run_at FROM schedules"),
                         ("2025-03-09T08:01:00.000000Z",))

    def test_rows_of_other_programs(self):
        """None keeps the others from running, and each is told of."""
        self.go_to("2025-03-01T08:00:30Z")
        broken = {"zone": "timezone = 'Mars/Phobos'", "recurrence": "recurrence = 'hourly'",
                  "payload": "payload = '[1]'", "digit": "next_run_at = '7'",
                  "word": "next_run_at = 'soon'", "null": "next_run_at = NULL",
                  "status": "status = 'unknown'", "count": "run_count = 9223372036854775807"}
        for name in [*broken, "good"]:
            self.schedule("add", name, "note", "cron:* * * * *", "--set", "body=x")
        with self.connection() as connection:
            connection.execute("PRAGMA ignore_check_constraints = 1")
            connection.execute("PRAGMA foreign_keys = 0")
            for name, change in broken.items():
                connection.execute("UPDATE schedules SET %s WHERE name = ?" % change, (name,))
            connection.execute("INSERT INTO schedule_runs (schedule_id, planned_run_at) "
                               "VALUES (77, 'x')")
        worker = self.worker("--lease", "1s")
        self.go_to("2025-03-01T08:01:30Z")
        states = "SELECT name, status FROM schedules WHERE status != 'active' ORDER BY name"
        self.until(states, *[(name, "failed") for name in ("digit", "null", "recurrence")],
                   ("status", "unknown"), *[(name, "failed") for name in ("word", "zone")])
        self.until("SELECT status, error_category FROM schedule_runs WHERE schedule_id = 77",
                   ("failed", "not_found"))
        self.until_done()
        worker.stop()
        self.assertEqual(self.planned("good"), ["2025-03-01T08:01:00.000000Z"])
        for name in ("digit", "null", "recurrence", "word", "zone"):
            self.assertEqual(len(worker.said("'%s' cannot be planned" % name)), 1, worker.words)
        self.assertEqual(self.rows(
            "SELECT error_category FROM schedule_runs WHERE schedule_id = 3"), [("validation",)])
        self.assertEqual(len(worker.said("run 1 has no schedule")), 1)


class Daylight(Timed):
    """The planned times at both changes of the clock in three zones, as servers execute them,
    against a walk over all minutes with Python's rules."""
    # The instants at which the clock is changed.
    CHANGES = {"Europe/Berlin": ("2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"),
               "America/New_York": ("2025-03-09T07:00:00Z", "2025-11-02T06:00:00Z"),
               "Australia/Lord_Howe": ("2025-10-04T15:30:00Z", "2025-04-05T15:00:00Z")}
    FREQUENT = {"every hour": ("cron:15 * * * *", lambda shown: shown.minute == 15),
                "half hours": ("cron:*/30 1-2 * * *",
                               lambda shown: shown.minute % 30 == 0 and shown.hour in (1, 2))}
    DAILY = {"daily": ("daily_at:02:15", (2, 15)), "cron": ("cron:45 1 * * *", (1, 45)),
             "weekly": ("weekly_at:sun:02:30", (2, 30)), "edge": ("daily_at:02:00", (2, 0))}

    @staticmethod
    def first_shown(zone, day, hour, minute, first, last):
        """The first instant at which the clock shows this time or a later one."""
        wanted = datetime.datetime(day.year, day.month, day.day, hour, minute)
        return next(moment for moment in minutes(first - datetime.timedelta(hours=30), last)
                    if shown_by(zone, moment) >= wanted)

    def expected(self, zone, first, last):
        day = shown_by(zone, last).date()
        times = {name: [written(moment) for moment in minutes(first, last)
                        if matches(shown_by(zone, moment))]
                 for name, (_, matches) in self.FREQUENT.items()}
        for name, (_, (hour, minute)) in self.DAILY.items():
            times[name] = [written(self.first_shown(zone, day, hour, minute, first, last))]
        return times

    def walk(self, last):
        """From one planned time to the next one."""
        while True:
            time, = self.row("SELECT min(next_run_at) FROM schedules")
            if instant(time) > last:
                return
            self.go_to(time)
            self.until_done()

    def check(self, name, change):
        zone = zoneinfo.ZoneInfo(name)
        first, last = (instant(change) + datetime.timedelta(hours=hours) for hours in (-2, 3))
        self.go_to(written(first))
        with self.connection() as connection:
            connection.executescript("PRAGMA foreign_keys = 1; DELETE FROM schedules; "
                                     "DELETE FROM fragments")
        recurrences = {**self.FREQUENT, **self.DAILY}
        for schedule, (recurrence, _) in recurrences.items():
            self.schedule("add", schedule, "note", recurrence, "-z", name, "--set",
                          "body=" + schedule)
        self.walk(last)
        expected = self.expected(zone, first, last)
        self.assertEqual({schedule: self.planned(schedule) for schedule in recurrences}, expected)
        self.assertEqual(dict(self.rows("SELECT message, count(*) FROM fragments GROUP BY 1")),
                         {schedule: len(times) for schedule, times in expected.items()})

    def test_three_zones(self):
        self.go_to("2025-01-01T00:00:00Z")
        self.schedule("add", "x", "note", "cron:@yearly")  # creates the tables
        self.worker(command="serve")
        self.worker()
        for name, changes in self.CHANGES.items():
            for change in changes:
                with self.subTest(zone=name, change=change):
                    self.check(name, change)

    def test_a_clock_that_runs_fast(self):
        """A day in a second: runs may be missed, but none is wrong, and none runs twice."""
        self.go_to("2025-03-01T00:00:00Z")
        self.schedule("add", "m", "note", "daily_at:02:30", "-z", "Europe/Berlin", "--set",
                      "body=x")
        self.set_clock("2025-03-27T00:00:00Z", 86400)
        self.worker(command="serve")
        self.worker()
        self.until("SELECT count(*) >= 5 FROM schedule_runs WHERE status = 'completed'", (1,))
        zone, first = zoneinfo.ZoneInfo("Europe/Berlin"), instant("2025-03-01T00:00:00Z")
        planned = self.planned("m")
        for time in planned:
            day = shown_by(zone, instant(time)).date()
            self.assertEqual(time, written(self.first_shown(zone, day, 2, 30, instant(time),
                                                            instant(time) + datetime.timedelta(1))))
        self.assertEqual(len(planned), len(set(planned)))
        self.assertGreater(instant(planned[0]), first)


if __name__ == "__main__":
    unittest.main()
