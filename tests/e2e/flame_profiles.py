# SPDX-License-Identifier: BSD-2-Clause
"""Profiles made by hand, and the files that write_flame makes of them."""
import json
import os
import subprocess

from harness import PATIENCE_S, built

MS = 1000000


class Profile:
    """Collects stacks. A function is "name@module"; one of the kernel "name@[kernel]"."""

    def __init__(self, **facts):
        self.frames, self.numbers, self.stacks = [], {}, []
        self.facts = dict({"started_at_ns": 1764494858 * 10**9, "duration_ns": 30 * 10**9,
                           "executions": 412}, **facts)

    def number(self, function):
        if function not in self.numbers:
            name, _, module = function.rpartition("@")
            self.numbers[function] = len(self.frames)
            self.frames.append([name, module, module == "[kernel]"])
        return self.numbers[function]

    def add(self, command, step, state, functions, time_ms, samples=1, cut=False):
        self.stacks.append({"command": command, "step": step, "state": state, "cut": cut,
                            "frames": [self.number(function) for function in functions],
                            "samples": samples, "time_ns": int(time_ms * MS)})

    def total_ns(self, **same):
        """The time of the stacks with these members."""
        return sum(stack["time_ns"] for stack in self.stacks
                   if all(stack[name] == value for name, value in same.items()))

    def text(self):
        facts = dict(self.facts)
        facts.setdefault("samples", sum(stack["samples"] for stack in self.stacks))
        facts.setdefault("cut", sum(stack["samples"] for stack in self.stacks if stack["cut"]))
        return json.dumps({"facts": facts, "frames": self.frames, "stacks": self.stacks})


def write(profile, form, directory, name="profile"):
    """Writes a profile in a format to a file; returns the path."""
    source, path = (os.path.join(directory, name + end) for end in (".json", "." + form))
    with open(source, "w", encoding="utf-8") as file:
        file.write(profile.text())
    with open(path, "wb") as out:
        subprocess.run([built("write_flame"), form, source], stdout=out, check=True,
                       timeout=PATIENCE_S)
    return path


def write_random(count, form, directory):
    path = os.path.join(directory, "random." + form)
    with open(path, "wb") as out:
        subprocess.run([built("write_flame"), form, "random", str(count)], stdout=out, check=True,
                       timeout=PATIENCE_S)
    return path


START = ["_start@steprun", "__libc_start_main@libc.so.6", "main@steprun", "serve__run@steprun",
         "worker__main@steprun", "runtime__execute@steprun", "execution__run@steprun",
         "step_run__once@steprun"]
SYSCALL = ["entry_SYSCALL_64_after_hwframe@[kernel]", "do_syscall_64@[kernel]"]
SQL = ["sqlite3_step@libsqlite3.so.0.8.6", "sqlite3VdbeExec@libsqlite3.so.0.8.6"]


