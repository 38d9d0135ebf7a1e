# SPDX-License-Identifier: BSD-2-Clause
"""What several workers do to one row: leases, kills, stops, and a database that is locked."""
import glob
import os
import signal
import unittest

from harness import check_books, completed, started, wait_until
from workers import Workshop

RUN = "SELECT status, error_category FROM schedule_runs"
JOB = "SELECT status, attempts, error_category FROM jobs"
NANOSLEEP = {"x86_64": "230", "aarch64": "115"}.get(os.uname().machine)


def waiting_for_the_lock(pid):
    """How many threads of the process are in clock_nanosleep(2), as in the pauses for a lock."""
    count = 0
    for path in glob.glob("/proc/%d/task/*/syscall" % pid):
        with open(path, encoding="ascii") as file:
            count += file.read().split()[0] == NANOSLEEP
    return count


class Claims(Workshop):
    """A schedule `once` and jobs that hold until the test lets them go on."""

    def setUp(self):
        super().setUp()
        self.set_clock("2025-03-01T08:00:00Z", 0)
        self.create_tables()

    def hold_run(self, command="hold", fifo="one"):
        self.schedule("add", "once", command, "one_off:2025-03-01 08:30", "--set", "fifo=" + fifo)
        self.set_clock("2025-03-01T08:30:00Z", 0)

    def hold_job(self, command="hold", fifo="two", **columns):
        self.add_job(command, payload='{"fifo": "%s"}' % fifo, **columns)

    def short(self, *arguments, **options):
        return self.worker("--lease", "1s", *arguments, **options)

    def until_running(self, table):
        self.until("SELECT status FROM %s" % table, ("running",))

    def notes(self):
        return [message for message, in self.rows("SELECT message FROM fragments ORDER BY id")]


class Leases(Claims):
    def test_a_live_owner_is_left_alone(self):
        """A run and a job that take longer than three leases."""
        workers = [self.worker("--lease", "2s", command=command) for command in ("work", "serve")]
        self.hold_run()
        self.hold_job()
        self.until_running("jobs")
        self.until_running("schedule_runs")
        first = {table: self.row("SELECT lease_until_ms, owner FROM %s" % table)
                 for table in ("jobs", "schedule_runs")}
        for table, (until_ms, owner) in first.items():
            self.until("SELECT lease_until_ms > %d + 6000, owner, status FROM %s"
                       % (until_ms, table), (1, owner, "running"))
        self.release("one")
        self.release("two")
        self.until(RUN, ("completed", None))
        self.until(JOB, ("completed", 1, None))
        for worker in workers:
            self.assertEqual(worker.stop(), 0)
            self.assertEqual(worker.said("warning"), [])
        self.assertEqual(self.notes(), ["held"] * 2)

    def test_a_worker_that_stood_still(self):
        """The others end its run and its job. Then it cancels both, and does not end them again."""
        frozen = self.short("--background", "2")
        tracer = self.tracer()
        self.hold_run()
        self.hold_job(max_attempts=1)
        self.until_running("jobs")
        self.until_running("schedule_runs")
        frozen.freeze()
        other = self.short()
        other.until("1 runs of schedules were marked as failed (aborted)")
        other.until("1 jobs were aborted")
        self.until(RUN, ("failed", "aborted"))
        self.until(JOB, ("dead", 1, "aborted"))
        before = self.rows("SELECT * FROM schedule_runs"), self.rows("SELECT * FROM jobs")
        frozen.thaw()
        wait_until(lambda: len(frozen.said("meanwhile")) == 2, "both losses are told")
        self.assertEqual(len(frozen.said("failed (cancelled)")), 2, frozen.words)
        self.assertEqual((self.rows("SELECT * FROM schedule_runs"),
                          self.rows("SELECT * FROM jobs")), before)
        self.assertEqual(self.notes(), [])
        for worker in (frozen, other):
            self.assertEqual(worker.stop(), 0)
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual([event["error_category"] for event in completed(events)],
                         ["cancelled"] * 2)

    def test_a_schedule_that_is_deleted_while_it_runs(self):
        worker = self.short()
        self.hold_run()
        self.until_running("schedule_runs")
        self.schedule("delete", "once")
        worker.until("of the schedule 'once' failed (cancelled)")
        self.assertIn("has ended or deleted it", worker.until("meanwhile"))
        self.assertEqual(self.notes(), [])
        self.assertEqual(worker.stop(), 0)


