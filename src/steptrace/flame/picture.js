// SPDX-License-Identifier: BSD-2-Clause
"use strict";
/*
 * Draws a tree on a canvas: commands at the top, what they call below. Boxes are placed when the
 * tree, the filter, the zoom or the width changes; only rows that can be seen are painted. So the
 * number of stacks and the depth of the deepest one do not matter for scrolling.
 */
const ROW = 19, BOX = 18, NARROW = 0.5, BEYOND = 300;

class Picture {
	constructor(tree, frame, canvas) {
		this.tree = tree;
		this.frame = frame; /* as high as all rows */
		this.canvas = canvas;
		this.root = 0;
		this.sums = tree.time;
		this.isMatch = null;
		this.rows = [];
		this.painted = {top: 0, bottom: 0};
	}

	/* ---- places */

	/* Fills this.rows: for each depth {x: [], width: [], node: [], count: []}; a count of more than
	 * one is that of narrow neighbours that are drawn as one box. */
	place() {
		this.width = this.frame.clientWidth;
		this.rows = [];
		const scale = this.sums[this.root] ? this.width / this.sums[this.root] : 0;
		for (const node of [0, ...this.tree.pathTo(this.root)])
			this.add(node, 0, this.width, 1);
		const stack = [this.root, 0];
		while (stack.length) {
			const x = stack.pop();
			this.placeChildren(stack.pop(), x, scale, stack);
		}
		this.height = this.rows.length * ROW;
		this.frame.style.height = this.height + "px";
		this.paint();
	}

	add(node, x, width, count) {
		const depth = this.tree.depth[node];
		while (this.rows.length <= depth)
			this.rows.push({x: [], width: [], node: [], count: []});
		const row = this.rows[depth];
		row.x.push(x);
		row.width.push(width);
		row.node.push(node);
		row.count.push(count);
	}

	placeChildren(parent, x, scale, stack) {
		const {tree, sums} = this;
		let narrow = null;
		const endNarrow = () => {
			if (narrow && narrow.width >= NARROW)
				this.add(narrow.node, narrow.x, narrow.width, narrow.count);
			narrow = null;
		};
		for (let n = parent + 1; n < tree.end[parent]; n = tree.end[n]) {
			const width = sums[n] * scale;
			if (!width)
				continue;
			if (width >= NARROW) {
				endNarrow();
				this.add(n, x, width, 1);
				stack.push(n, x);
			} else if (narrow && tree.state[narrow.node] === tree.state[n]) {
				narrow.width += width;
				narrow.count++;
			} else {
				endNarrow();
				narrow = {node: n, x, width, count: 1};
			}
			x += width;
		}
		endNarrow();
	}

	/* The box at a place of the frame, as {node, count, x, y, width}, or null. */
	at(x, y) {
		const depth = Math.floor(y / ROW), row = this.rows[depth];
		if (!row)
			return null;
		const i = row.x.findIndex((left, k) => x >= left && x < left + row.width[k]);
		return i < 0 ? null : this.box(depth, i);
	}

	box(depth, i) {
		const row = this.rows[depth];
		return {node: row.node[i], count: row.count[i], x: row.x[i], y: depth * ROW,
			width: row.width[i]};
	}

	/* The box of a node, or null: it is not drawn. */
	boxOf(node) {
		const row = this.rows[this.tree.depth[node]];
		const i = row ? row.node.findIndex((n, k) => n === node && row.count[k] === 1) : -1;
		return i < 0 ? null : this.box(this.tree.depth[node], i);
	}

	/* ---- paint */

	/* Colours and fonts are those of the style sheet. */
	readStyle() {
		const style = getComputedStyle(document.documentElement);
		const colour = name => style.getPropertyValue(name).trim();
		const isDark = colour("--is-dark") === "1";
		this.style = {
			font: "11.5px " + colour("--fixed"), ink: colour("--ink"), onState: colour("--on-state"),
			fills: [colour("--root"), colour("--command"), colour("--step")],
			match: colour("--match"), onMatch: colour("--on-match"),
			user: this.tree.states.map(state => state[isDark ? 3 : 1]),
			kernel: this.tree.states.map(state => state[isDark ? 4 : 2]),
		};
	}

	/* What is outside of the zoom has no colour of a state. */
	isOutside(node) {
		return this.tree.depth[node] < this.tree.depth[this.root];
	}

	fillOf(node) {
		const kind = this.tree.kindOf(node), style = this.style;
		if (this.isOutside(node))
			return style.fills[0];
		if (kind <= KIND.step)
			return style.fills[kind + 1];
		return style[kind === KIND.kernel ? "kernel" : "user"][this.tree.state[node]];
	}

	inkOf(node) {
		return this.isOutside(node) || this.tree.kindOf(node) <= KIND.step ? this.style.ink :
			this.style.onState;
	}

	isMatching(node) {
		return this.isMatch !== null && node > 0 && this.isMatch[this.tree.name[node]];
	}

	/* Paints what can be seen, and a little beyond. On paper, that is all. */
	paint(isWhole = false) {
		const place = this.frame.getBoundingClientRect();
		const limit = value => Math.max(0, Math.min(this.height, value));
		const top = isWhole ? 0 : limit(-place.top - BEYOND);
		const bottom = isWhole ? this.height : limit(innerHeight - place.top + BEYOND);
		const dots = devicePixelRatio || 1;
		this.painted = {top, bottom};
		this.canvas.width = Math.round(this.width * dots);
		this.canvas.height = Math.round((bottom - top) * dots);
		this.canvas.style.top = top + "px";
		this.canvas.style.height = (bottom - top) + "px";
		const to = this.canvas.getContext("2d");
		to.setTransform(dots, 0, 0, dots, 0, -top * dots);
		this.readStyle();
		to.font = this.style.font;
		to.textBaseline = "middle";
		this.letter = to.measureText("0").width;
		for (let depth = Math.floor(top / ROW); depth * ROW < bottom; depth++)
			this.paintRow(to, depth);
	}

	/* After scrolling. */
	paintIfNeeded() {
		const place = this.frame.getBoundingClientRect();
		if (Math.max(0, -place.top) < this.painted.top ||
		    Math.min(this.height, innerHeight - place.top) > this.painted.bottom)
			this.paint();
	}

	paintRow(to, depth) {
		const row = this.rows[depth];
		for (let i = 0; row && i < row.x.length; i++) {
			const node = row.node[i], isMatch = row.count[i] === 1 && this.isMatching(node);
			const width = row.width[i] - (row.width[i] > 2 ? 1 : 0);
			to.globalAlpha = row.count[i] > 1 ? 0.5 : 1;
			to.fillStyle = isMatch ? this.style.match : this.fillOf(node);
			to.fillRect(row.x[i], depth * ROW, width, BOX);
			to.globalAlpha = 1;
			const columns = Math.floor((width - 6) / this.letter);
			if (columns < 4 || row.count[i] > 1)
				continue;
			to.fillStyle = isMatch ? this.style.onMatch : this.inkOf(node);
			const text = shortened((this.isOutside(node) ? "\u2191 " : "") +
				this.tree.nameOf(node), columns);
			to.fillText(text, row.x[i] + 3, depth * ROW + BOX / 2 + 0.5);
		}
	}
}

/* Characters of more than one column are rare in names of functions: they count as two. */
function shortened(text, columns) {
	let used = 0, kept = "";
	if (text.length <= columns && /^[\x20-\x7e]*$/.test(text))
		return text;
	for (const character of text) {
		used += character.codePointAt(0) < 0x1100 ? 1 : 2;
		if (used > columns - 1)
			return kept + "\u2026";
		kept += character;
	}
	return text;
}