def sample():
    """What a runner of small commands does: a database, a model that is asked, a lock."""
    profile = Profile(lost=1204, outside=96)
    add = profile.add
    update = START + ["fragment_update__run@steprun", "store__update@steprun"] + SQL
    btree = update + ["sqlite3BtreeInsert@libsqlite3.so.0.8.6"]
    commit = update + ["sqlite3VdbeHalt@libsqlite3.so.0.8.6", "vdbeCommit@libsqlite3.so.0.8.6",
                       "sqlite3PagerCommitPhaseOne@libsqlite3.so.0.8.6"]
    for command, scale in (("triage", 1.0), ("todo-add", 0.36), ("daily-report", 0.22)):
        step = "FragmentUpdateStep"
        add(command, step, "on-cpu", btree + ["balance@libsqlite3.so.0.8.6",
                                              "balance_nonroot@libsqlite3.so.0.8.6",
                                              "__memmove_avx_unaligned_erms@libc.so.6"],
            300 * scale, 30)
        add(command, step, "on-cpu", btree + ["sqlite3BtreeMovetoUnpacked@libsqlite3.so.0.8.6"],
            520 * scale, 51)
        add(command, step, "on-cpu", update, 170 * scale, 17)
        add(command, step, "on-cpu", commit + ["pwrite64@libc.so.6"] + SYSCALL +
            ["ksys_pwrite64@[kernel]", "vfs_write@[kernel]", "ext4_file_write_iter@[kernel]",
             "copy_page_from_iter_atomic@[kernel]"], 240 * scale, 24)
        add(command, step, "disk", commit + ["fdatasync@libc.so.6"] + SYSCALL +
            ["do_fsync@[kernel]", "ext4_sync_file@[kernel]", "jbd2_log_wait_commit@[kernel]",
             "schedule@[kernel]", "__schedule@[kernel]"], 2100 * scale, 210)
        add(command, step, "lock", update + ["sqlite3_mutex_enter@libsqlite3.so.0.8.6",
                                             "pthread_mutex_lock@libc.so.6"] + SYSCALL +
            ["__x64_sys_futex@[kernel]", "futex_wait@[kernel]", "schedule@[kernel]"],
            900 * scale, 45)
        add(command, step, "runnable", btree, 130 * scale, 40)
        add(command, "AiGenerateStep", "network",
            START + ["ai_generate__run@steprun", "ai_client__ask@steprun",
                     "curl_easy_perform@libcurl.so.4", "curl_multi_poll@libcurl.so.4",
                     "poll@libc.so.6"] + SYSCALL + ["do_sys_poll@[kernel]", "schedule@[kernel]"],
            3300 * scale, 33)
        add(command, "AiGenerateStep", "on-cpu",
            START + ["ai_generate__run@steprun", "ai_client__ask@steprun",
                     "cJSON_ParseWithLengthOpts@libcjson.so.1", "parse_value@libcjson.so.1",
                     "parse_object@libcjson.so.1", "parse_string@libcjson.so.1"], 420 * scale, 42)
        add(command, "TextParseStep", "on-cpu",
            START + ["text_parse__run@steprun", "template__render@steprun",
                     "std::vector<std::pair<std::string, int>, std::allocator<std::pair<"
                     "std::string, int> > >::_M_realloc_insert<std::string&, int>@libwords.so"],
            380 * scale, 38)
        add(command, "TextParseStep", "on-cpu",
            ["pcre2_match_8@libpcre2-8.so.0", "match@libpcre2-8.so.0"], 210 * scale, 21, cut=True)
        add(command, "ToolCallStep", "pipe",
            START + ["tool_call__run@steprun", "tool_process__read@steprun", "read@libc.so.6"] +
            SYSCALL + ["ksys_read@[kernel]", "pipe_read@[kernel]", "schedule@[kernel]"],
            640 * scale, 12)
        add(command, "", "sleep", START[:6] + ["nanosleep@libc.so.6"] + SYSCALL +
            ["hrtimer_nanosleep@[kernel]", "schedule@[kernel]"], 260 * scale, 8)
        add(command, "", "on-cpu", START[:6] + ["context__copy@steprun"], 90 * scale, 9)
    return profile


def deep(frames_count=127):
    """Recursion, with a name for each level."""
    profile = Profile()
    functions = ["level_%03d@deep" % level for level in range(frames_count)]
    profile.add("deep", "DeepStep", "on-cpu", functions, 900, 90)
    profile.add("deep", "DeepStep", "lock", functions[:20] + ["futex_wait@[kernel]"], 300, 3)
    return profile


HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title=1\">",
    "<![CDATA[ ]]>", "<!-- -->", "a;b c 12", "\u202egnp.exe", "\u2066isolated", "\x1b[31mred\n",
    "\ufffe and \uffff", "&lt;&amp;", "__proto__", "constructor", "{{7*7}}", "' onload='x",
    "std::map<" + "std::pair<int, long>, " * 25 + "int>::find",
    "x" * 500, "\\u003c\\", "\u6587\u5b57",
]


def hostile():
    """Each hostile text as a command, a step, a function and a module."""
    profile = Profile()
    for place, text in enumerate(HOSTILE):
        module = HOSTILE[-1 - place].replace("@", "")
        profile.add(text, text, "on-cpu", ["main@x", text.replace("@", "") + "@" + module],
                    100 + place)
        profile.add(text, "", "lock", [text + "@" + module], 50)
    return profile
