// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/confine/caller_rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel sets AT_SECURE when the execve of the program raised rights: not for root, and not for
 * ambient capabilities. */
bool caller_rights__are_fewer(void)
{
	return getauxval(AT_SECURE) != 0;
}

/* ---- capabilities of this thread */

typedef struct __user_cap_data_struct capability_sets[2];

static struct __user_cap_header_struct this_thread(void)
{
	return (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
}

static int read_sets(capability_sets sets)
{
	struct __user_cap_header_struct header = this_thread();

	return syscall(SYS_capget, &header, sets) ? -errno : 0;
}

static int write_sets(const capability_sets sets)
{
	struct __user_cap_header_struct header = this_thread();

	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

/* `effective` NULL: none. The permitted ones stay. */
static int set_effective(const uint32_t effective[2])
{
	capability_sets sets = {{0}};
	int code = read_sets(sets);

	for (int i = 0; i < 2; i++)
		sets[i].effective = effective ? effective[i] : 0;
	return code ? code : write_sets(sets);
}

int caller_rights__drop_capabilities(void)
{
	static const capability_sets none;

	return write_sets(none);
}

/* ---- taking turns */

static int save(struct caller_rights *saved)
{
	capability_sets sets = {{0}};
	int code = read_sets(sets);

	*saved = (struct caller_rights){.is_saved = true,
					.uid = geteuid(),
					.gid = getegid(),
					.effective = {sets[0].effective, sets[1].effective}};
	return code;
}

/* The group first: only the former user may change it. */
static int become_caller(const struct caller_rights *saved)
{
	if (saved->gid != getgid() && setegid(getgid()))
		return -errno;
	if (saved->uid != getuid() && seteuid(getuid()))
		return -errno;
	return set_effective(NULL);
}

int caller_rights__use(struct caller_rights *saved, struct error *err)
{
	int code;

	*saved = (struct caller_rights){.is_saved = false};
	if (!caller_rights__are_fewer())
		return 0;
	code = save(saved);
	if (!code)
		code = become_caller(saved);
	if (!code)
		return 0;
	caller_rights__end(saved);
	return error__set(err, code, "cannot use the rights of user %u: %s", getuid(),
			  strerror(-code));
}

/* When something cannot be restored, the program has fewer rights than before. Then what needs them
 * fails. */
void caller_rights__end(const struct caller_rights *saved)
{
	if (!saved->is_saved)
		return;
	if (saved->uid != geteuid() && seteuid(saved->uid))
		return;
	if (saved->gid != getegid() && setegid(saved->gid))
		return;
	set_effective(saved->effective);
}

/* Capabilities of the program are for tracing. What a command without them reads, its caller may
 * read. */
int caller_rights__leave_others(struct error *err)
{
	struct caller_rights former;
	int code = 0;

	if (!caller_rights__are_fewer())
		return 0;
	code = caller_rights__use(&former, err);
	return code ? code : caller_rights__drop_capabilities();
}
