# SPDX-License-Identifier: BSD-2-Clause
"""A file system on a loop device that writes so many bytes per second, for processes that are moved
to its cgroup.

    with slow_disk.mounted(folder, 16 << 20) as disk:
        disk.slow_down(runner.pid)
        ... writes a file below disk.path, and calls fsync() ...

The kernel limits the writes of a cgroup to a block device: controller blkio of cgroup v1, or io of
cgroup v2. In v2, what is written back belongs to the cgroup of its memory, so that it needs the
controller memory, too.
"""
import contextlib
import os
import subprocess

import needs

SIZE_BYTES = 64 << 20
V1 = "/sys/fs/cgroup/blkio"


def output_of(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


def read(*path):
    with open(os.path.join(*path), encoding="ascii") as file:
        return file.read()


def write(text, *path):
    with open(os.path.join(*path), "w", encoding="ascii") as file:
        file.write(text)


class Disk:
    """A mounted slow disk."""

    def __init__(self, path, group):
        self.path, self.group = path, group

    def slow_down(self, pid):
        write(str(pid), self.group, "cgroup.procs")


@contextlib.contextmanager
def controllers(root):
    """Cgroups below the root of v2 have the controllers io and memory, for as long as it takes."""
    there = read(root, "cgroup.controllers").split()
    needs.need("the controllers io and memory of cgroup v2",
               None if {"io", "memory"} <= set(there) else "there are only %s" % there)
    had = read(root, "cgroup.subtree_control").split()
    missing = [name for name in ("io", "memory") if name not in had]
    try:
        write(" ".join("+" + name for name in missing), root, "cgroup.subtree_control")
    except OSError as error:
        needs.need("the controllers io and memory for new cgroups", str(error))
    try:
        yield
    finally:
        write(" ".join("-" + name for name in missing), root, "cgroup.subtree_control")


@contextlib.contextmanager
def limited_group(device, bytes_per_second):
    """A cgroup whose writes to the device are limited. It has to be empty at the end."""
    numbers = output_of("lsblk", "-n", "-d", "-o", "MAJ:MIN", device).strip()
    is_first = os.path.exists(os.path.join(V1, "blkio.throttle.write_bps_device"))
    root = V1 if is_first else needs.cgroup2()
    with contextlib.ExitStack() as stack:
        if not is_first:
            stack.enter_context(controllers(root))
        group = os.path.join(root, "steptrace-slow-%d" % os.getpid())
        os.mkdir(group)
        stack.callback(os.rmdir, group)
        if is_first:
            write("%s %d" % (numbers, bytes_per_second), group, "blkio.throttle.write_bps_device")
        else:
            write("%s wbps=%d" % (numbers, bytes_per_second), group, "io.max")
        yield group


@contextlib.contextmanager
def mounted(directory, bytes_per_second):
    needs.loop_devices()
    for program in ("lsblk", "mkfs.ext4"):
        needs.program(program)
    image, path = os.path.join(directory, "image"), os.path.join(directory, "disk")
    os.mkdir(path)
    with open(image, "wb") as file:
        file.truncate(SIZE_BYTES)
    device = output_of("losetup", "-f", "--show", image)
    with contextlib.ExitStack() as stack:
        stack.callback(output_of, "losetup", "-d", device)
        output_of("mkfs.ext4", "-q", device)
        output_of("mount", device, path)
        stack.callback(output_of, "umount", path)
        yield Disk(path, stack.enter_context(limited_group(device, bytes_per_second)))
