# SPDX-License-Identifier: BSD-2-Clause
"""Values of a request where a pack names models, columns, operators, prompts and tools: nothing of
them becomes SQL, a path, or a word for a shell."""
import json
import os
import subprocess
import unittest

from workers import Workshop

SQL = ["fragments; DROP TABLE fragments; --", "fragments' OR '1'='1", "id) OR 1=1 --",
       "type\"; DELETE FROM fragments; --", "= ''; DROP TABLE fragments; --", "sqlite_schema",
       "1 UNION SELECT sql FROM sqlite_schema", "title, (SELECT sql FROM sqlite_schema)",
       "jobs WHERE 1=1", "fragments_text", "LIKE '%' OR 1=1 OR title", "a.b'); --",
       "metadata->'$' OR 1=1"]
PATHS = ["../secret", "../../etc/passwd", "/etc/passwd", "prompts/../../secret", "..", ".",
         "secret\x01", "inner/../../../secret", "....//secret", "%2e%2e/secret"]
WORDS = ["; touch made", "$(touch made)", "`touch made`", "| touch made", "&& touch made",
         "> made", "--help", "-c 'touch made'", "a\nb", "'\"", "*", "~", "${HOME}", "{{ ctx.x }}"]
CALL = "- {slug: show, argv: [/usr/bin/printf, '[%s]', '{{ args.word }}', 'end']}\n"


class Injection(Workshop):
    def setUp(self):
        super().setUp()
        self.create_tables()
        for number in range(3):
            self.execute("note", body="note %d" % number)

    def everything(self):
        """The whole database, as text."""
        with self.connection() as connection:
            return list(connection.iterdump())

    def finish(self, slug, **values):
        """The result, whether it succeeded or not."""
        done = subprocess.run(
            [self.program, "exec", slug, "--packs", self.packs, "--db", self.database, "--tools",
             self.tools, "--context", "-"], input=json.dumps(values), capture_output=True,
            text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_sql(self):
        """Names are looked up, and values are bound."""
        target = "conditions: [{field: id, operator: '>', value: 0}]"
        places = {
            "model": "{id: q, type: model.query, with: {model: '{{ ctx.x }}'}}",
            "delete": "{id: q, type: model.delete, with: {model: '{{ ctx.x }}', soft: false, "
                      + target + "}}",
            "field": "{id: q, type: model.query, with: {model: fragments, "
                     "conditions: [{field: '{{ ctx.x }}', operator: '=', value: 1}]}}",
            "operator": "{id: q, type: model.query, with: {model: fragments, "
                        "conditions: [{field: title, operator: '{{ ctx.x }}', value: 1}]}}",
            "boolean": "{id: q, type: model.query, with: {model: fragments, boolean: '{{ ctx.x }}',"
                       " conditions: [{field: id, value: -1}, {field: title, value: none}]}}",
            "order": "{id: q, type: model.query, with: {model: fragments, order: '{{ ctx.x }}'}}",
            "limit": "{id: q, type: model.query, with: {model: fragments, limit: '{{ ctx.x }}'}}",
            "relation": "{id: q, type: model.query, with: {model: fragments, "
                        "with_relations: ['{{ ctx.x }}']}}",
            "column": "{id: q, type: model.create, with: {model: fragments, "
                      "data: '{{ {(ctx.x): 1} }}'}}",
            "update": "{id: q, type: model.update, with: {model: fragments, id: '{{ ctx.x }}', "
                      "data: {title: changed}}}",
            "value": "{id: q, type: model.update, with: {model: fragments, "
                     "conditions: [{field: title, operator: '=', value: '{{ ctx.x }}'}], "
                     "data: {title: changed}}}",
            "search": "{id: q, type: fragment.query, with: {search: '{{ ctx.x }}'}}",
        }
        for name, step in places.items():
            self.pack(name, step)
        before = self.everything()
        for name in places:
            for text in SQL:
                with self.subTest(place=name, text=text):
                    result = self.finish(name, x=text)
                    rows = result["outputs"].get("q", {}).get("results", [])
                    # A field with an arrow is a member of JSON, which no row has.
                    self.assertEqual(rows, [], result)
                    if name not in ("field", "boolean", "value", "search"):
                        self.assertIs(result["success"], False, result)
                    if not result["success"]:
                        self.assertIn(result["error"]["category"], ("validation", "not_found"))
                    self.assertEqual(self.everything(), before)

    def test_paths(self):
        """Prompts are those that were loaded with the pack, and packs are found by slugs."""
        with open(self.path("secret.md"), "w", encoding="utf-8") as file:
            file.write("a secret")
        self.pack("ask", "{id: q, type: transform, template: '{{ prompts }}'}",
                  "{id: a, type: ai.generate, with: {prompt: '{{ ctx.x }}'}}")
        os.mkdir(os.path.join(self.packs, "ask", "prompts"))
        with open(os.path.join(self.packs, "ask", "prompts", "inner.md"), "w",
                  encoding="utf-8") as file:
            file.write("inner")
        self.pack("later", "{id: j, type: job.dispatch, with: {command: '{{ ctx.x }}'}}")
        for text in PATHS:
            with self.subTest(text=text):
                result = self.finish("ask", x=text)
                self.assertNotIn("a secret", json.dumps(result))
                self.assertEqual(result["outputs"]["q"], {"inner": "inner"})
                result = self.finish("later", x=text)
                self.assertEqual((result["success"], result["error"]["category"]),
                                 (False, "validation"))
        self.assertEqual(self.rows("SELECT * FROM jobs"), [])

    def test_tools(self):
        """A value is one word of argv, whatever is in it; a tool is one of the list."""
        with open(self.tools, "a", encoding="utf-8") as file:
            file.write("  " + CALL)
        self.pack("show", "{id: t, type: tool.call, with: {tool: show, "
                          "args: {word: '{{ ctx.x }}'}}}")
        self.pack("any", "{id: t, type: tool.call, with: {tool: '{{ ctx.x }}', args: {}}}")
        for text in WORDS + SQL + PATHS:
            with self.subTest(text=text):
                result = self.finish("show", x=text)
                self.assertEqual(result["outputs"]["t"]["stdout"], "[%s][end]" % text)
                result = self.finish("any", x=text)
                self.assertEqual((result["success"], result["error"]["category"]),
                                 (False, "permission"))
        for name in ("../show", "/usr/bin/printf", "printf", "Show", "show "):
            with self.subTest(tool=name):
                result = self.finish("any", x=name)
                self.assertEqual(result["error"]["category"], "permission")
        self.assertFalse(os.path.exists("made"))


if __name__ == "__main__":
    unittest.main()
