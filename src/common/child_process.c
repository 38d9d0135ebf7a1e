// SPDX-License-Identifier: BSD-2-Clause
#include "common/child_process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ascending(const void *one, const void *other)
{
	int first = *(const int *)one, second = *(const int *)other;

	return (first > second) - (first < second);
}

int child_process__close_others(const int *kept, size_t count)
{
	int sorted[KEPT_FDS_MAX], from = 0;

	if (count > KEPT_FDS_MAX)
		return -EINVAL;
	memcpy(sorted, kept, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), ascending);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i] > from && syscall(SYS_close_range, from, sorted[i] - 1, 0))
			return -errno;
		if (sorted[i] >= from)
			from = sorted[i] + 1;
	}
	return syscall(SYS_close_range, from, UINT_MAX, 0) ? -errno : 0;
}

void child_process__block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

bool child_process__end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent;
}
