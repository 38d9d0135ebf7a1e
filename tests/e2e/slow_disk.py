# SPDX-License-Identifier: BSD-2-Clause
"""A file system on a loop device that writes so many bytes per second, for processes that are moved
to its cgroup.

    with slow_disk.mounted(folder, 16 << 20) as disk:
        disk.slow_down(runner.pid)
        ... writes a file below disk.path, and calls fsync() ...

The kernel limits the writes of a cgroup to a block device (blkio of cgroup v1, io of cgroup v2).
"""
import contextlib
import os
import subprocess

import needs

SIZE_BYTES = 64 << 20
V1, V2 = "/sys/fs/cgroup/blkio", "/sys/fs/cgroup"


def output_of(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Disk:
    """A mounted slow disk."""

    def __init__(self, path, group):
        self.path, self.group = path, group

    def slow_down(self, pid):
        write(os.path.join(self.group, "cgroup.procs"), str(pid))


@contextlib.contextmanager
def limited_group(device, bytes_per_second):
    """A cgroup whose writes to the device are limited. It has to be empty at the end."""
    numbers = output_of("lsblk", "-n", "-o", "MAJ:MIN", device).strip()
    is_first = os.path.exists(os.path.join(V1, "blkio.throttle.write_bps_device"))
    if not is_first:
        write(os.path.join(V2, "cgroup.subtree_control"), "+io")
    group = os.path.join(V1 if is_first else V2, "steptrace-slow-%d" % os.getpid())
    os.mkdir(group)
    try:
        if is_first:
            write(os.path.join(group, "blkio.throttle.write_bps_device"),
                  "%s %d" % (numbers, bytes_per_second))
        else:
            write(os.path.join(group, "io.max"), "%s wbps=%d" % (numbers, bytes_per_second))
        yield group
    finally:
        os.rmdir(group)


@contextlib.contextmanager
def mounted(directory, bytes_per_second):
    for program in ("losetup", "lsblk", "mkfs.ext4"):
        needs.program(program)
    needs.limited_writes()
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
