# SPDX-License-Identifier: BSD-2-Clause
"""steprun check: what it prints, and its exit status. tests/unit/test_check.c has every rule."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import PACKS, PATIENCE_S, ROOT, STEPRUN, EndToEnd

BAD_PACKS = os.path.join(PACKS, "../packs-bad")

# Several mistakes in one manifest: an id twice, two types, a filter, a branch.
MANY = """\
name: Many
slug: many
version: "1.0"
steps:
  - id: a
    type: fragment.make
    title: "{{ ctx.body | trimm }}"
  - id: a
    type: notify
    message: |
      Hello
      {{ ctx.name | uper }}
  - id: b
    type: condition
    condition: ctx.x | lenght > 3
    then:
      - {id: c, type: notfy}
  - id: d
    type: condition
    condition: false
    then:
      - {id: e, type: notify, message: "{{ steps.z.output }}"}
"""

EXPECTED = [
    (3, 10, "invalid-value"),
    (6, 11, "unknown-type"),
    (7, 27, "unknown-filter"),
    (8, 9, "duplicate-id"),
    (12, 21, "unknown-filter"),
    (15, 24, "unknown-filter"),
    (17, 23, "unknown-type"),
    (21, 5, "unreachable-branch"),
    (22, 44, "unknown-step"),
]


class Check(EndToEnd):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-check-")
        self.addCleanup(self.directory.cleanup)

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def check(self, *arguments):
        done = subprocess.run([STEPRUN, "check", *arguments], cwd=self.directory.name,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_all_problems_at_once(self):
        self.write("packs/many/command.yaml", MANY)
        status, lines, said = self.check()
        self.assertEqual((status, len(lines)), (1, len(EXPECTED)), lines)
        for line, (row, column, _) in zip(lines, EXPECTED):
            self.assertTrue(line.startswith("packs/many/command.yaml:%d:%d: " % (row, column)),
                            line)
        self.assertIn("1 packs, %d problems" % len(EXPECTED), said)

    def test_json(self):
        self.write("packs/many/command.yaml", MANY)
        status, lines, _ = self.check("--json")
        problems = [json.loads(line) for line in lines]
        self.assertEqual(status, 1)
        self.assertEqual([(each["line"], each["column"], each["rule"]) for each in problems],
                         EXPECTED)
        self.assertEqual(list(problems[0]),
                         ["file", "line", "column", "pack", "rule", "message"])
        self.assertEqual({(each["file"], each["pack"]) for each in problems},
                         {("packs/many/command.yaml", "many")})
        plain = self.check()[1]
        self.assertEqual(["%(file)s:%(line)d:%(column)d: %(message)s" % each
                          for each in problems], plain)

    def test_json_without_a_position(self):
        self.write("packs/t/command.yaml", "name: T\nslug: t\nversion: 1.0.0\n"
                   "steps: [{id: a, type: notify}]\n")
        os.mkdir(os.path.join(self.directory.name, "packs/t/prompts"))
        os.symlink("/etc/passwd", os.path.join(self.directory.name, "packs/t/prompts/x.md"))
        status, lines, _ = self.check("--json")
        self.assertEqual(status, 1)
        problem, = [json.loads(line) for line in lines]
        self.assertEqual((problem["file"], problem["line"], problem["column"], problem["rule"]),
                         ("packs/t/prompts/x.md", None, None, "unreadable-file"))

    def test_good_packs(self):
        for arguments in ((), ("--json",)):
            self.assertEqual(self.check(PACKS, *arguments)[:2], (0, []))

    def test_packs_in_two_directories(self):
        text = ("name: T\nslug: t\nversion: 1.0.0\ntriggers: {slash: /%s}\n"
                "steps: [{id: a, type: notify}]\n")
        self.write("first/t/command.yaml", text % "x")
        self.write("second/t/command.yaml", text % "x")
        self.write("second/u/command.yaml", (text % "x").replace("slug: t", "slug: u"))
        status, lines, _ = self.check("--packs", "first", "--packs", "second")
        self.assertEqual(status, 1)
        self.assertEqual([line.split(": ", 1)[0] for line in lines],
                         ["second/t/command.yaml:2:7", "second/u/command.yaml:4:19"])
        self.assertIn("already belongs to 'first/t'", lines[0])
        self.assertEqual(self.check("first", "--packs", "first")[:2], (0, []))

    def test_nothing_to_check(self):
        """This is no success: a wrong name would be noticed by nobody."""
        os.mkdir(os.path.join(self.directory.name, "empty"))
        for arguments in (("empty",), ("--packs", "empty"), (PACKS, "empty"), ("empty", "--json")):
            status, lines, said = self.check(*arguments)
            self.assertEqual((status, lines), (1, []))
            self.assertIn("there is no pack in 'empty'", said)
        for arguments in ((), ("nonesuch",)):
            status, lines, said = self.check(*arguments)
            self.assertEqual((status, lines), (1, []))
            self.assertIn("cannot read packs in", said)
        self.assertEqual(self.check("--jsno")[0], 2)

    def test_a_full_output(self):
        self.write("packs/many/command.yaml", MANY)
        for arguments in ((), ("--json",)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([STEPRUN, "check", *arguments], cwd=self.directory.name,
                                      stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("cannot write", done.stderr)

    def test_the_manual_names_every_rule(self):
        with open(os.path.join(ROOT, "src/runner/pack/pack_problem.c"), encoding="utf-8") as file:
            rules = set(re.findall(r"\[RULE_\w+\] = \"([\w-]+)\"", file.read()))
        with open(os.path.join(ROOT, "docs/man/steprun.1"), encoding="utf-8") as file:
            table = file.read().split(".Sh CHECK")[1].split(".Sh LIST")[0]
        self.assertGreater(len(rules), 10)
        self.assertEqual(set(re.findall(r"^\.It Cm ([a-z-]+)$", table, re.MULTILINE)), rules)
        status, lines, _ = self.check(BAD_PACKS, "--json")
        self.assertEqual(status, 1)
        self.assertLessEqual({json.loads(line)["rule"] for line in lines}, rules)


if __name__ == "__main__":
    unittest.main()
