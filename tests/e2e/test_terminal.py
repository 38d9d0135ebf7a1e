# SPDX-License-Identifier: BSD-2-Clause
"""What a terminal gets: names that other people chose are printed, never executed by it."""
import os
import shutil
import subprocess
import unittest

from harness import (PACKS, PATIENCE_S, STEPRUN, STEPTRACE, Runner, Scenario, Tracer, completed,
                     everyone, named, target)

FORGED = "steptrace: 999 events"
# A line of its own, a cleared screen (in seven and in eight bits), letters backwards, a stray byte.
NAME = b"x\n" + FORGED.encode() + b"\n\x1b[2J\xc2\x9b2J\xe2\x80\xae\x7f\t\xff"
SHOWN = r"x\nsteptrace: 999 events\n\x1b[2J\u009b2J\u202e\x7f\t\xff"

# Command lines that fail, and name the file in their message.
REFUSED = {
    STEPTRACE: (
        ("record", "-x", NAME), ("record", "-p", NAME), ("record", "-p", b"1," + NAME),
        ("record", "-o", NAME + b"/x"), ("record", "-o", NAME + b"/x.gz"),
        ("record", "-o", b"tcp:" + NAME), ("record", "-o", b"/dev/fd/" + NAME),
        ("record", "--format", NAME), ("record", "--fields", NAME), ("record", "--count", NAME),
        ("record", "--cgroup", NAME), ("record", "--uid", NAME),
        ("record", "--command", b"[" + NAME), ("record", "--comm", b"[" + NAME),
        ("record", "--step-type", b"[" + NAME), ("record", "--min-duration", NAME),
        ("record", "--sample", NAME), ("record", "--pseudonymize", NAME),
        ("record", "--pseudonymize", "comm", "--pseudonym-key", NAME),
        ("record", "--metrics", NAME), ("record", "--site", NAME), ("record", "--buffer", NAME),
        ("record", b"--" + NAME), ("record", NAME), ("record", "--", NAME),
        ("record", "--", b"./" + NAME),
        ("list", NAME), ("list", "/bin/true", NAME), ("doctor", NAME), ("doctor", "-p", NAME),
        ("doctor", "-x", NAME), ("schema", NAME), (NAME,), (b"--" + NAME,),
    ),
    STEPRUN: (
        (NAME,), ("exec", NAME), ("exec", b"./" + NAME), ("check", NAME), ("check", b"--" + NAME),
        ("list", "--packs", NAME), ("exec", "triage", "--set", NAME),
        ("exec", "triage", "--packs", PACKS, "--context", NAME),
    ),
}


def say(program, *arguments, **options):
    """Runs the program to its end: (exit status, stdout, stderr), both as bytes."""
    done = subprocess.run([program, *arguments], capture_output=True, timeout=PATIENCE_S,
                          stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout, done.stderr


class Terminal(Scenario):
    def check(self, output, shown=SHOWN):
        """Nothing for a terminal to execute, no forged line, and the name can be read."""
        text = output.decode("utf-8")  # invalid UTF-8 is an error
        self.assertRegex(text, r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]*$")
        self.assertNotIn(FORGED, text.split("\n"))
        self.assertIn(shown, text)

    def test_names_on_the_command_line(self):
        for program, command_lines in REFUSED.items():
            for arguments in command_lines:
                with self.subTest(program=os.path.basename(program), arguments=arguments):
                    status, output, words = say(program, *arguments, cwd=self.directory)
                    self.assertNotEqual(status, 0)
                    self.check(output + words)

    def hostile_program(self):
        """A program with probes whose file, and so its comm, has such a name."""
        name = named("f").encode() + NAME
        path = os.path.join(os.fsencode(self.directory), name)
        shutil.copy(target("spans"), path)
        return path

    def test_a_process(self):
        """Its comm and its path: list, doctor, and a recording that attaches and detaches."""
        tracer = Tracer(*everyone(), "--linger", "0")
        program = self.hostile_program()
        with Runner(program) as runner:
            said = tracer.lines.until("attached to '%s/f" % self.directory)
            runner.do("go 1")
            pid = str(runner.pid)
            for arguments in (("list",), ("list", program), ("doctor", "-p", pid),
                              ("doctor", "--json", "-p", pid), ("doctor", "-x", program)):
                with self.subTest(arguments=arguments):
                    status, output, words = say(STEPTRACE, *arguments)
                    self.assertEqual(status, 0)
                    shown = SHOWN.replace("\\", "\\\\") if "--json" in arguments else SHOWN
                    self.check(output.replace(b"\t", b"") + words, shown)
                    if arguments == ("list",):
                        self.assertIn(("%d" % runner.pid).encode().ljust(9) + named("f").encode()
                                      + rb"x\nstep", output)
            os.unlink(program)
        said += tracer.lines.until("detached from '%s/f" % self.directory)
        self.assertEqual(len(completed(tracer.stop())), 1)
        self.check("\n".join(said).encode())

    def test_lines_of_events(self):
        """On a terminal as well: the path of a binary, the comm, a command's name."""
        program = self.hostile_program()
        for form in ("json", "compact"):
            with self.subTest(format=form):
                status, output, words = say(STEPTRACE, "record", "--format", form, "--", "sh", "-c",
                                            'printf "text control\\n" | "$0" >/dev/null', program)
                self.assertEqual(status, 0, words)
                self.assertRegex(output.decode(),
                                 r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$")
                self.assertNotIn(FORGED.encode(), output.split(b"\n"))

    def test_a_pack(self):
        pack = os.path.join(self.directory, "evil")
        os.mkdir(pack)
        with open(os.path.join(pack, "command.yaml"), "w", encoding="utf-8") as file:
            file.write('name: "x\\n%s\\e[2J\\x9b2J"\nslug: evil\nversion: 1.0.0\n'
                       'triggers: {slash: "/x\\e[2J"}\nsteps:\n'
                       '  - {id: say, type: transform, with: {template: "\\e\\x9b2J\\x7f"}}\n'
                       % FORGED)
        for arguments, shown in ((("list", "--packs", self.directory), "x\\n" + FORGED),
                                 (("exec", pack, "--db", ":memory:"),
                                  r"\u001b\u009b2J\u007f")):
            with self.subTest(arguments=arguments):
                _, output, words = say(STEPRUN, *arguments)
                self.check(output + words, shown)


if __name__ == "__main__":
    unittest.main()
