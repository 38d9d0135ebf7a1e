# SPDX-License-Identifier: BSD-2-Clause
"""Kafka as an output: what arrives, in which order, and what is counted when it does not."""
import collections
import json
import os
import re
import signal
import ssl
import subprocess

import made_recordings
import needs
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, check_books, of_kind, read_events,
                     record, run, runner_events, wait_until)
from kafka import (DISCONNECT, INIT_PRODUCER, NOT_AUTHORIZED, NOT_LEADER, PRODUCE, TIMED_OUT,
                   TOO_LARGE, UNKNOWN_TOPIC, Cluster, Consumer, Kcat, TlsFront, by_correlation,
                   events_of, threads_of)
from outputs import Outputs, lines_of
from test_tls import Certificates


def anonymous_kib(pid):
    """Its memory, without files and without the ring buffer."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


class WithSettings(Outputs):
    def settings(self, *lines):
        path = self.path("settings")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines))
        os.chmod(path, 0o600)
        return "--kafka-config", path

    def check_messages(self, messages):
        host = json.loads(next(each.text for each in messages
                               if each.headers["event"] == "trace.started"))["host"]
        for each in messages:
            event = json.loads(each.text)
            self.assertEqual(each.key, event.get("correlation_id", host))
            self.assertEqual(each.headers, {"event": event["event"], "schema_version": "2",
                                            "host": host})


class Kafka(WithSettings):
    def check_order(self, messages, path):
        """Each correlation has the lines of the file, in the order of the file, in one partition.
        The end event may be corrected for this output."""
        with open(path, encoding="utf-8") as file:
            wanted = by_correlation(file)
        arrived = by_correlation(each.text + "\n" for each in messages)
        self.assertEqual(arrived, wanted)
        places = collections.defaultdict(set)
        for each in messages:
            places[each.key].add(each.partition)
        self.assertTrue(all(len(partitions) == 1 for partitions in places.values()))
        self.assertEqual({partition for each in places.values() for partition in each}, {0, 1, 2})

    def check_everything_arrives(self, reader_of):
        cluster = Cluster(self, brokers=2)
        reader = reader_of(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"))
            runner.do("go 500")
            runner.do("tool")
            runner.do("reject")
            reader.until_it_has("command.validation.failed")
            self.stop(tracer)
        messages = reader.messages()
        events = events_of(messages)
        self.assertEqual(check_books(self, events)["lost"], 0)
        self.assertEqual(len(events), lines_of(self.path("file")))
        self.assertEqual(of_kind(events, "trace.started")[0]["part"], 1)
        self.check_messages(messages)
        self.check_order(messages, self.path("file"))

    def test_everything_arrives_at_kcat(self):
        self.check_everything_arrives(Kcat)

    def test_everything_arrives_at_a_consumer_in_python(self):
        self.check_everything_arrives(Consumer)

    def test_every_compression(self):
        for name in ("none", "gzip", "snappy", "lz4", "zstd"):
            cluster = Cluster(self)
            reader = Kcat(self, cluster)
            with Runner() as runner:
                tracer = self.trace(runner, "-o", cluster.where,
                                    *self.settings("compression.type=" + name))
                runner.do("go 20")
                self.stop(tracer)
            self.assertEqual(len(runner_events(reader.events())), 140, name)

    def test_there_later(self):
        """Under a name, which the tracer looks up after it is confined."""
        cluster = Cluster(self)
        cluster.ask("down", 1)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where.replace("127.0.0.1", "localhost"))
            if not any("cannot be reached" in line for line in self.said_first):
                self.said_first += self.said.until("cannot be reached")
            self.assertIn("Connection refused", "\n".join(self.said_first))
            runner.do("go 100")
            cluster.ask("up", 1)
            self.said.until("is connected")
            self.stop(tracer)
        events = Kcat(self, cluster).events()
        self.assertEqual(len(runner_events(events)), 700)
        self.assertEqual(check_books(self, events)["lost"], 0)

    def test_a_name_that_does_not_exist(self):
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "kafka:broker.steptrace.invalid/t")
            if not any("cannot be reached" in line for line in self.said_first):
                self.said_first += self.said.until("cannot be reached")
            self.assertIn("Failed to resolve 'broker.steptrace.invalid:9092'",
                          "\n".join(self.said_first))
            self.stop(tracer, status=1)
        self.assertIn("could not be reached", self.words)

    def test_leaders_change(self):
        """Again and again, while events come. Nothing is lost, and nothing changes its place."""
        cluster = Cluster(self, brokers=3)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"))
            for i in range(9):
                runner.do("go 100")
                cluster.ask("leader", i % 3, i % 2 + 1)
            self.stop(tracer)
        messages = reader.messages()
        self.assertEqual(check_books(self, events_of(messages))["lost"], 0)
        self.check_order(messages, self.path("file"))

    def test_errors_that_pass(self):
        """Of the brokers, and of the connections. librdkafka sends again."""
        cluster = Cluster(self)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"))
            for error in (NOT_LEADER, TIMED_OUT, DISCONNECT, NOT_LEADER):
                cluster.ask("fail", PRODUCE, error, 2)
                runner.do("go 100")
            self.stop(tracer)
        messages = reader.messages()
        self.assertEqual(check_books(self, events_of(messages))["lost"], 0)
        self.check_order(messages, self.path("file"))

    def test_what_is_refused_is_lost(self):
        """An error that sending again does not mend. The rest goes on, and the books are exact."""
        cluster = Cluster(self, partitions=1)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where)
            reader.until_it_has("trace.attached")
            cluster.ask("fail", PRODUCE, TOO_LARGE, 1)
            runner.do("go 100")
            self.said.until("lines were not delivered to %s (Broker: Message size too large)"
                            % cluster.where)
            reader.until_it_has("trace.lost")
            runner.do("go 100")
            self.stop(tracer)
        events = reader.events()
        stopped = check_books(self, events)
        lost = stopped["lost_by_reason"]["not_written"]
        self.assertGreater(lost, 0)
        self.assertEqual(stopped["events"] + lost, 1400)
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")), lost)
        self.assertIn("%d events, %d lost" % (1400 - lost, lost), self.words)

    def test_what_is_lost_at_the_end(self):
        """The reports come after the recording has ended. The trace.stopped waits for them."""
        cluster = Cluster(self, partitions=1)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"),
                                *self.settings("linger.ms=1000"))
            reader.until_it_has("trace.attached")
            runner.do("go 10")
            wait_until(lambda: lines_of(self.path("file")) >= 72, "the file")
            cluster.ask("fail", PRODUCE, TOO_LARGE, 1)
            self.stop(tracer)
        stopped = check_books(self, reader.events())
        self.assertEqual((stopped["events"], stopped["lost_by_reason"]["not_written"]), (0, 70))

    def test_block_ends_with_the_first_loss(self):
        cluster = Cluster(self)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "--when-full", "block", "-o",
                                self.path("file"))
            cluster.ask("fail", PRODUCE, TOO_LARGE, 5)
            runner.do("go 1")
            wait_until(lambda: runner.do("go 1") or
                       any("not delivered" in line for line in self.said.so_far()), "an end")
            self.stop(tracer, status=1)
        self.assertEqual(check_books(self, read_events(self.path("file")))["lost"], 0)

    def test_acknowledgements_are_lost(self):
        """The broker stores the messages, and its answer comes too late. They are sent again. The
        mock cluster stores them twice, a real one would not. Each of them is counted once."""
        cluster = Cluster(self, partitions=1)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where,
                                *self.settings("request.timeout.ms=500", "socket.timeout.ms=1000"))
            reader.until_it_has("trace.attached")
            cluster.ask("delay", 1, PRODUCE, 3000, 1)
            runner.do("go 10")
            reader.until(lambda: sum("command.execution.started" in each.text
                                     for each in reader.all) > 10, "messages again")
            self.stop(tracer)
        messages = reader.messages()
        once = list({each.text: each for each in messages}.values())
        stopped = check_books(self, events_of(once))
        self.assertEqual((stopped["events"], stopped["lost"]), (70, 0))
        self.assertGreater(len(messages), len(once))

    def test_a_full_queue(self):
        """Without a broker. What finds no room is counted; the memory stays within the bound."""
        cluster = Cluster(self)
        cluster.ask("down", 1)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"),
                                "--queue", "8M")
            before = anonymous_kib(tracer.pid)
            for i in range(20):
                runner.do("go 300")
                wait_until(lambda: lines_of(self.path("file")) >= (i + 1) * 2100, "the file")
            self.assertLess(anonymous_kib(tracer.pid) - before, 10 << 10)
            cluster.ask("up", 1)
            reader = Kcat(self, cluster)
            self.said.until("is connected")

            def goes_on():
                runner.do("go 1")
                return reader.has('"trace.lost"')
            wait_until(goes_on, "a trace.lost")
            self.stop(tracer)
        events = reader.events()
        stopped = check_books(self, events)
        lost = stopped["lost_by_reason"]["not_written"]
        self.assertGreater(lost, 1000)
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")), lost)
        self.assertEqual(stopped["hits"], check_books(self, read_events(self.path("file")))["hits"])

    def test_block_waits(self):
        cluster = Cluster(self)
        cluster.ask("down", 1)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "--when-full", "block",
                                "--queue", "256K", "--buffer", "16M")
            runner.do("go 500")
            cluster.ask("up", 1)
            reader = Kcat(self, cluster)
            self.said.until("is connected")
            self.stop(tracer)
        self.assertEqual(check_books(self, reader.events())["events"], 3500)

    def test_the_end_without_a_broker(self):
        """SIGTERM in the middle. The other output is whole; what waits here is lost."""
        cluster = Cluster(self)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"))
            runner.do("go 10")
            reader.until(lambda: sum("execution.completed" in each.text
                                     for each in reader.all) >= 10, "events")
            cluster.ask("down", 1)
            runner.do("go 100")
            wait_until(lambda: lines_of(self.path("file")) >= 772, "the file")
            tracer.send_signal(signal.SIGTERM)
            words = "\n".join(self.said.rest())
            self.assertEqual(tracer.wait(PATIENCE_S), 1)
        self.assertIn("stopped because %s could not be reached" % cluster.where, words)
        self.assertIn("700 events were not written to " + cluster.where, words)
        self.assertEqual(check_books(self, read_events(self.path("file")))["events"], 770)

    def test_sigterm_in_the_middle(self):
        """While a runner hits probes without an end."""
        cluster = Cluster(self)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where)
            runner.order("go 5000")
            reader.until_it_has("execution.completed")
            tracer.send_signal(signal.SIGTERM)
            self.said.rest()
            self.assertEqual(tracer.wait(PATIENCE_S), 0)
            runner.lines.until("ok")
        self.assertGreater(check_books(self, reader.events())["events"], 0)

    def test_librdkafka_gives_up_and_begins_again(self):
        """The cluster refuses the idempotent producer once: librdkafka sends nothing more."""
        cluster = Cluster(self, partitions=1)
        cluster.ask("fail", INIT_PRODUCER, NOT_AUTHORIZED, 1)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"))
            runner.do("go 10")
            wait_until(lambda: runner.do("go 1") or
                       any("lines are dropped until it works again" in line
                           for line in self.said.so_far()), "an error")
            wait_until(lambda: runner.do("go 1") or reader.has("execution.completed"), "events")
            self.stop(tracer)
        self.assertIn(cluster.where + " works again", self.words)
        events = reader.events()
        stopped = check_books(self, events)
        self.assertEqual(events[0]["event"], "trace.started")
        self.assertGreaterEqual(stopped["lost_by_reason"]["not_written"], 70)
        self.assertEqual(stopped["hits"], check_books(self, read_events(self.path("file")))["hits"])
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")),
                         stopped["lost"])

    def test_an_unknown_topic(self):
        cluster = Cluster(self)
        cluster.ask("topic-error", UNKNOWN_TOPIC)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where,
                                *self.settings("topic.metadata.propagation.max.ms=100"))
            runner.do("go 1")
            self.said.until("Unknown topic")
            self.stop(tracer, status=1)
        self.assertIn("0 events, 7 lost", self.words)


class Export(WithSettings):
    def export(self, where, *files, status=0):
        code, out, said = run("export", "--to", where, *files)
        self.assertEqual((code, out), (status, ""), said)
        return said

    def recording(self, name, orders=("go 200", "tool", "reject")):
        """The path of a recording of the host that has this name."""
        events, _ = record(orders)
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            for event in events:
                if event["event"] == "trace.started":
                    event["host"] = name
                file.write(json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\n")
        return path

    def test_lines_are_sent_as_they_are(self):
        """Of two hosts. What is no event is left out."""
        cluster = Cluster(self)
        paths = [self.recording("one"), self.recording("two")]
        with open(paths[0], "a", encoding="utf-8") as file:
            file.write("nonsense\n")
        said = self.export(cluster.where, *paths)
        messages = Kcat(self, cluster).messages()
        self.assertIn("%d of %d events were delivered" % (len(messages), len(messages)), said)
        self.assertIn("1 line is left out: they are no JSON object", said)
        for path in paths:
            ours = [each for each in messages if each.headers["host"] == os.path.basename(path)]
            with open(path, encoding="utf-8") as file:
                lines = [line.rstrip("\n") for line in file if line != "nonsense\n"]
            self.assertEqual(sorted(each.text for each in ours), sorted(lines))
            self.assertEqual(by_correlation(each.text for each in ours), by_correlation(lines))
            self.check_messages(ours)

    def test_a_part_is_refused(self):
        cluster = Cluster(self, partitions=1)
        path = self.recording("one", ["go 2"])
        cluster.ask("fail", PRODUCE, TOO_LARGE, 1)
        said = self.export(cluster.where, path, status=1)
        self.assertIn("0 of %d events were delivered" % lines_of(path), said)
        self.assertIn("Message size too large", said)

    def test_ctrl_c(self):
        cluster = Cluster(self)
        cluster.ask("down", 1)
        path = self.recording("one", ["go 2"])
        process = subprocess.Popen([STEPTRACE, "export", "--to", cluster.where, path],
                                   stderr=subprocess.PIPE, bufsize=0)
        said = Lines(process.stderr, "steptrace")
        said.until("cannot be reached")
        process.send_signal(signal.SIGINT)
        words = "\n".join(said.rest())
        self.assertEqual(process.wait(PATIENCE_S), 1)
        self.assertIn("0 of %d events were delivered" % lines_of(path), words)
        self.assertIn("could not be reached", words)

    def test_an_interrupted_export_to_kafka_goes_on(self):
        """At the oldest execution of which a message was not acknowledged."""
        cluster = Cluster(self)
        lines = list(made_recordings.lines_of(400))
        os.mkfifo(self.path("fifo"))
        process = subprocess.Popen([STEPTRACE, "export", "--to", cluster.where, self.path("fifo")],
                                   stderr=subprocess.PIPE, text=True)
        with open(self.path("fifo"), "w", encoding="utf-8") as fifo:
            fifo.writelines(lines[:1500])
            fifo.flush()
            wait_until(lambda: cluster.messages() > 1000, "most messages")
            cluster.ask("down", 1)
            fifo.writelines(lines[1500:])
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        self.assertEqual(process.returncode, 1, said)
        place = int(re.search("to go on, give the same files and --from 1:(.*)", said).group(1))
        text = "".join(lines).encode()
        self.assertGreater(place, len("".join(lines[:500]).encode()))
        self.assertEqual(text[place - 1:place + 10], b'\n{"event":"')
        cluster.ask("up", 1)
        with open(self.path("whole"), "wb") as file:
            file.write(text)
        self.export(cluster.where, "--from", "1:%d" % place, self.path("whole"))
        texts = [message.text + "\n" for message in Kcat(self, cluster).messages()]
        self.assertEqual(set(texts), set(lines))
        self.assertLess(len(texts), 2 * len(lines) - 500)

    def test_options_that_do_not_fit(self):
        for arguments, words in ((("--to", "kafka:a"), "kafka:BROKER[,BROKER...]/TOPIC"),
                                 (("--to", "kafka:a/b", "-o", "x"), "-o and --table"),
                                 (("--to", "kafka:a/b", "--to", "csv"), "no other format"),
                                 (("--to", "csv", "--kafka-config", "x"), "--to kafka:")):
            code, _, said = run("export", *arguments, "-")
            self.assertEqual(code, 2)
            self.assertIn(words, said)

    def test_a_line_that_is_too_long(self):
        """For a message. The others are sent."""
        lines = [json.dumps({"event": "trace.config", "timestamp": "2026-01-01T00:00:0%dZ" % at,
                             "text": "x" * size}) + "\n"
                 for at, size in enumerate((10, 1040000, 10))]
        path = self.path("long.ndjson")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(lines)
        cluster = Cluster(self)
        code, _, said = run("export", "--to", cluster.where, path)
        self.assertEqual(code, 1)
        self.assertIn("2 of 3 events were delivered", said)
        texts = {message.text + "\n" for message in Kcat(self, cluster).messages()}
        self.assertEqual(texts, {lines[0], lines[2]})

    def test_nothing_to_export(self):
        code, _, said = run("export", "--to", Cluster(self).where, os.devnull)
        self.assertEqual(code, 1)
        self.assertIn("the recording has nothing to export", said)
        self.assertNotIn("--from", said)


class Confined(Outputs):
    def test_threads_of_librdkafka(self):
        """They have the rights of the tracer's outputs: none."""
        cluster = Cluster(self)
        reader = Kcat(self, cluster)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where)
            reader.until_it_has("trace.attached")
            threads = list(threads_of(tracer.pid))
            ours = [each for each in threads if each["Name"].startswith("rdk:")]
            self.assertGreaterEqual(len(ours), 2)
            for each in threads:
                self.assertEqual((each["Uid"].split(), each["Gid"].split(), each["NoNewPrivs"],
                                  each["Seccomp"], each["CapInh"], each["CapAmb"]),
                                 (["65534"] * 4, ["65534"] * 4, "1", "2", "0" * 16, "0" * 16))
            for each in ours:
                self.assertEqual((each["CapEff"], each["CapPrm"]), ("0" * 16, "0" * 16))
            self.stop(tracer)
        self.assertEqual(check_books(self, reader.events())["lost"], 0)


