// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that misuses its probes. The test composes the spans byte by byte (tests/e2e/spans.py).
 * This program copies them into its memory and fires any probe with any address. It reads one
 * order from each line of stdin:
 *
 *	place HEX		puts the bytes at the end of a page; the next page is unmapped;
 *				prints "at ADDRESS"
 *	change ADDRESS HEX	overwrites the bytes at that address
 *	fire PROBE ADDRESS [N]	fires the probe with that address, N times (default: 1)
 *	crowd PROBE ADDRESS N	the same in 8 threads at once, N times in each
 *	race PROBE ADDRESS N	fires N times, while a thread overwrites the bytes there
 *	begin N			begins N commands with texts that are hard to escape; none ends
 *	collide N		the same with ids that a simple hash would put into one bucket
 *	steps N			begins a command and N steps in it; none ends
 *	name HEX		sets the name of this process (comm)
 *	map DIRECTORY		maps the first page of every file there as code;
 *				prints "mapped N"
 *
 * Each answer ends with a line "ok".
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

enum { PAGE_BYTES = 4096, CROWD = 8, LINE_BYTES = 3 * PAGE_BYTES };

typedef void probe_function(const void *span);

static const struct {
	const char *name;
	probe_function *fire;
} probes[] = {
	{"command__start", steptrace_probe_command__start},
	{"command__done", steptrace_probe_command__done},
	{"command__rejected", steptrace_probe_command__rejected},
	{"step__start", steptrace_probe_step__start},
	{"step__done", steptrace_probe_step__done},
	{"tool__start", steptrace_probe_tool__start},
	{"tool__done", steptrace_probe_tool__done},
	{"fragment__changed", steptrace_probe_fragment__changed},
};

/* An unknown name ends this program, which the test notices. */
static probe_function *probe_named(const char *name)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (strcmp(probes[i].name, name) == 0)
			return probes[i].fire;
	exit(3);
}

static unsigned char *address_of(const char *text)
{
	return (unsigned char *)(uintptr_t)strtoull(text, NULL, 16);
}

static size_t from_hex(const char *hex, unsigned char *bytes)
{
	size_t count = 0;
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[count++] = (unsigned char)byte;
	return count;
}

static void do_place(const char *hex)
{
	unsigned char bytes[PAGE_BYTES];
	size_t count = from_hex(hex, bytes);
	unsigned char *page = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(3);
	mprotect(page + PAGE_BYTES, PAGE_BYTES, PROT_NONE);
	memcpy(page + PAGE_BYTES - count, bytes, count);
	printf("at %llx\n", (unsigned long long)(uintptr_t)(page + PAGE_BYTES - count));
}

struct firing {
	probe_function *fire;
	unsigned char *span;
	long count;
	int is_over;
};

static void *fire(void *argument)
{
	const struct firing *firing = argument;

	for (long i = 0; i < firing->count; i++)
		firing->fire(firing->span);
	return NULL;
}

static void do_crowd(struct firing *firing)
{
	pthread_t threads[CROWD];

	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, fire, firing);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

/* What was placed is now whole, now spoilt in one byte or all over. */
static void *scribble(void *argument)
{
	struct firing *firing = argument;
	size_t bytes = PAGE_BYTES - ((uintptr_t)firing->span & (PAGE_BYTES - 1));
	unsigned char whole[PAGE_BYTES];
	uint64_t random = 1;

	memcpy(whole, firing->span, bytes);
	while (!__atomic_load_n(&firing->is_over, __ATOMIC_RELAXED)) {
		random = steptrace__mix(random);
		firing->span[random % bytes] = (unsigned char)(random >> 32);
		if ((random >> 40) % 16 == 0)
			memset(firing->span, (int)(random >> 48), bytes);
		if ((random >> 44) % 4 == 0)
			memcpy(firing->span, whole, bytes);
	}
	memcpy(firing->span, whole, bytes);
	return NULL;
}

static void do_race(struct firing *firing)
{
	pthread_t other;

	pthread_create(&other, NULL, scribble, firing);
	fire(firing);
	__atomic_store_n(&firing->is_over, 1, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
}

/* Every byte of its text takes six in JSON. */
static const char *worst_text(void)
{
	static char text[200];

	memset(text, 1, sizeof(text) - 1);
	return text;
}

static void do_begin(long count, int alike)
{
	struct steptrace_command command;
	uint64_t *id = command.span.head.execution_id;

	for (long i = 0; i < count; i++) {
		steptrace_command_init(&command, worst_text());
		command.user_id = command.request_source = command.correlation_id = worst_text();
		if (alike)
			id[0] = id[1] = (uint64_t)i + 1;
		steptrace_command_begin(&command);
	}
}

static void do_steps(long count)
{
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, "endless");
	steptrace_command_begin(&command);
	for (long i = 0; i < count; i++) {
		steptrace_step_init(&step, &command, worst_text());
		step.name = worst_text();
		steptrace_step_begin(&step);
	}
}

static void do_name(const char *hex)
{
	unsigned char name[PAGE_BYTES];

	name[from_hex(hex, name)] = 0;
	prctl(PR_SET_NAME, name);
}

static int map_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY);
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	close(fd);
	return page != MAP_FAILED;
}

static void do_map(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			count += map_file(dirfd(directory), entry->d_name);
	if (directory)
		closedir(directory);
	printf("mapped %d\n", count);
}

/* The order's words; those that are not there are empty. */
static void obey(char *words[4])
{
	struct firing firing = {.span = address_of(words[2]), .count = atol(words[3])};
	const char *order = words[0];

	if (strcmp(order, "place") == 0)
		do_place(words[1]);
	else if (strcmp(order, "change") == 0)
		from_hex(words[2], address_of(words[1]));
	else if (strcmp(order, "begin") == 0 || strcmp(order, "collide") == 0)
		do_begin(atol(words[1]), order[0] == 'c');
	else if (strcmp(order, "steps") == 0)
		do_steps(atol(words[1]));
	else if (strcmp(order, "name") == 0)
		do_name(words[1]);
	else if (strcmp(order, "map") == 0)
		do_map(words[1]);
	if (words[3][0] == 0)
		firing.count = 1;
	if (strcmp(order, "fire") != 0 && strcmp(order, "crowd") != 0 && strcmp(order, "race") != 0)
		return;
	firing.fire = probe_named(words[1]);
	if (order[0] == 'f')
		fire(&firing);
	else if (order[0] == 'c')
		do_crowd(&firing);
	else
		do_race(&firing);
}

int main(void)
{
	static char line[LINE_BYTES], nothing[] = "";

	while (fgets(line, sizeof(line), stdin)) {
		char *words[4], *at = line;

		for (int i = 0; i < 4; i++) {
			words[i] = strsep(&at, " \n");
			if (!words[i])
				words[i] = nothing;
		}
		obey(words);
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
