// SPDX-License-Identifier: BSD-2-Clause
"use strict";
/*
 * The tree of a profile: a node is a box of the picture. Nodes are numbered from the outside
 * inwards, so the nodes inside of node n are n + 1 ... end[n] - 1. Node 0 is the root; then come
 * commands, their steps, and functions. Siblings are sorted by state, then by time.
 *
 * The page has it as {"states": [[label, four colours], …], "names": [text, kind, module, …],
 * "rows": […]}. A row is a path that has time: how many nodes of the path before it are the
 * same, how many follow, its time and samples without those inside, and then for each node that
 * follows its name and state as name * (states + 1) + state.
 */
const KIND = {command: 0, step: 1, cut: 2, user: 3, kernel: 4};

class Tree {
	constructor(data) {
		const names = data.names;
		this.states = data.states;
		this.noState = data.states.length;
		this.names = names.filter((_, i) => i % 3 === 0);
		this.kinds = Uint8Array.from(names.filter((_, i) => i % 3 === 1));
		this.modules = names.filter((_, i) => i % 3 === 2);
		this.makeRoom(data.rows);
		this.readRows(data.rows);
		this.time = this.sumUp({states: new Set(data.states.keys())});
	}

	makeRoom(rows) {
		let count = 1;
		for (let i = 0; i < rows.length; i += 4 + rows[i + 1])
			count += rows[i + 1];
		this.count = count;
		this.name = new Int32Array(count).fill(-1);
		this.state = new Uint8Array(count).fill(this.noState);
		this.depth = new Int32Array(count);
		this.parent = new Int32Array(count);
		this.end = new Int32Array(count).fill(count);
		this.self = new Float64Array(count);
		this.selfSamples = new Float64Array(count);
	}

	readRows(rows) {
		const path = [0], states = this.noState + 1;
		let next = 1;
		for (let i = 0; i < rows.length;) {
			const shared = rows[i++], count = rows[i++], time = rows[i++], samples = rows[i++];
			while (path.length > shared + 1)
				this.end[path.pop()] = next;
			for (let k = 0; k < count; k++) {
				const code = rows[i++];
				this.name[next] = Math.floor(code / states);
				this.state[next] = code % states;
				this.parent[next] = path[path.length - 1];
				this.depth[next] = path.length;
				path.push(next++);
			}
			this.self[path[path.length - 1]] += time;
			this.selfSamples[path[path.length - 1]] += samples;
		}
	}

	kindOf(node) {
		return node ? this.kinds[this.name[node]] : -1;
	}

	nameOf(node) {
		return node ? this.names[this.name[node]] : "all commands";
	}

	/* The nodes from the outermost one to this one, without the root. */
	pathTo(node) {
		const path = [];
		for (; node; node = this.parent[node])
			path.unshift(node);
		return path;
	}

	/* Whether the node, and all inside of it, is left out. Numbers of names, or null: all. The
	 * step -1 is what a command does outside of its steps. */
	isLeftOut(node, filter) {
		const kind = this.kindOf(node);
		if (kind === KIND.command)
			return filter.command != null && filter.command !== this.name[node];
		if (filter.step != null && this.depth[node] === 2 &&
		    filter.step !== (kind === KIND.step ? this.name[node] : -1))
			return true;
		return kind !== KIND.step && !filter.states.has(this.state[node]);
	}

	/* The time of each node with all inside of it. */
	sumUp(filter) {
		const sums = new Float64Array(this.count);
		for (let n = 1; n < this.count;) {
			/* Below these, the filter has nothing more to say. */
			if (this.depth[n] <= 3 && this.isLeftOut(n, filter)) {
				n = this.end[n];
				continue;
			}
			sums[n] = this.self[n];
			n++;
		}
		for (let n = this.count - 1; n > 0; n--)
			sums[this.parent[n]] += sums[n];
		return sums;
	}

	/* The time of each command, step and state: {command, step, state, time}. */
	parts() {
		const parts = [];
		let command = -1, step = -1;
		for (let n = 1; n < this.count;) {
			const kind = this.kindOf(n);
			if (kind === KIND.command || kind === KIND.step) {
				if (kind === KIND.command)
					command = this.name[n];
				step = kind === KIND.step ? this.name[n] : -1;
				n++;
				continue;
			}
			parts.push({command, step: this.depth[n] === 2 ? -1 : step, state: this.state[n],
				    time: this.time[n]});
			n = this.end[n];
		}
		return parts;
	}

	/* The samples of the node with all inside of it that have a time in `sums`. */
	samplesIn(node, sums) {
		let samples = 0;
		for (let n = node; n < this.end[node]; n++)
			if (sums[n])
				samples += this.selfSamples[n];
		return samples;
	}

	/* {name, self, total} of each function inside of the node. A function that calls itself is
	 * counted once in its total. */
	functionsIn(node, sums) {
		const self = new Float64Array(this.names.length);
		const total = new Float64Array(this.names.length);
		const countedUntil = new Int32Array(this.names.length);
		for (let n = Math.max(node, 1); n < this.end[node]; n++) {
			const name = this.name[n];
			if (!sums[n] || this.kinds[name] < KIND.user)
				continue;
			self[name] += this.self[n];
			if (n >= countedUntil[name]) {
				total[name] += sums[n];
				countedUntil[name] = this.end[n];
			}
		}
		const found = [];
		for (let name = 0; name < total.length; name++)
			if (total[name])
				found.push({name, self: self[name], total: total[name]});
		return found;
	}

	/* Which names match. Throws a SyntaxError if it is no regular expression. */
	find(text, isExpression) {
		const expression = new RegExp(
			isExpression ? text : text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&"), "i");
		return this.names.map((name, i) =>
			expression.test(name) || (this.modules[i] !== "" && expression.test(this.modules[i])));
	}

	/* The time inside of the node in boxes that match, or that are inside of one that does. */
	timeOf(isMatch, node, sums) {
		let time = 0;
		for (let n = Math.max(node, 1); n < this.end[node];) {
			if (isMatch[this.name[n]]) {
				time += sums[n];
				n = this.end[n];
			} else {
				n++;
			}
		}
		return time;
	}
}