class Tls(WithSettings):
    def setUp(self):
        super().setUp()
        needs.program("openssl")
        needs.localhost()
        self.ours = Certificates(self.directory, "ours")
        self.names = "DNS:localhost,IP:127.0.0.1"

    def context(self, clients=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ours.signed("server", self.names))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        return context

    def said_by(self, where, *settings):
        """What is said when nobody can be reached."""
        with Runner() as runner:
            tracer = self.trace(runner, "-o", where, *self.settings(*settings))
            if not any("cannot be reached" in line for line in self.said_first):
                self.said_first += self.said.until("cannot be reached")
            tracer.kill()
            tracer.wait()
            self.said.rest()
        return "\n".join(self.said_first)

    def test_both_sides_show_a_certificate(self):
        """All files are readable for root alone, and the tracer has given up root."""
        cluster = Cluster(self)
        reader = Kcat(self, cluster)
        front = TlsFront(self, cluster, self.context(self.ours.authority))
        mine = self.ours.signed("mine", "DNS:mine")
        for path in (mine, mine + ".key", self.ours.authority):
            os.chmod(path, 0o600)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", front.where, *self.settings(
                "security.protocol=ssl", "ssl.ca.location=" + self.ours.authority,
                "ssl.certificate.location=" + mine, "ssl.key.location=" + mine + ".key"))
            runner.do("go 100")
            self.stop(tracer)
        self.assertEqual(check_books(self, reader.events())["events"], 700)

    def test_an_authority_that_is_not_trusted(self):
        theirs = Certificates(self.directory, "theirs")
        front = TlsFront(self, Cluster(self), self.context())
        said = self.said_by(front.where, "security.protocol=ssl",
                            "ssl.ca.location=" + theirs.authority)
        self.assertRegex(said, "certificate (verify failed|could not be verified)")

    def test_a_certificate_of_another_host(self):
        self.names = "DNS:other.example"
        front = TlsFront(self, Cluster(self), self.context())
        said = self.said_by(front.where, "security.protocol=ssl",
                            "ssl.ca.location=" + self.ours.authority)
        self.assertRegex(said, "certificate (verify failed|could not be verified)")

    def test_a_certificate_is_missing(self):
        front = TlsFront(self, Cluster(self), self.context(self.ours.authority))
        said = self.said_by(front.where, "security.protocol=ssl",
                            "ssl.ca.location=" + self.ours.authority)
        self.assertIn("SSL", said.upper())

    def test_a_broker_without_tls(self):
        said = self.said_by(Cluster(self).where, "security.protocol=ssl",
                            "ssl.ca.location=" + self.ours.authority)
        self.assertRegex(said, "does security.protocol fit|a PLAINTEXT broker listener")

    def test_a_broker_with_tls(self):
        front = TlsFront(self, Cluster(self), self.context())
        self.assertIn("incorrect security.protocol configuration", self.said_by(front.where))

    def test_files_that_are_no_certificates(self):
        with open(self.path("text"), "w", encoding="ascii") as file:
            file.write(SECRET)
        for name in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location"):
            status, _, said = run("record", "-o", "kafka:127.0.0.1:1/t", *self.settings(
                "security.protocol=ssl", name + "=" + self.path("text")))
            self.assertEqual(status, 1)
            self.assertIn("'%s': librdkafka does not accept the settings" % self.path("settings"),
                          said)
            self.assertNotIn(SECRET, said)


