// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls functions of known names and stops in the innermost one, for a debugger to look at.
 *
 *	stacks plain		main -> outermost_step -> middle_step -> innermost_step
 *	stacks deep		the same, with 200 calls of middle_step
 *	stacks thread		the same in a thread
 *	stacks signal		interrupted_step -> signal handler -> innermost_step
 *	stacks jit NAME		memory with machine code -> innermost_step; NAME in its perf map
 *	stacks library FILE	the function library_step of the library -> innermost_step
 *
 * Any other mode does not stop: it waits until its input ends.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP __attribute__((noinline, noclone))

/* A function that ends with a call of another one would become a jump without this. */
static volatile int after;

/* With KEEPS_FRAMES, it stops when it has its frame. */
STEP int innermost_step(int value)
{
#ifdef KEEPS_FRAMES
	__asm__ volatile("" : : "r"(__builtin_frame_address(0)) : "memory");
#endif
#ifdef __x86_64__
	__asm__ volatile("int3");
#else
	__asm__ volatile("brk #0");
#endif
	return value + after;
}

STEP int middle_step(int depth)
{
	char local[64];

	memset(local, depth, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	return (depth > 1 ? middle_step(depth - 1) : innermost_step(depth)) + after;
}

STEP int outermost_step(int depth)
{
	return middle_step(depth) + after;
}

static void *in_thread(void *context)
{
	after += outermost_step(1);
	return context;
}

static void on_signal(int number)
{
	after += innermost_step(number);
}

STEP int interrupted_step(void)
{
	return raise(SIGUSR1) + after;
}

static int run_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, in_thread, NULL) || pthread_join(thread, NULL);
}

/* push frame pointer; call the argument; pop it; return */
static const unsigned char machine_code[] = {
#ifdef __x86_64__
	0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3,
#else
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00,
	0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6,
#endif
};

static int call_back(void)
{
	return innermost_step(1) + after;
}

static int run_jit(const char *name)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	FILE *map;

	if (code == MAP_FAILED)
		return 1;
	memcpy(code, machine_code, sizeof(machine_code));
	__builtin___clear_cache((char *)code, (char *)code + sizeof(machine_code));
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	map = name ? fopen(path, "we") : NULL;
	if (map) {
		fprintf(map, "%lx %zx %s\n", (unsigned long)code, sizeof(machine_code), name);
		fclose(map);
	}
	((void (*)(int (*)(void)))code)(call_back);
	return after;
}

static int run_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	int (*step)(int (*)(int)) = NULL;

	if (library)
		*(void **)&step = dlsym(library, "library_step");
	if (!step)
		fprintf(stderr, "%s\n", dlerror());
	return step ? step(innermost_step) + after : 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGUSR1, on_signal);
	if (strcmp(mode, "plain") == 0)
		return outermost_step(1) + after;
	if (strcmp(mode, "deep") == 0)
		return outermost_step(200) + after;
	if (strcmp(mode, "thread") == 0)
		return run_thread();
	if (strcmp(mode, "signal") == 0)
		return interrupted_step() + after;
	if (strcmp(mode, "jit") == 0)
		return run_jit(argv[2]);
	if (strcmp(mode, "library") == 0 && argc > 2)
		return run_library(argv[2]);
	printf("ready\n");
	while (getchar() != EOF)
		continue;
	return 0;
}
