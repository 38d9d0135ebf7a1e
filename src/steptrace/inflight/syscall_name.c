// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/syscall_name.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

void syscall_name__write(long number, char name[SYSCALL_NAME_BYTES])
{
	char *known;

	name[0] = 0;
	if (number < 0)
		return;
	known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
	if (known)
		snprintf(name, SYSCALL_NAME_BYTES, "%s", known);
	else
		snprintf(name, SYSCALL_NAME_BYTES, "system call %ld", number);
	free(known);
}
