# SPDX-License-Identifier: BSD-2-Clause
"""Reads the CO-RE relocations of a BPF object: the fields whose offsets libbpf looks up in the
running kernel.

Only little-endian objects are supported. Documentation/bpf/btf.rst describes the format.
"""
import os
import struct
import subprocess
import tempfile

# Bytes that follow the header of a BTF type, by kind: for each of its vlen members, and in all.
MEMBER_BYTES = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
EXTRA_BYTES = {1: 4, 3: 12, 14: 4, 17: 4}
FIELD_BYTE_OFFSET = 0


def section(path, name):
    with tempfile.TemporaryDirectory() as folder:
        dump, copy = os.path.join(folder, "dump"), os.path.join(folder, "copy")
        subprocess.run(["llvm-objcopy", "--dump-section", "%s=%s" % (name, dump), path, copy],
                       check=True)
        with open(dump, "rb") as file:
            return file.read()


class Btf:
    def __init__(self, data):
        _, _, _, header, types, types_bytes, strings, _ = struct.unpack_from("<HBBIIIII", data)
        self.strings = data[header + strings:]
        self.names = [""]
        at, end = header + types, header + types + types_bytes
        while at < end:
            name, info, _ = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 31, info & 0xffff
            self.names.append(self.text(name))
            at += 12 + EXTRA_BYTES.get(kind, 0) + count * MEMBER_BYTES.get(kind, 0)

    def text(self, offset):
        return self.strings[offset:self.strings.index(b"\0", offset)].decode()


def relocations(path):
    """A list of (section, offset of the instruction, type, access such as "0:0:0", kind)."""
    btf, data = Btf(section(path, ".BTF")), section(path, ".BTF.ext")
    header = struct.unpack_from("<I", data, 4)[0]
    start, total = struct.unpack_from("<II", data, 24)
    at, end = header + start + 4, header + start + total
    size = struct.unpack_from("<I", data, header + start)[0]
    found = []
    while at < end:
        name, count = struct.unpack_from("<II", data, at)
        at += 8
        for _ in range(count):
            offset, type_id, access, kind = struct.unpack_from("<IIII", data, at)
            found.append((btf.text(name), offset, btf.names[type_id], btf.text(access), kind))
            at += size
    return found
