# SPDX-License-Identifier: BSD-2-Clause
"""`steptrace record --config FILE` and `--check`."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import ROOT, STEPTRACE, EndToEnd, read_events, run, target

SERVICE = os.path.join(ROOT, "systemd", "steptrace.service.in")
SHIPPED = os.path.join(ROOT, "systemd", "steptrace.conf")
NETWORK = os.path.join(ROOT, "systemd", "network.conf")


class Configured(EndToEnd):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.output = self.path("events.ndjson")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, *lines):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        return self.path(name)

    def config(self, *lines):
        return ["--config", self.write("own.conf", *lines)]

    def refused(self, status, *arguments):
        """What record --check complains of."""
        code, output, words = run("record", "--check", *arguments)
        self.assertEqual((code, output), (status, ""), words)
        return words

    def accepted(self, *arguments):
        code, output, words = run("record", "--check", *arguments)
        self.assertEqual((code, words), (0, ""), output)
        return output


class Files(Configured):
    def recorded(self, arguments, *lines):
        """The events of a recording with these lines as configuration."""
        status, _, words = run("record", *self.config("output " + self.output, *lines),
                               *arguments, "--", target("spans"), "command 2")
        self.assertEqual(status, 0, words)

    def test_it_records_as_the_file_says(self):
        self.recorded([], "# how", 'label "note=a # b"  # a comment', "label where=here",
                      "labels-everywhere")
        events = read_events(self.output)
        self.assertTrue(events)
        for event in events:
            self.assertEqual(event["labels"], {"note": "a # b", "where": "here"})

    def test_the_command_line_wins(self):
        """A repeated option is replaced as a whole; the others stay."""
        other = self.path("other.ndjson")
        self.recorded(["-o", other, "--label", "where=there"], "rotate-size 4K", "keep 2",
                      "label where=here", "label more=yes", "labels-everywhere", "when-full drop")
        self.assertFalse(os.path.exists(self.output))
        labels = {str(event["labels"]) for event in read_events(other)}
        self.assertEqual(labels, {"{'where': 'there'}"})

    def test_an_output_replaces_the_settings_of_outputs(self):
        self.recorded(["-o", self.output], "output kafka:127.0.0.1:5/topic",
                      "kafka-config " + self.path("none"))

    def test_targets_replace_targets(self):
        lines = self.config("pid 1", "output " + self.output)
        self.refused(2, *lines, "--check", "--config", self.write("two.conf", "pid 1", "all"))
        for arguments in (["-a"], ["-x", target("spans")], ["--", "true"]):
            self.accepted(*lines, *arguments)

    def test_errors_name_file_and_line(self):
        for line, complaint in (("queue 5", "--queue cannot be '5': give a size from 64K to 1G"),
                                ("colour red", "there is no option 'colour'"),
                                ("o x", "there is no option 'o'"),
                                ("failed yes", "the option 'failed' takes no value"),
                                ("output", "the option 'output' needs a value"),
                                ("--queue 1M", "write '--queue' without dashes"),
                                ("queue=1M", "write a blank instead of '='"),
                                ("check", "'check' can be given on the command line only"),
                                ("\x1b[31m", "the line has a control character")):
            with self.subTest(line=line):
                words = self.refused(2, *self.config("# one", "all", line))
                self.assertIn("own.conf:3: " + complaint, words)
                self.assertNotIn("\x1b", words)

    def test_what_does_not_fit_together_names_the_file(self):
        words = self.refused(2, *self.config("keep 5"))
        self.assertIn("own.conf with the command line: --keep needs --rotate-size", words)

    def test_a_file_that_cannot_be_read(self):
        self.assertIn("'/nonexistent'", self.refused(2, "--config", "/nonexistent"))
        os.mkfifo(self.path("fifo"))
        self.assertIn("not a regular file", self.refused(2, "--config", self.path("fifo")))

    def test_every_option_can_be_in_a_file(self):
        """The names in the help are those of the file."""
        shown = subprocess.run([STEPTRACE, "record", "--help"], capture_output=True, text=True,
                               check=True).stdout
        names = re.findall(r"^  (?:-\w, |    )--([\w-]+)", shown, re.MULTILINE)
        self.assertGreater(len(names), 40)
        for name in set(names) - {"help", "config", "check", "unit"}:
            # Some lack a value; none is unknown.
            _, _, words = run("record", "--check", *self.config(name))
            self.assertNotIn("there is no option", words, name)


class Check(Configured):
    def test_nothing_is_written(self):
        self.assertEqual(self.accepted("-o", self.output), "no problem found\n")
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_the_options_name(self):
        self.assertIn("there is no folder '%s'" % self.path("none"),
                      self.refused(1, "-o", self.path("none/events")))
        self.assertIn("cannot read the key", self.refused(
            1, "--pseudonymize", "host", "--pseudonym-key", self.path("none")))
        self.assertIn(self.path("none"), self.refused(
            1, "-o", "tls:localhost:5", "--tls-ca", self.path("none")))

    def test_every_problem_is_shown(self):
        words = self.refused(1, "-o", self.path("a/b"), "-o", self.path("c/d"))
        self.assertEqual(len(words.splitlines()), 2)

    def test_unit_needs_check(self):
        status, _, words = run("record", "--unit", SERVICE)
        self.assertEqual(status, 2)
        self.assertIn("--unit needs --check", words)


class Sandbox(Configured):
    """What the unit forbids, with the unit that is shipped."""

    def unit(self, *drop_ins):
        """A copy of the shipped unit with drop-ins."""
        with open(SERVICE, encoding="utf-8") as file:
            unit = self.write("own.service", *file.read().split("\n"))
        os.makedirs(unit + ".d", exist_ok=True)
        for number, lines in enumerate(drop_ins):
            self.write("own.service.d/%d.conf" % number, *lines)
        return ["--unit", unit]

    def test_the_shipped_configuration(self):
        self.assertIn("also not with the sandbox of",
                      self.accepted("--config", SHIPPED, "--unit", SERVICE))

    def test_outputs(self):
        unit = self.unit()
        self.accepted(*unit, "-o", "/var/log/steptrace/a/b.ndjson.gz", "-o", "unix:/run/x",
                      "-o", "-")
        for where, setting in (("/var/log/steptrace2/x", "ProtectSystem=strict"),
                               ("/var/log/steptrace/../x", "ProtectSystem=strict"),
                               ("x.ndjson", "ProtectSystem=strict"),
                               ("/tmp/x", "PrivateTmp="),
                               ("tcp:collector:5", "PrivateNetwork=yes"),
                               ("kafka:127.0.0.1:5/topic", "PrivateNetwork=yes")):
            with self.subTest(where=where):
                words = self.refused(1, *unit, "-o", where)
                self.assertIn("'%s'" % unit[1], words)
                self.assertIn("(%s)" % setting, words)

    def test_it_names_the_drop_in_that_helps(self):
        arguments = ["-o", "tcp:collector:5", "--metrics", "127.0.0.1:9464"]
        words = self.refused(1, *self.unit(), *arguments)
        self.assertEqual(words.count("systemd/network.conf"), 4)
        self.assertIn("/etc/systemd/system/own.service.d/network.conf", words)
        with open(NETWORK, encoding="utf-8") as file:
            self.accepted(*self.unit(file.read().split("\n")), *arguments)

    def test_each_setting_of_the_network(self):
        """One drop-in that lacks a part of network.conf is not enough."""
        lines = ["PrivateNetwork=no", "IPAddressDeny=", "RestrictAddressFamilies=AF_INET"]
        for missing in lines:
            rest = [line for line in lines if line != missing]
            words = self.refused(1, *self.unit(["[Service]", *rest]), "-o", "tcp:collector:5")
            self.assertIn("(" + missing.split("=")[0], words)
        self.accepted(*self.unit(["[Service]", *lines]), "-o", "tcp:collector:5")

    def test_drop_ins_in_their_order(self):
        """By name; another section, a comment and a cleared list are understood."""
        allow = ["[Service]", "IPAddressDeny=", "RestrictAddressFamilies=", "PrivateNetwork=no"]
        where = ["-o", "tcp:collector:5"]
        self.refused(1, *self.unit(["[Unit]", *allow[1:]]), *where)
        self.refused(1, *self.unit(allow[:3] + ["#PrivateNetwork=no"]), *where)
        self.accepted(*self.unit(allow), *where)
        self.refused(1, *self.unit(allow, ["[Service]", "PrivateNetwork=yes"]), *where)
        inet = "RestrictAddressFamilies=~AF_INET AF_INET6"
        self.refused(1, *self.unit(allow, ["[Service]", inet]), *where)
        self.accepted(*self.unit(allow, ["[Service]", "ReadWritePaths=-/srv/a \\", "  /srv/b"]),
                      *where, "-o", "/srv/b/x", "-o", "/srv/a/x")

    def test_a_unit_that_is_not_there(self):
        self.assertIn("cannot read '/nonexistent'", self.refused(1, "--unit", "/nonexistent"))


if __name__ == "__main__":
    unittest.main()
