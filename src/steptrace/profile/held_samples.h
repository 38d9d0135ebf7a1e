/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples that wait for the end of a span: only then is it known which command and step they belong
 * to. The number of samples is limited. Beyond the limit the oldest one is dropped.
 *
 *	thread 11	●  ●     ●   ●●	   ●		linked, the newest last
 *	thread 12	  ●   ●●   ●
 *
 * The samples of a thread come in the order of their times.
 */
#ifndef STEPTRACE_PROFILE_HELD_SAMPLES_H
#define STEPTRACE_PROFILE_HELD_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many samples fit into so many bytes. */
size_t held_samples__room(size_t bytes);

struct sample {
	uint64_t time_ns;    /* CLOCK_MONOTONIC */
	uint64_t blocked_ns; /* STACK_OFF_CPU: see steptrace/stack_record.h */
	uint64_t runnable_ns;
	uint32_t tid;
	uint32_t stack; /* the number of an interned stack */
	uint8_t kind;   /* enum stack_record_kind */
	uint8_t blocked_kind;
	uint8_t ticks; /* STACK_ON_CPU: periods that it stands for */
};

struct held_samples;

/* NULL: no memory. */
struct held_samples *held_samples__new(size_t limit);
void held_samples__free(struct held_samples *held);

/* 0 or -ENOMEM: it was not added. */
int held_samples__add(struct held_samples *held, const struct sample *sample);

/* Removes the samples of the thread from `begin_ns` to `end_ns`, both included, and gives each to
 * `take`, the newest first. */
void held_samples__take(struct held_samples *held, uint32_t tid, uint64_t begin_ns, uint64_t end_ns,
			void (*take)(void *context, const struct sample *sample), void *context);

/* How many wait, and how many were dropped because of the limit. */
uint64_t held_samples__count(const struct held_samples *held);
uint64_t held_samples__dropped(const struct held_samples *held);

#endif
