// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/owner.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

/* What is in the line after its name, or NULL: it is another line. */
static const char *after(const char *line, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(line, name, bytes) == 0 ? line + bytes : NULL;
}

/* The next number of the list. False: there is none. */
static bool next_number(const char **text, int base, unsigned long long *number)
{
	char *end;

	*number = strtoull(*text, &end, base);
	if (end == *text)
		return false;
	*text = end;
	return true;
}

/* "Uid:	1000	1000	1000	1000". False: there are not four numbers. */
static bool parse_ids(const char *text, uint32_t *id, bool *has_one)
{
	unsigned long long number;

	*has_one = true;
	for (int i = 0; i < 4; i++) {
		if (!next_number(&text, 10, &number))
			return false;
		if (i == 0)
			*id = (uint32_t)number;
		*has_one &= number == *id;
	}
	return true;
}

static void parse_groups(struct owner *owner, const char *text)
{
	unsigned long long number;

	while (owner->groups_count < OWNER_GROUPS_MAX && next_number(&text, 10, &number))
		owner->groups[owner->groups_count++] = (gid_t)number;
}

/* "NSpid:	4711	7": the last number is that of the innermost namespace. */
static void parse_inner_pid(struct owner *owner, const char *text)
{
	unsigned long long number;

	while (next_number(&text, 10, &number))
		owner->inner_pid = (pid_t)number;
}

static void parse_capabilities(struct owner *owner, const char *text)
{
	const unsigned long long reading = 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH;
	unsigned long long number;

	owner->reads_all = next_number(&text, 16, &number) && number & reading;
}

bool owner__parse(struct owner *owner, FILE *status)
{
	bool has_uid = false, has_gid = false;
	char *line = NULL;
	const char *text;
	size_t room = 0;

	*owner = (struct owner){.is_known = false};
	while (getline(&line, &room, status) > 0) {
		if ((text = after(line, "Uid:")))
			has_uid = parse_ids(text, &owner->uid, &owner->has_one_uid);
		else if ((text = after(line, "Gid:")))
			has_gid = parse_ids(text, &owner->gid, &owner->has_one_gid);
		else if ((text = after(line, "Groups:")))
			parse_groups(owner, text);
		else if ((text = after(line, "NSpid:")))
			parse_inner_pid(owner, text);
		else if ((text = after(line, "CapEff:")))
			parse_capabilities(owner, text);
	}
	free(line);
	/* In a user namespace, the capabilities are those over the namespace alone. */
	owner->reads_all &= owner->uid == 0 && owner->has_one_uid;
	owner->is_known = has_uid && has_gid;
	return owner->is_known;
}

bool owner__read(struct owner *owner, pid_t pid)
{
	char path[32];
	FILE *status;
	bool is_read;

	*owner = (struct owner){.is_known = false};
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return false;
	is_read = owner__parse(owner, status);
	fclose(status);
	return is_read;
}

struct owner owner__anybody(const struct owner *owner)
{
	struct owner anybody = *owner;

	anybody.has_one_uid = anybody.has_one_gid = anybody.reads_all = false;
	return anybody;
}

static bool is_in_group(const struct owner *owner, gid_t group)
{
	if (owner->gid == group)
		return true;
	for (size_t i = 0; i < owner->groups_count; i++)
		if (owner->groups[i] == group)
			return true;
	return false;
}

/* As the kernel checks it: the bits of the owner count for the owner alone, even if those of the
 * others would allow more. A program with the rights of two users, such as sudo, may read what both
 * of them may: here that is what everybody may. */
bool owner__may_read(const struct owner *owner, const struct stat *file)
{
	const mode_t all = S_IRUSR | S_IRGRP | S_IROTH;

	if (!owner->is_known)
		return false;
	if (owner->reads_all)
		return true;
	if (!owner->has_one_uid || !owner->has_one_gid)
		return (file->st_mode & all) == all;
	if (file->st_uid == owner->uid)
		return file->st_mode & S_IRUSR;
	if (is_in_group(owner, file->st_gid))
		return file->st_mode & S_IRGRP;
	return file->st_mode & S_IROTH;
}

bool owner__wrote(const struct owner *owner, const struct stat *file)
{
	if (!owner->is_known || !owner->has_one_uid || file->st_uid != owner->uid)
		return false;
	if (file->st_mode & S_IWOTH)
		return false;
	return !(file->st_mode & S_IWGRP) || (owner->has_one_gid && file->st_gid == owner->gid);
}
