// SPDX-License-Identifier: BSD-2-Clause
// Executes statements of DuckDB or ClickHouse, with packages that `make test-queries` installs.
//
//	node query.mjs duckdb|clickhouse PACKAGES <STATEMENTS
//
// PACKAGES is the folder with node_modules. STATEMENTS is a list of texts as JSON. The output is
// the rows of the last one, each a JSON array on a line.
import { readFileSync } from "fs";
import { createRequire } from "module";
import { resolve } from "path";

const [tool, packages] = process.argv.slice(2);
const require = createRequire(resolve(packages) + "/");
const statements = JSON.parse(readFileSync(0, "utf8"));

if (tool === "duckdb") {
	const { DuckDBInstance } = require("@duckdb/node-api");
	const connection = await (await DuckDBInstance.create(":memory:")).connect();
	let rows = [];
	for (const statement of statements)
		rows = (await connection.runAndReadAll(statement)).getRowsJson();
	rows.forEach((row) => console.log(JSON.stringify(row)));
} else {
	const { Session } = require("chdb");
	const session = new Session();
	let text = "";
	for (const statement of statements)
		text = session.query(statement.replace(/;\s*$/, ""), "JSONCompactEachRow");
	process.stdout.write(text);
	session.cleanup();
}
