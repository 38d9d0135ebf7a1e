// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/detachers.h"

#include <sys/wait.h>

#include "steptrace/attach/attach_child.h"

bool detachers__reap(struct detachers *detachers)
{
	bool runs = false;

	for (int i = 0; i < DETACHERS_MAX; i++) {
		if (detachers->pids[i] > 0 && waitpid(detachers->pids[i], NULL, WNOHANG) != 0)
			detachers->pids[i] = 0;
		runs = runs || detachers->pids[i];
	}
	return runs;
}

void detachers__add(struct detachers *detachers, pid_t child)
{
	int at = 0;

	detachers__reap(detachers);
	while (at < DETACHERS_MAX - 1 && detachers->pids[at])
		at++;
	attach_child__await(detachers->pids[at]);
	detachers->pids[at] = child;
}

void detachers__await_all(struct detachers *detachers)
{
	for (int i = 0; i < DETACHERS_MAX; i++) {
		attach_child__await(detachers->pids[i]);
		detachers->pids[i] = 0;
	}
}
