/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as the BPF program writes them into the ring buffer, with the spans of one small
 * execution. A test changes the fields that it tests and keeps the others.
 *
 *	struct step_span step = records__step();
 *	struct record_bytes bytes = records__plain(PROBE_STEP_DONE, &step, sizeof(step));
 */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "steptrace/record.h"

struct record_bytes {
	_Alignas(8) uint8_t bytes[2048];
	size_t size_bytes;
};

enum { RECORD_PID = 4711, RECORD_TID = 4712, RECORD_CPU = 3 };

static const uint64_t record_time_ns = 5000000000;

/* An id of 16 bytes: first, first + 1, ... */
static inline void records__id(uint8_t id[16], uint8_t first)
{
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t)(first + i);
}

static inline struct span_head records__head(size_t bytes, uint8_t kind)
{
	struct span_head head = {.size_bytes = (uint16_t)bytes, .layout = 1, .kind = kind};

	records__id(head.execution_id, 0x10);
	return head;
}

static inline struct steptrace_process records__process(void)
{
	return (struct steptrace_process){
		.cgroup_id = 99, .uid = 1000, .gid = 1001, .comm = "runner"};
}

static inline struct command_span records__command(void)
{
	struct command_span span = {
		.head = records__head(sizeof(span), 1),
		.announced_ns = 4000000000,
		.arguments_count = 2,
		.slug = "fragment.update",
		.user_id = "local-default",
		.request_source = "api",
		.correlation_id = "request-7",
	};

	return span;
}

static inline struct command_span records__command_done(uint64_t steps_successful)
{
	struct command_span span = records__command();

	span.head.start_ns = 4000000100;
	span.head.end_ns = 5250800100;
	span.steps_successful = steps_successful;
	span.outcome = 1;
	return span;
}

static inline struct step_span records__step(void)
{
	struct step_span span = {
		.child.head = records__head(sizeof(span), 2),
		.child.command_announced_ns = 4000000000,
		.fragment_id = 123,
		.mutations_count = 3,
		.index = 1,
		.outcome = 1,
		.type = "DatabaseUpdateStep",
		.name = "set-title",
	};

	span.child.head.flags = 1 << 2; /* fragment_id is set */
	span.child.head.start_ns = 4000001000;
	span.child.head.end_ns = 4045201000;
	records__id(span.step_id, 0x20);
	return span;
}

static inline struct tool_span records__tool(void)
{
	struct tool_span span = {
		.child.head = records__head(sizeof(span), 3),
		.outcome = 1,
		.slug = "shell",
	};

	span.child.head.start_ns = 4000002000;
	span.child.head.end_ns = 4000002500;
	records__id(span.step_id, 0x20);
	records__id(span.invocation_id, 0x30);
	return span;
}

static inline struct fragment_span records__fragment(void)
{
	struct fragment_span span = {
		.child.head = records__head(sizeof(span), 4),
		.fragment_id = 123,
		.operation = 2,
	};

	records__id(span.step_id, 0x20);
	return span;
}

static inline struct rejected_span records__rejected(void)
{
	struct rejected_span span = {
		.head = records__head(sizeof(span), 5),
		.slug = "fragment.update",
		.user_id = "local-default",
		.request_source = "api",
		.correlation_id = "request-8",
		.reason = "invalid_argument",
		.invalid_fields = "title,,body",
	};

	return span;
}

static inline void records__append(struct record_bytes *to, const void *bytes, size_t count)
{
	memcpy(to->bytes + to->size_bytes, bytes, count);
	to->size_bytes += count;
}

static inline void records__open(struct record_bytes *to, unsigned int probe, uint8_t flags)
{
	struct steptrace_record record = {.time_ns = record_time_ns,
					  .pid = RECORD_PID,
					  .tid = RECORD_TID,
					  .cpu = RECORD_CPU,
					  .probe = (uint8_t)probe,
					  .flags = flags};

	memset(to, 0, sizeof(*to));
	records__append(to, &record, sizeof(record));
}

/* header | span */
static inline struct record_bytes records__plain(unsigned int probe, const void *span, size_t bytes)
{
	struct record_bytes made;

	records__open(&made, probe, 0);
	records__append(&made, span, bytes);
	return made;
}

/* The same record with another capture time. */
static inline struct record_bytes records__at(struct record_bytes made, uint64_t time_ns)
{
	memcpy(made.bytes + offsetof(struct steptrace_record, time_ns), &time_ns, sizeof(time_ns));
	return made;
}

/* The same record with the breakdown of its span behind it. */
static inline struct record_bytes records__measured(struct record_bytes made,
						    const struct steptrace_cpu *cpu)
{
	made.bytes[offsetof(struct steptrace_record, flags)] |= RECORD_HAS_CPU;
	records__append(&made, cpu, sizeof(*cpu));
	return made;
}

/* The same record of another process. */
static inline struct record_bytes records__from(struct record_bytes made, uint32_t pid)
{
	memcpy(made.bytes + offsetof(struct steptrace_record, pid), &pid, sizeof(pid));
	return made;
}

/* header | process | span */
static inline struct record_bytes records__introducing(unsigned int probe, const void *span,
						       size_t bytes)
{
	struct steptrace_process process = records__process();
	struct record_bytes made;

	records__open(&made, probe, 0);
	records__append(&made, &process, sizeof(process));
	records__append(&made, span, bytes);
	return made;
}

/* header | span | process | command span */
static inline struct record_bytes records__with_context(unsigned int probe, const void *span,
							size_t bytes,
							const struct command_span *command)
{
	struct steptrace_process process = records__process();
	struct record_bytes made;

	records__open(&made, probe, RECORD_HAS_CONTEXT);
	records__append(&made, span, bytes);
	records__append(&made, &process, sizeof(process));
	records__append(&made, command, sizeof(*command));
	return made;
}

#endif
