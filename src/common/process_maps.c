// SPDX-License-Identifier: BSD-2-Clause
#include "common/process_maps.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* 0 or negative errno; -ENOENT: the thread has no memory any more. */
static int check_memory(pid_t tid)
{
	char path[32], unused;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	return readlink(path, &unused, 1) < 0 ? -errno : 0;
}

pid_t process_maps__thread(pid_t pid)
{
	struct dirent *entry;
	pid_t found = pid;
	char path[32];
	DIR *threads;

	if (check_memory(pid) != -ENOENT)
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && found == pid && (entry = readdir(threads))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && check_memory(tid) == 0)
			found = tid;
	}
	if (threads)
		closedir(threads);
	return found;
}

int process_maps__open(struct process_maps *maps, pid_t pid)
{
	char path[32] = "/proc/self/maps"; /* our pid may be another one in this /proc */

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps->file = fopen(path, "re");
	return maps->file ? 0 : -errno;
}

/* Reads up to the end of the line. Returns whether there is a line; `*is_whole`: it fits. */
static bool read_line(struct process_maps *maps, bool *is_whole)
{
	char *end;
	int byte;

	if (!fgets(maps->line, sizeof(maps->line), maps->file))
		return false;
	end = strchr(maps->line, '\n');
	*is_whole = end != NULL;
	if (end)
		*end = 0;
	for (byte = 0; !end && byte != '\n' && byte != EOF;)
		byte = fgetc(maps->file);
	return true;
}

static bool parse_line(const char *line, struct process_mapping *mapping)
{
	unsigned int major, minor;
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &mapping->start, &mapping->end, mapping->permissions, &mapping->file_offset,
		   &major, &minor, &mapping->inode, &path_at) != 7 ||
	    path_at == 0)
		return false;
	mapping->device = makedev(major, minor);
	mapping->untrusted_path = line + path_at;
	return true;
}

bool process_maps__next(struct process_maps *maps, struct process_mapping *mapping)
{
	bool is_whole;

	while (read_line(maps, &is_whole)) {
		if (!parse_line(maps->line, mapping))
			continue;
		if (!is_whole)
			mapping->untrusted_path = "";
		return true;
	}
	return false;
}

void process_maps__close(struct process_maps *maps)
{
	fclose(maps->file);
	maps->file = NULL;
}
