// SPDX-License-Identifier: BSD-2-Clause
// Reads a Chrome trace with the trace engine of Chrome's developer tools, a package that
// `make test-browser` installs.
//
//	node trace_engine.mjs PACKAGES TRACE
//
// PACKAGES is the folder with node_modules. The output is one JSON object:
//
//	{"slices": [{"name": ..., "ts": ..., "dur": ..., "args": ..., "outer": the name around it}],
//	 "flows": [[[category, name, "flow from here"], [category, name, "flow to here"]]]}
import { readFileSync } from "fs";
import { resolve } from "path";
import { pathToFileURL } from "url";

const [packages, path] = process.argv.slice(2);
const folder = pathToFileURL(resolve(packages, "node_modules/@paulirish/trace_engine") + "/");
const { analyzeEvents } = await import(new URL("analyze-trace.mjs", folder));
const Trace = await import(new URL("models/trace/trace.js", folder));

// What it says while it reads must not be in the output.
console.log = console.info = console.error;

const events = JSON.parse(readFileSync(path, "utf8")).traceEvents;
const { parsedTrace } = await analyzeEvents(events);
const { Trace: helpers, TreeHelpers } = Trace.Helpers;

// Its trees are of one track: here the slices of one id.
function treesOf(pairs) {
	const tracks = new Map();
	for (const pair of pairs) {
		const { cat, id } = pair.args.data.beginEvent;
		tracks.set(cat + id, [...(tracks.get(cat + id) ?? []), pair]);
	}
	return [...tracks.values()].map((track) => TreeHelpers.treify(track, null).tree);
}

function* walk(node, outer) {
	const { name, ts, dur, args } = node.entry;
	yield { name, ts, dur, args: args.data.beginEvent.args, outer };
	for (const child of node.children)
		yield* walk(child, name);
}

const asynchronous = events.filter((event) => "be".includes(event.ph));
helpers.sortTraceEventsInPlace(asynchronous);
const pairs = helpers.createMatchedSortedSyntheticEvents(asynchronous);
const slices = treesOf(pairs).flatMap((tree) =>
	[...tree.roots].flatMap((root) => [...walk(root, null)]));
const flows = parsedTrace.data.Flows.flows.map((flow) => flow.map((event) => [event.cat, event.name,
	event.args.kind]));
process.stdout.write(JSON.stringify({ slices, flows }));
