// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/container.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static size_t digits_count(const char *text, size_t bytes)
{
	size_t count = 0;

	while (count < bytes && text[count] && strchr("0123456789abcdef", text[count]))
		count++;
	return count;
}

/* The process that supervises a container is in a cgroup beside it: "libpod-conmon-ID.scope". */
static bool is_supervisor(const char *name, size_t bytes)
{
	return memmem(name, bytes, "-conmon-", strlen("-conmon-")) != NULL;
}

/* "ID", "docker-ID.scope", "kubepods-podUID.slice:cri-containerd:ID" */
static void take_id(const char *name, size_t bytes, struct container *container)
{
	static const char suffix[] = ".scope";
	const size_t suffix_bytes = sizeof(suffix) - 1;
	const char *digits;

	if (bytes > suffix_bytes && memcmp(name + bytes - suffix_bytes, suffix, suffix_bytes) == 0)
		bytes -= suffix_bytes;
	if (bytes < CONTAINER_ID_DIGITS || is_supervisor(name, bytes))
		return;
	digits = name + bytes - CONTAINER_ID_DIGITS;
	if (digits_count(digits, CONTAINER_ID_DIGITS) != CONTAINER_ID_DIGITS ||
	    (digits > name && digits[-1] != '-' && digits[-1] != ':'))
		return;
	memcpy(container->id, digits, CONTAINER_ID_DIGITS);
	container->id[CONTAINER_ID_DIGITS] = 0;
}

static bool is_uuid(const char *text, size_t bytes)
{
	static const size_t groups[] = {8, 4, 4, 4, 12};
	const char *end = text + bytes;

	for (size_t i = 0; i < 5; i++) {
		size_t left = (size_t)(end - text);

		if (digits_count(text, left < groups[i] ? left : groups[i]) != groups[i])
			return false;
		text += groups[i];
		if (i < 4 && (text == end || (*text != '-' && *text != '_')))
			return false;
		text += i < 4;
	}
	return text == end;
}

/* "podUID", "kubepods-burstable-podUID.slice" */
static void take_pod(const char *name, size_t bytes, struct container *container)
{
	static const char mark[] = "pod";
	const char *at = name, *end = memchr(name, '.', bytes);
	size_t count;

	end = end ? end : name + bytes;
	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark)))) {
		bool begins = at == name || at[-1] == '-';

		at += strlen(mark);
		count = (size_t)(end - at);
		if (begins && (is_uuid(at, count) || (count == 32 && digits_count(at, 32) == 32)))
			break;
	}
	if (!at)
		return;
	for (size_t i = 0; i < count; i++)
		container->pod_uid[i] = at[i] == '_' ? '-' : at[i];
	container->pod_uid[count] = 0;
}

void container__recognise(const char *cgroup_path, struct container *container)
{
	*container = (struct container){.id = ""};
	for (const char *name = cgroup_path; *name; name += strspn(name, "/")) {
		size_t bytes = strcspn(name, "/");

		take_id(name, bytes, container);
		take_pod(name, bytes, container);
		name += bytes;
	}
}
