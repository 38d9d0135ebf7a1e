# SPDX-License-Identifier: BSD-2-Clause
"""docs/scale.md: every statement of the page is executed, on the events of ten thousand hosts.

tests/replay makes a recording into the streams of the hosts, duplicated and out of order. The
answers come from scale_hosts.py, which never sees these streams. ClickHouse is a package of npm:
`make test-queries` installs it, and sets STEPTRACE_QUERIES to the folder.

    STEPTRACE_SCALE_HOSTS=N     as many hosts as that (default: 10000)
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import needs
from harness import BUILD, ROOT, STEPTRACE, wait_until
from kafka import TOPIC, Cluster
from scale_hosts import JOB, KEY, STEP, Hosts, rank, recording
from validate import validate_lines

PACKAGES = os.environ.get("STEPTRACE_QUERIES")
DRIVER = os.path.join(ROOT, "tests", "e2e", "clickhouse.mjs")
REPLAY = os.path.join(BUILD, "tests", "replay_hosts")
HOSTS = int(os.environ.get("STEPTRACE_SCALE_HOSTS", "10000"))
EVENTS_MIN = 10**7
ERROR = 0.01  # relative, of quantiles: the first parameter of quantilesDD on the page


# A stream of replay_hosts has a label in place of the header.
REPLAYED = (
    "CREATE TABLE steptrace.replayed AS steptrace.received ENGINE = Null",
    "CREATE MATERIALIZED VIEW steptrace.from_replayed TO steptrace.received AS "
    "SELECT * EXCEPT host, JSONExtractString(labels, 'host') AS host FROM steptrace.replayed")


class Page:
    """The statements of docs/scale.md: of each block by its first line, and the queries for Grafana
    by the title of their section."""

    def __init__(self):
        self.blocks, self.queries = {}, {}
        with open(os.path.join(ROOT, "docs", "scale.md"), encoding="utf-8") as page:
            self.text = page.read()
        for section in re.split(r"^##+ ", self.text, flags=re.MULTILINE):
            for text in re.findall(r"^```sql\n-- (.*?)^```$", section, re.MULTILINE | re.DOTALL):
                head, text = text.split("\n", 1)
                statements = [one.strip() for one in text.split(";\n") if one.strip()]
                if head == "Grafana":
                    self.queries[section.split("\n")[0]], = statements
                else:
                    self.blocks[head] = statements

    def define(self, database, brokers="127.0.0.1:9"):
        """With the default, nobody answers at the broker. The mock cluster keeps some megabytes
        only; more is inserted into `replayed`."""
        for statements in self.blocks.values():
            for statement in statements:
                statement = statement.replace("broker-1:9092", brokers).replace(
                    "kafka_topic_list = 'steptrace'", "kafka_topic_list = '%s'" % TOPIC)
                database.execute(statement)
        for statement in REPLAYED:
            database.execute(statement)


def grafana(query, begin_s, end_s, **variables):
    """As the documentation of Grafana's data source says."""
    between = r"(\1 >= toDateTime(%d) AND \1 <= toDateTime(%d))" % (begin_s, end_s)
    query = re.sub(r"\$__timeFilter\((\w+)\)", between, query)
    query = re.sub(r"\$__timeInterval\((\w+)\)",
                   r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", query)
    for name, value in variables.items():
        query = query.replace("${%s}" % name, value)
    assert "$" not in query, query
    return query


class Database:
    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["node", DRIVER, os.path.abspath(PACKAGES), folder], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def answer(self, statement):
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def execute(self, statement):
        answer = self.answer(statement)
        assert "error" not in answer, "%s\n%s" % (answer.get("error"), statement)
        return answer["rows"]

    def number(self, statement):
        return int(self.execute(statement)[0][0])

    def load(self, table, path):
        self.execute("INSERT INTO steptrace.%s SELECT * FROM file('%s', JSONEachRow) SETTINGS "
                     "date_time_input_format = 'best_effort', max_insert_threads = 2, "
                     "parallel_view_processing = 1" % (table, path))

    def refresh(self):
        """What the server does each minute."""
        self.execute("SYSTEM REFRESH VIEW steptrace.refresh_by_minute")
        self.execute("SYSTEM WAIT VIEW steptrace.refresh_by_minute")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait()


def time_text(ns):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ns // 10**9)) + ".%09d" % (ns % 10**9)


def ns_of(text):
    """Of a DateTime64(9)."""
    whole, rest = text.split(".")
    return int(time.mktime(time.strptime(whole + " UTC", "%Y-%m-%d %H:%M:%S %Z"))
               - time.timezone) * 10**9 + int(rest)


class Streams(unittest.TestCase):
    COMMANDS = 170

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="steptrace-scale-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.lines = list(recording(self.COMMANDS))
        self.recording = self.path("recording.ndjson")
        with open(self.recording, "w", encoding="utf-8") as file:
            file.writelines(self.lines)
        self.begin_s = int(time.time()) // 60 * 60 - 3600

    def path(self, name):
        return os.path.join(self.folder, name)

    def replay(self, *arguments, **options):
        return subprocess.run([REPLAY, "--begin", str(self.begin_s), *map(str, arguments),
                               self.recording], check=True, stderr=subprocess.PIPE, **options)

    def streams(self, name, *arguments):
        """One stream of all hosts, as they are in the topic."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            self.replay("--label", *arguments, stdout=file)
        return self.path(name)

    def exported(self, name, first, count):
        """Rows, from a file of each host."""
        folder = self.path(name + ".hosts")
        os.mkdir(folder)
        self.replay("--first-host", first, "--hosts", count, "--disorder", 20, "-o", folder)
        with open(self.path(name), "w", encoding="utf-8") as file:
            subprocess.run([STEPTRACE, "export", "--to", "clickhouse",
                            *sorted(os.path.join(folder, host) for host in os.listdir(folder))],
                           stdout=file, stderr=subprocess.DEVNULL, check=True)
        shutil.rmtree(folder)
        return self.path(name)


class Scale(Streams):
    def setUp(self):
        if not PACKAGES:
            self.skipTest(needs.FILES_OF_OTHERS + "ClickHouse (make test-queries)")
        needs.program("node")
        needs.need("chdb", None if os.path.isdir(os.path.join(PACKAGES, "node_modules", "chdb"))
                   else "it is not in %s" % PACKAGES)
        super().setUp()
        self.page = Page()
        self.database = Database(self.path("data"))
        self.addCleanup(self.database.close)


class Ways(Scale):
    """From Kafka and from a recording: small."""

    def test_both_ways_have_the_same_rows(self):
        self.page.define(self.database)
        columns = "SELECT * EXCEPT (inserted_at, labels) FROM steptrace.events FINAL ORDER BY ALL"
        rows = []
        for table, path in (("replayed", self.streams("stream", "--hosts", 3)),
                            ("incoming", self.exported("rows", 0, 3))):
            self.database.load(table, path)
            rows.append(self.database.execute(columns))
            self.assertEqual(len(rows[-1]), Hosts(self.lines, 3, self.begin_s).events_count())
        self.assertEqual(rows[0], rows[1])
        trace = self.database.execute("SELECT host, event, count() FROM steptrace.trace FINAL "
                                      "GROUP BY ALL ORDER BY ALL")
        self.assertEqual(trace, [["host-%05d" % host, "trace." + event, count] for host in range(3)
                                 for event, count in (("lost", 2), ("started", 1),
                                                      ("stopped", 1))])

    def test_unreadable_messages_are_kept(self):
        self.page.define(self.database)
        self.database.execute("INSERT INTO steptrace.received FORMAT JSONEachRow %s %s" % (
            '{"topic":"steptrace","partition":3,"offset":42,"error":"it is broken",'
            '"message":"what was sent"}',
            '{"event":"of.tomorrow","timestamp":"%s"}' % time_text(self.begin_s * 10**9)))
        self.assertEqual(self.database.execute("SELECT * EXCEPT received_at "
                                               "FROM steptrace.unreadable"),
                         [["steptrace", 3, 42, "it is broken", "what was sent"]])
        self.assertEqual(self.database.execute("SELECT event FROM steptrace.events"),
                         [["of.tomorrow"]])

    def test_from_a_broker(self):
        """From steptrace through librdkafka's mock cluster, with the engine Kafka of the page."""
        needs.program("kcat")
        cluster = Cluster(self)
        self.page.define(self.database, brokers=cluster.brokers)
        folder = self.path("hosts")
        os.mkdir(folder)
        self.replay("--hosts", 2, "-o", folder)
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        for _ in range(2):  # every event comes twice
            subprocess.run([STEPTRACE, "export", "--to", cluster.where, *paths], check=True,
                           stderr=subprocess.DEVNULL)
        subprocess.run(["kcat", "-P", "-b", cluster.brokers, "-t", TOPIC], input=b"no event\n",
                       check=True)
        hosts = Hosts(self.lines, 2, self.begin_s)
        expected = [[hosts.name(host), len(hosts.of_runner)] for host in hosts.hosts]
        count = ("SELECT host, count() FROM steptrace.events FINAL GROUP BY host ORDER BY host",
                 "SELECT message FROM steptrace.unreadable")
        wait_until(lambda: [self.database.execute(one) for one in count] ==
                   [expected, [["no event"]]], "the messages")
        self.assertEqual(self.database.number("SELECT count() FROM steptrace.trace FINAL"), 8)

    def test_each_column_of_the_key_is_needed(self):
        """Without one of them, different events would be merged."""
        self.page.define(self.database)
        hosts = Hosts(self.lines, 100, self.begin_s, tick_ns=10**6)
        self.database.load("replayed", self.streams("stream", "--hosts", 100, "--tick", "1ms",
                                                 "--duplicates", 5, "--disorder", 100))
        key = re.search(r"ORDER BY \((toStartOfMinute\(timestamp\), host.*?\))\)",
                        self.page.text, re.DOTALL).group(1)
        columns = re.findall(r"\w+(?:\([^()]*\))?", key)
        self.assertEqual([re.sub(r"\w+\((\w+).*", r"\1", column) for column in columns],
                         ["timestamp", *KEY[1:]])
        count = "SELECT uniqExact(%s) FROM steptrace.events"
        self.assertEqual(self.database.number(count % ", ".join(columns)), hosts.events_count())
        self.assertEqual(self.database.number("SELECT count() FROM steptrace.events FINAL"),
                         hosts.events_count())
        for column, name in zip(columns[1:], KEY[1:]):
            with self.subTest(column):
                less = self.database.number(count % ", ".join(
                    other for other in columns if other != column))
                self.assertEqual(less, hosts.keys(name))
                self.assertLess(less, hosts.events_count())

    def test_retention(self):
        """Old events leave, and the counts of their minutes stay."""
        self.page.define(self.database)
        for age_days in (6, 8):
            self.begin_s = int(time.time()) - age_days * 86400 + 7200
            self.database.load("replayed", self.streams("stream", "--hosts", 2, "--seed", age_days))
        events = "SELECT count() FROM steptrace.events"
        self.database.execute("OPTIMIZE TABLE steptrace.events FINAL")
        self.assertEqual(self.database.number(events),
                         Hosts(self.lines, 2, self.begin_s).events_count())
        self.database.refresh()
        before = self.database.execute("SELECT sum(events) FROM steptrace.by_minute FINAL")
        self.database.execute("TRUNCATE TABLE steptrace.events")
        self.database.refresh()
        self.assertEqual(self.database.execute("SELECT sum(events) FROM steptrace.by_minute FINAL"),
                         before)
        self.assertEqual(self.database.number("SELECT count() FROM steptrace.trace FINAL"), 16)

    def test_a_long_insertion_is_seen(self):
        """Each block has its own time: the refresh would miss blocks that seem to be old."""
        self.page.define(self.database)
        self.database.execute(
            "INSERT INTO steptrace.events (event, host, timestamp, monotonic_ns) "
            "SELECT 'of.tomorrow', 'vm', now64(9), number + sleepEachRow(1.1) FROM numbers(3) "
            "SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, "
            "min_insert_block_size_bytes = 1, max_threads = 1")
        self.assertEqual(self.database.number(
            "SELECT uniqExact(inserted_at) FROM steptrace.events"), 3)

    def test_a_late_event_changes_its_minute(self):
        """However late, and however often the view was refreshed in between."""
        self.page.define(self.database)
        hosts, counts = Hosts(self.lines, 3, self.begin_s), []
        for first in range(3):
            self.database.load("incoming", self.exported("rows", first, 1))
            for _ in range(2):
                self.database.refresh()
                counts.append(self.database.number(
                    "SELECT sum(events) FROM steptrace.by_minute FINAL"))
        each = hosts.events_count() // 3
        self.assertEqual(counts, [each, each, 2 * each, 2 * each, 3 * each, 3 * each])


class Replay(Streams):
    COMMANDS = 45

    def test_its_lines_match_the_schemas(self):
        self.assertEqual(validate_lines(self.lines), [])
        for repeat, arguments in ((1, ("--label",)), (2, (
                "--speed-up", 7, "--duplicates", 10, "--disorder", 50))):
            with open(self.streams("replayed", "--hosts", 2, "--repeat", repeat, *arguments),
                      encoding="utf-8") as file:
                lines = list(file)
            self.assertEqual(validate_lines(lines), [])
            self.assertEqual(len(set(lines)), 2 * repeat * len(self.lines))

    def test_wrong_usage(self):
        for arguments, words in (((), "give one recording"),
                                 (("--hosts", "0", "x"), "--hosts cannot be '0'"),
                                 (("--tick", "0s", "x"), "--tick cannot be '0s'")):
            done = subprocess.run([REPLAY, *arguments], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)
        with open(self.recording, "a", encoding="utf-8") as file:
            file.write('{"event":"no.time"}\n')
        done = subprocess.run([REPLAY, self.recording], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("it has no timestamp", done.stderr)


class TenThousand(Scale):
    """Most hosts come from recordings and some from the topic, as many of them from both."""

    def load(self):
        """The next file is made while the last one is inserted."""
        from_topic, both, batch = HOSTS // 5, HOSTS // 100, max(HOSTS // 14, 1)
        jobs = [("replayed", lambda: self.streams("stream-0", "--hosts", from_topic,
                                                  "--duplicates", 3, "--disorder", 20000))]
        for number, first in enumerate(range(from_topic - both, HOSTS, batch)):
            jobs.append(("incoming", lambda number=number, first=first: self.exported(
                "rows-%d" % number, first, min(batch, HOSTS - first))))
        jobs.append(jobs[1])  # somebody imports a recording twice
        table, path = jobs[0][0], jobs[0][1]()
        for job in [*jobs[1:], None]:
            made = []
            maker = threading.Thread(target=lambda: made.append(job[1]() if job else None))
            maker.start()
            self.database.load(table, path)
            os.unlink(path)
            maker.join()
            table, path = job[0] if job else None, made[0]

    def query(self, title, **variables):
        return self.database.execute(grafana(self.page.queries.pop(title), self.begin_s,
                                             self.begin_s + 7200, **variables))

    def minute(self, minute_s):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(minute_s))

    def check_quantiles(self, found, weighted, quantiles=(0.5, 0.95, 0.99)):
        for quantile, value in zip(quantiles, found):
            low, high = rank(sorted(weighted), quantile)
            self.assertGreaterEqual(value, low * (1 - ERROR) - 1e-6)
            self.assertLessEqual(value, high * (1 + ERROR) + 1e-6)

    def check_minutes(self, hosts):
        rows = self.database.execute(
            "SELECT toUnixTimestamp(minute), event, command_slug, step_type, tool_slug, outcome, "
            "error_category, events, duration_ns, mutations, finalizeAggregation(durations) "
            "FROM steptrace.by_minute FINAL")
        expected = hosts.by_minute()
        self.assertEqual(len(rows), len(expected))
        for *key, events, duration_ns, mutations, quantiles in rows:
            group = expected[tuple(key)]
            self.assertEqual([events, int(duration_ns), mutations], group[:3], key)
            if group[3]:
                self.check_quantiles(quantiles, group[3])

    def test_the_page(self):
        begun_s = time.monotonic()
        self.page.define(self.database)
        hosts = Hosts(self.lines, HOSTS, self.begin_s)
        if HOSTS >= 10000:
            self.assertGreater(hosts.events_count(), EVENTS_MIN)
        self.load()
        loaded_s = time.monotonic()
        self.assertGreater(self.database.number("SELECT count() FROM steptrace.events"),
                           hosts.events_count() * 1.01)
        self.assertEqual(self.database.number("SELECT count() FROM steptrace.events FINAL"),
                         hosts.events_count())
        self.database.refresh()
        self.check_minutes(hosts)
        for number, question in enumerate((
                self.loss, self.silence, self.events, self.failures, self.causes, self.durations,
                self.slowest, self.one_execution, self.one_request, self.without_end)):
            with self.subTest(question.__name__):
                question(hosts)
        self.assertEqual(self.page.queries, {})
        bytes_of_row = self.database.execute(
            "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts "
            "WHERE active AND database = 'steptrace' AND table = 'events'")[0][0]
        self.check_sizes(bytes_of_row)
        print("%d events of %d hosts: loaded in %d s, asked in %d s, %.0f bytes a row, %d MiB"
              % (hosts.events_count(), HOSTS, loaded_s - begun_s, time.monotonic() - loaded_s,
                 bytes_of_row, self.peak_mib()), flush=True)

    def peak_mib(self):
        with open("/proc/%d/status" % self.database.process.pid, encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) >> 10

    # ---- the questions of the page

    def loss(self, hosts):
        rows = self.query("What was lost?")
        self.assertEqual([tuple(row[:4]) for row in rows], hosts.loss())

    def silence(self, hosts):
        rows = self.query("Which hosts are silent?")
        self.assertEqual({host: at for host, at in rows},
                         {host: time_text(ns) for host, ns in hosts.last_seen().items()})
        self.assertEqual(rows, sorted(rows, key=lambda row: (row[1], row[0])))

    def events(self, hosts):
        expected = hosts.grouped(lambda key: (self.minute(key[0]), key[1]), lambda key: True)
        self.assertEqual(self.query("How many events?"),
                         [[*key, group[0]] for key, group in sorted(expected.items())])

    def failures(self, hosts):
        is_end = lambda key: key[1] == "command.execution.completed"
        key_of = lambda key: (self.minute(key[0]), key[2])
        ends = hosts.grouped(key_of, is_end)
        failed = hosts.grouped(key_of, lambda key: is_end(key) and key[5] != "success")
        rows = self.query("How often do commands fail?")
        self.assertEqual([row[:4] for row in rows],
                         [[*key, group[0], failed[key][0]] for key, group in sorted(ends.items())])
        for row in rows:
            self.assertAlmostEqual(row[4], row[3] / row[2])

    def causes(self, hosts):
        expected = hosts.grouped(lambda key: (key[2], key[3], key[6]),
                                 lambda key: key[1] == STEP and key[5] == "failure")
        self.assertEqual(self.query("Why do steps fail?"),
                         sorted(([*key, group[0]] for key, group in expected.items()),
                                key=lambda row: (-row[3], row[:3])))

    def durations(self, hosts):
        expected = hosts.grouped(lambda key: (self.minute(key[0]), key[3]),
                                 lambda key: key[1] == STEP)
        rows = self.query("How long do steps take?")
        self.assertEqual([tuple(row[:2]) for row in rows], sorted(expected))
        for at, step_type, ns, *milliseconds in rows:
            self.assertEqual([value / 1e6 for value in ns], milliseconds)
            self.check_quantiles(ns, expected[at, step_type][3])

    def slowest(self, hosts):
        rows = self.query("Which executions were the slowest?")
        self.assertEqual(rows, [[time_text(at_ns), *row] for at_ns, *row in hosts.slowest(20)])

    def one_execution(self, hosts):
        rows = self.query("What happened in one execution?", execution=JOB, host=hosts.name(0))
        events = [event for event in hosts.of_runner if event["execution_id"] == JOB]
        self.assertEqual(len(rows), len(events))
        self.assertEqual(sorted((row[0], row[1]) for row in rows),
                         sorted((time_text(hosts.at_ns(event, 0)), event["event"])
                                for event in events))

    def one_request(self, hosts):
        event = hosts.of_runner[50]
        host = HOSTS // 2
        rows = self.query("What did one request cause?",
                          correlation=hosts.id_of(host, event["correlation_id"]))
        expected = [other for other in hosts.of_runner
                    if other["correlation_id"] == event["correlation_id"]]
        self.assertEqual(sorted(row[:3] + [row[4]] for row in rows), sorted(
            [time_text(hosts.at_ns(other, host)), hosts.name(host),
             hosts.id_of(host, other["execution_id"]), other["event"]] for other in expected))

    def without_end(self, hosts):
        self.assertEqual(dict(self.query("Which executions have no end?")), hosts.without_end())

    # ---- the figures of the page

    def check_sizes(self, bytes_of_row):
        """Those that can be measured here, within a tenth."""
        raw = sum(len(line.encode()) for line in self.lines) / len(self.lines)
        for name, found in (("raw", raw), ("row", bytes_of_row))[:2 if HOSTS >= 10000 else 1]:
            figure = re.search(r"<!-- %s -->\s*(\d+)" % name, self.page.text)
            self.assertIsNotNone(figure, name)
            self.assertAlmostEqual(int(figure.group(1)) / found, 1, delta=0.1, msg=name)


if __name__ == "__main__":
    unittest.main()
