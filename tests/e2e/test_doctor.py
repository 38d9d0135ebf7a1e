# SPDX-License-Identifier: BSD-2-Clause
"""steptrace doctor: what this machine and a target allow."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import needs
from harness import (PATIENCE_S, EndToEnd, Runner, STEPTRACE, Tracer, record, run, target,
                     wait_until)


def doctor(*arguments):
    status, output, words = run("doctor", "--json", *arguments)
    assert words == "", words
    found = json.loads(output)
    return status, found["verdict"], {(each["section"], each["name"]): each
                                      for each in found["findings"]}


class Doctor(EndToEnd):
    def test_this_machine(self):
        status, _, found = doctor()
        self.assertEqual(status, 0)
        self.assertNotIn("fail", {each["verdict"] for each in found.values()})
        self.assertIn(os.uname().release, found["kernel", "release"]["text"])
        self.assertRegex(found["sites", "captured hit"]["text"],
                         r"^[1-9]\d+ ns measured.*\(\d+ predicted")
        self.assertRegex(found["sites", "unselected hit"]["text"], r"^[1-9]\d+ ns at each")
        self.assertRegex(found["privileges", "open files"]["text"], r"^at most \d+")
        for name in ("--breakdown", "profile --on-cpu", "profile --off-cpu",
                     "profile --unwind dwarf"):
            self.assertEqual(found["kernel", name]["verdict"], "ok", name)

    def test_it_says_what_record_does(self):
        """The same links, and the same site. Both measure which site is the fastest. Where two are
        equally fast, other load may make them differ once."""
        def agree():
            _, _, found = doctor()
            started = record(["go 1"])[0][0]
            chosen = [name for (section, name), each in found.items()
                      if section == "sites" and each["text"].endswith("the choice")]
            self.assertEqual(len(chosen), 1)
            self.assertEqual("uprobe_multi" in found["kernel", "uprobe links"]["text"],
                             started["attach_method"] == "uprobe_multi")
            return chosen == [started["probe_site"]]
        wait_until(agree, "doctor and record choose the same site")

    def test_several_at_the_same_time(self):
        """All of them probe the same file. Each still measures, and chooses."""
        for _ in range(3):
            running = [subprocess.Popen([STEPTRACE, "doctor", "--json"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL) for _ in range(4)]
            for process in running:
                output, _ = process.communicate(timeout=PATIENCE_S)
                texts = [each["text"] for each in json.loads(output)["findings"]
                         if each["section"] == "sites" and each["name"].startswith("nop")]
                self.assertRegex(texts[0], r"^\d+ ns per hit")
                self.assertEqual(sum(text.endswith("the choice") for text in texts), 1)

    def test_a_binary(self):
        status, _, found = doctor("-x", target("spans"))
        self.assertEqual(status, 0)
        self.assertIn("8 of 8", found[target("spans"), "probes"]["text"])
        self.assertRegex(found[target("spans"), "build id"]["text"], r"^[0-9a-f]{40}$")
        self.assertIn("nop1", found[target("spans"), "sites"]["text"])

    def found_of(self, runner):
        """What doctor finds about the process, at a moment when the number of the semaphore is the
        one that the process itself reads: another tracer of the machine may come or go."""
        found = []

        def agree():
            found[:] = doctor("-p", str(runner.pid))
            text = found[2][target("spans"), "semaphore"]["text"]
            return int(text.split(":")[0]) == runner.semaphore()
        wait_until(agree, "doctor reads the semaphore of the process")
        return found

    def test_a_process(self):
        with Runner() as runner:
            before = self.found_of(runner)
            tracer = Tracer("-p", str(runner.pid))
            during = self.found_of(runner)
            tracer.stop()
            after = self.found_of(runner)
        for _, _, found in (before, during, after):
            number, words = found[target("spans"), "semaphore"]["text"].split(":", 1)
            self.assertIn("no tracer is attached" if number == "0" else "a tracer is attached",
                          words)
        self.assertNotIn("no tracer", during[2][target("spans"), "semaphore"]["text"])
        self.assertEqual(before[0], 0)
        self.assertEqual(before[2]["process %d" % runner.pid, "pid namespace"]["text"],
                         "the same as that of steptrace")

    def test_in_other_namespaces(self):
        needs.namespaces("--mount", "--pid", "--fork")
        runner = subprocess.Popen(["unshare", "--pid", "--mount", "--fork", "--kill-child",
                                   target("spans")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  bufsize=0)
        runner.stdin.write(b"go 1\n")
        runner.stdout.readline()
        with open("/proc/%d/task/%d/children" % (runner.pid, runner.pid), encoding="ascii") as file:
            child = int(file.read())
        status, _, found = doctor("-p", str(child))
        self.assertEqual(status, 0)
        self.assertIn("inner_pid", found["process %d" % child, "pid namespace"]["text"])
        runner.stdin.close()
        runner.wait(PATIENCE_S)
        runner.stdout.close()

    def test_a_file_system_that_would_be_busy(self):
        """Told of file systems that may be unmounted one day."""
        needs.mounts()
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["mount", "-t", "tmpfs", "none", directory], check=True)
            try:
                program = shutil.copy(target("spans"), directory)
                _, _, found = doctor("-x", program)
            finally:
                subprocess.run(["umount", directory], check=True)
        self.assertIn("EBUSY", found[program, "file system"]["text"])

    def test_a_deleted_binary(self):
        with tempfile.TemporaryDirectory() as directory:
            program = shutil.copy(target("spans"), directory)
            with Runner(program) as runner:
                runner.do("go 1")
                os.unlink(program)
                status, verdict, found = doctor("-p", str(runner.pid))
        self.assertEqual((status, verdict), (0, "warn"))
        self.assertTrue(any(name == "file" and "deleted" in each["text"]
                            for (_, name), each in found.items()))

    def test_what_cannot_be_recorded(self):
        for arguments, words in ((("-x", "/bin/true"), "none"),
                                 (("-x", "/nonesuch"), "cannot open"),
                                 (("-x", "/etc/passwd"), "not an ELF file"),
                                 (("-p", "4194303"), "there is no process"),
                                 (("-p", str(os.getpid())), "nothing with steptrace probes")):
            status, verdict, found = doctor(*arguments)
            self.assertEqual((status, verdict), (1, "fail"), arguments)
            self.assertTrue(any(words in each["text"] for each in found.values()), arguments)

    def test_a_name_that_nobody_should_print(self):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(os.fsencode(directory), b"a\n\x1b[31m\xff\"b")
            shutil.copy(target("spans"), program)
            with Runner(program) as runner:
                runner.do("go 1")
                status, output, _ = run("doctor", "-p", str(runner.pid))
                self.assertEqual(status, 0)
                self.assertNotIn("\x1b", output)
                self.assertEqual(doctor("-p", str(runner.pid))[0], 0)

    def test_without_privilege(self):
        needs.other_users()
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = shutil.copy(STEPTRACE, directory)
            done = subprocess.run([program, "doctor", "--json"], user=12345, group=12345,
                                  extra_groups=[], capture_output=True, timeout=PATIENCE_S, cwd="/")
        self.assertEqual(done.returncode, 1)
        found = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
        for name in ("CAP_BPF", "CAP_PERFMON"):
            self.assertEqual(found[name]["verdict"], "fail")
            self.assertIn("sudo", found[name]["advice"])
        self.assertEqual(found["CAP_SYS_PTRACE"]["verdict"], "warn")
        for name in ("ring buffer", "uprobe links"):
            self.assertIn("not known", found[name]["text"])

    def test_for_a_person(self):
        status, output, words = run("doctor")
        self.assertEqual((status, words), (0, ""))
        for line in ("kernel\n", "\nprivileges\n", "\nsites\n", "  ok    CAP_BPF "):
            self.assertIn(line, output)
        self.assertNotIn("\033", output)
        self.assertEqual([line for line in output.split("\n") if len(line) > 80], [])

    def test_its_words_are_those_of_the_json(self):
        """Lines are wrapped at blanks, and nothing else is changed."""
        with Runner() as runner:
            status, output, _ = run("doctor", "-p", str(runner.pid), "-x", "/nonesuch")
            _, _, found = doctor("-p", str(runner.pid), "-x", "/nonesuch")
        self.assertEqual(status, 1)
        words = " ".join(output.split())
        for (_, name), each in found.items():
            if (name in ("captured hit", "unselected hit", "semaphore")
                    or " ns per hit" in each["text"] or name.startswith("nop")):
                continue  # measured: other figures in each run, and another choice
            self.assertIn("%s %s" % (name, each["text"]), words)
            self.assertIn("-> " + each["advice"] if each["advice"] else "", words)

    def test_without_memory_for_the_answer(self):
        """No answer is a failure, whatever was found."""
        with tempfile.TemporaryDirectory() as directory:
            source, library = (os.path.join(directory, name) for name in ("no.c", "no.so"))
            with open(source, "w", encoding="ascii") as file:
                file.write("char *cJSON_Print(const void *item)\n"
                           "{\n\treturn item ? (char *)0 : (char *)0;\n}\n")
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
            status, output, words = run("doctor", "--json",
                                        env={**os.environ, "LD_PRELOAD": library})
        self.assertEqual((status, output), (1, ""))
        self.assertIn("out of memory", words)

    def test_usage(self):
        for arguments in (("--nonesuch",), ("-p", "x"), ("stray",)):
            status, output, words = run("doctor", *arguments)
            self.assertEqual((status, output), (2, ""))
            self.assertIn("steptrace: ", words)
        self.assertEqual(run("doctor", "--help")[0], 0)


if __name__ == "__main__":
    unittest.main()
