/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are stopped in a known function, and what symbols say about their stacks. Include
 * <cmocka.h> first.
 *
 *	build_stacks("-O2", "stacks");		tests/targets/stacks.c, in a folder of its own
 *	stop_in(&stopped, "stacks", "plain");	runs it up to the innermost function
 *	names = stack_names(symbols, &stopped);	"innermost_step middle_step … _start"
 *	end_stopped(&stopped);
 */
#ifndef TESTS_SYMBOLS_FIXTURE_H
#define TESTS_SYMBOLS_FIXTURE_H

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/symbols/symbols.h"

struct stopped {
	pid_t pid, tid;
	struct stack_copy *copy; /* owned; the bytes follow */
};

static char test_folder[] = "/tmp/steptrace-symbols-XXXXXX";

static inline int make_folder(void **state)
{
	(void)state;
	return mkdtemp(test_folder) && chmod(test_folder, 0755) == 0 ? 0 : -1;
}

static inline void run(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("this command failed: %s", command);
}

static inline int remove_folder(void **state)
{
	(void)state;
	run("rm -rf %s", test_folder);
	return 0;
}

/* A file of the folder; valid until the fourth next call. */
static inline const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", test_folder, name);
	return path;
}

static inline void build_stacks(const char *flags, const char *name)
{
	/* the linker warns about dlopen() in static programs */
	run("cc -std=gnu11 -D_GNU_SOURCE -w -g0 %s tests/targets/stacks.c -o %s -lpthread -ldl"
	    " 2>%s/warnings",
	    flags, in_folder(name), test_folder);
}

/* ---- stopping */

static inline pid_t start_traced(const char *path, const char *mode, const char *argument)
{
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(path, path, mode, argument, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

/* Waits for the exec, then for the breakpoint of the innermost function, in any thread. */
static inline pid_t wait_for_stop(pid_t pid)
{
	int status;
	pid_t tid;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		assert_true(WIFSTOPPED(status));
		if (status >> 8 == SIGTRAP)
			return tid;
		ptrace(PTRACE_CONT, tid, NULL,
		       (void *)(long)(status >> 16 || WSTOPSIG(status) == SIGSTOP
					      ? 0
					      : WSTOPSIG(status)));
	}
	fail_msg("the program did not stop");
	return -1;
}

static inline void read_registers(pid_t tid, struct stack_registers *registers)
{
#ifdef __x86_64__
	struct user_regs_struct user;

	assert_int_equal(ptrace(PTRACE_GETREGS, tid, NULL, &user), 0);
	*registers = (struct stack_registers){
		user.rip,
		{user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp,
		 user.r8, user.r9, user.r10, user.r11, user.r12, user.r13, user.r14, user.r15}};
#else
	struct user_regs_struct user;
	struct iovec all = {&user, sizeof(user)};

	assert_int_equal(ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all), 0);
	registers->program_counter = user.pc;
	memcpy(registers->values, user.regs, 31 * sizeof(registers->values[0]));
	registers->values[31] = user.sp;
#endif
}

/* As much of the stack as there is, up to STACK_COPY_MAX. */
static inline struct stack_copy *copy_stack(pid_t tid)
{
	struct stack_copy *copy = calloc(1, sizeof(*copy) + STACK_COPY_MAX);
	struct iovec here, there;
	ssize_t bytes = -1;

	assert_non_null(copy);
	read_registers(tid, &copy->registers);
#ifdef __x86_64__
	there.iov_base = (void *)(uintptr_t)copy->registers.values[7];
#else
	there.iov_base = (void *)(uintptr_t)copy->registers.values[31];
#endif
	here.iov_base = copy + 1;
	for (size_t size = STACK_COPY_MAX; bytes < 0 && size > 0; size -= 64) {
		here.iov_len = there.iov_len = size;
		bytes = process_vm_readv(tid, &here, 1, &there, 1, 0);
	}
	assert_true(bytes > 0);
	copy->bytes_count = (uint32_t)bytes;
	return copy;
}

static inline void stop_with(struct stopped *stopped, const char *path, const char *mode,
			     const char *argument)
{
	stopped->pid = start_traced(path, mode, argument);
	stopped->tid = wait_for_stop(stopped->pid);
	stopped->copy = copy_stack(stopped->tid);
}

static inline void stop_in(struct stopped *stopped, const char *name, const char *mode)
{
	stop_with(stopped, in_folder(name), mode, NULL);
}

static inline void end_process(const struct stopped *stopped)
{
	kill(stopped->pid, SIGKILL);
	if (stopped->tid != stopped->pid)
		waitpid(stopped->tid, NULL, __WALL);
	waitpid(stopped->pid, NULL, __WALL);
}

static inline void end_stopped(struct stopped *stopped)
{
	end_process(stopped);
	free(stopped->copy);
}

/* ---- names */

struct stack {
	uint64_t addresses[STACK_FRAMES_MAX];
	uint32_t frames[STACK_FRAMES_MAX];
	size_t count;
	bool is_cut;
};

static inline void unwind(struct symbols *symbols, const struct stopped *stopped,
			  struct stack *stack)
{
	stack->count = symbols__unwind(symbols, stopped->pid, stopped->copy, stack->addresses,
				       STACK_FRAMES_MAX, &stack->is_cut);
	for (size_t i = 0; i < stack->count; i++)
		stack->frames[i] =
			symbols__frame(symbols, stopped->pid, stack->addresses[i], i > 0);
}

/* The functions with blanks between them, and " …" at the end of a stack that is cut. The caller
 * frees it. */
static inline char *names_of(struct symbols *symbols, const struct stack *stack)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	symbols__resolve(symbols);
	for (size_t i = 0; i < stack->count; i++)
		fprintf(out, "%s%s", i ? " " : "",
			symbols__name(symbols, stack->frames[i])->function);
	fprintf(out, "%s", stack->is_cut ? " …" : "");
	fclose(out);
	return text;
}

static inline char *stack_names(struct symbols *symbols, const struct stopped *stopped)
{
	struct stack stack;

	unwind(symbols, stopped, &stack);
	return names_of(symbols, &stack);
}

static inline struct symbols *open_symbols(void)
{
	struct symbols *symbols = NULL;
	struct error err = {""};

	if (symbols__open(&symbols, &err))
		fail_msg("%s", err.text);
	return symbols;
}

#endif
