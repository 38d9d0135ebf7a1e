#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of the house that can be read off the sources.

    tests/lint-house.py            checks the tree; prints each violation; exit status 1 if any

- Rooms: a file includes only files of its own room and of the rooms that its room may use. The
  table below has no cycle, and neither have the files within a room.
- Libraries: one external library is used in one place.
- Lines have at most 100 columns; a tab is eight.
- Every source file names its licence.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = 100

# Each room, and the rooms that it may use. A room stands below all rooms that use it.
ROOMS = {
    "src/common": [],
    "src/steptrace/stream": ["src/common"],
    "src/steptrace/latency": ["src/steptrace/stream", "src/common"],
    "src/steptrace/top": ["src/steptrace/latency", "src/steptrace/stream", "src/common"],
    "src/steptrace/screen": ["src/steptrace/top", "src/common"],
    "src/steptrace/recording": ["src/steptrace/stream", "src/common"],
    "src/steptrace/report": ["src/steptrace/recording", "src/steptrace/latency",
                             "src/steptrace/stream", "src/common"],
    "src/steptrace/report_html": ["src/steptrace/report", "src/steptrace/recording",
                                  "src/steptrace/latency", "src/steptrace/stream",
                                  "src/common"],
    "src/steptrace/compare": ["src/steptrace/report", "src/steptrace/recording",
                              "src/steptrace/latency", "src/steptrace/stream", "src/common"],
    "src/steptrace/tree": ["src/steptrace/recording", "src/steptrace/stream", "src/common"],
    "src/steptrace/export": ["src/steptrace/recording", "src/steptrace/stream", "src/common"],
    "src/steptrace/profile": ["src/steptrace/stream", "src/common"],
    "src/steptrace/flame": ["src/steptrace/profile", "src/steptrace/stream", "src/common"],
    "src/steptrace/confine": ["src/common"],
    "src/steptrace/symbols": ["src/steptrace/confine", "src/common"],
    "src/steptrace/capture": ["src/steptrace/stream", "src/steptrace/confine", "src/common"],
    "src/steptrace/attach": ["src/steptrace/capture", "src/steptrace/stream",
                             "src/steptrace/confine", "src/common"],
    "src/steptrace/inflight": ["src/steptrace/attach", "src/steptrace/capture",
                               "src/steptrace/confine", "src/steptrace/stream", "src/common"],
    "src/steptrace/otlp": ["src/steptrace/recording", "src/steptrace/stream", "src/common"],
    "src/steptrace/output": ["src/steptrace/otlp", "src/steptrace/recording",
                             "src/steptrace/stream", "src/steptrace/confine", "src/common"],
    "src/steptrace/watch": ["src/steptrace/attach", "src/steptrace/capture",
                            "src/steptrace/confine", "src/common"],
    "src/steptrace/record": ["src/steptrace/watch", "src/steptrace/attach",
                             "src/steptrace/capture", "src/steptrace/confine",
                             "src/steptrace/output", "src/steptrace/latency",
                             "src/steptrace/inflight", "src/steptrace/stream",
                             "src/common"],
    "src/steptrace/seen": ["src/steptrace/record", "src/steptrace/watch",
                           "src/steptrace/attach", "src/steptrace/capture",
                           "src/steptrace/inflight", "src/steptrace/stream", "src/common"],
    "src/steptrace/doctor": ["src/steptrace/attach", "src/steptrace/capture",
                             "src/steptrace/confine", "src/steptrace/stream", "src/common"],
    "src/steptrace": ["src/steptrace/seen", "src/steptrace/record", "src/steptrace/latency",
                      "src/steptrace/recording", "src/steptrace/report",
                      "src/steptrace/report_html", "src/steptrace/export", "src/steptrace/tree",
                      "src/steptrace/profile", "src/steptrace/flame", "src/steptrace/symbols",
                      "src/steptrace/compare",
                      "src/steptrace/doctor", "src/steptrace/top", "src/steptrace/screen",
                      "src/steptrace/watch", "src/steptrace/output", "src/steptrace/inflight",
                      "src/steptrace/attach", "src/steptrace/capture", "src/steptrace/stream",
                      "src/steptrace/confine", "src/common"],
    "src/runner/value": ["src/common"],
    "src/runner/recur": ["src/common"],
    "src/runner/template": ["src/runner/value", "src/common"],
    "src/runner/pack": ["src/runner/template", "src/runner/value", "src/common"],
    "src/runner/store": ["src/runner/value", "src/common"],
    "src/runner/ai": ["src/runner/store", "src/runner/value", "src/common"],
    "src/runner/tools": ["src/runner/pack", "src/runner/value", "src/common"],
    "src/runner/run": ["src/runner/pack", "src/runner/store", "src/runner/template",
                       "src/runner/value", "src/common"],
    "src/runner/steps": ["src/runner/schedule", "src/runner/queue", "src/runner/run",
                         "src/runner/tools", "src/runner/ai",
                         "src/runner/pack", "src/runner/store", "src/runner/template",
                         "src/runner/value", "src/common"],
    "src/runner/claim": ["src/runner/store", "src/runner/value", "src/common"],
    "src/runner/schedule": ["src/runner/claim", "src/runner/recur", "src/runner/pack",
                            "src/runner/store", "src/runner/value", "src/common"],
    "src/runner/queue": ["src/runner/claim", "src/runner/store", "src/runner/value",
                         "src/common"],
    "src/runner/request": ["src/runner/pack", "src/runner/value", "src/common"],
    "src/runner/work": ["src/runner/request", "src/runner/run", "src/runner/tools",
                        "src/runner/ai", "src/runner/pack", "src/runner/store",
                        "src/runner/value", "src/common"],
    "src/runner/background": ["src/runner/work", "src/runner/request", "src/runner/run",
                              "src/runner/queue", "src/runner/schedule", "src/runner/claim",
                              "src/runner/store", "src/common"],
    "src/runner/serve": ["src/runner/work", "src/runner/request", "src/runner/run",
                         "src/runner/pack", "src/runner/value", "src/common"],
    "src/runner/check": ["src/runner/pack", "src/runner/template", "src/runner/value",
                         "src/common"],
    "src/runner": ["src/runner/serve", "src/runner/background", "src/runner/check",
                   "src/runner/queue",
                   "src/runner/schedule", "src/runner/work", "src/runner/request",
                   "src/runner/run", "src/runner/tools", "src/runner/ai", "src/runner/pack",
                   "src/runner/store", "src/runner/value", "src/common"],
    "bpf": [],
    "usdt": [],
}

