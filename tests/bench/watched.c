// SPDX-License-Identifier: BSD-2-Clause
#include "watched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take(struct watched *watched, const char *line)
{
	unsigned long long changed_ns;

	if (sscanf(line, "semaphore %u %llu", &watched->semaphore, &changed_ns) == 2)
		watched->changed_ns = changed_ns;
}

void watched__start(struct watched *watched)
{
	const char *const argv[] = {program__path("../watched"), NULL};

	memset(watched, 0, sizeof(*watched));
	program__start(&watched->program, argv, 1);
	if (!program__await(&watched->program, "ready")) {
		fprintf(stderr, "bench: %s does not start\n", argv[0]);
		exit(1);
	}
}

void watched__end(struct watched *watched)
{
	program__end(&watched->program, 0);
}

bool watched__reaches(struct watched *watched, unsigned int count, int patience_ms)
{
	const char *line;

	while (watched->semaphore != count) {
		line = program__line(&watched->program, patience_ms);
		if (!line)
			return false;
		take(watched, line);
	}
	return true;
}
