// SPDX-License-Identifier: BSD-2-Clause
// Executes statements of DuckDB in one thread, with the package that `make test-queries` installs.
//
//	node duckdb.mjs PACKAGES RUNS <STATEMENTS
//
// PACKAGES is the folder with node_modules. STATEMENTS is a list of texts as JSON. Each run has a
// new database. Prints one JSON object: the processor time of the fastest run in seconds, without
// the start of node, and the rows of each statement.
import { readFileSync } from "fs";
import { createRequire } from "module";
import { resolve } from "path";

const [packages, runs] = process.argv.slice(2);
const require = createRequire(resolve(packages) + "/");
const statements = JSON.parse(readFileSync(0, "utf8"));
const { DuckDBInstance } = require("@duckdb/node-api");

let seconds = Infinity, rows;
for (let run = 0; run < Number(runs); run++) {
	const connection = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
	rows = [];
	const before = process.cpuUsage();
	for (const statement of statements)
		rows.push((await connection.runAndReadAll(statement)).getRowsJson());
	const used = process.cpuUsage(before);
	seconds = Math.min(seconds, (used.user + used.system) / 1e6);
}
console.log(JSON.stringify({ seconds, rows }));
