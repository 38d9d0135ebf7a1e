# SPDX-License-Identifier: BSD-2-Clause
"""The man pages describe the options that exist, and no others: each with a default and an
example."""
import glob
import os
import re
import subprocess
import tempfile
import unittest

from harness import ROOT, STEPRUN, STEPTRACE, EndToEnd


def options_of_help(program, *commands):
    """The option names that the help texts show: {"-p", "--pid", ...}"""
    found = set()
    for command in commands:
        shown = subprocess.run([program, command, "--help"], capture_output=True, text=True,
                               check=True).stdout
        for letter, name in re.findall(r"^  (?:(-\w), |    )(--[\w-]+)", shown, re.MULTILINE):
            found |= {letter, name} - {""}
    return found


def paragraphs_of_page(name):
    """The paragraphs that describe an option: [(option names, source lines)]"""
    paragraphs = []
    with open(os.path.join(ROOT, "docs", "man", name), encoding="utf-8") as file:
        depth = 0
        for line in file:
            # A list inside a paragraph belongs to the paragraph.
            depth += line.startswith(".Bl") - line.startswith(".El")
            if line.startswith(".It") and depth == 1 or line.startswith(".Sh"):
                flags = re.findall(r"Fl (-?[a-z][\w-]*)", line) if line.startswith(".It Fl") else []
                paragraphs.append((["-" + flag for flag in flags], []))
            elif paragraphs:
                paragraphs[-1][1].append(line)
    return [paragraph for paragraph in paragraphs if paragraph[0]]


# Every command of both programs, as the help of the program lists them.
COMMANDS = {STEPTRACE: ("record", "latency", "top", "inflight", "profile", "report", "trace",
                        "export", "list", "doctor", "schema"),
            STEPRUN: ("exec", "serve", "work", "schedule", "check", "list")}


class Help(EndToEnd):
    def help_of(self, program, *command):
        return subprocess.run([program, *command, "--help"], capture_output=True, text=True,
                              check=True).stdout

    def test_it_fits_80_columns(self):
        for program, commands in COMMANDS.items():
            for command in ((), *((name,) for name in commands)):
                with self.subTest(program=os.path.basename(program), command=command):
                    lines = self.help_of(program, *command).split("\n")
                    self.assertGreater(len(lines), 4)
                    self.assertEqual([line for line in lines if len(line) > 80], [])

    def test_no_command_is_left_out(self):
        for program, commands in COMMANDS.items():
            listed = re.findall(r"^  (?!sudo|step)(\w+) ", self.help_of(program), re.MULTILINE)
            self.assertEqual(tuple(listed), commands)


class Manual(EndToEnd):
    def check(self, page, *help_of):
        shown = options_of_help(*help_of) - {"-h", "--help"}
        paragraphs = paragraphs_of_page(page)
        described = {name for names, _ in paragraphs for name in names}
        self.assertGreater(len(described), 15)
        self.assertEqual(described - shown, set(), "there are no such options")
        self.assertEqual(shown - described, set(), "the page does not describe them")
        for names, lines in paragraphs:
            with self.subTest(page=page, option=names[-1]):
                self.check_paragraph(names, lines)

    def check_paragraph(self, names, lines):
        """A sentence, a default, and an example that uses the option."""
        self.assertRegex(lines[0], r"^(\.Cm .*|[A-Z].*)\n",
                         "the paragraph does not begin with a sentence")
        self.assertTrue([line for line in lines if line.startswith("Default:")],
                        "it names no default")
        words = {word for line in lines if line.startswith(".Dl ") for word in line.split()}
        self.assertTrue(words & set(names), "no example uses the option")

    def test_steptrace(self):
        self.check("steptrace.8", STEPTRACE, *COMMANDS[STEPTRACE])

    def test_steprun(self):
        self.check("steprun.1", STEPRUN, *COMMANDS[STEPRUN])

    def test_packs_that_are_named_exist(self):
        """In the help, the man pages, the README and the guides."""
        texts = {}
        for program, commands in ((STEPTRACE, ("", "record", "list", "doctor", "schema")),
                                  (STEPRUN, ("", *COMMANDS[STEPRUN]))):
            for command in commands:
                texts[program, command] = subprocess.run(
                    [program, *command.split(), "--help"], capture_output=True, text=True,
                    check=True).stdout
        for pattern in ("*.md", "docs/*.md", "docs/man/*", "usdt/*.md"):
            for path in glob.glob(os.path.join(ROOT, pattern)):
                with open(path, encoding="utf-8") as file:
                    texts[path] = file.read()
        named = {(where, name) for where, text in texts.items()
                 for name in re.findall(r"(?:steprun exec|--also) ([a-z][\w.-]*)", text)}
        self.assertGreater(len(named), 4)
        packs = os.listdir(os.path.join(ROOT, "tests", "packs"))
        for text in texts.values():  # steprun-pack(5) has a pack of its own
            packs += re.findall(r"^slug: (\S+)", text, re.MULTILINE)
        self.assertEqual([pair for pair in named if pair[1] not in packs], [])


class PackManual(EndToEnd):
    """steprun-pack(5) names what the runner knows, and its example works."""

    def setUp(self):
        with open(os.path.join(ROOT, "docs", "man", "steprun-pack.5"), encoding="utf-8") as file:
            self.page = file.read()
        self.words = set(re.findall(r"[\w.]+", self.page))

    def sources(self, *path):
        for name in sorted(glob.glob(os.path.join(ROOT, "src", "runner", *path))):
            with open(name, encoding="utf-8") as file:
                yield file.read()

    def test_every_step_type_and_key(self):
        types, keys = set(), set()
        for source in self.sources("steps", "*.c"):
            types |= set(re.findall(r'\.name = "([\w.]+)"', source))
            for table in re.findall(r"keys\[\] = \{(.*?)\}", source, re.DOTALL):
                keys |= set(re.findall(r'"(\w+)"', table))
        self.assertGreaterEqual(len(types), 10)
        self.assertEqual((types | keys) - self.words, set())

    def test_every_filter(self):
        filters = {name for source in self.sources("template", "filters.c")
                   for name in re.findall(r'^\t\{"(\w+)", \d', source, re.MULTILINE)}
        self.assertGreater(len(filters), 30)
        self.assertEqual(filters - self.words, set())

    def test_the_example(self):
        manifest = re.search(r"^\.Bd -literal\n(name:.*?)\.Ed$", self.page,
                             re.MULTILINE | re.DOTALL).group(1)
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "packs", "keep-note"))
            with open(os.path.join(folder, "packs", "keep-note", "command.yaml"), "w",
                      encoding="utf-8") as file:
                file.write(manifest)
            checked = subprocess.run([STEPRUN, "check"], cwd=folder, capture_output=True,
                                     text=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            for text in ("buy milk", "a" * 60):
                done = subprocess.run([STEPRUN, "exec", "keep-note", text], cwd=folder,
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Saved note", done.stdout)


if __name__ == "__main__":
    unittest.main()
