// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void usage__open(struct usage *usage)
{
	usage->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void usage__close(struct usage *usage)
{
	if (usage->statm_fd >= 0)
		close(usage->statm_fd);
	usage->statm_fd = -1;
}

uint64_t usage__cpu_ns(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

void usage__memory(const struct usage *usage, uint64_t *all_bytes, uint64_t *own_bytes)
{
	unsigned long long resident = 0, shared = 0;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[128] = "";

	*all_bytes = *own_bytes = 0;
	if (usage->statm_fd < 0 || pread(usage->statm_fd, text, sizeof(text) - 1, 0) <= 0)
		return;
	if (sscanf(text, "%*u %llu %llu", &resident, &shared) != 2 || shared > resident)
		return;
	*all_bytes = resident * page;
	*own_bytes = (resident - shared) * page;
}
