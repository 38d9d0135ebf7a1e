# SPDX-License-Identifier: BSD-2-Clause
"""steptrace profile: stacks of programs whose functions are known (tests/targets/profiled.c), their
states, and their times, compared with what the program measured itself."""
import os
import re
import shutil
import subprocess

import needs
import slow_disk
from harness import ROOT, EndToEnd, Runner, Scenario, compiled, target
from measuring import Disturbed, measured_again
from profiles import CALLERS, Profiler, check_close, truths

FAST = ["--frequency", "1999", "--min-blocked", "0"]
DWARF = ["--unwind", "dwarf", *FAST]
FRAME_POINTERS = ["--unwind", "fp", *FAST]

METHOD = """
#include <time.h>
namespace mail {
class Sender {
public:
    explicit Sender(long ms) : ms_(ms) {}
    __attribute__((noinline)) int deliver(const char *to) const;
private:
    long ms_;
};
static volatile int after;
static long now()
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}
int Sender::deliver(const char *to) const
{
    for (long end = now() + ms_ * 1000000; now() < end;)
        for (int i = 0; i < 100000; i++)
            after = *to;
    return after;
}
}
extern "C" __attribute__((noinline)) int library_step()
{
    return mail::Sender(200).deliver("") + mail::after;
}
"""


def library(path, *flags):
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", *flags, "-o", path,
                    os.path.join(ROOT, "tests", "targets", "libspinner.c")], check=True)
    return path


def profiled(orders, *arguments, program=None, **options):
    """Profiles a runner by its pid. Returns the profile and [(wall, cpu)] of the steps."""
    with Runner(program or target("profiled"), **options) as runner:
        profiler = Profiler("-p", str(runner.pid), *arguments)
        answers = [line for words in orders for line in runner.do(words)]
        return profiler.stop(), truths(answers)


class Stacks(EndToEnd):
    def check(self, profile, functions, wall, cpu, state="on-cpu", cut=False, is_main=True):
        """All time of the step is in these functions: on a processor what the thread's clock said,
        and the rest off it, most of it in this state."""
        self.assertIn(state, profile.states(*functions), profile.text)
        rows = profile.of(*functions)
        self.assertEqual({(row.command, row.path[1]) for row in rows},
                         {("profiled.run", "KnownStep")})
        self.assertEqual({row.is_cut for row in rows}, {cut}, profile.text)
        if is_main and state not in ("on-cpu", profile.main_state(*functions)):
            raise Disturbed("%s in place of %s" % (profile.states(*functions), state))
        on_cpu = profile.us(*functions, state="on-cpu")
        off_cpu = profile.us(*functions) - on_cpu
        if cpu > wall / 20:
            check_close(on_cpu, cpu, "on a processor")
        check_close(on_cpu + off_cpu, wall, "in all")


class States(Stacks):
    """What a thread does below four known callers."""

    def check_state(self, order, leaf, state):
        profile, [(wall, cpu)] = profiled([order], *DWARF)
        self.check(profile, ["main", "do_kind", *CALLERS, leaf], wall, cpu, state)
        return profile

    @measured_again
    def test_a_thread_that_computes(self):
        self.check_state("spin 300", "spin_here", "on-cpu")

    @measured_again
    def test_a_lock(self):
        profile = self.check_state("lock 100", "lock_here", "lock")
        [row] = profile.of("lock_here", state="lock")
        self.assertTrue(any("mutex_lock" in name for name in row.path), row.names)
        self.assertTrue(any("futex" in name for name in row.kernel), row.names)

    @measured_again
    def test_sleep(self):
        self.check_state("sleep 100", "sleep_here", "sleep")

    @measured_again
    def test_a_pipe(self):
        self.check_state("pipe 100", "read_here", "pipe")

    @measured_again
    def test_the_network(self):
        self.check_state("network 100", "read_here", "network")

    @measured_again
    def test_many_short_sleeps(self):
        """A sum of times is not longer than its parts."""
        profile, [(wall, cpu)] = profiled(["naps 50"], *DWARF)
        self.check(profile, [*CALLERS, "naps_here", "sleep_here"], wall, cpu, "sleep")

    @measured_again
    def test_a_busy_processor(self):
        profile, [(wall, cpu)] = profiled(["compete 200"], *DWARF)
        self.check(profile, ["do_compete", "do_kind", *CALLERS, "spin_here"], wall, cpu, "runnable")
        check_close(profile.us("spin_here", state="runnable"), wall - cpu, "runnable")


