// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/confine/seccomp.h"

#include <asm/termbits.h> /* for the sizes in TCGETS2 and the like; conflicts with <termios.h> */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* sanitizers need more system calls */
#endif

/* Allowed with any arguments. */
static const int calls[] = {
	/* records, lines, files under /proc */
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(fcntl),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(socketpair),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	/* waiting */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(futex),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	/* memory; mmap and mprotect below */
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(sysinfo),
	/* signals and threads; clone below */
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	/* a thread cannot raise more than it was left with (caller_rights.c) */
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(tgkill),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrandom),
	/* writers of attached binaries, where fcntl(F_SETLEASE) fails */
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(wait4),    /* for the children that hold and release links */
	SCMP_SYS(shutdown), /* of the sockets to them */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

static const unsigned int bpf_commands[] = {
	BPF_LINK_CREATE,     BPF_ITER_CREATE,     BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_OBJ_GET_INFO_BY_FD,
};

static const int child_calls[] = {SCMP_SYS(kill), SCMP_SYS(waitid)};
static const int file_calls[] = {SCMP_SYS(rename), SCMP_SYS(renameat),  SCMP_SYS(renameat2),
				 SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(lstat),
				 SCMP_SYS(fchown), SCMP_SYS(fchmod)};
static const int socket_calls[] = {SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(getsockopt),
				   SCMP_SYS(setsockopt)};
/* Its threads wake each other through pipes. */
static const int kafka_calls[] = {SCMP_SYS(pipe), SCMP_SYS(pipe2)};
/* libcurl notes the addresses of its connections. */
static const int http_calls[] = {SCMP_SYS(getsockname), SCMP_SYS(getpeername)};
static const int server_calls[] = {SCMP_SYS(accept4), SCMP_SYS(getsockname), SCMP_SYS(getsockopt),
				   SCMP_SYS(setsockopt), SCMP_SYS(shutdown)};
static const int perf_calls[] = {SCMP_SYS(perf_event_open), SCMP_SYS(ioctl)};

/* EDOM, EINVAL: this processor architecture does not have the call. */
static int allow(scmp_filter_ctx filter, int call)
{
	int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);

	return code == -EDOM || code == -EINVAL ? 0 : code;
}

static int allow_all(scmp_filter_ctx filter, const int *list, size_t count)
{
	int code = 0;

	for (size_t i = 0; i < count && !code; i++)
		code = allow(filter, list[i]);
	return code;
}

#define ALLOW_ALL(filter, list) allow_all(filter, list, sizeof(list) / sizeof((list)[0]))

/* Allows the call where (argument & mask) == value. */
static int allow_where(scmp_filter_ctx filter, int call, unsigned int argument, uint64_t mask,
		       uint64_t value)
{
	struct scmp_arg_cmp where = {argument, SCMP_CMP_MASKED_EQ, mask, value};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &where);
}