SECRET = "correct-horse-battery"


class Settings(WithSettings):
    def test_wrong_ones_are_refused(self):
        """Before anything is attached; no message contains a value."""
        for line, words in ((SECRET, "this is not NAME=VALUE"),
                            ("plugin.library.paths=" + SECRET, "loads or starts code"),
                            ("sasl.kerberos.kinit.cmd=" + SECRET, "starts the program kinit"),
                            ("ssl.engine.location=" + SECRET, "loads or starts code"),
                            ("linger.ms=" + SECRET, "does not accept the value of linger.ms"),
                            ("sasl.mechanism=" + SECRET, "PLAIN"),
                            ("bootstrap.servers=" + SECRET, "-o kafka:")):
            arguments = ("record", "-o", "kafka:127.0.0.1:1/t", *self.settings("# x", line))
            for more in ((), ("--check",)):
                status, out, said = run(*arguments, *more)
                self.assertEqual((status, out), (1, ""), said)
                self.assertIn("line 2: ", said)
                self.assertIn(words, said)
                self.assertNotIn(SECRET, said)

    def test_check(self):
        status, out, said = run("record", "-o", "kafka:127.0.0.1:1/t", "--check",
                                *self.settings("sasl.mechanism=PLAIN", "sasl.username=u",
                                               "security.protocol=sasl_plaintext",
                                               "sasl.password=" + SECRET))
        self.assertEqual((status, out, said), (0, "no problem found\n", ""))

    def test_options_that_do_not_fit(self):
        for arguments, words in ((("-o", "kafka:a"), "kafka:BROKER[,BROKER...]/TOPIC"),
                                 (("-o", "kafka:a/b", "--format", "compact"), "--format json"),
                                 (("-o", "-", "--kafka-config", "x"), "needs -o kafka:"),
                                 (("-o", "kafka:a/b", "-o", "kafka:a/b"), "named twice")):
            status, _, said = run("record", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(words, said)

    def test_a_password_stays_secret(self):
        """The broker knows no SASL. The file is readable for root alone."""
        cluster = Cluster(self)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", cluster.where, "-o", self.path("file"),
                                *self.settings("sasl.mechanism=SCRAM-SHA-512", "sasl.username=u",
                                               "security.protocol=sasl_plaintext",
                                               "sasl.password=" + SECRET))
            if not any("cannot be reached" in line for line in self.said_first):
                self.said_first += self.said.until("cannot be reached")
            runner.do("go 1")
            shown = ""
            for name in ("cmdline", "environ"):
                with open("/proc/%d/%s" % (tracer.pid, name), encoding="utf-8") as file:
                    shown += file.read()
            self.stop(tracer, status=1)
        said = "\n".join(self.said_first) + self.words
        self.assertIn("SASL", said)
        self.assertNotIn(SECRET, said + shown)
        with open(self.path("file"), encoding="utf-8") as file:
            self.assertNotIn(SECRET, file.read())


if __name__ == "__main__":
    import unittest
    unittest.main()