class Disks(Scenario, Stacks):
    def test_a_disk(self):
        with slow_disk.mounted(self.directory, 64 << 20) as disk:
            self.check_disk(disk)

    @measured_again
    def check_disk(self, disk):
        with Runner(target("profiled")) as runner:
            disk.slow_down(runner.pid)
            profiler = Profiler("-p", str(runner.pid), *DWARF)
            [(wall, cpu)] = truths(runner.do("fsync " + os.path.join(disk.path, "file")))
            profile = profiler.stop()
        # Many short waits: beside busy neighbours, a processor is awaited longer than the disk.
        self.check(profile, [*CALLERS, "fsync_here"], wall, cpu, "disk", is_main=False)
        self.assertGreater(profile.us("fsync_here", state="disk"), 10000)


class Builds(Scenario, Stacks):
    """Programs and libraries that are built in different ways."""

    SPIN = [*CALLERS, "spin_here"]

    @measured_again
    def check_build(self, *flags, arguments=DWARF, functions=("main", "do_kind", *SPIN)):
        program = compiled(os.path.join(self.directory, "profiled"), *flags, source="profiled")
        profile, [(wall, cpu)] = profiled(["spin 200"], *arguments, program=program)
        self.check(profile, list(functions), wall, cpu)
        return profile

    def test_no_frame_pointers(self):
        for flags in (["-pie", "-fPIE"], ["-no-pie", "-fno-pie"]):
            with self.subTest(flags):
                self.check_build("-fomit-frame-pointer", *flags)

    def test_static(self):
        for flag in ("-static", "-static-pie"):
            with self.subTest(flag):
                self.check_build(flag, "-fomit-frame-pointer")

    @measured_again
    def check_frame_pointers(self, program):
        profile, [(wall, cpu)] = profiled(["spin 200"], *FRAME_POINTERS, program=program)
        # Below it in the clock, the C library loses frames.
        whole = profile.us("main", "obey", "do_kind", *self.SPIN)
        check_close(whole, wall, "in all", 0.1)
        on_cpu = profile.us("main", "obey", "do_kind", *self.SPIN, state="on-cpu")
        check_close(on_cpu, cpu, "on a processor", 0.1)

    def test_frame_pointers(self):
        """With fp, a program that keeps them, up to main: the C library does not keep them."""
        for flags in (["-pie", "-fPIE"], ["-static"]):
            with self.subTest(flags):
                self.check_frame_pointers(compiled(
                    os.path.join(self.directory, "profiled"), "-mno-omit-leaf-frame-pointer",
                    "-fno-omit-frame-pointer", "-fno-inline", *flags, source="profiled"))

    @measured_again
    def test_both_ways_agree(self):
        """The same program, and the same functions."""
        program = compiled(os.path.join(self.directory, "profiled"), "-mno-omit-leaf-frame-pointer",
                           "-fno-omit-frame-pointer", source="profiled")
        found = []
        for arguments in (FRAME_POINTERS, DWARF):
            profile, [(_, cpu)] = profiled(["spin 200"], *arguments, program=program)
            rows = [row for row in profile.of(*self.SPIN, state="on-cpu")
                    if row.path[-1] == "spin_here"]
            check_close(sum(row.us for row in rows), cpu, "on a processor", 0.1)
            found.append({tuple(row.path[row.path.index("main"):]) for row in rows
                          if "main" in row.path})
        self.assertEqual(*found)

    @measured_again
    def test_a_library_that_is_loaded_later(self):
        path = library(os.path.join(self.directory, "libspinner.so"))
        profile, [(wall, cpu)] = profiled(["library " + path], *DWARF)
        self.check(profile, [*CALLERS, "library_here", "library_step", "spin_in_library"], wall,
                   cpu)

    @measured_again
    def test_a_method(self):
        needs.program("g++")
        path = os.path.join(self.directory, "libsender.so")
        subprocess.run(["g++", "-x", "c++", "-", "-O2", "-shared", "-fPIC", "-o", path],
                       input=METHOD, text=True, check=True)
        profile, [(wall, cpu)] = profiled(["library " + path], *DWARF)
        self.check(profile, [*CALLERS, "library_here", "library_step",
                             "mail::Sender::deliver"], wall, cpu)

    @measured_again
    def test_a_library_that_was_replaced_on_the_disk(self):
        """A new file is at the path, but the process has the old one mapped."""
        path = library(os.path.join(self.directory, "libspinner.so"), "-DSPINNER=spin_in_old")
        with Runner(target("profiled")) as runner:
            runner.do("library " + path)
            os.unlink(path)
            library(path, "-DSPINNER=spin_in_new")
            profiler = Profiler("-p", str(runner.pid), *DWARF)
            [(wall, cpu)] = truths(runner.do("library " + path))
            profile = profiler.stop()
        self.check(profile, ["library_here", "library_step", "spin_in_old"], wall, cpu)
        self.assertNotIn("spin_in_new", profile.text)


