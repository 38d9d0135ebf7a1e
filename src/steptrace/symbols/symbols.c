// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/symbols/code_maps.h"
#include "steptrace/symbols/frames.h"
#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/kernel_symbols.h"
#include "steptrace/symbols/mapped.h"
#include "steptrace/symbols/modules.h"
#include "steptrace/symbols/rules.h"
#include "steptrace/symbols/unwind.h"

struct symbols {
	struct helper helper;
	struct kernel_symbols kernel;
	struct modules modules;
	uint32_t kernel_module;
	struct mapped mapped;
	struct code_maps processes;
	struct frames frames;
	struct symbol_names names;
	struct rules rules;
	struct symbols_troubles troubles;
};

/* ---- opening */

/* A kernel without the list, or a sandbox without the file, only has no names. */
static int read_kernel(struct symbols *symbols, struct error *err)
{
	FILE *list = fopen("/proc/kallsyms", "re");
	int code;

	symbols->troubles.kernel_hidden = true;
	if (!list)
		return 0;
	code = kernel_symbols__read(&symbols->kernel, list);
	fclose(list);
	symbols->troubles.kernel_hidden = symbols->kernel.count == 0;
	return code ? error__set(err, code, "cannot read /proc/kallsyms: %s", strerror(-code)) : 0;
}

/* The child is forked first: it needs no copy of the rest. */
static int start(struct symbols *symbols, struct error *err)
{
	int code = helper__start(&symbols->helper, err);

	if (!code)
		code = read_kernel(symbols, err);
	if (code)
		return code;
	symbols->mapped = (struct mapped){.modules = &symbols->modules,
					  .helper = &symbols->helper,
					  .troubles = &symbols->troubles};
	symbols->processes.mapped = &symbols->mapped;
	modules__init(&symbols->modules);
	symbols->kernel_module = modules__add(&symbols->modules, MODULE_KERNEL, "[kernel]", NULL);
	if (!symbols->kernel_module)
		return error__set(err, -ENOMEM, "out of memory");
	mapped__read_vdso(&symbols->mapped);
	return 0;
}

int symbols__open(struct symbols **out, struct error *err)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	int code;

	if (!symbols)
		return error__set(err, -ENOMEM, "out of memory");
	code = start(symbols, err);
	if (code)
		symbols__close(symbols);
	else
		*out = symbols;
	return code;
}

void symbols__close(struct symbols *symbols)
{
	if (!symbols)
		return;
	helper__close(&symbols->helper);
	code_maps__free(&symbols->processes);
	modules__free(&symbols->modules);
	frames__free(&symbols->frames);
	rules__free(&symbols->rules);
	symbol_names__free(&symbols->names);
	kernel_symbols__free(&symbols->kernel);
	free(symbols);
}

pid_t symbols__child(const struct symbols *symbols)
{
	return symbols->helper.keeper;
}

void symbols__look_at(struct symbols *symbols, pid_t pid)
{
	code_maps__look_at(&symbols->processes, pid);
}

void symbols__mapped(struct symbols *symbols, pid_t pid, const struct process_mapping *mapping)
{
	code_maps__mapped(&symbols->processes, pid, mapping);
}

void symbols__forget(struct symbols *symbols, pid_t pid)
{
	code_maps__forget(&symbols->processes, pid);
}

/* ---- unwinding */

struct unwinding {
	struct symbols *symbols;
	pid_t pid;
};

static const struct unwind_rule *find_rule(void *context, uint64_t address)
{
	const struct unwinding *unwinding = context;
	struct symbols *symbols = unwinding->symbols;
	struct code_place place;

	if (!code_maps__find(&symbols->processes, unwinding->pid, address, &place))
		return NULL;
	return rules__find(&symbols->rules, place.module, place.offset, &symbols->modules,
			   &symbols->helper, &symbols->troubles);
}

size_t symbols__unwind(struct symbols *symbols, pid_t pid, const struct stack_copy *copy,
		       uint64_t *addresses, size_t room, bool *is_cut)
{
	struct unwinding unwinding = {symbols, pid};

	if (room > STACK_FRAMES_MAX)
		room = STACK_FRAMES_MAX;
	return unwind__walk(&copy->registers, copy + 1, copy->bytes_count, find_rule, &unwinding,
			    addresses, room, is_cut);
}

/* ---- frames */

uint32_t symbols__frame(struct symbols *symbols, pid_t pid, uint64_t address, bool is_return)
{
	struct code_place place;

	if (!code_maps__find(&symbols->processes, pid, address - is_return, &place))
		return FRAME_UNKNOWN;
	return frames__number(&symbols->frames, place.module, place.offset);
}

uint32_t symbols__kernel_frame(struct symbols *symbols, uint64_t address, bool is_return)
{
	return frames__number(&symbols->frames, symbols->kernel_module, address - is_return);
}

void symbols__resolve(struct symbols *symbols)
{
	const struct frame_sources sources = {
		.modules = &symbols->modules,
		.helper = &symbols->helper,
		.kernel = &symbols->kernel,
		.names = &symbols->names,
		.troubles = &symbols->troubles,
	};

	frames__resolve(&symbols->frames, &sources);
}

uint32_t symbols__frames_count(const struct symbols *symbols)
{
	return symbols->frames.count ? (uint32_t)symbols->frames.count - 1 : 0;
}

const struct symbol_name *symbols__name(struct symbols *symbols, uint32_t frame)
{
	static const struct symbol_name unknown = {.function = "[unknown]", .module = "[unknown]"};
	const struct symbol_name *name = frames__name(&symbols->frames, frame);

	return name ? name : &unknown;
}

void symbols__troubles(const struct symbols *symbols, struct symbols_troubles *troubles)
{
	*troubles = symbols->troubles;
	troubles->children_lost = symbols->helper.lost;
	troubles->files_slow = symbols->modules.slow_count;
	troubles->time_used_up = symbols->modules.was_stopped;
}
