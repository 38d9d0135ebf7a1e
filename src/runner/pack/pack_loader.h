/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the pack loader: pack.c reads the files, pack_head.c the head of the manifest,
 * pack_steps.c its steps. Private to these files.
 *
 * Each part adds all problems that it finds, and goes on. What could not be read is left zero.
 */
#ifndef STEPTRACE_RUNNER_PACK_LOADER_H
#define STEPTRACE_RUNNER_PACK_LOADER_H

#include "runner/pack/pack_problem.h"
#include "runner/pack/pack_tree.h"

/* The pack that is being loaded, and where its problems go. */
struct loader {
	struct pack *pack;
	struct pack_problems *problems;
};

/* Adds a problem at the position of `node` in the manifest. If the manifest does not have the node,
 * the position is that of the file. */
void loader__complain(const struct loader *loader, enum pack_rule rule, const cJSON *node,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A member of a mapping. NULL: it is not there; the second one: not there, empty, or not text. */
const cJSON *loader__get(const cJSON *object, const char *key);
const char *loader__text(const cJSON *object, const char *key);

/* Reads name, slug, version, timeout, triggers and requires. */
void pack_head__read(const struct loader *loader);

/* Reads the steps. A step of an unknown type is read like a condition, because its type may be a
 * misspelt one. */
void pack_steps__read(const struct loader *loader);
void pack_steps__free(struct pack_steps *steps);

#endif
