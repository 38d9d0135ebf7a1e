// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/mapped_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/process_maps.h"

/* The path that the process shows for the mapping, below its root directory; "" for none. */
static void guess_path(const struct steptrace_mapping *wanted, char path[PATH_MAX])
{
	struct process_mapping mapping;
	struct process_maps maps;
	int length;

	path[0] = 0;
	if (process_maps__open(&maps, (pid_t)wanted->tid))
		return;
	while (process_maps__next(&maps, &mapping)) {
		if (mapping.start != wanted->start || mapping.untrusted_path[0] != '/')
			continue;
		length = snprintf(path, PATH_MAX, "/proc/%u/root%s", wanted->tid,
				  mapping.untrusted_path);
		if (length >= PATH_MAX)
			path[0] = 0;
		break;
	}
	process_maps__close(&maps);
}

/* Opens `path`; -ESTALE where it leads to another file than `file`. */
static int open_as(struct capture *capture, const char *path, const char *name,
		   const struct steptrace_file *file, struct binary **binary, struct error *err)
{
	struct steptrace_file found;
	int code = binary__open(path, name, binary, err);

	if (code)
		return code;
	code = capture__identify(capture, (*binary)->fd, &found);
	if (!code && memcmp(&found, file, sizeof(found)) == 0)
		return 0;
	binary__close(*binary);
	*binary = NULL;
	if (code)
		return error__set(err, code, "cannot map '%s': %s", name, strerror(-code));
	return error__set(err, -ESTALE, "'%s' is not the file that the process runs", name);
}

static bool was_read(int code)
{
	return code == 0 || code == -ENOEXEC || code == -EBADMSG;
}

int mapped_file__open(struct capture *capture, const struct steptrace_mapping *mapping,
		      struct binary **binary, struct error *err)
{
	char path[PATH_MAX], name[PATH_MAX];
	int code;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", mapping->tid,
		 (unsigned long long)mapping->start, (unsigned long long)mapping->end);
	binary__link_text(path, name);
	code = open_as(capture, path, name, &mapping->file, binary, err);
	if (was_read(code))
		return code;
	snprintf(path, sizeof(path), "/proc/%u/exe", mapping->tid);
	binary__link_text(path, name);
	code = open_as(capture, path, name, &mapping->file, binary, err);
	if (code == 0)
		return 0;
	guess_path(mapping, path);
	if (!path[0])
		return code == -ENOEXEC || code == -EBADMSG ? -EACCES : code;
	return open_as(capture, path, strstr(path, "/root/") + 5, &mapping->file, binary, err);
}

int mapped_file__open_program(struct capture *capture, const struct process_exec *exec,
			      struct binary **binary, struct steptrace_file *file,
			      struct error *err)
{
	char path[64], name[PATH_MAX];
	int code;

	snprintf(path, sizeof(path), "/proc/%u/exe", exec->record.pid);
	binary__link_text(path, name);
	code = binary__open(path, name, binary, err);
	if (code == -ENOENT && exec->path[0] == '/') {
		*file = exec->file;
		return open_as(capture, exec->path, exec->path, file, binary, err);
	}
	if (code)
		return code;
	code = capture__identify(capture, (*binary)->fd, file);
	if (code) {
		binary__close(*binary);
		return error__set(err, code, "cannot map '%s': %s", name, strerror(-code));
	}
	return 0;
}