class Kills(Claims):
    def test_in_a_run(self):
        """It has failed, and is not executed again; the schedule goes on."""
        self.schedule("add", "hourly", "hold", "cron:30 * * * *")
        self.set_clock("2025-03-01T08:30:00Z", 0)
        tracer, victim = self.tracer(), self.short()
        self.until_running("schedule_runs")
        victim.kill()
        other = self.short()
        other.until("1 runs of schedules were marked as failed (aborted)")
        self.assertEqual(self.row(RUN), ("failed", "aborted"))
        self.assertEqual(self.row("SELECT status, next_run_at FROM schedules"),
                         ("active", "2025-03-01T09:30:00.000000Z"))
        self.set_clock("2025-03-01T09:30:00Z", 0)
        self.release()
        self.until(RUN, ("failed", "aborted"), ("completed", None))
        self.assertEqual(self.notes(), ["held"])
        other.stop()
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual([event["outcome"] for event in completed(events)], ["aborted", "success"])

    def test_in_the_last_run(self):
        victim = self.short()
        self.hold_run()
        self.until_running("schedule_runs")
        victim.kill()
        self.short().until("marked as failed (aborted)")
        self.until("SELECT status FROM schedules", ("failed",))

    def test_in_a_job(self):
        """The next attempt follows after the pause."""
        victim = self.short()
        self.hold_job()
        self.until_running("jobs")
        victim.kill()
        other, tracer = self.short(), self.tracer()
        other.until("1 jobs were aborted")
        self.until(JOB, ("queued", 1, "aborted"))
        self.assertEqual(self.row("SELECT available_at FROM jobs"),
                         ("2025-03-01T08:00:05.000000Z",))
        self.set_clock("2025-03-01T08:00:06Z", 0)
        self.release("two")
        self.until(JOB, ("completed", 2, None))
        self.assertEqual(self.notes(), ["held"])
        other.stop()
        event, = started(tracer.stop())
        self.assertEqual(event["queue"]["attempt"], 2)
        self.assertAlmostEqual(event["queue"]["wait_ms"], 1000, delta=500)

    def test_in_a_claim(self):
        """The worker waits for the lock of the database to begin the claim."""
        self.schedule("add", "once", "note", "one_off:2025-03-01 08:30", "--set", "body=x")
        self.add_job("note", payload='{"body": "y"}')
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self.set_clock("2025-03-01T08:30:00Z", 0)
            victim = self.short()
            wait_until(lambda: waiting_for_the_lock(victim.pid), "the worker waits for the lock")
            victim.kill()
            connection.execute("ROLLBACK")
        self.assertEqual(self.rows("SELECT * FROM schedule_runs"), [])
        self.short()
        self.until(RUN, ("completed", None))
        self.until(JOB, ("completed", 1, None))
        self.assertEqual(sorted(self.notes()), ["x", "y"])

    def test_again_and_again(self):
        """300 planned runs, and a worker that is killed after each tenth. A run is never executed
        twice; one that was killed is told as failed."""
        with self.connection() as connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300) "
                "INSERT INTO schedules (name, command_slug, recurrence, next_run_at, payload) "
                "SELECT 's' || i, 'note', 'one_off:2025-03-01 08:30', "
                "'2025-03-01T08:30:00.000000Z', json_object('body', CAST(i AS TEXT)) FROM n")
        self.set_clock("2025-03-01T08:30:00Z", 0)
        keeper = self.short()
        for share in range(10, 300, 10):
            victim = self.short()
            self.wait_for_runs(share)
            victim.kill()
        self.wait_for_runs(300)
        self.until("SELECT count(*) FROM schedule_runs WHERE status = 'running'", (0,))
        keeper.stop()
        for schedule, status, category, notes in self.rows(
                "SELECT schedule_id, status, error_category, (SELECT count(*) FROM fragments "
                "WHERE message = CAST(schedule_id AS TEXT)) FROM schedule_runs"):
            with self.subTest(schedule=schedule):
                self.assertIn((status, category, notes), (
                    ("completed", None, 1), ("failed", "aborted", 0), ("failed", "aborted", 1)))
        self.assertEqual(self.row("SELECT count(*), count(DISTINCT schedule_id) "
                                  "FROM schedule_runs"), (300, 300))

    def wait_for_runs(self, count):
        wait_until(lambda: self.row("SELECT count(*) FROM schedule_runs")[0] >= count,
                   "%d runs" % count)


