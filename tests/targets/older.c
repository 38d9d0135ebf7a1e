// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that was built with another version of the header. It fires one command with one step.
 *
 *	older oldest	the spans end before the last text field of the first header, at an
 *			unreadable page
 *	older older	the spans end where those of the first header ended, at an unreadable page
 *	older close	the same, but the memory behind them can be read and is not 0
 *	older newer	the spans claim to be longer than those that this tracer knows
 *	older alien	the spans have a layout that this tracer does not know
 *	older nowhere	fires step__done with a pointer to unmapped memory
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <steptrace.h>

/* `bytes` bytes at the end of readable memory. */
static void *at_the_edge(size_t bytes)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + 4096, 4096, PROT_NONE))
		return NULL;
	return pages + 4096 - bytes;
}

/* `bytes` bytes with others behind them. */
static void *amid_others(size_t bytes)
{
	static char memory[2][4096];
	static int count;
	char *place = memory[count++ % 2];

	memset(place, 0x7f, sizeof(memory[0]));
	return bytes <= sizeof(memory[0]) ? place : NULL;
}

static void fire(size_t command_bytes, size_t step_bytes, uint16_t longer, uint8_t layout,
		 void *(*place)(size_t bytes))
{
	struct steptrace_command_span command = {.head = {.kind = STEPTRACE_SPAN_COMMAND}};
	struct steptrace_step_span step = {.head = {.kind = STEPTRACE_SPAN_STEP}};
	void *command_edge = place(command_bytes);
	void *step_edge = place(step_bytes);

	command.head.size_bytes = (uint16_t)(command_bytes + longer);
	command.head.layout = step.head.layout = layout;
	command.head.execution_id[0] = step.head.execution_id[0] = 0x4000000000000001;
	command.head.execution_id[1] = step.head.execution_id[1] = (uint64_t)getpid() << 8 | 0x80;
	command.steps_successful = 1;
	command.outcome = STEPTRACE_SUCCESS;
	strcpy(command.slug, "older.command");
	step.head.size_bytes = (uint16_t)(step_bytes + longer);
	step.head.start_ns = 1000;
	step.head.end_ns = 3000;
	step.owner.command = (uint64_t)(uintptr_t)command_edge;
	step.outcome = STEPTRACE_SUCCESS;
	step.step_id[0] = 7;
	strcpy(step.type, "OlderStep");
	strcpy(step.name, "unknown to it");
	memcpy(command_edge, &command, command_bytes);
	memcpy(step_edge, &step, step_bytes);
	steptrace_probe_command__start(command_edge);
	steptrace_probe_step__done(step_edge);
	steptrace_probe_command__done(command_edge);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t command_bytes, step_bytes;
		uint16_t longer;
		uint8_t layout;
		void *(*place)(size_t bytes);
	} rows[] = {
		{"oldest", offsetof(struct steptrace_command_span, correlation_id),
		 offsetof(struct steptrace_step_span, name), 0, STEPTRACE_LAYOUT, at_the_edge},
		{"older", offsetof(struct steptrace_command_span, steps_aborted),
		 offsetof(struct steptrace_step_span, suspended_ns), 0, STEPTRACE_LAYOUT,
		 at_the_edge},
		{"close", offsetof(struct steptrace_command_span, steps_aborted),
		 offsetof(struct steptrace_step_span, suspended_ns), 0, STEPTRACE_LAYOUT,
		 amid_others},
		{"newer", sizeof(struct steptrace_command_span), sizeof(struct steptrace_step_span),
		 64, STEPTRACE_LAYOUT, at_the_edge},
		{"alien", sizeof(struct steptrace_command_span), sizeof(struct steptrace_step_span),
		 0, 99, at_the_edge},
	};
	const char *what = argc > 1 ? argv[1] : "older";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(what, rows[i].name) == 0)
			fire(rows[i].command_bytes, rows[i].step_bytes, rows[i].longer,
			     rows[i].layout, rows[i].place);
	if (strcmp(what, "nowhere") == 0)
		steptrace_probe_step__done((const void *)16);
	return 0;
}
