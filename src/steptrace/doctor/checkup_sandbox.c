// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether the sandbox of a process lets it read the clock. The begin and end calls of
 * usdt/steptrace.h make no system call. But they read the clock while a tracer is attached, and
 * this is what a sandbox may forbid:
 *
 *	Seccomp:	0	no sandbox (/proc/PID/task/TID/status, for each thread)
 *	Seccomp:	1	the strict mode: on x86, the kernel also forbids the instruction
 *				rdtsc, with which the vDSO reads the clock
 *	Seccomp:	2	a filter: the vDSO needs no system call where it can read
 *				the clock source
 *
 * The kernel does not show whether a process forbids rdtsc by itself (PR_SET_TSC).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/doctor/checkup.h"

#if defined(__x86_64__)
enum { STRICT_FORBIDS_CLOCK = 1 };
#else
enum { STRICT_FORBIDS_CLOCK = 0 };
#endif

enum seccomp_mode { SECCOMP_NONE = 0, SECCOMP_STRICT = 1, SECCOMP_FILTER = 2 };

static unsigned int mode_of_thread(pid_t pid, const char *tid)
{
	static const char name[] = "Seccomp:";
	unsigned long mode = SECCOMP_NONE;
	char path[320], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return SECCOMP_NONE;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, sizeof(name) - 1) == 0)
			mode = strtoul(line + sizeof(name) - 1, NULL, 10);
	fclose(file);
	return (unsigned int)mode;
}

/* How many threads of the process have this mode. */
static unsigned int count_threads(pid_t pid, enum seccomp_mode mode)
{
	unsigned int count = 0;
	struct dirent *entry;
	char path[64];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	if (!threads)
		return 0;
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			count += mode_of_thread(pid, entry->d_name) == mode;
	closedir(threads);
	return count;
}

static void read_clock_source(char *name, size_t bytes)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	FILE *file = fopen(path, "re");

	if (!file || !fgets(name, (int)bytes, file))
		snprintf(name, bytes, "unknown");
	name[strcspn(name, "\n")] = 0;
	if (file)
		fclose(file);
}

static bool vdso_reads(const char *clock_source)
{
	static const char *const names[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
					    "arch_sys_counter"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], clock_source) == 0)
			return true;
	return false;
}

void checkup__sandbox(struct findings *findings, const char *section, pid_t pid)
{
	unsigned int strict_count = STRICT_FORBIDS_CLOCK ? count_threads(pid, SECCOMP_STRICT) : 0;
	unsigned int filter_count = count_threads(pid, SECCOMP_FILTER);
	char clock_source[64];

	read_clock_source(clock_source, sizeof(clock_source));
	if (strict_count)
		findings__add(
			findings, section, "sandbox", VERDICT_WARN,
			"do not trace this process, or use a seccomp filter instead",
			"strict seccomp mode in %u thread%s: the kernel kills the process at its "
			"first begin or end call",
			strict_count, strict_count == 1 ? "" : "s");
	else if (filter_count && !vdso_reads(clock_source))
		findings__add(
			findings, section, "sandbox", VERDICT_WARN,
			"allow clock_gettime in the filter of the runner",
			"a seccomp filter, and the clock source '%s': reading the clock needs "
			"a system call",
			clock_source);
	else
		findings__add(findings, section, "sandbox", VERDICT_OK, NULL, "%s",
			      filter_count ? "a seccomp filter; begin and end calls make no system "
					     "call"
					   : "none");
}
