// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `steptrace profile` does with a stack: unwinding a copied one of about 20 frames, and names
 * for many different frames of large libraries. Targets: 20 us for a stack whose functions are
 * known, and 100,000 names in a second.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "common/process_maps.h"
#include "steptrace/symbols/symbols.h"

enum { DEPTH = 14, FRAMES = 100000 };

struct sample {
	struct stack_copy copy;
	uint8_t bytes[STACK_COPY_DEFAULT];
};

static struct symbols *symbols;
static struct sample sample;
static uint64_t addresses[STACK_FRAMES_MAX];
static size_t count;
static pid_t pid;

/* ---- a process that stops in a deep stack */

static volatile int after;

__attribute__((noinline, noclone)) static int descend(int depth)
{
	if (depth == 0)
		raise(SIGSTOP);
	else
		descend(depth - 1);
	return after;
}

static void start_process(void)
{
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		_exit(descend(DEPTH));
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		exit(1);
}

static void copy_stack(void)
{
	struct stack_registers *registers = &sample.copy.registers;
	struct iovec here = {sample.bytes, sizeof(sample.bytes)},
		     there = {NULL, sizeof(sample.bytes)};
	ssize_t bytes;
#ifdef __x86_64__
	struct user_regs_struct user;

	ptrace(PTRACE_GETREGS, pid, NULL, &user);
	*registers = (struct stack_registers){
		user.rip,
		{user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp,
		 user.r8, user.r9, user.r10, user.r11, user.r12, user.r13, user.r14, user.r15}};
	there.iov_base = (void *)(uintptr_t)user.rsp;
#else
	exit(0);
#endif
	while ((bytes = process_vm_readv(pid, &here, 1, &there, 1, 0)) < 0 && errno == EFAULT)
		there.iov_len -= 256;
	sample.copy.bytes_count = bytes < 0 ? 0 : (uint32_t)bytes;
}

/* ---- contenders */

static void unwind(void *context, int times)
{
	bool is_cut;

	(void)context;
	for (int i = 0; i < times; i++)
		count = symbols__unwind(symbols, pid, &sample.copy, addresses, STACK_FRAMES_MAX,
					&is_cut);
}

static void number(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++)
		for (size_t j = 0; j < count; j++)
			symbols__frame(symbols, pid, addresses[j], j > 0);
}

/* ---- all the code of the process, evenly */

static uint64_t code_bytes(void)
{
	struct process_mapping mapping;
	struct process_maps maps;
	uint64_t bytes = 0;

	if (process_maps__open(&maps, pid))
		exit(1);
	while (process_maps__next(&maps, &mapping))
		if (mapping.permissions[2] == 'x' && mapping.inode)
			bytes += mapping.end - mapping.start;
	process_maps__close(&maps);
	return bytes;
}

static void make_frames(uint64_t step)
{
	struct process_mapping mapping;
	struct process_maps maps;

	if (process_maps__open(&maps, pid))
		exit(1);
	while (process_maps__next(&maps, &mapping))
		if (mapping.permissions[2] == 'x' && mapping.inode)
			for (uint64_t at = mapping.start; at < mapping.end; at += step)
				symbols__frame(symbols, pid, at, false);
	process_maps__close(&maps);
}

static void measure_names(void)
{
	uint64_t start_ns, step = code_bytes() / FRAMES;
	double seconds;

	make_frames(step ? step : 1);
	start_ns = bench__now_ns();
	symbols__resolve(symbols);
	seconds = (double)(bench__now_ns() - start_ns) / 1e9;
	bench__line(.name = "names of 100,000 frames", .value = seconds * 1000, .unit = "ms",
		    .target = "at most 1000 ms", .met = seconds <= 1);
	printf("  %.0f stacks of 20 new frames a second\n", FRAMES / seconds / 20);
}

static void measure_first(void)
{
	uint64_t start_ns = bench__now_ns();

	symbols__look_at(symbols, pid);
	bench__line(.name = "look at a process",
		    .value = (double)(bench__now_ns() - start_ns) / 1e3, .unit = "us");
	start_ns = bench__now_ns();
	unwind(NULL, 1);
	bench__line(.name = "unwind the first time",
		    .value = (double)(bench__now_ns() - start_ns) / 1e3, .unit = "us");
}

int main(void)
{
	struct contender contenders[] = {
		{.name = "unwind a stack", .run = unwind, .times = 200},
		{.name = "numbers of its frames", .run = number, .times = 200},
	};
	struct error err = {""};
	uint64_t start_ns;

	start_process();
	copy_stack();
	start_ns = bench__now_ns();
	if (symbols__open(&symbols, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("stacks and names\n");
	bench__line(.name = "open: read the kernel's names",
		    .value = (double)(bench__now_ns() - start_ns) / 1e6, .unit = "ms");
	measure_first();
	bench__run(contenders, 2);
	printf("  a stack of %zu frames, %u bytes\n", count, sample.copy.bytes_count);
	bench__line(.name = contenders[0].name, .value = bench__median(&contenders[0]) / 1000,
		    .unit = "us", .target = "at most 20 us",
		    .met = bench__median(&contenders[0]) <= 20000);
	bench__line(.name = contenders[1].name, .value = bench__median(&contenders[1]) / 1000,
		    .unit = "us");
	measure_names();
	kill(pid, SIGKILL);
	symbols__close(symbols);
	return 0;
}