# Each external library: a pattern of its headers, and the files that may include it.
LIBRARIES = {
    "libbpf": (r"bpf/|\.skel\.h", r"src/steptrace/capture/.*"),
    "libelf": (r"gelf|libelf", r"src/steptrace/attach/elf_notes\.c"),
    "libdw": (r"elfutils/|dwarf\.h", r"src/steptrace/symbols/elf_(module|rule)\.c"),
    "libiberty": (r"libiberty", r"src/steptrace/symbols/demangle\.c"),
    "libcap-ng": (r"cap-ng", r"src/steptrace/confine/privilege\.c"),
    "libseccomp": (r"seccomp\.h", r"src/steptrace/(confine/seccomp|inflight/syscall_name)\.c"),
    "libmicrohttpd": (r"microhttpd", r"src/(steptrace/record/metrics|runner/serve/http)\.c"),
    "GnuTLS": (r"gnutls/", r"src/steptrace/output/tls\.c"),
    "librdkafka": (r"librdkafka/", r"src/steptrace/output/kafka_producer\.c"),
    "libsodium": (r"sodium", r"src/steptrace/stream/(pseudonym|text_hash)\.c"),
    "zlib": (r"zlib", r"src/steptrace/(output/gzip|recording/gunzip)\.c"),
    "uthash": (r"uthash",
               r"src/steptrace/(output/incomplete|otlp/open_commands"
               r"|latency/(table|label_sets|open_set)|top/rows"
               r"|inflight/(overdue|search_plan)|flame/names"
               r"|export/(held_executions|processes|speedscope_frames)"
               r"|profile/(interned|held_samples|sample_rows|span_join)"
               r"|symbols/symbol_name)\.c"),
    "ncurses": (r"n?curses|term\.h|panel|menu|form", r"src/steptrace/screen/screen\.c"),
    "SQLite": (r"sqlite3", r"src/runner/store/.*"),
    "libyaml": (r"yaml\.h", r"src/runner/pack/yaml.*\.c"),
    "libcurl": (r"curl/", r"src/(runner/ai/ai_client|steptrace/output/http_client)\.c"),
    "PCRE2": (r"pcre2", r"src/runner/template/filters_regex\.c"),
}


INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def files_of_the_tree():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in listed if name and os.path.isfile(os.path.join(ROOT, name))]


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def room_of(name):
    """The room of a file: the longest folder of the table that contains it."""
    found = [room for room in ROOMS if name.startswith(room + "/")]
    return max(found, key=len) if found else None


def includes_of(name, text):
    """(file of this tree that is included, or None; the text between quotes or brackets)"""
    for quote, path in INCLUDE.findall(text):
        places = ["src/" + path, "include/" + path, os.path.join(os.path.dirname(name), path)]
        inside = [place for place in places if os.path.isfile(os.path.join(ROOT, place))]
        is_ours = inside and (quote == '"' or path.startswith("steptrace/"))
        yield (inside[0] if is_ours else None), path


def check_rooms(sources):
    for name, text in sources.items():
        room = room_of(name)
        if not room:
            continue
        for inside, path in includes_of(name, text):
            if room == "usdt" and inside:
                yield "%s includes %s: usdt/ stands alone" % (name, path)
            other = room_of(inside) if inside else None
            if other in (None, room) or other in ROOMS[room]:
                continue
            yield ("%s includes %s: %s/ may use only %s"
                   % (name, path, room, ", ".join(ROOMS[room]) or "include/"))


def cycle_in(graph):
    """One cycle of the graph as a list of nodes, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for other in sorted(graph.get(node, ())):
            found = visit(other)
            if found:
                return found
        done.add(path.pop())
        return None

    for node in sorted(graph):
        found = visit(node)
        if found:
            return found
    return None


def unit_of(name):
    """X.c, X.h and X_private.h are one unit."""
    return re.sub(r"(_private)?\.[ch]$", "", name)


def check_cycles(sources):
    """Neither between rooms nor between units of files."""
    if cycle_in(ROOMS):
        yield "the table of rooms has a cycle: " + " -> ".join(cycle_in(ROOMS))
    graph = {}
    for name, text in sources.items():
        if not name.startswith(("src/steptrace/", "src/common/", "src/runner/")):
            continue
        for inside, _ in includes_of(name, text):
            if inside and inside.startswith("src/") and unit_of(inside) != unit_of(name):
                graph.setdefault(unit_of(name), set()).add(unit_of(inside))
    found = cycle_in(graph)
    if found:
        yield "these files include each other: " + " -> ".join(found)


def check_libraries(sources):
    for name, text in sources.items():
        if not name.startswith("src/"):
            continue
        for _, path in INCLUDE.findall(text):
            for library, (headers, users) in LIBRARIES.items():
                if re.match(headers, path) and not re.fullmatch(users, name):
                    yield "%s includes <%s>: only %s may use %s" % (name, path, users, library)


def check_columns(texts):
    for name, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            if len(line.expandtabs(8)) > COLUMNS:
                yield "%s:%d: more than %d columns" % (name, number, COLUMNS)


def check_licences(texts):
    for name, text in texts.items():
        if "SPDX-License-Identifier" not in "\n".join(text.split("\n")[:3]):
            yield "%s: no SPDX-License-Identifier in its first lines" % name


def is_script(name):
    if name.endswith((".py", ".sh")):
        return True
    with open(os.path.join(ROOT, name), "rb") as file:
        first = file.readline(100)
    return first.startswith(b"#!") and re.search(rb"\b(sh|bash|python3)\b", first) is not None


def main():
    names = [name for name in files_of_the_tree() if not name.startswith("vmlinux/")]
    sources = {name: text_of(name) for name in names if name.endswith((".c", ".h"))}
    texts = dict(sources, **{name: text_of(name) for name in names if is_script(name)})
    violations = [*check_rooms(sources), *check_cycles(sources), *check_libraries(sources),
                  *check_columns(texts), *check_licences(texts)]
    for violation in violations:
        print("lint: " + violation, file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
