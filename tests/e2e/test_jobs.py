# SPDX-License-Identifier: BSD-2-Clause
"""The queue: jobs that commands dispatch, and the workers that execute them."""
import collections
import datetime
import json
import random
import unittest

from harness import check_books, completed, of_kind, started, wait_until
from workers import Workshop


def milliseconds(begin, end):
    """Between two instants as the database has them."""
    begin, end = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
                  for text in (begin, end))
    return (end - begin) / datetime.timedelta(milliseconds=1)


class Jobs(Workshop):
    def traced(self, *arguments, status=0, command="work"):
        """The events of a worker until the queue is empty."""
        tracer = self.tracer()
        worker = self.worker("--background", "1", *arguments, command=command)
        self.until("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')", (0,))
        worker.stop()
        events = tracer.stop()
        check_books(self, events)
        return worker, events

    def test_a_job_knows_its_parent(self):
        parent = self.execute("dispatch", command="note", arguments={"body": "later"},
                              queue="mail")["execution_id"]
        correlation, queue, status = self.row("SELECT correlation_id, queue, status FROM jobs")
        self.assertEqual((queue, status), ("mail", "queued"))
        for command in ("work", "serve"):
            with self.subTest(command=command):
                _, events = self.traced(command=command)
                event, = started(events)
                self.assertEqual((event["parent_execution_id"], event["correlation_id"],
                                  event["request_source"], event["command_slug"]),
                                 (parent, correlation, "queue", "note"))
                self.assertEqual((event["queue"]["name"], event["queue"]["attempt"]), ("mail", 1))
                self.assertGreaterEqual(event["queue"]["wait_ms"], 0)
                self.assertEqual(completed(events)[0]["outcome"], "success")
                self.assertEqual(self.row("SELECT message FROM fragments"), ("later",))
                self.assertEqual(self.row("SELECT status, attempts, error_category, owner "
                                          "FROM jobs"), ("completed", 1, None, None))
            with self.connection() as connection:
                connection.executescript("DELETE FROM fragments; UPDATE jobs SET attempts = 0, "
                                         "status = 'queued'")

    def test_the_correlation_id_travels(self):
        """From a request through two jobs, one dispatched by the other."""
        self.run_steprun("exec", "dispatch", "--packs", self.packs, "--db", self.database,
                         "--correlation-id", "req-00000042", "--context", "-",
                         input=json.dumps({"command": "dispatch", "queue": "a", "arguments": {
                             "command": "note", "queue": "b", "arguments": {"body": "x"}}}))
        _, events = self.traced()
        first, second = started(events)
        self.assertEqual([event["correlation_id"] for event in (first, second)],
                         ["req-00000042"] * 2)
        self.assertEqual(second["parent_execution_id"], first["execution_id"])
        self.assertEqual([event["queue"]["name"] for event in (first, second)], ["a", "b"])

    def test_attempts_and_pauses(self):
        """The pause before an attempt is no wait."""
        self.set_clock("2025-03-01T08:30:00Z", 0)
        self.execute("dispatch", command="fail", arguments={}, queue="q")
        tracer = self.tracer()
        self.set_clock("2025-03-01T08:30:20Z", 0)
        worker = self.worker("--background", "1")
        # Runnable at 08:30:00, 08:30:25 (after 5 s), and 08:30:50 (after 10 s).
        for attempt, (time, status) in enumerate((("08:30:20", "queued"), ("08:30:40", "queued"),
                                                  ("08:31:00", "dead")), 1):
            self.set_clock("2025-03-01T%sZ" % time, 0)
            self.until("SELECT attempts, status FROM jobs", (attempt, status))
        worker.until("attempt 3 failed (validation); it was the last one, the job is dead")
        worker.stop()
        events = tracer.stop()
        waits = [event["queue"]["wait_ms"] for event in started(events)]
        self.assertEqual([event["queue"]["attempt"] for event in started(events)], [1, 2, 3])
        for wait, expected in zip(waits, (20000, 15000, 10000)):
            self.assertAlmostEqual(wait, expected, delta=1000)
        self.assertEqual({event["outcome"] for event in completed(events)}, {"failure"})
        self.assertEqual(self.row("SELECT error_category FROM jobs"), ("validation",))
        self.assertEqual(self.rows("SELECT * FROM fragments"), [])

    def test_queues(self):
        self.create_tables()
        for queue in ("mail", "reports", "other"):
            self.add_job("note", queue=queue, payload='{"body": "%s"}' % queue)
        self.work_until_empty("--queue", "mail", "--queue", "reports")
        self.assertEqual(self.rows("SELECT queue FROM jobs WHERE status = 'queued'"), [("other",)])
        self.assertEqual(len(self.rows("SELECT * FROM fragments")), 2)

    def test_wrong_usage(self):
        for words, arguments in (
                ("contains no jobs: give a file", ["--db", ":memory:"]),
                ("there is nothing to do", ["--background", "0"]),
                ("there is nothing to do", ["--no-jobs", "--no-schedules"]),
                ("--queue: '../x' is not the name of a queue", ["--queue", "../x"]),
                ("--queue has no effect with --no-jobs", ["--queue", "x", "--no-jobs"]),
                ("--lease cannot be '999ms'", ["--lease", "999ms"]),
                ("--now and --clock exclude each other", [
                    "--clock", self.path("clock"), "--now", "2025-03-30T00:59:00Z"])):
            self.assertIn(words, self.run_steprun("work", *arguments, status=2)[1])

    def test_until_empty_tells_of_the_dead(self):
        self.execute("dispatch", command="fail", arguments={}, queue="q", max_attempts=1)
        worker = self.work_until_empty(status=1)
        self.assertTrue(worker.said("1 jobs are dead"))
        self.work_until_empty()

    def test_what_cannot_run(self):
        """Each is dead in the end, and says why; none stops the others."""
        self.pack("broken", "{id: x, type: nonesuch}")
        good = self.execute("dispatch", command="note", arguments={"body": "x"}, queue="q")
        self.assertTrue(good["success"])
        for slug, payload in (("nonesuch", "{}"), ("broken", "{}"), ("../packs/note", "{}"),
                              ("", "{}"), ("\x1b[2J", "{}"), ("note", "[1]"), ("note", "7"),
                              ("note", '"text"')):
            self.add_job(slug, payload=payload, max_attempts=1)
        worker, events = self.traced()
        self.assertEqual(self.rows("SELECT command_slug, error_category FROM jobs "
                                   "WHERE status = 'dead' ORDER BY id"),
                         [("nonesuch", "not_found"), ("broken", "general"),
                          ("../packs/note", "not_found"), ("", "not_found"),
                          ("\x1b[2J", "not_found"), *[("note", "validation")] * 3])
        self.assertEqual([event["reason"] for event in
                          of_kind(events, "command.validation.failed")],
                         ["unknown_command", "invalid_pack", "unknown_command", "unknown_command",
                          "unknown_command", *["invalid_argument"] * 3])
        self.assertEqual(len(started(events)), 1)
        self.assertEqual(len(worker.said("it was the last one, the job is dead")), 8)
        self.assertFalse(worker.said("\x1b"))