/* Memory that is not executable. */
static int allow_data(scmp_filter_ctx filter)
{
	int code = allow_where(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);

	if (!code)
		code = allow_where(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	return code;
}

static int allow_with_arguments(scmp_filter_ctx filter)
{
	int code = 0;

	for (size_t i = 0; i < sizeof(bpf_commands) / sizeof(bpf_commands[0]) && !code; i++)
		code = allow_where(filter, SCMP_SYS(bpf), 0, UINT32_MAX, bpf_commands[i]);
	if (!code)
		code = allow_where(filter, SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC,
				   O_RDONLY);
	if (!code)
		code = allow_data(filter);
	if (!code) /* threads and processes, but no namespaces */
		code = allow_where(filter, SCMP_SYS(clone), 0, NAMESPACES, 0);
	/* The flags of clone3 are in memory, where a filter cannot read them. glibc falls back to
	 * clone. */
	if (!code)
		code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return code;
}

/* isatty() and tcgetattr(): TCGETS, and TCGETS2 from glibc 2.42 on; how wide the terminal is; how
 * many bytes a pipe holds. */
static const unsigned int requests[] = {TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD};

/* The modes of the terminal are set (the requests with a 2 are those of glibc 2.42), and typed
 * input is dropped. TIOCSTI, which types for the user, is not among them. */
static const unsigned int drawing_requests[] = {TCSETS,   TCSETSW,  TCSETSF, TCSETS2,
						TCSETSW2, TCSETSF2, TCFLSH};

static int allow_requests(scmp_filter_ctx filter, const unsigned int *list, size_t count)
{
	int code = 0;

	for (size_t i = 0; i < count && !code; i++)
		code = allow_where(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, list[i]);
	return code;
}

#define ALLOW_REQUESTS(filter, list) allow_requests(filter, list, sizeof(list) / sizeof((list)[0]))

static int fill(scmp_filter_ctx filter, const struct privilege_needs *needs)
{
	int code = ALLOW_ALL(filter, calls);

	if (!code)
		code = allow_with_arguments(filter);
	if (!code && needs->signals_child)
		code = ALLOW_ALL(filter, child_calls);
	if (!code && needs->ends_child)
		code = allow_where(filter, SCMP_SYS(kill), 0, UINT32_MAX,
				   (uint64_t)needs->ends_child);
	if (!code && needs->reads_memory)
		code = allow(filter, SCMP_SYS(process_vm_readv));
	if (!code && needs->connects)
		code = ALLOW_ALL(filter, socket_calls);
	if (!code && needs->sends_kafka)
		code = ALLOW_ALL(filter, kafka_calls);
	if (!code && needs->sends_kafka) /* its threads have names */
		code = allow_where(filter, SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME);
	if (!code && needs->speaks_http)
		code = ALLOW_ALL(filter, http_calls);
	if (!code && needs->serves)
		code = ALLOW_ALL(filter, server_calls);
	if (!code && needs->makes_files)
		code = ALLOW_ALL(filter, file_calls);
	if (!code && needs->makes_files)
		code = allow_where(filter, SCMP_SYS(openat), 2,
				   O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW,
				   O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW);
	if (!code && needs->holds_execs) /* only to leave files out */
		code = allow_where(filter, SCMP_SYS(fanotify_mark), 1,
				   FAN_MARK_ADD | FAN_MARK_IGNORED_MASK,
				   FAN_MARK_ADD | FAN_MARK_IGNORED_MASK);
	if (needs->perf_links)
		return code ? code : ALLOW_ALL(filter, perf_calls);
	if (!code && needs->draws)
		code = ALLOW_REQUESTS(filter, drawing_requests);
	if (!code)
		code = ALLOW_REQUESTS(filter, requests);
	if (!code && needs->connects) /* what the other side has not acknowledged */
		code = allow_where(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCOUTQ);
	return code;
}

/* ---- a process that reads files which it has been given */

static const int reader_calls[] = {
	/* questions, answers, files */
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), /* fstat() of glibc; the path is in memory */
	/* memory; mmap and mprotect below */
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(sysinfo),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(restart_syscall),
	/* the end, and abort() */
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* abort() sends a signal to its own process; signals to others would end the keeper. */
static int fill_for_reader(scmp_filter_ctx filter)
{
	int code = ALLOW_ALL(filter, reader_calls);

	if (!code)
		code = allow_where(filter, SCMP_SYS(tgkill), 0, UINT32_MAX, (uint64_t)getpid());
	if (!code)
		code = allow_data(filter);
	if (!code)
		code = allow_where(filter, SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFD);
	if (!code)
		code = allow_where(filter, SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL);
	return code;
}

/* ---- loading */

static int confine(const struct privilege_needs *needs, struct error *err)
{
	scmp_filter_ctx filter;
	int code;

#ifdef SANITIZED
	return 0;
#endif
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return error__set(err, -ENOMEM, "out of memory");
	/* the errno of the kernel, instead of ECANCELED for all of them */
	code = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (!code)
		code = needs ? fill(filter, needs) : fill_for_reader(filter);
	if (!code)
		code = seccomp_load(filter);
	seccomp_release(filter);
	if (code == -EINVAL || code == -ENOSYS)
		return 0;
	return code ? error__set(err, code, "cannot limit the system calls of the tracer: %s",
				 strerror(-code))
		    : 0;
}

int seccomp__confine(const struct privilege_needs *needs, struct error *err)
{
	return confine(needs, err);
}

int seccomp__confine_reader(struct error *err)
{
	return confine(NULL, err);
}
