# SPDX-License-Identifier: BSD-2-Clause
"""The spans of include/steptrace/record.h, to be filled in with anything, and the runner
(tests/targets/forger.c) that shows them to its probes."""
import ctypes
import json
import time
import uuid

from harness import Runner, target, validate

U8, U16, U32, U64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
I32, I64 = ctypes.c_int32, ctypes.c_int64
ID = U8 * 16
ALL_ONES = (1 << 64) - 1


class Span(ctypes.LittleEndianStructure):
    """Names its values; the head says what it is unless told otherwise."""

    def __init__(self, **values):
        super().__init__()
        self.size_bytes, self.layout, self.kind = ctypes.sizeof(self), 1, self.KIND
        self.execution_id = ID(*uuid.uuid4().bytes)
        for name, value in values.items():
            self.set(name, value)

    def set(self, name, value):
        field = getattr(type(self), name)
        if isinstance(value, bytes):  # all of it, also what follows a NUL
            ctypes.memmove(ctypes.addressof(self) + field.offset, value[:field.size],
                           min(len(value), field.size))
        else:
            setattr(self, name, value)

    @classmethod
    def text_fields(cls):
        return [name for name, kind in cls.all_fields()
                if issubclass(kind, ctypes.Array) and kind._type_ is ctypes.c_char]

    @classmethod
    def all_fields(cls):
        return [field for base in reversed(cls.__mro__)
                for field in base.__dict__.get("_fields_", [])]


class Head(Span):
    _fields_ = [("size_bytes", U16), ("layout", U8), ("kind", U8), ("flags", U32),
                ("start_ns", U64), ("end_ns", U64), ("execution_id", ID)]


class Command(Head):
    KIND, MIN_BYTES = 1, 264
    _fields_ = [("announced_ns", U64), ("parent_execution_id", ID), ("schedule_id", I64),
                ("schedule_run_id", I64), ("planned_run_at_s", I64), ("steps_successful", U64),
                ("steps_failed", U64), ("steps_skipped", U64), ("arguments_count", U32),
                ("outcome", U8), ("error_category", U8), ("reserved", U8 * 2),
                ("slug", ctypes.c_char * 64), ("user_id", ctypes.c_char * 64),
                ("request_source", ctypes.c_char * 16), ("correlation_id", ctypes.c_char * 128),
                ("steps_aborted", U64), ("steps_cancelled", U64), ("suspended_ns", U64),
                ("enqueued_at_ns", U64), ("attempt", U32), ("reserved_too", U8 * 4),
                ("queue", ctypes.c_char * 64)]


class Child(Head):
    _fields_ = [("command_announced_ns", U64), ("command", U64)]


class Step(Child):
    KIND, MIN_BYTES = 2, 176
    _fields_ = [("step_id", ID), ("parent_step_id", ID), ("fragment_id", I64),
                ("mutations_count", U64), ("items_in", U32), ("items_out", U32),
                ("prompt_tokens", U32), ("completion_tokens", U32), ("index", U16),
                ("depth", U16), ("outcome", U8), ("error_category", U8), ("ai_cache", U8),
                ("reserved", U8), ("type", ctypes.c_char * 48), ("name", ctypes.c_char * 64),
                ("suspended_ns", U64)]


class Tool(Child):
    KIND, MIN_BYTES = 3, 160
    _fields_ = [("step_id", ID), ("invocation_id", ID), ("exit_status", I32), ("outcome", U8),
                ("reserved", U8 * 3), ("slug", ctypes.c_char * 64)]


class Fragment(Child):
    KIND, MIN_BYTES = 4, 88
    _fields_ = [("step_id", ID), ("fragment_id", I64), ("operation", U8), ("reserved", U8 * 7)]


class Rejected(Head):
    KIND, MIN_BYTES = 5, 344
    _fields_ = [("slug", ctypes.c_char * 64), ("user_id", ctypes.c_char * 64),
                ("request_source", ctypes.c_char * 16), ("correlation_id", ctypes.c_char * 128),
                ("reason", ctypes.c_char * 32), ("invalid_fields", ctypes.c_char * 128)]


assert [ctypes.sizeof(span) for span in (Command, Step, Tool, Fragment, Rejected)] == \
    [496, 248, 160, 88, 472], "not the spans of record.h"

# The probes that make an event, what they are shown, and the event.
PROBES = {
    "command__start": (Command, "command.execution.started"),
    "command__done": (Command, "command.execution.completed"),
    "command__rejected": (Rejected, "command.validation.failed"),
    "step__done": (Step, "dsl.step.executed"),
    "tool__done": (Tool, "tool.invocation.completed"),
    "fragment__changed": (Fragment, "fragment.changed"),
}

CHILDREN = {"step__done": Step, "tool__done": Tool, "fragment__changed": Fragment}


def child_of(command, address, shape, **values):
    """A step, tool or fragment as an honest runner would show it."""
    values.setdefault("execution_id", command.execution_id)
    values.setdefault("command_announced_ns", command.announced_ns)
    values.setdefault("operation" if shape is Fragment else "outcome", 1)
    return shape(command=address, **values)


class Forger(Runner):
    """Shows spans, or anything else, to its probes."""

    def __init__(self, program=None, **options):
        super().__init__(program or target("forger"), **options)

    def place(self, content):
        answer = self.do("place " + bytes(content).hex())
        return int(answer[0].split()[1], 16)

    def change(self, address, content):
        self.do("change %x %s" % (address, bytes(content).hex()))

    def fire(self, probe, address, count=1):
        self.do("fire %s %x %d" % (probe, address & ALL_ONES, count))

    def show(self, probe, content):
        """The probe with these bytes, right in front of memory that is not there."""
        address = self.place(content)
        self.fire(probe, address)
        return address

    def begin(self, **values):
        """A command that the tracer comes to know: (span, address)."""
        values.setdefault("slug", b"forged")
        values.setdefault("announced_ns", time.monotonic_ns())
        command = Command(**values)
        return command, self.show("command__start", command)


def sampled_lines(path, every):
    """Of a long file: every line is JSON, the sampled ones are held against the schema."""
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "strict").split("\n")
    assert lines.pop() == "", "the last line is torn"
    events = [json.loads(line) for line in lines]
    problems = validate.validate_lines([line + "\n" for line in lines[::every] + lines[-1:]])
    assert not problems, "\n".join(problems[:10])
    return events
