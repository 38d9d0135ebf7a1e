// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner with a sandbox that kills the process at a system call that is not allowed.
 *
 *	sandboxed fork	forks a child that enters a seccomp filter and runs a command of five
 *			steps. The filter allows no system calls but read, write and exit. Then
 *			does the same with the system call clone(). Prints "child PID STATUS" for
 *			each.
 *	sandboxed filter
 *	sandboxed strict
 *			enters a seccomp filter, or the strict mode, prints "ready" and waits until
 *			its standard input is closed
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <steptrace.h>

static int enter_filter(void)
{
	struct sock_filter allow_list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(allow_list) / sizeof(*allow_list), allow_list};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void run_command(void)
{
	struct steptrace_command command;

	steptrace_command_init(&command, "sandboxed");
	steptrace_command_begin(&command);
	for (int i = 0; i < 5; i++) {
		struct steptrace_step step;

		steptrace_step_init(&step, &command, "SandboxedStep");
		step.index = (uint16_t)i;
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static pid_t clone_without_fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void run_in_child(pid_t (*make_child)(void))
{
	int status = -1;
	pid_t child = make_child();

	if (child == 0) {
		if (enter_filter())
			_exit(1);
		run_command();
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("child %d %d\n", child, status);
}

static void wait_inside(int failed)
{
	static const char ready[] = "ready\n", refused[] = "refused\n";
	char byte;

	if (write(1, failed ? refused : ready, failed ? sizeof(refused) - 1 : sizeof(ready) - 1) <
	    0)
		syscall(SYS_exit, 1);
	while (read(0, &byte, 1) > 0)
		continue;
	syscall(SYS_exit, 0); /* does not return; the strict mode does not allow exit_group */
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "fork";

	if (strcmp(what, "filter") == 0)
		wait_inside(enter_filter());
	if (strcmp(what, "strict") == 0)
		wait_inside(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	run_in_child(fork);
	run_in_child(clone_without_fork);
	return 0;
}
