// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/confine/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/parse.h"
#include "steptrace/confine/caller_rights.h"

#define NOBODY 65534

/* Which capability is kept for what. */
static const struct capability {
	unsigned int number;
	const char *name, *purpose;
	bool if_multi, if_perf, if_child; /* for uprobe_multi links, the perf PMU, a command */
	bool essential;
} capabilities[] = {
	{CAP_BPF, "CAP_BPF", "load programs", true, true, false, true},
	{CAP_PERFMON, "CAP_PERFMON", "let the programs read memory", true, true, false, true},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "attach programs through the perf PMU", false, true, false,
	 true},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "read the mappings and memory of other users' processes",
	 true, true, false, false},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "read the binaries of other users", true, true,
	 false, false},
	{CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE",
	 "open mapped files through /proc/PID/map_files", true, true, false, false},
	{CAP_LEASE, "CAP_LEASE", "let writers of other users' binaries wait for the tracer", true,
	 true, false, false},
	{CAP_KILL, "CAP_KILL", "pass signals on to a command", false, false, true, false},
};

enum { CAPABILITIES_COUNT = sizeof(capabilities) / sizeof(capabilities[0]) };

static bool is_held(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
}

bool privilege__holds(unsigned int capability)
{
	return capng_get_caps_process() == 0 && is_held(capability);
}

/* What is essential for recording. The kernel looks up /proc/self/fd/N for a link, and the root
 * directory may belong to root alone (mode 0700). */
static bool is_for_links(const struct capability *row)
{
	return row->essential || row->number == CAP_DAC_READ_SEARCH;
}

/* What is for finding processes and their binaries, and for reading memory. */
static bool is_for_memory(const struct capability *row)
{
	return row->number == CAP_SYS_PTRACE || row->number == CAP_DAC_READ_SEARCH ||
	       row->number == CAP_CHECKPOINT_RESTORE;
}

static bool is_needed(const struct capability *row, const struct privilege_needs *needs)
{
	if (needs->reads_stacks && row->number == CAP_SYS_ADMIN)
		return true;
	if (needs->only_links && !is_for_links(row))
		return false;
	if (needs->only_memory && !is_for_memory(row))
		return needs->reads_maps && row->number == CAP_BPF;
	return (row->if_multi && !needs->perf_links) || (row->if_perf && needs->perf_links) ||
	       (row->if_child && needs->signals_child);
}

/* Selects the set to keep in the state of libcap-ng. The process is not changed yet. */
static int choose(const struct privilege_needs *needs)
{
	bool held[CAPABILITIES_COUNT];

	if (capng_get_caps_process())
		return -EPERM;
	for (int i = 0; i < CAPABILITIES_COUNT; i++)
		held[i] = is_held(capabilities[i].number);
	capng_clear(CAPNG_SELECT_ALL);
	for (int i = 0; i < CAPABILITIES_COUNT; i++)
		if (held[i] && is_needed(&capabilities[i], needs))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     capabilities[i].number);
	return 0;
}

/* The user or group that ran sudo. The caller can set the variable to any number. This is harmless:
 * the function never returns the id 0. */
static uint32_t id_from(const char *variable)
{
	const char *text = secure_getenv(variable);
	uint64_t id;

	return text && parse__u64(text, 1, UINT32_MAX - 1, &id) == 0 ? (uint32_t)id : NOBODY;
}

/* A program with the set-user-ID bit becomes its caller again, any other one the user of sudo or
 * nobody. */
uid_t privilege__later_uid(void)
{
	return getuid() ? getuid() : id_from("SUDO_UID");
}

static gid_t later_gid(void)
{
	return getuid() ? getgid() : id_from("SUDO_GID");
}

static bool has_root(void)
{
	uid_t real = 0, effective = 0, saved = 0;

	return getresuid(&real, &effective, &saved) || !real || !effective || !saved;
}

/* In a user namespace without this user or group (EINVAL), or without the right to change
 * (EPERM), the id stays as it is. */
