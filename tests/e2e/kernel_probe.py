# SPDX-License-Identifier: BSD-2-Clause
"""Asks the kernel itself whether BPF can be loaded here, without our program.

The end-to-end tests are skipped only for a reason that this file gives. Where the kernel loads BPF
and steptrace fails, the tests run and fail.

    python3 tests/e2e/kernel_probe.py     prints the reason; exit status 1 if there is one
"""
import ctypes
import os
import platform
import struct
import sys

BTF = "/sys/kernel/btf/vmlinux"
SYS_BPF = {"x86_64": 321, "aarch64": 280}
BPF_MAP_CREATE, BPF_PROG_LOAD = 0, 5
BPF_MAP_TYPE_RINGBUF = 27
BPF_PROG_TYPE_KPROBE = 2  # what a uprobe runs
RETURN_ZERO = struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)


def bpf(command, attributes):
    """The system call; returns None or the error as text."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    descriptor = libc.syscall(SYS_BPF[platform.machine()], command, buffer, len(buffer))
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    os.close(descriptor)
    return None


def create_ring_buffer():
    bytes_count = os.sysconf("SC_PAGE_SIZE")
    return bpf(BPF_MAP_CREATE, struct.pack("<5I", BPF_MAP_TYPE_RINGBUF, 0, 0, bytes_count, 0))


def load_program():
    program, licence = ctypes.create_string_buffer(RETURN_ZERO), ctypes.create_string_buffer(b"GPL")
    return bpf(BPF_PROG_LOAD, struct.pack("<2I2Q", BPF_PROG_TYPE_KPROBE, len(RETURN_ZERO) // 8,
                                          ctypes.addressof(program), ctypes.addressof(licence)))


def reason_to_skip():
    """A sentence, or None where BPF can be loaded."""
    if platform.system() != "Linux" or platform.machine() not in SYS_BPF:
        return "steptrace does not run on %s %s" % (platform.system(), platform.machine())
    hint = "" if os.geteuid() == 0 else " (the tests need root)"
    for what, attempt in (("create a BPF ring buffer", create_ring_buffer),
                          ("load a BPF program", load_program)):
        error = attempt()
        if error:
            return "the kernel does not let us %s: %s%s" % (what, error, hint)
    if not os.access(BTF, os.R_OK):
        return "the kernel's type information is not readable at %s; is /sys mounted?" % BTF
    return None


if __name__ == "__main__":
    REASON = reason_to_skip()
    print(REASON or "BPF can be loaded")
    sys.exit(1 if REASON else 0)
