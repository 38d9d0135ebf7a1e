# SPDX-License-Identifier: BSD-2-Clause
"""Executes cases of packs under one recorder, and brings what came out into a form that is the same
in every run: results, event streams, changed rows, key sets and hashes.

    runs = PackRuns(directory)
    runs.add("bookmark", path_of_the_pack, Case("list", {"body": "list"}))
    for run in runs.execute(test): run.result, run.stream, run.changes
"""
import collections
import hashlib
import json
import os
import re
import shlex
import sqlite3
import zlib

import runner_fixture
from harness import STEPRUN, check_books, read_events, run, runner_events

RENEW = "STEPTRACE_RENEW_GOLDENS"

# Each is made once, and every case gets a copy.
DATABASES = {
    "full": runner_fixture.ROWS,
    "few": runner_fixture.only("vaults", "projects", "agent_profiles", "chat_sessions"),
    "empty": (),
}

# The tools that packs of the wild call. `mcp` stands for a server of another program.
TOOLS = """\
tools:
  - {slug: shell, argv: [/bin/sh, -c, "{{ args.cmd }}"]}
  - {slug: mcp, argv: [/bin/echo, '{"count": 3}']}
"""


class Case:
    """One execution. The input is `ctx`, or the file `sample` of the pack. `database` is one of
    DATABASES; `status` is the expected exit status; `options` are more arguments."""

    def __init__(self, name, ctx=None, database="full", status=0, sample=None, options=()):
        self.name, self.ctx, self.database = name, ctx or {}, database
        self.status, self.sample, self.options = status, sample, options


def samples(folder):
    """A case for each file of the pack's folder `samples`."""
    path = os.path.join(folder, "samples")
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return [Case("sample-" + name.removesuffix(".json"), sample=os.path.join(path, name))
            for name in names]


class Run:
    def __init__(self, pack, folder, case):
        self.pack, self.folder, self.case = pack, folder, case
        self.name = "%s:%s" % (pack.replace("/", "."), case.name)
        self.status = self.result = self.words = self.changes = None
        self.events = []

    @property
    def stream(self):
        return [row_of(event) for event in self.events]


class PackRuns:
    def __init__(self, directory, *options):
        self.directory, self.options, self.runs = directory, options, []
        self.path = lambda name: os.path.join(directory, name)

    def add(self, pack, folder, *cases):
        self.runs += [Run(pack, folder, case) for case in cases]

    def command(self, run_):
        """Each execution has ids of its own, so that no two are one for the recorder."""
        case = run_.case
        context = case.sample or self.path(run_.name + ".json")
        if not case.sample:
            with open(context, "w", encoding="utf-8") as file:
                json.dump(case.ctx, file)
        return [STEPRUN, "exec", run_.folder, "--context", context, "--db", self.path("work.db"),
                "--now", runner_fixture.NOW, "--seed", str(zlib.crc32(run_.name.encode())),
                "--correlation-id", run_.name, *self.options, *case.options]

    def script(self):
        """All commands in turn, each on a fresh copy of its database."""
        lines = ["cd " + shlex.quote(self.directory)]
        for run_ in self.runs:
            name = shlex.quote(run_.name)
            lines.append("rm -f work.db work.db-*; cp %s.db work.db" % run_.case.database)
            lines.append("%s >%s.out 2>%s.err; echo $? >%s.status"
                         % (shlex.join(self.command(run_)), name, name, name))
            lines.append("mv work.db %s.db" % name)
        return "\n".join(lines)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def execute(self, test):
        before = {}
        for name in sorted({run_.case.database for run_ in self.runs}):
            before[name] = rows_of(runner_fixture.make(self.path(name + ".db"), DATABASES[name]))
        status, _, words = run("record", "-o", self.path("events"), "--", "/bin/sh", "-c",
                               self.script())
        test.assertEqual(status, 0, words)
        events = read_events(self.path("events"))
        check_books(test, events)
        by_run = collections.defaultdict(list)
        for event in runner_events(events):
            by_run[event["correlation_id"]].append(event)
        for run_ in self.runs:
            run_.status, run_.words = int(self.text(run_.name + ".status")), self.text(
                run_.name + ".err")
            output = self.text(run_.name + ".out")
            run_.result = normalised(json.loads(output)) if output else None
            run_.events = by_run[run_.name]
            run_.changes = changes(before[run_.case.database],
                                   rows_of(self.path(run_.name + ".db")))
        return self.runs


# ---- what happened to the database

def rows_of(path):
    """{(table, id): row}"""
    connection = sqlite3.connect(path)
    tables = [name for name, _ in runner_fixture.ROWS] + ["tool_invocations"]
    rows = {(table, row[0]): row for table in tables
            for row in connection.execute("SELECT * FROM " + table)}
    connection.close()
    return rows


def changes(before, after):
    """["bookmarks 3 deleted", "fragments 37 created", ...]"""
    words = {key: "deleted" for key in before if key not in after}
    words |= {key: "created" for key in after if key not in before}
    words |= {key: "updated" for key in after if before.get(key, after[key]) != after[key]}
    return ["%s %d %s" % (*key, words[key]) for key in sorted(words)]


# ---- forms that are the same in every run

def normalised(value):
    """Times that were measured become 0. All other times and ids come from --now and --seed."""
    if isinstance(value, dict):
        return {key: 0 if key == "parsing_time_ms" and isinstance(item, (int, float))
                else normalised(item) for key, item in value.items()}
    return [normalised(item) for item in value] if isinstance(value, list) else value


def row_of(event):
    """What is expected of an event: no ids of executions, no times, no durations."""
    step = event.get("step", {})
    what = event.get("operation") or event.get("tool_slug") or event.get("step_type")
    return [event["event"], step.get("name"), what, event.get("outcome"),
            event.get("mutations_count"), step.get("depth"), event.get("error_category")]


def digest(value):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def key_sets(value, path="", found=None):
    """{"outputs.find.results[]": {"id", "title"}, ...}: the keys of all mappings in the value."""
    found = {} if found is None else found
    if isinstance(value, dict):
        found.setdefault(path, set()).update(value)
        for key, item in value.items():
            key_sets(item, "%s.%s" % (path, key) if path else key, found)
    elif isinstance(value, list):
        for item in value:
            key_sets(item, path + "[]", found)
    return found


def as_lines(sets):
    return ["%s: %s" % (path, " ".join(sorted(keys))) for path, keys in sorted(sets.items())]


# ---- what a pack could do

def step_ids(folder):
    """The ids of all steps of a pack. Python has no reader of YAML; in all packs, each step is a
    block that begins with its id."""
    with open(os.path.join(folder, "command.yaml"), encoding="utf-8") as file:
        return set(re.findall(r"^ *- id: *\"?([\w-]+)", file.read(), re.MULTILINE))


def read_goldens(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_goldens(path, goldens):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(goldens, file, indent=1, ensure_ascii=False)
        file.write("\n")
