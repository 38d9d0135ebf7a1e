# SPDX-License-Identifier: BSD-2-Clause
"""What some tests need of the machine besides BPF: namespaces, mounts, users, processors, tools.

Each function tries the need itself, once for the whole run. Where it is missing the test is skipped
and the reason says what was tried and what the answer was.
"""
import ctypes
import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import unittest

UNPACKED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "unpacked",
                        "bin")
# How the reason begins where a test is skipped because files are missing that the project may not
# contain. CI does not take this for a failure.
FILES_OF_OTHERS = "files of other people are missing: "
FAN_CLASS_CONTENT, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD = 4, 1, 0x40000, -100


@functools.cache
def refusal(*command):
    """What a command says when it fails; None when it does not."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else "exit status %d" % done.returncode


def need(what, reason):
    if reason:
        raise unittest.SkipTest("needs %s: %s" % (what, reason))


def namespaces(*flags):
    """`flags` are those of unshare(1). In a chroot a mount namespace is refused, because its root
    is not a mount point."""
    names = " and ".join(flag.strip("-") for flag in flags if flag in ("--mount", "--pid", "--net"))
    need("a %s namespace" % names, refusal("unshare", *flags, "true"))


def mounts():
    """File systems that a test mounts: tmpfs, below the folder for temporary files."""
    need("to mount a tmpfs", tmpfs_refusal())


@functools.cache
def tmpfs_refusal():
    with tempfile.TemporaryDirectory(prefix="steptrace-needs-") as directory:
        reason = refusal("mount", "-t", "tmpfs", "-o", "size=64k", "none", directory)
        if reason is None:
            subprocess.run(["umount", directory], check=True)
    return reason


def overlays():
    script = ("mount -t tmpfs none /tmp && mkdir /tmp/lower /tmp/upper /tmp/work /tmp/root && "
              "mount -t overlay overlay "
              "-o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work /tmp/root")
    namespaces("--mount")
    need("overlay mounts", refusal("unshare", "--mount", "sh", "-c", script))


def own_memory():
    """Yama lets a user read the memory of an own process that is no child."""
    path = "/proc/sys/kernel/yama/ptrace_scope"
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            scope = file.read().strip()
        need("kernel.yama.ptrace_scope 0", None if scope == "0" else "it is " + scope)


def localhost():
    """A folder made by debootstrap has no /etc/hosts."""
    try:
        socket.getaddrinfo("localhost", 1, socket.AF_INET)
        reason = None
    except socket.gaierror as error:
        reason = str(error)
    need("an address of the name localhost (/etc/hosts)", reason)


def other_users():
    """Processes of a second user, who may enter the folders that tests make."""
    need("a second user", second_user_refusal())


@functools.cache
def second_user_refusal():
    with tempfile.TemporaryDirectory(prefix="steptrace-needs-") as directory:
        os.chmod(directory, 0o755)
        try:
            subprocess.run(["true"], user=12345, group=12345, extra_groups=[], cwd=directory,
                           check=True)
        except OSError as error:
            return str(error)
    return None


def file_capabilities():
    """Capabilities of a file below the folder for temporary files, that count when it is
    executed."""
    program("setcap")
    if os.statvfs(tempfile.gettempdir()).f_flag & os.ST_NOSUID:
        need("file capabilities", "%s is mounted nosuid" % tempfile.gettempdir())
    with tempfile.NamedTemporaryFile(prefix="steptrace-needs-") as file:
        need("file capabilities", refusal("setcap", "cap_net_raw+ep", file.name))


def cgroup2():
    """The mount point of cgroup v2, where groups can be made."""
    root = next((path for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
                 if os.path.exists(os.path.join(path, "cgroup.controllers"))), None)
    if root is None:
        need("cgroup v2", "it is not mounted at /sys/fs/cgroup")
    path = os.path.join(root, "steptrace-needs-%d" % os.getpid())
    try:
        os.mkdir(path)
        os.rmdir(path)
    except OSError as error:
        need("cgroups that it can make", str(error))
    return root


def loop_devices():
    mounts()
    program("losetup")
    need("loop devices", refusal("losetup", "-f"))


def held_execs():
    """fanotify, which lets an exec wait."""
    need("to hold an exec", hold_refusal())


@functools.cache
def hold_refusal():
    libc = ctypes.CDLL(None, use_errno=True)
    group = libc.fanotify_init(FAN_CLASS_CONTENT, 0)
    if group < 0:
        return os.strerror(ctypes.get_errno())
    with tempfile.NamedTemporaryFile(prefix="steptrace-needs-") as file:
        refused = libc.fanotify_mark(group, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_EXEC_PERM),
                                     AT_FDCWD, os.fsencode(file.name))
    os.close(group)
    return os.strerror(ctypes.get_errno()) if refused else None


def user_name(uid):
    try:
        pwd.getpwuid(uid)
    except KeyError:
        need("a name for user %d" % uid, "it has none in /etc/passwd")


def processors(count):
    usable = len(os.sched_getaffinity(0))
    if usable < count:
        need("%d processors" % count, "%d may be used" % usable)


def program(name):
    if shutil.which(name) is None:
        need(name, "it is not installed")


def module_of_the_system(name):
    """Of the Python that the distribution's packages of modules are for."""
    need("the Python module " + name, refusal("/usr/bin/python3", "-c", "import " + name))


def unpacked(name):
    """The path of a program that `./packages install tests` unpacks, or that is installed."""
    path = shutil.which(name, path=os.pathsep.join([UNPACKED, os.environ.get("PATH", "")]))
    if path is None:
        need(name, "it is neither in %s (./packages install tests) nor installed" % UNPACKED)
    return path
