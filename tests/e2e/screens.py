# SPDX-License-Identifier: BSD-2-Clause
"""A terminal for tests: a shell in tmux, with a server of its own. Keys go in, the screen comes
out."""
import os
import re
import shlex
import subprocess
import time

from harness import PATIENCE_S, wait_until

REVERSE = re.compile(r"^\x1b\[(0;)?7m")


class Screen:
    """`directory` is the test's own; the files of the terminal are there."""

    def __init__(self, directory, width=100, height=24, **environment):
        self.directory = directory
        self.socket = os.path.join(directory, "tmux")
        env = {key: value for key, value in os.environ.items()
               if key not in ("TMUX", "NO_COLOR", "ENV", "LINES", "COLUMNS")}
        env.update(LC_ALL="C.UTF-8", **environment)
        self.run("-u", "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                 "sh", env=env)
        self.pid_path = os.path.join(directory, "pid")
        try:
            self.until(r"^[$#]")
        except BaseException:
            self.close()
            raise

    def run(self, *arguments, **options):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, text=True,
                              capture_output=True, timeout=PATIENCE_S, **options).stdout

    def close(self):
        """Ends the shell and what runs in it: the terminal is closed."""
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False,
                       capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def text(self, *flags):
        return self.run("capture-pane", "-p", *flags)

    def lines(self):
        return self.text().rstrip("\n").split("\n")

    def until(self, *patterns):
        """Waits until all of them are on the screen at the same time; returns the screen."""
        seen = ""

        def are_there():
            nonlocal seen
            seen = self.text()
            return all(re.search(pattern, seen, re.MULTILINE) for pattern in patterns)

        if not self.becomes(are_there):
            raise AssertionError("never %r on this screen:\n%s" % (patterns, seen))
        return seen

    def until_gone(self, pattern):
        if not self.becomes(lambda: not re.search(pattern, self.text(), re.MULTILINE)):
            raise AssertionError("%r stays on this screen:\n%s" % (pattern, self.text()))

    @staticmethod
    def becomes(condition):
        """Whether that happens. Every look at the screen starts a process."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def press(self, *keys):
        """Names of keys as in tmux(1), or characters."""
        self.run("send-keys", *keys)

    def type(self, text):
        self.run("send-keys", "-l", text)

    def resize(self, width, height):
        self.run("resize-window", "-x", str(width), "-y", str(height))

    def start(self, *command, **environment):
        """Executes the command in the shell; what it says when it ends is followed by "ended N"."""
        path = os.path.join(self.directory, "start")
        settings = "".join("%s=%s " % pair for pair in environment.items())
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho $$ >%s\nexec env %s %s\n"
                       % (self.pid_path, settings,
                          " ".join(shlex.quote(word) for word in command)))
        os.chmod(path, 0o755)
        self.type("clear; %s; echo ended $?" % path)
        self.press("Enter")

    def pid(self):
        """Of the command that was started last."""
        wait_until(lambda: os.path.exists(self.pid_path) and os.path.getsize(self.pid_path),
                   "the process that was started")
        with open(self.pid_path, encoding="ascii") as file:
            return int(file.read())

    def selected(self):
        """The line of the list that is shown in reverse, without the first line of the screen."""
        for line in self.text("-e").split("\n")[1:]:
            if REVERSE.match(line):
                return re.sub(r"\x1b\[[0-9;]*m", "", line)
        return None

    def until_selected(self, name):
        if not self.becomes(lambda: (self.selected() or "").split()[:1] == [name]):
            raise AssertionError("%r is not selected:\n%s" % (name, self.text("-e")))

    def modes(self):
        """Of the terminal, as stty(1) prints them. The shell must wait for a command."""
        path = os.path.join(self.directory, "modes-%d" % time.monotonic_ns())
        self.type("clear; stty -g >%s; echo told" % path)
        self.press("Enter")
        self.until("^told")
        with open(path, encoding="ascii") as file:
            return file.read()
