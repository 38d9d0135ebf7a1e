// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that maps its own code or that of libcarrier.so, from its own folder, in unusual ways.
 * It reads one order from each line of stdin; each answer ends with a line "ok".
 *
 *	load		loads the library
 *	again		loads it a second time, into a namespace of its own (dlmopen)
 *	private		maps its file, private and writable, as a program does that edits a file; at
 *			a lower address than all other mappings, where the kernel looks first
 *	move		moves the code of this program to anonymous memory, as programs do that want
 *			huge pages; the code is read from the file
 *	copy		the same, but the code is copied as it is in memory; prints "breakpoints" if
 *			the copy differs from the file: a tracer was attached
 *	go N		N commands in this program and in each load; prints a checksum that depends
 *			on the results and on the bytes of the private mapping
 *	enabled		prints "enabled" and for this program and each load whether a tracer is
 *			attached
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <steptrace.h>

enum { LOADS_MAX = 4, LOW_ADDRESS = 1 << 28 };

static struct load {
	void (*run)(int count);
	int (*enabled)(void);
} loads[LOADS_MAX];
static int loads_count;

static const unsigned char *copy;
static size_t copy_bytes;

static const char *library_path(void)
{
	static char path[PATH_MAX + 32];
	ssize_t bytes = readlink("/proc/self/exe", path, PATH_MAX);

	if (bytes <= 0)
		exit(3);
	path[bytes] = 0;
	strcpy(strrchr(path, '/'), "/libcarrier.so");
	return path;
}

static void add(void *library)
{
	struct load *load = &loads[loads_count];

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(3);
	}
	*(void **)&load->run = dlsym(library, "carrier_run");
	*(void **)&load->enabled = dlsym(library, "carrier_enabled");
	loads_count++;
}

static void map_private(void)
{
	int fd = open(library_path(), O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *mapped;

	if (fd < 0 || fstat(fd, &status))
		exit(3);
	copy_bytes = (size_t)status.st_size;
	mapped = mmap((void *)(uintptr_t)LOW_ADDRESS, copy_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		exit(3);
	copy = mapped;
}

/* The mapping of the code of this program, as /proc/self/maps shows it. */
static void find_code(uint64_t *start, uint64_t *end, uint64_t *offset)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t own = (uint64_t)(uintptr_t)find_code;
	char line[PATH_MAX + 128];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, start, end, offset) == 3 &&
		    *start <= own && own < *end)
			break;
	if (!maps)
		exit(3);
	fclose(maps);
}

static void read_code(void *to, size_t bytes, uint64_t offset)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, to, bytes, (off_t)offset) <= 0)
		exit(3);
	close(fd);
}

/* In memory, the code may have the breakpoints of a tracer. */
static void copy_code(void *to, size_t bytes, uint64_t start, uint64_t offset)
{
	void *file = malloc(bytes);

	if (!file)
		exit(3);
	memcpy(to, (void *)(uintptr_t)start, bytes);
	read_code(file, bytes, offset);
	if (memcmp(to, file, bytes) != 0)
		puts("breakpoints");
	free(file);
}

/* One system call puts the new memory in the place of the code while that runs. */
static void move_code(bool from_memory)
{
	uint64_t start = 0, end = 0, offset = 0;
	size_t bytes;
	void *moved;

	find_code(&start, &end, &offset);
	bytes = (size_t)(end - start);
	moved = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (moved == MAP_FAILED)
		exit(3);
	if (from_memory)
		copy_code(moved, bytes, start, offset);
	else
		read_code(moved, bytes, offset);
	if (mprotect(moved, bytes, PROT_READ | PROT_EXEC) ||
	    mremap(moved, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(uintptr_t)start) ==
		    MAP_FAILED)
		exit(3);
}

static uint64_t run_command(uint64_t state)
{
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, "mapper");
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, "MapperStep");
	steptrace_step_begin(&step);
	state = state * 6364136223846793005u + 1442695040888963407u;
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	return state;
}

static void go(int count)
{
	uint64_t state = 1;

	for (int i = 0; i < count; i++)
		state = run_command(state);
	for (int i = 0; i < loads_count; i++)
		loads[i].run(count);
	for (size_t i = 0; i < copy_bytes; i++)
		state = state * 31 + copy[i];
	printf("checksum %016" PRIx64 "\n", state);
}

static void say_enabled(void)
{
	printf("enabled %d", steptrace_enabled());
	for (int i = 0; i < loads_count; i++)
		printf(" %d", loads[i].enabled());
	puts("");
}

static void obey(const char *word, int number)
{
	if (strcmp(word, "load") == 0)
		add(dlopen(library_path(), RTLD_NOW));
	else if (strcmp(word, "again") == 0)
		add(dlmopen(LM_ID_NEWLM, library_path(), RTLD_NOW));
	else if (strcmp(word, "private") == 0)
		map_private();
	else if (strcmp(word, "move") == 0)
		move_code(false);
	else if (strcmp(word, "copy") == 0)
		move_code(true);
	else if (strcmp(word, "go") == 0)
		go(number);
	else if (strcmp(word, "enabled") == 0)
		say_enabled();
	else
		printf("unknown word %s\n", word);
}

int main(void)
{
	char line[256], word[64];
	int number = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%63s %d", word, &number) < 1 || loads_count == LOADS_MAX)
			continue;
		obey(word, number);
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