class Stops(Claims):
    def both_running(self, *arguments, command="work"):
        worker = self.worker("--background", "2", *arguments, command=command)
        self.hold_run()
        self.hold_job()
        self.until_running("jobs")
        self.until_running("schedule_runs")
        return worker

    def test_what_runs_may_end(self):
        for command in ("work", "serve"):
            with self.subTest(command=command):
                worker = self.both_running(command=command)
                worker.send(signal.SIGTERM)
                worker.until("SIGTERM: finishing what")
                self.add_job("note", queue="late", payload='{"body": "late"}')
                self.release("one")
                self.release("two")
                self.assertEqual(worker.wait(), 0)
                self.assertEqual(self.row(RUN), ("completed", None))
                self.assertEqual(self.rows(JOB), [("completed", 1, None), ("queued", 0, None)])
                self.assertEqual(len(worker.said("1 runs of schedules, 0 of them failed")), 1)
            with self.connection() as connection:
                connection.executescript("PRAGMA foreign_keys = 1; DELETE FROM jobs; "
                                         "DELETE FROM schedules")
            self.set_clock("2025-03-01T08:00:00Z", 0)

    def test_then_it_is_cancelled(self):
        for command in ("work", "serve"):
            with self.subTest(command=command):
                worker = self.both_running("--grace", "100ms", command=command)
                self.assertEqual(worker.stop(), 0)
                self.assertEqual(self.row(RUN), ("failed", "cancelled"))
                self.assertEqual(self.row(JOB), ("queued", 1, "cancelled"))
                self.assertEqual(self.notes(), [])
            with self.connection() as connection:
                connection.executescript("PRAGMA foreign_keys = 1; DELETE FROM jobs; "
                                         "DELETE FROM schedules")
            self.set_clock("2025-03-01T08:00:00Z", 0)

    def test_a_second_signal_ends_at_once(self):
        worker = self.both_running("--lease", "1s")
        worker.send(signal.SIGTERM)
        worker.until("SIGTERM: finishing what")
        self.assertEqual(worker.stop(signal.SIGINT), -signal.SIGINT)
        self.assertEqual(self.row("SELECT status FROM schedule_runs"), ("running",))
        other = self.short()
        other.until("1 runs of schedules were marked as failed")
        other.until("1 jobs were aborted")
        self.assertEqual(other.stop(), 0)

    def test_a_claim_is_renewed_until_the_end(self):
        """Also while the worker waits for its last command."""
        worker = self.both_running("--lease", "2s", "--grace", "600s")
        worker.send(signal.SIGTERM)
        worker.until("SIGTERM: finishing what")
        until_ms, = self.row("SELECT lease_until_ms FROM jobs")
        other = self.short()
        self.until("SELECT lease_until_ms > %d + 3000, status FROM jobs" % until_ms,
                   (1, "running"))
        self.release("one")
        self.release("two")
        self.assertEqual(worker.wait(), 0)
        self.assertEqual(self.row(JOB), ("completed", 1, None))
        self.assertEqual(other.said("warning"), [])


class Locks(Claims):
    """Another program locks the database for longer than a worker waits for the lock."""

    def test_claims_go_on_afterwards(self):
        """The end of the job is noted when the lock is gone, so it is not taken for aborted."""
        worker = self.worker("--background", "3")
        self.hold_job("wait", fifo="one")
        self.until_running("jobs")
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO jobs (command_slug, payload, available_at) VALUES "
                               "('note', '{\"body\": \"x\"}', '2025-01-01T00:00:00.000000Z')")
            self.release("one")
            worker.until("job 1 has ended, but this is not noted yet: ")
            connection.execute("COMMIT")
        # The step wrote into the table of tool calls, and the lock made it fail.
        self.until(JOB, ("queued", 1, "database"), ("completed", 1, None))
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(len(worker.said("not noted")), 1, worker.words)

    def test_it_is_said_once(self):
        self.schedule("add", "once", "note", "one_off:2025-03-01 08:30", "--set", "body=x")
        worker = self.short("--background", "3")
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self.set_clock("2025-03-01T08:30:00Z", 0)
            worker.until("the database is locked by another process")
            wait_until(lambda: waiting_for_the_lock(worker.pid) == 3, "all threads try again")
            connection.execute("ROLLBACK")
        self.until(RUN, ("completed", None))
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(len(worker.said("is locked")), 1, worker.words)


if __name__ == "__main__":
    unittest.main()
