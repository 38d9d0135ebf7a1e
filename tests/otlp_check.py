#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads requests of OTLP in JSON with the official definitions (build/otlp/python, see `make
test-otlp`), strictly: an unknown field, a wrong type or a number that is no int64 is an error.

    tests/otlp_check.py FOLDER      the files there are NAME.traces.json and NAME.logs.json

JSON of OTLP differs from that of Protobuf in one rule: the ids of traces and spans are hexadecimal
digits. They are converted to base64 first. Prints each problem; exit status 1 if there is one.
"""
import base64
import glob
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "build", "otlp", "python"))

from google.protobuf import json_format  # noqa: E402
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: E402

SIZES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
WORDS = {"traces": ("resourceSpans", "scopeSpans", "spans"),
         "logs": ("resourceLogs", "scopeLogs", "logRecords")}


def with_base64(value):
    """A copy with the ids as Protobuf wants them."""
    if isinstance(value, list):
        return [with_base64(part) for part in value]
    if not isinstance(value, dict):
        return value
    copy = {}
    for name, part in value.items():
        if name in SIZES:
            assert part == part.lower(), "%s is not lower case: %s" % (name, part)
            raw = bytes.fromhex(part)
            assert len(raw) == SIZES[name] and any(raw), "%s is wrong: %s" % (name, part)
            part = base64.b64encode(raw).decode()
        copy[name] = with_base64(part)
    return copy


def check_numbers(value, name=""):
    """The rules that Protobuf does not know: 64-bit numbers are strings, enums are numbers."""
    if isinstance(value, list):
        for part in value:
            check_numbers(part, name)
    elif isinstance(value, dict):
        for key, part in value.items():
            check_numbers(part, key)
    elif name.endswith("UnixNano") or name == "intValue":
        assert isinstance(value, str), "%s is no string: %r" % (name, value)
    elif name in ("kind", "code", "severityNumber"):
        assert isinstance(value, int), "%s is no number: %r" % (name, value)


def attributes(values):
    found = {}
    for item in values:
        assert item.key and item.key not in found, "twice: " + item.key
        found[item.key] = getattr(item.value, item.value.WhichOneof("value"))
    return found


def read(path):
    """The message, and the document as it was sent."""
    kind = path.split(".")[-2]
    with open(path, encoding="utf-8") as file:
        sent = json.load(file)
    message = (trace_service_pb2.ExportTraceServiceRequest() if kind == "traces"
               else logs_service_pb2.ExportLogsServiceRequest())
    check_numbers(sent)
    json_format.ParseDict(with_base64(sent), message)
    return message, sent


def check(path):
    message, sent = read(path)
    if path.endswith(".logs.json"):
        for resource in message.resource_logs:
            assert attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    attributes(record.attributes)
        return
    for resource in message.resource_spans:
        assert attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            assert scope.scope.name == "steptrace"
            for span in scope.spans:
                attributes(span.attributes)
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
                assert span.name
    assert sent


def main():
    failed = 0
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
        try:
            check(path)
        except (AssertionError, json_format.ParseError, ValueError) as error:
            print("%s: %s" % (os.path.basename(path), error))
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
