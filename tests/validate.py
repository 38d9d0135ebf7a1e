#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Validates recordings, line by line, against docs/schema, with the Python module jsonschema.

    tests/validate.py FILE...       ('-' is standard input)

As a module: validate_lines(lines) returns a list of problems, which is empty if there are none.
A recording whose first line says so (safe_integers) is held against docs/schema/safe-integers.
"""
import json
import os
import sys

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCHEMAS = os.path.join(ROOT, "docs", "schema")
SAFE_SCHEMAS = os.path.join(SCHEMAS, "safe-integers")
validators = {}  # by folder, then by event
orders = {}


def load(folder):
    validators[folder] = {}
    for name in os.listdir(folder):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        event = schema["properties"]["event"]["const"]
        if name != event + ".json":
            raise ValueError("%s describes %s" % (name, event))
        validators[folder][event] = jsonschema.Draft202012Validator(schema)
        orders[event] = schema["required"]


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a key appears twice in %r" % names)
    return dict(pairs)


def no_constant(word):
    raise ValueError("%s is not JSON" % word)


def problem_of(line, schemas):
    """What is wrong with this line; None: nothing."""
    if not line.endswith("\n"):
        return "the line has no newline"
    try:
        event = json.loads(line, object_pairs_hook=no_duplicates, parse_constant=no_constant)
    except ValueError as error:
        return "not JSON: %s" % error
    if not isinstance(event, dict):
        return "not an object"
    name = event.get("event")
    if not isinstance(name, str) or name not in schemas:
        return "no schema for the event %r" % name
    error = jsonschema.exceptions.best_match(schemas[name].iter_errors(event))
    if error is not None:
        return "%s: %s: %s" % (name, "/".join(str(step) for step in error.path) or "(event)",
                               error.message)
    if name.startswith(("trace.", "latency.")):
        return None
    required = orders[name]
    keys = list(event)
    if keys[:len(required)] != required:
        return "%s: the first fields are %r, not %r" % (name, keys[:len(required)], required)
    if len(keys) > len(required) and keys[len(required)] != "timestamp":
        return "%s: 'timestamp' does not follow the required fields" % name
    return None


def validate_lines(lines):
    problems, folder = [], SCHEMAS
    for number, line in enumerate(lines, 1):
        if number == 1 and '"safe_integers":true' in line:
            folder = SAFE_SCHEMAS
        if folder not in validators:
            load(folder)
        problem = problem_of(line, validators[folder])
        if problem:
            problems.append("line %d: %s" % (number, problem))
    return problems


def main(paths):
    failed = 0
    for path in paths or ["-"]:
        # Without newline translation, because a carriage return does not end a line.
        with open(0 if path == "-" else path, encoding="utf-8", newline="\n") as file:
            for problem in validate_lines(file):
                print("%s: %s" % (path, problem))
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