static int leave_root(const struct privilege_needs *needs)
{
	uid_t uid = privilege__later_uid();
	gid_t gid = later_gid();

	if (!has_root())
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1))
		return -errno;
	if (setgroups(needs->groups_count, needs->groups) && errno != EPERM)
		return -errno;
	if (setresgid(gid, gid, gid) && errno != EINVAL && errno != EPERM)
		return -errno;
	if (setresuid(uid, uid, uid) && errno != EINVAL && errno != EPERM)
		return -errno;
	return 0;
}

static int drop(const struct privilege_needs *needs)
{
	bool may_drop_bounds;
	int code = choose(needs);

	if (code)
		return code;
	may_drop_bounds = prctl(PR_CAPBSET_READ, CAP_SETPCAP) == 1 && geteuid() == 0;
	if (may_drop_bounds && capng_apply(CAPNG_SELECT_BOUNDS))
		return -EPERM;
	code = leave_root(needs);
	if (code)
		return code;
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int privilege__drop(const struct privilege_needs *needs, struct error *err)
{
	int code = drop(needs);

	return code ? error__set(err, code, "cannot drop privileges: %s", strerror(-code)) : 0;
}

int privilege__drop_all(const struct privilege_needs *needs)
{
	int code = drop(needs);

	return code ? code : caller_rights__drop_capabilities();
}

/* ---- a look ahead */

struct look_ahead {
	int code;
	struct error err;
};

_Noreturn static void look_ahead(struct look_ahead *result,
				 int (*check)(const void *context, struct error *err),
				 const void *context, gid_t group)
{
	const struct privilege_needs needs = {.groups = {group},
					      .groups_count = group != (gid_t)-1};

	result->code = privilege__drop_all(&needs);
	if (!result->code)
		result->code = check(context, &result->err);
	_exit(0);
}

int privilege__check_later(int (*check)(const void *context, struct error *err),
			   const void *context, gid_t group, struct error *err)
{
	struct look_ahead *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int code;

	if (result == MAP_FAILED)
		return error__set(err, -ENOMEM, "out of memory");
	result->code = -EAGAIN;
	child = fork();
	if (child == 0)
		look_ahead(result, check, context, group);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	code = result->code;
	if (code)
		error__set(err, code, "%s",
			   result->err.text[0]
				   ? result->err.text
				   : "cannot check what steptrace may open without root");
	munmap(result, sizeof(*result));
	return code;
}

/* ---- what is missing */

static void own_path(char path[256])
{
	ssize_t bytes = readlink("/proc/self/exe", path, 255);

	path[bytes > 0 ? bytes : 0] = 0;
}

bool privilege__missing(char *text, size_t bytes)
{
	bool lacks_bpf, lacks_perfmon;
	char path[256];

	capng_get_caps_process();
	lacks_bpf = !is_held(CAP_BPF) && !is_held(CAP_SYS_ADMIN);
	lacks_perfmon = !is_held(CAP_PERFMON) && !is_held(CAP_SYS_ADMIN);
	if (!lacks_bpf && !lacks_perfmon)
		return false;
	own_path(path);
	snprintf(text, bytes,
		 "missing: %s%s%s (run it with sudo, or grant them once: sudo setcap cap_bpf,"
		 "cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_checkpoint_restore,"
		 "cap_lease+ep %s; kernels before 6.6 also need cap_sys_admin)",
		 lacks_bpf ? "CAP_BPF" : "", lacks_bpf && lacks_perfmon ? " and " : "",
		 lacks_perfmon ? "CAP_PERFMON" : "", path);
	return true;
}

size_t privilege__list(bool perf_links, struct privilege_state rows[PRIVILEGES_MAX])
{
	const struct privilege_needs needs = {.perf_links = perf_links};
	size_t count = 0;

	_Static_assert((int)CAPABILITIES_COUNT <= (int)PRIVILEGES_MAX, "too many rows");
	capng_get_caps_process();
	for (int i = 0; i < CAPABILITIES_COUNT; i++)
		if (is_needed(&capabilities[i], &needs))
			rows[count++] = (struct privilege_state){
				capabilities[i].name, capabilities[i].purpose,
				is_held(capabilities[i].number), capabilities[i].essential};
	return count;
}
