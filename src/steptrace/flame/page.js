// SPDX-License-Identifier: BSD-2-Clause
"use strict";
/* The page: filters, zoom, search, the table of top functions, pointer and keys. */
(() => {
	const byId = id => document.getElementById(id);
	const tree = new Tree(JSON.parse(byId("profile").textContent));
	const picture = new Picture(tree, byId("flame"), byId("canvas"));
	const parts = tree.parts();
	const ALL_STATES = new Set(parts.map(part => part.state));
	const TOP_ROWS = 200, NEAR = 14;
	const filter = {command: null, step: null, states: new Set(ALL_STATES)};
	const zooms = []; /* the nodes that were zoomed to before */
	let order = "self", selected = null;

	/* ---- words */

	/* As in what steptrace prints: three digits. */
	function timeText(ns) {
		if (ns === 0)
			return "0";
		const seconds = Math.floor(ns / 1e9), two = number => String(number).padStart(2, "0");
		if (seconds >= 3600)
			return `${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
		if (seconds >= 60)
			return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
		const units = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
		const [unit, name] = units.find(([size]) => ns >= 0.9995 * size) || units[3];
		const value = ns / unit;
		const decimals = unit === 1 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
		return `${value.toFixed(decimals)}\u00a0${name}`;
	}

	function shareText(time, all) {
		return `${(all ? 100 * time / all : 0).toFixed(1)}\u00a0%`;
	}

	const countText = count => count.toLocaleString("en-US");

	/* An element with a class and children. Text stays text: nothing here is read as HTML. */
	function element(name, className, ...children) {
		const made = document.createElement(name);
		if (className)
			made.className = className;
		made.append(...children);
		return made;
	}

	/* ---- the lists of filters */

	function keysOf(list, member) {
		const times = new Map();
		for (const part of list)
			times.set(part[member], (times.get(part[member]) || 0) + part.time);
		return [...times].sort((a, b) => b[1] - a[1]);
	}

	function listItem(text, time, all, isPressed, act) {
		const button = element("button", "item", element("span", "name", text),
				       element("span", "time", timeText(time)),
				       element("span", "share", shareText(time, all)));
		button.type = "button";
		button.title = text;
		button.setAttribute("aria-pressed", isPressed);
		button.style.setProperty("--share", `${all ? 100 * time / all : 0}%`);
		button.addEventListener("click", act);
		return button;
	}

	/* A list of which one item, or all, is chosen. */
	function showChoice(id, member, allText, textOf, list) {
		const sum = list.reduce((total, part) => total + part.time, 0);
		const choose = value => () => {
			filter[member] = value;
			if (member === "command")
				filter.step = null;
			change(id);
		};
		const item = (text, value, time) =>
			listItem(text, time, sum, filter[member] === value, choose(value));
		fill(id, [item(allText, null, sum), ...keysOf(list, member).map(
			([value, time]) => item(textOf(value), value, time))]);
	}

	/* Replaces the items, and keeps the focus and the place on the list. */
	function fill(id, items) {
		const list = byId(id), focus = [...list.children].indexOf(document.activeElement);
		const top = list.scrollTop;
		list.replaceChildren(...items);
		list.scrollTop = top;
		if (focus >= 0 && items[focus])
			items[focus].focus({preventScroll: true});
	}

	function showStates(list) {
		const sum = list.reduce((total, part) => total + part.time, 0);
		const times = new Map(keysOf(list, "state"));
		fill("states", [...ALL_STATES].sort((a, b) => a - b).map(state => {
			const isOn = filter.states.has(state);
			const item = listItem(tree.states[state][0], times.get(state) || 0, sum, isOn, () => {
				filter.states[isOn ? "delete" : "add"](state);
				change("states");
			});
			const swatch = element("span", "swatch");
			swatch.style.setProperty("--light", tree.states[state][1]);
			swatch.style.setProperty("--light-kernel", tree.states[state][2]);
			swatch.style.setProperty("--dark", tree.states[state][3]);
			swatch.style.setProperty("--dark-kernel", tree.states[state][4]);
			item.prepend(swatch);
			return item;
		}));
	}

	/* Each list shows the time within what the other lists choose. */
	function showFilters() {
		const isState = part => filter.states.has(part.state);
		const isCommand = part => filter.command == null || part.command === filter.command;
		const isStep = part => filter.step == null || part.step === filter.step;
		showChoice("commands", "command", "all commands", name => tree.names[name],
			   parts.filter(isState));
		showChoice("steps", "step", "all steps",
			   name => name < 0 ? "(outside of steps)" : tree.names[name],
			   parts.filter(part => isState(part) && isCommand(part)));
		showStates(parts.filter(part => isCommand(part) && isStep(part)));
	}

	function change() {
		picture.sums = tree.sumUp(filter);
		zooms.length = 0;
		showFilters();
		zoomTo(picture.sums[picture.root] ? picture.root : 0);
	}

	/* ---- zoom */

	function zoomTo(node) {
		picture.root = node;
		select(null);
		picture.place();
		showPath();
		showTop();
		showFound();
	}

	function zoomIn(node) {
		if (node === picture.root)
			return;
		zooms.push(picture.root);
		zoomTo(node);
	}

	function zoomBack() {
		zoomTo(zooms.length ? zooms.pop() : 0);
	}

	function showPath() {
		const path = [0, ...tree.pathTo(picture.root)];
		/* Of a long path, its beginning and its end. */
		const shown = path.length > 8 ? [...path.slice(0, 3), -1, ...path.slice(-4)] : path;
		const items = shown.map(node => {
			if (node < 0)
				return element("span", "gap", "\u2026");
			if (node === picture.root) {
				const here = element("b", "", tree.nameOf(node));
				here.setAttribute("aria-current", "true");
				return here;
			}
			const button = element("button", "", tree.nameOf(node));
			button.type = "button";
			button.addEventListener("click", () => zoomIn(node));
			return button;
		});
		const time = picture.sums[picture.root];
		const all = picture.sums[0];
		items.push(element("span", "time", timeText(time), picture.root ?
			` \u2013 ${shareText(time, all)} of what the filters show` : ""));
		byId("path").replaceChildren(...items);
		showStack();
	}

	/* The whole path as text, to read and to copy. It is made when it is opened. */
	function showStack() {
		const stack = byId("stack"), path = tree.pathTo(picture.root);
		stack.hidden = path.length < 2;
		stack.querySelector("pre").textContent = !stack.open ? "" : path.map(node => {
			const module = tree.modules[tree.name[node]];
			return tree.nameOf(node) + (module ? `  (${module})` : "");
		}).join("\n");
	}

	/* ---- top functions */

	function timeCell(time, all) {
		const cell = element("td", "number", timeText(time),
				     element("span", "share", shareText(time, all)));
		cell.style.setProperty("--share", `${all ? 100 * time / all : 0}%`);
		return cell;
	}

	function topRow(found, all) {
		const button = element("button", "name", tree.names[found.name]);
		button.type = "button";
		button.title = `${tree.names[found.name]}\nClick to find it in the picture.`;
		button.addEventListener("click", () => {
			byId("text").value = tree.names[found.name];
			byId("expression").checked = false;
			search();
		});
		return element("tr", "", timeCell(found.self, all), timeCell(found.total, all),
			       element("td", "function", button,
				       element("span", "module", tree.modules[found.name])));
	}

	function showTop() {
		const all = picture.sums[picture.root];
		const other = order === "self" ? "total" : "self";
		const found = tree.functionsIn(picture.root, picture.sums).sort(
			(a, b) => b[order] - a[order] || b[other] - a[other] || a.name - b.name);
		byId("top").tBodies[0].replaceChildren(
			...found.slice(0, TOP_ROWS).map(row => topRow(row, all)));
		byId("within").textContent =
			picture.root ? `in ${shortened(tree.nameOf(picture.root), 60)}` : "";
		byId("left-out").textContent = found.length > TOP_ROWS ?
			`The first ${TOP_ROWS} of ${countText(found.length)} functions.` : "";
		for (const name of ["self", "total"]) {
			byId("by-" + name).removeAttribute("aria-sort");
			if (name === order)
				byId("by-" + name).setAttribute("aria-sort", "descending");
		}
	}

	/* ---- search */

	function search() {
		const text = byId("text").value;
		byId("text").setCustomValidity("");
		try {
			picture.isMatch = text ? tree.find(text, byId("expression").checked) : null;
			showFound();
		} catch (error) {
			picture.isMatch = null;
			byId("text").setCustomValidity(error.message);
			byId("found").textContent = "This is not a regular expression.";
		}
		picture.paint();
	}

	function showFound() {
		if (!picture.isMatch) {
			byId("found").textContent = "";
			return;
		}
		const time = tree.timeOf(picture.isMatch, picture.root, picture.sums);
		const all = picture.sums[picture.root];
		byId("found").textContent = `${shareText(time, all)} of the time matches, ${timeText(time)}`;
	}

	/* ---- the box below the pointer, or the one that the keys selected */

	function tipLines(box) {
		const node = box.node, all = picture.sums[0], kind = tree.kindOf(node);
		if (box.count > 1)
			return [`${countText(box.count)} narrow boxes`,
				"Zoom to the box above them to see them."];
		const lines = [tree.nameOf(node)];
		if (kind >= KIND.user)
			lines.push(`in ${tree.modules[tree.name[node]] || "an unknown file"}`);
		const time = picture.sums[node];
		lines.push(`${timeText(time)}, ${shareText(time, all)} of what the filters show`);
		if (kind >= KIND.cut)
			lines.push(`${tree.states[tree.state[node]][0]}; ` +
				   `without the functions below: ${timeText(tree.self[node])}`);
		lines.push(`${countText(tree.samplesIn(node, picture.sums))} samples`);
		return lines;
	}

	function showBox(box, x, y) {
		const mark = byId("mark"), tip = byId("tip");
		mark.hidden = tip.hidden = box === null;
		if (!box)
			return;
		mark.style.left = box.x + "px";
		mark.style.top = box.y + "px";
		mark.style.width = Math.max(2, box.width - 1) + "px";
		mark.style.height = BOX + "px";
		const [first, ...lines] = tipLines(box);
		tip.replaceChildren(element("b", "", first), ...lines.map(line => element("div", "", line)));
		const {width, height} = tip.getBoundingClientRect();
		const room = document.documentElement.clientWidth;
		tip.style.left = Math.max(4, Math.min(x + NEAR, room - width - 4)) + "px";
		tip.style.top = (y + NEAR + height > innerHeight ? Math.max(4, y - NEAR - height) : y + NEAR) +
			"px";
	}

	function boxAt(event) {
		const place = picture.frame.getBoundingClientRect();
		return picture.at(event.clientX - place.left, event.clientY - place.top);
	}

	function scrollTo(box) {
		const y = picture.frame.getBoundingClientRect().top + box.y;
		if (y < 0 || y + ROW > innerHeight)
			scrollBy(0, y - innerHeight / 2);
		picture.paintIfNeeded();
	}

	function select(node) {
		selected = node;
		const box = node === null ? null : picture.boxOf(node);
		if (!box) {
			showBox(null);
			return;
		}
		scrollTo(box);
		const place = picture.frame.getBoundingClientRect();
		showBox(box, place.left + Math.min(box.x + box.width / 2, picture.width), place.top + box.y + ROW);
	}

	/* ---- keys */

	function neighbour(step) {
		const row = picture.rows[tree.depth[selected]];
		for (let i = row.node.indexOf(selected) + step; i >= 0 && i < row.node.length; i += step)
			if (row.count[i] === 1)
				return row.node[i];
		return selected;
	}

	function widestChild() {
		let widest = selected;
		for (let n = selected + 1; n < tree.end[selected]; n = tree.end[n])
			if (picture.boxOf(n) && (widest === selected || picture.sums[n] > picture.sums[widest]))
				widest = n;
		return widest;
	}

	const moves = {
		ArrowDown: () => select(widestChild()),
		ArrowUp: () => select(tree.parent[selected]),
		ArrowLeft: () => select(neighbour(-1)),
		ArrowRight: () => select(neighbour(1)),
		Home: () => select(0),
		Enter: () => {
			const node = selected;
			zoomIn(node);
			select(node);
		},
	};

	function onPictureKey(event) {
		if (!moves[event.key] || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		if (selected === null)
			select(picture.root);
		else
			moves[event.key]();
	}

	function onKey(event) {
		const isTyping = event.target === byId("text");
		if (event.key === "/" && !isTyping) {
			event.preventDefault();
			byId("text").focus();
			byId("text").select();
		} else if (event.key === "Escape" && isTyping && byId("text").value) {
			byId("text").value = "";
			search();
		} else if (event.key === "Escape") {
			zoomBack();
		}
	}

	/* ---- what happens */

	function listen() {
		const canvas = byId("canvas");
		canvas.addEventListener("mousemove", event => {
			const box = boxAt(event);
			canvas.style.cursor = box && box.count === 1 ? "pointer" : "default";
			showBox(box, event.clientX, event.clientY);
		});
		canvas.addEventListener("mouseleave", () => select(null));
		canvas.addEventListener("blur", () => select(null));
		canvas.addEventListener("click", event => {
			const box = boxAt(event);
			if (box && box.count === 1)
				zoomIn(box.node);
		});
		canvas.addEventListener("keydown", onPictureKey);
		document.addEventListener("keydown", onKey);
		byId("stack").addEventListener("toggle", showStack);
		byId("search").addEventListener("submit", event => event.preventDefault());
		byId("text").addEventListener("input", search);
		byId("expression").addEventListener("change", search);
		for (const name of ["self", "total"])
			byId("by-" + name).firstChild.addEventListener("click", () => {
				order = name;
				showTop();
			});
		addEventListener("scroll", () => picture.paintIfNeeded(), {passive: true});
		addEventListener("resize", () => {
			if (picture.width !== picture.frame.clientWidth)
				picture.place();
			picture.paintIfNeeded();
		});
		addEventListener("beforeprint", () => picture.paint(true));
		addEventListener("afterprint", () => picture.paint());
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => picture.paint());
	}

	document.querySelector("main").hidden = false;
	byId("canvas").setAttribute("aria-label", "Flame graph: " +
		`${countText(tree.count - 1)} boxes. The table of top functions has its numbers as text.`);
	listen();
	change();
	/* For tests, and for the console. */
	globalThis.flame = {tree, picture, zoomIn, zoomBack};
})();
