// SPDX-License-Identifier: BSD-2-Clause
// A ClickHouse in this process, with a package that `make test-queries` installs.
//
//	node clickhouse.mjs PACKAGES FOLDER
//
// PACKAGES is the folder with node_modules, FOLDER gets the data. Each line of standard input is a
// statement, a text as JSON. Each line of the output is its answer: {"rows":[[...],...]} or
// {"error":"..."}.
import { createRequire } from "module";
import { createInterface } from "readline";
import { resolve } from "path";

const [packages, folder] = process.argv.slice(2);
const { Session } = createRequire(resolve(packages) + "/")("chdb");
const session = new Session(folder);

function answer(statement) {
	try {
		const text = session.query(statement, "JSONCompactEachRow");
		return `{"rows":[${text.trim().split("\n").join(",")}]}`;
	} catch (error) {
		return JSON.stringify({ error: String(error.message || error) });
	}
}

for await (const line of createInterface({ input: process.stdin }))
	process.stdout.write(answer(JSON.parse(line)) + "\n");
session.cleanup();
