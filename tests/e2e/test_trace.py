# SPDX-License-Identifier: BSD-2-Clause
"""steptrace trace: the tree and its timeline, compared with the recording."""
import json
import os
import unittest

from harness import completed, of_kind, record, run, runner_events, started, steps, target
from recordings import Recorded, begin_ns, duration_ns, nanoseconds, read


class Tracing(Recorded):
    def trace(self, identity, *files, status=0, **options):
        """The lines of the text."""
        options.setdefault("env", {**os.environ, "LC_ALL": "C"})
        output, self.said = self.tool("trace", identity, *files, status=status, **options)
        return output.splitlines()

    def tree(self, identity, *files, **options):
        output, self.said = self.tool("trace", "--json", identity, *files, **options)
        return json.loads(output)

    def write(self, lines, name="made.ndjson"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.writelines(line if isinstance(line, str) else json.dumps(line) + "\n"
                            for line in lines)
        return self.path(name)


class Trees(Tracing):
    def test_everything(self):
        """Every execution, by its id: all of its events are in the tree, below their parents."""
        path = self.record_everything()
        events = read(path)
        for start in started(events):
            tree = self.tree(start["execution_id"], path)
            own = self.family_events(events, start)
            self.check_nodes(tree["nodes"], own)
            self.assertEqual((tree["lost"], tree["left_out"]), (0, 0))

    def family_events(self, events, start):
        """All events of the execution or of its correlation, and of what these started; the start
        and the end of what started them."""
        parents = {event["execution_id"]: event["parent_execution_id"]
                   for event in started(events) if "parent_execution_id" in event}
        whole = {event["execution_id"] for event in runner_events(events) if
                 start["execution_id"] in (event["execution_id"], event["correlation_id"])}
        above = set()
        for one in whole:
            while one in parents and parents[one] not in whole | above:
                one = parents[one]
                above.add(one)
        for _ in parents:
            whole |= {child for child, parent in parents.items() if parent in whole} - above
        return [event for event in runner_events(events) if event["execution_id"] in whole or
                event["execution_id"] in above and event["event"].startswith("command.execution")]

    def check_nodes(self, nodes, events):
        shown = [node[member] for node in nodes for member in ("start", "event") if node[member]]
        key = lambda event: (event["monotonic_ns"], event["event"])  # noqa: E731
        self.assertEqual(sorted(map(key, shown)), sorted(map(key, events)))
        by_key = {key(event): event for event in events}
        for number, node in enumerate(nodes):
            parent = None if node["parent"] is None else nodes[node["parent"]]
            self.assertTrue(parent is None or node["parent"] < number)
            self.assertEqual(node["depth"], parent["depth"] + 1 if parent else 0)
            if not node["event"]:
                self.assertEqual(node["kind"], "wait")
                continue
            exact = by_key[key(node["event"])]
            self.assertEqual(node["end"], exact["timestamp"])
            if duration_ns(exact) is not None:
                self.assertEqual(nanoseconds(node["begin"]), begin_ns(exact))
            if node["kind"] == "execution" and parent is None:
                continue  # its parent is another execution of the correlation, or there is none
            self.check_parent(node, parent)

    def check_parent(self, node, parent):
        event = node["event"]
        if node["kind"] == "step":
            expected = event["step"]["parent_step_id"] or event["execution_id"]
        elif node["kind"] == "execution":
            expected = event.get("parent_execution_id")
        else:
            expected = event["step_id"]
        self.assertEqual(parent["id"] if parent else None, expected)

    def test_the_text(self):
        path = self.record_everything()
        nested = next(event for event in steps(self.events) if event["step"]["depth"] == 2)
        lines = self.trace(nested["execution_id"][:13], path)
        self.assertIn("route-task  execution " + nested["execution_id"], lines[0])
        row = next(line for line in lines if "queue-name TransformStep" in line)
        self.assertRegex(row, r"^      queue-name TransformStep +success +[\d.]+ [mun]s .*"
                              r"\|.*=.*\|$")
        self.assertEqual({len(line) for line in lines[3:]}, {100})
        self.assertTrue(all(line.isascii() for line in lines))

    def test_a_job_and_its_parent(self):
        path = self.record_everything()
        child = next(event for event in started(self.events) if "queue" in event)
        lines = self.trace(child["correlation_id"], path)
        names = [line.split()[0] for line in lines[lines.index("") + 2:]]
        self.assertEqual(names, ["dispatch", "job", "note", "queue", "save", "fragment"])
        alone = self.trace(child["execution_id"], path)
        self.assertTrue(any("started by dispatch  execution %s  success"
                            % child["parent_execution_id"] in line for line in alone), alone)
        with open(path, "rb") as file:
            text = file.read()
        piped = self.trace(child["execution_id"], "-", input=text)
        self.assertTrue(any("an execution that was not looked for (standard input is read once)"
                            in line for line in piped), piped)
        piped = self.trace(child["parent_execution_id"], "-", input=text)
        if child["correlation_id"] != child["parent_execution_id"]:
            self.assertIn("! 1 executions below are not shown: standard input is read once", piped)

    def test_failed_and_aborted(self):
        path = self.record_everything()
        failed = next(event for event in completed(self.events) if event["outcome"] == "failure")
        lines = self.trace(failed["execution_id"], path)
        self.assertTrue(any("! failed: validation" in line for line in lines), lines)
        run("record", "-o", self.path("dies"), "--", "/bin/sh", "-c",
            "echo 'die kill' | %s" % target("spans"))
        aborted = next(event for event in completed(read(self.path("dies")))
                       if event["outcome"] == "aborted")
        lines = self.trace(aborted["execution_id"], self.path("dies"))
        self.assertIn("  ! aborted: the process ended by SIGKILL", lines)
        self.assertIn("  ! in step fatal", lines)

    def test_the_recording_begins_and_ends_in_the_middle(self):
        events, _ = record(["nested"])
        for kind, words in (("command.execution.started", "its start is not in the recording"),
                            ("command.execution.completed", "its end is not in the recording")):
            left = [event for event in events if event["event"] != kind]
            path = self.write(left)
            for event in of_kind(events, kind):
                lines = self.trace(event["execution_id"], path)
                self.assertTrue(any(words in line for line in lines), lines)
        lines = self.trace(steps(events)[0]["execution_id"], self.write(
            [dict(event, duration_ms=None) if "duration_ms" in event else event
             for event in events]))
        self.assertTrue(any(" ? " in line for line in lines), lines)

    def test_losses(self):
        events, _ = record(["go 1"])
        command, = completed(events)
        lost = {"event": "trace.lost", "timestamp": command["timestamp"], "monotonic_ns": 1,
                "kind": "dsl.step.executed", "lost": 5, "reason": "buffer_full",
                "since": command["timestamp"], "until": command["timestamp"]}
        other = dict(lost, since="2036-01-01T00:00:00.000000000Z",
                     until="2036-01-01T00:00:01.000000000Z")
        command.update(complete=False, steps_lost=2)
        path = self.write([*events, lost, other])
        lines = self.trace(command["execution_id"], path)
        self.assertIn("  ! 2 of its steps were not seen", lines)
        self.assertIn("! 5 events of any execution were lost during this time", lines)
        self.assertEqual(self.tree(command["execution_id"], path)["lost"], 5)


def event_of(execution, correlation, **members):
    return {"event": "command.execution.completed", "execution_id": execution,
            "correlation_id": correlation, "command_slug": "go", "user_id": "u",
            "outcome": "success", "total_duration_ms": 1,
            "timestamp": "2026-01-01T00:00:01.000000000Z", **members}


class Families(Tracing):
    """Executions that started each other, each with a correlation of its own."""

    LEVELS = ("root", "first", "second", "third", "fourth")

    def of(self, name, parent, begin, end, **members):
        """An execution with a step at its end; times in milliseconds."""
        at = "2026-01-01T00:00:00.%03d000000Z"
        common = {"execution_id": "id-" + name, "correlation_id": "c-" + name,
                  "command_slug": name, "user_id": "u", **members}
        if parent:
            common["parent_execution_id"] = "id-" + parent
        return [dict(common, event="command.execution.started", timestamp=at % begin),
                {"event": "dsl.step.executed", **common, "timestamp": at % end, "duration_ms": 1,
                 "step_id": "step-" + name, "step_type": "T", "outcome": "success",
                 "step": {"name": "step-" + name, "index": 0, "depth": 0, "parent_step_id": None}},
                dict(common, event="command.execution.completed", timestamp=at % end,
                     outcome="success", total_duration_ms=end - begin)]

    def levels(self):
        """Each is within its parent; the second one has a sibling, and a child besides."""
        events = [self.of(name, self.LEVELS[level - 1] if level else None, 100 + 10 * level,
                          900 - 10 * level) for level, name in enumerate(self.LEVELS)]
        events += [self.of("sibling", "first", 400, 410), self.of("child", "second", 500, 510)]
        return sorted((event for one in events for event in one), key=lambda one: one["timestamp"])

    def names(self, lines):
        return [line.split(" success ")[0].rstrip() for line in lines[lines.index("") + 2:]]

    def test_four_levels(self):
        path = self.write(self.levels())
        lines = self.trace("id-second", path)
        self.assertEqual(self.names(lines), [
            "root", "  first", "    second", "      third", "        fourth",
            "          step-fourth T", "        step-third T", "      child",
            "        step-child T", "      step-second T"])
        self.assertEqual([line for line in lines if "started by" in line], [
            "  started by first  execution id-first  success  780 ms",
            "  started by root  execution id-root  success  800 ms"])
        head = lines[:lines.index("")]
        self.assertEqual([line.split()[2] for line in head if line[0].isalpha()],
                         ["id-second", "id-third", "id-fourth", "id-child"])
        # The ancestors fill the time of the selected one, and are no part of it.
        bars = {name.split()[0]: line[line.index("|"):] for name, line in
                zip(self.names(lines), lines[lines.index("") + 2:])}
        self.assertEqual(bars["root"], bars["second"])
        self.assertNotIn(" ", bars["root"])
        self.assertIn("760 ms|", lines[lines.index("") + 1])

    def test_json(self):
        tree = self.tree("id-second", self.write(self.levels()))
        self.assertEqual([(one["execution_id"], one["command"], one["outcome"], one["duration_ms"])
                          for one in tree["ancestors"]],
                         [("id-first", "first", "success", 780),
                          ("id-root", "root", "success", 800)])
        self.assertEqual(tree["parent"], tree["ancestors"][0])
        self.assertEqual([(node["id"], node["role"], node["depth"]) for node in tree["nodes"]
                          if node["kind"] == "execution"],
                         [("id-root", "ancestor", 0), ("id-first", "ancestor", 1),
                          ("id-second", "selected", 2), ("id-third", "descendant", 3),
                          ("id-fourth", "descendant", 4), ("id-child", "descendant", 3)])

    def test_the_root_and_the_last(self):
        path = self.write(self.levels())
        self.assertEqual(len(self.names(self.trace("id-root", path))), 2 * 7)
        lines = self.trace("id-fourth", path)
        self.assertEqual(self.names(lines)[-2:], ["        fourth", "          step-fourth T"])
        self.assertEqual(len([line for line in lines if "started by" in line]), 4)

    def test_a_parent_that_is_not_in_the_recording(self):
        path = self.write([event for event in self.levels() if event["command_slug"] != "first"])
        lines = self.trace("id-second", path)
        self.assertIn("  started by an execution that is not in the recording  execution id-first",
                      lines)
        self.assertEqual(self.names(lines)[0], "second")
        tree = self.tree("id-second", path)
        self.assertEqual(tree["ancestors"], [{"execution_id": "id-first", "command": None,
                                              "outcome": None, "duration_ms": None}])

    def test_parents_in_a_circle(self):
        events = [self.of("a", "c", 100, 900), self.of("b", "a", 200, 800),
                  self.of("c", "b", 300, 700)]
        path = self.write([event for one in events for event in one])
        for name, above in (("a", "cb"), ("b", "ac"), ("c", "ba")):
            lines = self.trace("id-" + name, path)
            self.assertIn("  ! the parents form a circle", lines)
            self.assertEqual([line.split()[2] for line in lines if "started by" in line],
                             list(above))
            names = [line.strip() for line in self.names(lines)]
            self.assertEqual((names.count("a"), names.count("b"), names.count("c")), (1, 1, 1))
        own = self.write(self.of("a", "a", 100, 900), "own")
        self.assertIn("  ! the parents form a circle", self.trace("id-a", own))

    def test_limits(self):
        chain = [self.of("n%d" % level, "n%d" % (level - 1), 100 + level, 900 - level)
                 for level in range(1, 101)]
        path = self.write([event for one in chain for event in one])
        words = "! further parents or children are left out: there are too many"
        lines = self.trace("id-n100", path)
        self.assertEqual(len([line for line in lines if "started by" in line]), 64)
        self.assertIn(words, lines)
        self.assertNotIn(words, self.trace("id-n50", path))
        # 4096 in all: the one itself, and its parent, which is not in the recording.
        many = [event for number in range(5000)
                for event in self.of("m%d" % number, "n1", 200, 300)]
        lines = self.trace("id-n1", self.write([*chain[0], *many], "many"))
        self.assertIn(words, lines)
        self.assertEqual(len([line for line in lines if line.startswith("  m")]), 4094)


class Ids(Tracing):
    def test_beginnings_of_ids(self):
        path = self.write([event_of("aa%02d" % number, "req-%d" % (number // 10))
                           for number in range(100)] + [event_of("b1", "c"), event_of("b", "c")])
        self.assertEqual(self.tree("aa42", path)["nodes"][0]["id"], "aa42")
        self.assertEqual(self.tree("b1", path)["id"], "b1")
        self.assertEqual(self.tree("b", path)["id"], "b")  # a whole id is preferred
        self.assertEqual(len(self.tree("req-7", path)["nodes"]), 10)
        self.assertEqual(len(self.tree("c", path)["nodes"]), 2)
        self.trace("aa", path, status=1)
        self.assertIn("'aa' is the beginning of several ids: aa00, aa01, aa02, aa03, aa04, and "
                      "more", self.said)
        self.trace("zz", path, status=1)
        self.assertIn("no execution or correlation id of the recording begins with 'zz'",
                      self.said)

    def test_a_whole_id_after_many_longer_ones(self):
        path = self.write([event_of("x%02d" % number, "c%d" % number) for number in range(50)]
                          + [event_of("x", "c")])
        self.assertEqual([node["id"] for node in self.tree("x", path)["nodes"]], ["x"])

    def test_wrong_usage(self):
        for arguments in ((), ("x",), ("", "file")):
            self.assertIn("give an id and a recording",
                          self.tool("trace", *arguments, status=2)[1])
        self.assertIn("/nonexistent", self.tool("trace", "x", "/nonexistent", status=1)[1])

    def test_parents_in_a_circle(self):
        """Executions and steps that name each other as parents."""
        path = self.write([
            event_of("a", "c", parent_execution_id="b"), event_of("b", "c",
                                                                  parent_execution_id="a"),
            *({"event": "dsl.step.executed", "execution_id": "a", "correlation_id": "c",
               "step_id": one, "step_type": "T", "outcome": "success", "duration_ms": 1,
               "timestamp": "2026-01-01T00:00:01.000000000Z",
               "step": {"name": one, "index": 0, "depth": 0, "parent_step_id": other}}
              for one, other in (("s", "t"), ("t", "s"), ("u", "u")))])
        self.assertEqual(len(self.tree("c", path)["nodes"]), 5)

    def test_hostile_texts(self):
        events, _ = record(["text quotes", "text control", "text invalid", "text long",
                            "text newline"])
        path = self.write(events)
        for event in completed(events):
            text = "\n".join(self.trace(event["execution_id"], path))
            self.assertEqual([char for char in text if ord(char) < 32 and char != "\n"
                              or 127 <= ord(char) < 160], [])
            self.assertEqual(self.tree(event["execution_id"], path)["nodes"][0]["event"], event)

    def test_unicode_bars(self):
        events, _ = record(["go 1"])
        path = self.write(events)
        environment = {**os.environ, "LC_ALL": "en_US.UTF-8"}
        text = "\n".join(self.trace(completed(events)[0]["execution_id"], path, env=environment))
        self.assertIn("\u2588", text)


if __name__ == "__main__":
    unittest.main()