class Roots(Scenario, Stacks):
    """Runners with another root directory."""

    def copy_into(self, root, path):
        to = root + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(os.path.realpath(path), to)

    def new_root(self, program):
        """A folder with the program, and what it loads."""
        root = os.path.join(self.directory, "root")
        os.makedirs(os.path.join(root, "bin"))
        shutil.copy(program, os.path.join(root, "bin", "runner"))
        listed = subprocess.run(["ldd", program], text=True, capture_output=True).stdout
        for path in re.findall(r"(/\S+) \(0x", listed):
            self.copy_into(root, path)
        return root

    def stripped(self, program, root):
        """Moves the symbols to the folder for debug files of that root, by build id."""
        notes = subprocess.run(["readelf", "-n", program], text=True, check=True,
                               capture_output=True).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
        folder = os.path.join(root, "usr/lib/debug/.build-id", build_id[:2])
        os.makedirs(folder)
        debug = os.path.join(folder, build_id[2:] + ".debug")
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        subprocess.run(["strip", "-o", os.path.join(root, "bin", "runner"), program], check=True)
        return debug

    def in_root(self, root):
        return ["chroot", root, "/bin/runner"]

    @measured_again
    def check_library(self, path, program, function):
        profile, [(wall, cpu)] = profiled(["library " + path], *DWARF, program=program)
        self.check(profile, [*CALLERS, "library_here", "library_step", function], wall, cpu)

    def test_another_library_at_the_same_path(self):
        path = library(os.path.join(self.directory, "libspinner.so"), "-DSPINNER=spin_outside_root")
        root = self.new_root(target("profiled"))
        os.makedirs(root + self.directory)
        library(root + path, "-DSPINNER=spin_inside_root")
        for program, function in ((None, "spin_outside_root"),
                                  (self.in_root(root), "spin_inside_root")):
            with self.subTest(function):
                self.check_library(path, program, function)

    @measured_again
    def check_names(self, root):
        profile, [(wall, cpu)] = profiled(["spin 200"], *DWARF, program=self.in_root(root))
        self.check(profile, ["main", "do_kind", *CALLERS, "spin_here"], wall, cpu)

    @measured_again
    def check_no_names(self, root):
        profile, [(wall, _)] = profiled(["spin 200"], *DWARF, program=self.in_root(root))
        self.assertEqual(profile.of("spin_here"), [])
        named = [row for row in profile.rows
                 if any(name.startswith("[runner+0x") for name in row.path)]
        check_close(sum(row.us for row in named if row.path[1] == "KnownStep"), wall, "in all")
        self.assertEqual([row for row in named if row.is_cut], [])

    def test_a_debug_file(self):
        """The static function is in no dynamic table: only the debug file has its name."""
        program = compiled(os.path.join(self.directory, "profiled"), "-Wl,--build-id",
                           source="profiled")
        root = self.new_root(program)
        debug = self.stripped(program, root)
        self.check_names(root)
        os.unlink(debug)
        self.check_no_names(root)


class Threads(EndToEnd):
    @measured_again
    def test_only_on_cpu_or_only_off_cpu(self):
        orders = ["spin 100", "sleep 60"]
        profile, truth = profiled(orders, *DWARF, "--on-cpu")
        self.assertEqual({row.state for row in profile.rows}, {"on-cpu"})
        check_close(profile.us("spin_here"), truth[0][1], "computed")
        profile, truth = profiled(orders, *DWARF, "--off-cpu")
        self.assertNotIn("on-cpu", {row.state for row in profile.rows})
        check_close(profile.us("sleep_here"), truth[1][0], "slept")
