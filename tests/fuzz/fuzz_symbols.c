// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the symbols of steptrace profile are read from, except the files that libdw reads: perf
 * maps, /proc/PID/status, /proc/kallsyms, the messages between the tracer and its child, and stacks
 * with rules. The first byte says which.
 *
 * links: src/steptrace/symbols/perf_map.c src/steptrace/symbols/function_table.c
 * links: src/steptrace/symbols/owner.c src/steptrace/symbols/kernel_symbols.c
 * links: src/steptrace/symbols/helper_message.c src/steptrace/symbols/unwind_rule.c
 * links: src/steptrace/symbols/unwind.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/symbols/helper_message.h"
#include "steptrace/symbols/kernel_symbols.h"
#include "steptrace/symbols/owner.h"
#include "steptrace/symbols/perf_map.h"
#include "steptrace/symbols/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void try_perf_map(const uint8_t *data, size_t size)
{
	struct perf_map map = {0};
	char *copy = malloc(size + 1);

	memcpy(copy, data, size);
	copy[size] = 0;
	if (perf_map__parse(&map, copy, size) == 0)
		for (size_t i = 0; i < map.functions.count; i++) {
			const struct function *function = &map.functions.items[i];

			require(function->start < function->end && function->name[0]);
			require(!strchr(function->name, '\n'));
			require(i == 0 || function[-1].start < function->start);
			require(function_table__find(&map.functions, function->start) == function);
		}
	perf_map__free(&map);
}

static FILE *text_file(const uint8_t *data, size_t size)
{
	return size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
}

static void try_status(const uint8_t *data, size_t size)
{
	FILE *status = text_file(data, size);
	struct owner owner;

	if (!status)
		return;
	require(owner__parse(&owner, status) == owner.is_known);
	require(owner.groups_count <= OWNER_GROUPS_MAX);
	require(!owner.reads_all || (owner.uid == 0 && owner.has_one_uid));
	fclose(status);
}

static void try_kernel(const uint8_t *data, size_t size)
{
	struct kernel_symbols symbols = {0};
	FILE *list = text_file(data, size);

	if (!list)
		return;
	require(kernel_symbols__read(&symbols, list) == 0);
	for (size_t i = 0; i < symbols.count; i++) {
		const struct kernel_symbol *found =
			kernel_symbols__find(&symbols, symbols.items[i].address);

		require(found && found->address == symbols.items[i].address);
		require(strlen(kernel_symbols__name(&symbols, found)) < size);
		require(strlen(kernel_symbols__module(&symbols, found)) < size + 9);
	}
	require(!symbols.is_hidden || symbols.count == 0);
	kernel_symbols__free(&symbols);
	fclose(list);
}

/* As the tracer takes the texts of an answer. */
static void walk_texts(const struct helper_answer *answer, size_t bytes, size_t count)
{
	const uint8_t *at = answer->texts;
	uint16_t length;

	for (; count > 0; count--) {
		memcpy(&length, at, sizeof(length));
		at += sizeof(length) + length;
	}
	require(at == (const uint8_t *)answer + bytes);
}

static void try_messages(const uint8_t *data, size_t size)
{
	static struct helper_question question;
	static struct helper_answer answer;
	size_t bytes = size < sizeof(question) ? size : sizeof(question);

	memset(&question, 0, sizeof(question));
	memcpy(&question, data, bytes);
	if (helper_question__is_valid(&question, size))
		require(question.places_count <= HELPER_PLACES_MAX &&
			question.file < HELPER_FILES_MAX);
	question.kind = size ? data[0] : 0;
	question.places_count %= HELPER_PLACES_MAX;
	bytes = size < sizeof(answer) ? size : sizeof(answer);
	memset(&answer, 0, sizeof(answer));
	memcpy(&answer, data, bytes);
	if (!helper_answer__is_valid(&answer, bytes, &question))
		return;
	if (answer.kind == HELPER_NAMES && answer.code == 0)
		walk_texts(&answer, bytes, question.places_count);
}

struct rules {
	const uint8_t *bytes;
	size_t count;
	struct unwind_rule rule;
};

/* Any bytes that are a valid rule. */
static const struct unwind_rule *find_rule(void *context, uint64_t address)
{
	struct rules *rules = context;
	size_t at = rules->count ? address % rules->count : 0;
	size_t bytes = rules->count - at;

	if (address % 13 == 0)
		return NULL;
	memset(&rules->rule, 0, sizeof(rules->rule));
	memcpy(&rules->rule, rules->bytes + at,
	       bytes < sizeof(rules->rule) ? bytes : sizeof(rules->rule));
	return unwind_rule__is_valid(&rules->rule) ? &rules->rule : NULL;
}

static void try_stack(const uint8_t *data, size_t size)
{
	struct rules rules = {data, size, {0}};
	struct stack_registers registers = {0};
	size_t bytes = size < sizeof(registers) ? size : sizeof(registers), count;
	uint64_t addresses[STACK_FRAMES_MAX];
	uint8_t *copy = malloc(size + 1);
	bool is_cut;

	memcpy(copy, data, size);
	memcpy(&registers, data, bytes);
	count = unwind__walk(&registers, copy, size, find_rule, &rules, addresses, STACK_FRAMES_MAX,
			     &is_cut);
	require(count >= 1 && count <= STACK_FRAMES_MAX);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *data, size_t size) = {
		try_perf_map, try_status, try_kernel, try_messages, try_stack,
	};

	if (size > 0)
		tries[data[0] % (sizeof(tries) / sizeof(tries[0]))](data + 1, size - 1);
	return 0;
}