class Storm(Workshop):
    """Many jobs, three workers, and one of them killed again and again. Every 500th job fails."""
    JOBS, KILLS = 10000, 12

    def fill(self):
        self.create_tables()
        with self.connection() as connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) "
                "INSERT INTO jobs (id, command_slug, payload, available_at, max_attempts, "
                "correlation_id) SELECT i, CASE WHEN i % 500 = 0 THEN 'fail' ELSE 'note' END, "
                "json_object('body', CAST(i AS TEXT)), '2025-03-01T08:30:00.000000Z', 5, "
                "'job-' || printf('%08d', i) FROM n", (self.JOBS,))

    def begin(self):
        return self.worker("--lease", "1s", "--background", "2")

    def count(self, statuses):
        return self.row("SELECT count(*) FROM jobs WHERE status IN (%s)" % statuses)[0]

    def kill_again_and_again(self, workers):
        """After each share of the jobs, a worker is killed while it works, and another begins."""
        killed, chance = [], random.Random(7)
        for kill in range(1, self.KILLS + 1):
            wait_until(lambda: self.count("'completed', 'dead'")
                       >= kill * self.JOBS // (self.KILLS + 1), "the jobs go on")
            victim = chance.randrange(len(workers))
            workers[victim].kill()
            killed.append(workers[victim])
            workers[victim] = self.begin()
        return killed

    def run_all(self):
        # A fast clock shortens the pauses before attempts: 5 s last 0.05 s.
        self.set_clock("2025-03-01T09:00:00Z", 100)
        self.fill()
        tracer = self.tracer("--buffer", "64M")
        workers = [self.begin() for _ in range(3)]
        killed = self.kill_again_and_again(workers)
        wait_until(lambda: not self.count("'queued', 'running'"), "all jobs have ended")
        for worker in workers:
            self.assertEqual(worker.stop(), 0)
        return killed + workers, tracer.stop()

    def check_effects(self):
        """A job was executed at most as often as it was tried."""
        effects = {int(message): count for message, count in
                   self.rows("SELECT message, count(*) FROM fragments GROUP BY message")}
        for job, slug, status, attempts, category in self.rows(
                "SELECT id, command_slug, status, attempts, error_category FROM jobs"):
            with self.subTest(job=job):
                if slug == "fail":
                    self.assertEqual((status, attempts, category, effects.get(job, 0)),
                                     ("dead", 5, "validation", 0))
                    continue
                self.assertEqual((status, category), ("completed", None))
                self.assertTrue(1 <= effects[job] <= attempts, (effects[job], attempts))

    def check_events(self, events):
        """Attempts and waits are those of the table. The time of a claim and that of an end are
        bounds of the time at which the command began."""
        self.assertEqual(events[-1]["lost"], 0)
        begun = collections.defaultdict(list)
        for event in started(events):
            begun[event["correlation_id"]].append(event["queue"])
        for correlation, attempts, available, claimed, finished in self.rows(
                "SELECT correlation_id, attempts, available_at, claimed_at, finished_at "
                "FROM jobs"):
            told = [queue["attempt"] for queue in begun[correlation]]
            with self.subTest(job=correlation):
                # One that was killed between claim and command has an attempt without an event.
                self.assertEqual(told, sorted(set(told)))
                self.assertEqual(told[-1], attempts)
                self.assertGreater(begun[correlation][-1]["wait_ms"],
                                   milliseconds(available, claimed) - 1)
                self.assertLess(begun[correlation][-1]["wait_ms"],
                                milliseconds(available, finished) + 1)

    def test_each_job_ends_once(self):
        workers, events = self.run_all()
        self.assertEqual(self.count("'completed', 'dead'"), self.JOBS)
        self.check_effects()
        self.check_events(events)
        check_books(self, events)
        more, = self.row("SELECT sum(attempts) - count(*) FROM jobs WHERE command_slug = 'note'")
        told = sum(int(line.split()[2]) for worker in workers
                   for line in worker.said("jobs were aborted"))
        self.assertGreater(more, 0)
        # A worker may have been killed before it said what it had found.
        self.assertGreaterEqual(told + self.KILLS, more)


if __name__ == "__main__":
    unittest.main()
