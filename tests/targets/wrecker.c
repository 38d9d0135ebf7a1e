// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner whose memory and files are hard to read for steptrace profile. It reads one order from
 * each line of stdin and carries it out.
 *
 *	load FILE OFFSET	maps the page of FILE at OFFSET, and writes machine code into the
 *				copy that the process has; prints "at ADDRESS"
 *	load - 0		the same in memory without a file
 *	map FOLDER		maps the first page of every file there as code; prints "mapped N"
 *	become UID		gives up root
 *	spin MS			a step that computes below the machine code, for MS of processor
 *				time, in the function spin_below
 *	unload			unmaps the code, and maps other memory there
 *	wreck MS		a step that unmaps the machine code while it computes
 *
 * Each answer ends with a line "ok".
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <steptrace.h>

#define STEP __attribute__((noinline, noclone))

enum { PAGE_BYTES = 4096 };

/* push frame pointer; call the argument; pop it; return */
static const unsigned char machine_code[] = {
#ifdef __x86_64__
	0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3,
#else
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00,
	0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6,
#endif
};

static volatile int after;
static unsigned char *code;
static long spin_ms;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

STEP int spin_below(void)
{
	uint64_t end_ns = cpu_ns() + (uint64_t)spin_ms * 1000000;

	while (cpu_ns() < end_ns)
		for (int i = 0; i < 100000; i++)
			after = 0;
	return after;
}

static void unload(void)
{
	munmap(code, PAGE_BYTES);
	mmap(code, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memcpy(code, machine_code, sizeof(machine_code));
}

/* The code is below this function, and the same bytes are there when it returns. */
STEP int wreck_below(void)
{
	spin_below();
	munmap(code, PAGE_BYTES);
	spin_below();
	unload();
	return spin_below() + after;
}

static void run_step(int (*function)(void))
{
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, "wrecker.run");
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, "WreckStep");
	steptrace_step_begin(&step);
	((void (*)(int (*)(void)))code)(function);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void load(const char *path, long offset)
{
	int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	code = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
		    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE, fd, offset);
	if (code == MAP_FAILED) {
		perror("wrecker: mmap");
		exit(1);
	}
	memcpy(code, machine_code, sizeof(machine_code));
	__builtin___clear_cache((char *)code, (char *)code + sizeof(machine_code));
	if (fd >= 0)
		close(fd);
	printf("at %lx\n", (unsigned long)code);
}

static void map_all(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	char path[PAGE_BYTES];
	int count = 0;

	while (directory && (entry = readdir(directory))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		count += mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) !=
			 MAP_FAILED;
		close(fd);
	}
	if (directory)
		closedir(directory);
	printf("mapped %d\n", count);
}

static void become(unsigned int id)
{
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id)) {
		perror("wrecker: setresuid");
		exit(1);
	}
}

static void obey(const char *name, const char *text, long number)
{
	spin_ms = strtol(text, NULL, 10);
	if (strcmp(name, "load") == 0)
		load(text, number);
	else if (strcmp(name, "map") == 0)
		map_all(text);
	else if (strcmp(name, "become") == 0)
		become((unsigned int)strtoul(text, NULL, 10));
	else if (strcmp(name, "spin") == 0)
		run_step(spin_below);
	else if (strcmp(name, "wreck") == 0)
		run_step(wreck_below);
	else if (strcmp(name, "unload") == 0)
		unload();
}

int main(void)
{
	char line[PAGE_BYTES + 64], name[32], text[PAGE_BYTES];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		long number = 0;

		name[0] = text[0] = 0;
		if (sscanf(line, "%31s %4095s %ld", name, text, &number) < 1)
			continue;
		obey(name, text, number);
		puts("ok");
	}
	return 0;
}
