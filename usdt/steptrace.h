/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steptrace.h - mark where the commands and steps of your program begin and end.
 *
 * A runner is a program that executes commands. A command is a pipeline of steps. An execution is
 * one run of a command. A step, or the command itself, may call tools. Include this header and put
 * a begin call and an end call around each command, step and tool call. Then `steptrace record` can
 * attach to the running program at any time. It reports how long each step took, what the step
 * changed, and which request caused the command.
 *
 * There is no library to link. The header starts no thread, opens no file and reads no environment
 * variable. While no tracer is attached, a step costs about 2 nanoseconds. While a tracer is
 * attached, each begin call and each end call costs about half a microsecond to one microsecond
 * (on a virtual machine whose hypervisor makes traps slow: up to 6 microseconds).
 *
 * EXAMPLE
 *
 *	#include <steptrace.h>
 *
 *	int run(const struct request *request)
 *	{
 *		struct steptrace_command command;
 *		struct steptrace_step step;
 *		int failed;
 *
 *		steptrace_command_init(&command, "fragment.update");
 *		command.user_id = request->user;                  // valid until the end call
 *		command.request_source = "api";
 *		command.correlation_id = request->correlation_id; // NULL: the execution id is used
 *		steptrace_command_begin(&command);
 *
 *		steptrace_step_init(&step, &command, "DatabaseUpdateStep");
 *		step.name = "set-title";
 *		steptrace_step_begin(&step);
 *		failed = update_the_row(request);
 *		step.mutations_count = failed ? 0 : 1;
 *		step.error_category = failed ? STEPTRACE_ERROR_DATABASE : STEPTRACE_ERROR_NONE;
 *		steptrace_step_end(&step, failed ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS);
 *
 *		steptrace_command_end(&command, failed ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS);
 *		return failed;
 *	}
 *
 * While the runner is running:
 *
 *	steptrace list             shows whether the runner contains the probes
 *	steptrace record -p PID    shows its events, live
 *
 * RULES
 *
 * 1. For each command, step and tool call, call init, begin and end once each, in this order. There
 *    are two other orders for a command that is rejected:
 *	before it runs:		init, steptrace_command_rejected()
 *	while it runs:		init, begin, steptrace_command_rejected()
 *    The struct may be on the stack, in an object or in a coroutine frame. The struct must not move
 *    between init and end. The struct of a command must exist longer than the structs of its steps.
 *    You need not clear a struct before init.
 * 2. The struct keeps pointers to text, and no copy of the text. The text that a member points to
 *    must stay valid and unchanged until the end call. In the events, the slug of a command or tool
 *    and the type of a step are never empty: if the member is NULL or "", the events contain
 *    "unnamed". Every other text may be NULL. Text that is longer than its field is truncated, but
 *    never in the middle of a UTF-8 character.
 * 3. Put only metadata into the members. Do not put argument values, content, prompts, answers, SQL
 *    or error texts into any member: every operator can see the events.
 * 4. Your program must compute the same results with and without a tracer. Use steptrace_enabled()
 *    only to avoid work that the tracer alone needs, such as counting the items of a list.
 *
 * THREADS, FORK, SIGNALS
 *
 * Each command and each step has its own struct. The header keeps no list of running steps. The
 * steps of one command may run one after another, nested, interleaved on an event loop, or on
 * several threads at the same time. For the same step or the same tool call, only one thread at a
 * time may make calls.
 *
 * A command counts its steps. While a tracer is attached, the counters are incremented atomically.
 * While no tracer is attached, they are incremented without atomic operations: if several threads
 * end steps of the same command at the same moment, an increment can be lost. If a tracer is
 * attached during the whole command, the counts of a process are exact.
 *
 * Ids are unique across threads and after fork(). A command may continue in child processes of the
 * runner. The command then keeps its id. Do not use the calls in a signal handler.
 *
 * The tracer reports exactly one end for each execution, even if several processes take part:
 *
 * - The execution is open until a process makes the end call of the command. If all processes that
 *   have made calls for the execution have ended or have called execve(), and none of them made the
 *   end call, the tracer reports "aborted". If only some of these processes have ended, the tracer
 *   waits for the others.
 * - If a process exits and no signal killed it, its children may continue the command. The tracer
 *   waits for the children that the process forked after the begin call.
 * - If a signal kills a process, the tracer does not wait for children that have made no call for
 *   the execution. If no other process takes part in the execution, the tracer reports "aborted".
 * - If a daemon forks twice, the tracer does not find the grandchild when the process in between
 *   has ended. The tracer reports "aborted", unless the grandchild has made a call before.
 * - If a process ends, or calls execve(), inside a step, the step is aborted. There is one
 *   exception: the process exits, and the tracer waits for a child that the process forked inside
 *   the step. The step then continues in this child.
 * - The step counts contain the steps of all processes. The counters in a process do not contain
 *   the steps of its children. So if several processes take part, the tracer does not rely on these
 *   counters alone: it adds the step events that it received from the other processes. If a step
 *   event was lost while the execution was running, the step counts may be too low. The field
 *   "complete" is then false.
 *
 * A begin or end call makes no system call (a call before the constructor of this header has run
 * makes the calls of the constructor). It reads the processor's clock through the vDSO.
 * Therefore a seccomp filter need not allow any additional system call for these calls, also in
 * forked children. There are three exceptions:
 *
 * - SECCOMP_MODE_STRICT (on x86-64) and prctl(PR_SET_TSC, PR_TSC_SIGSEGV) do not let a process read
 *   the clock. While a tracer is attached, the kernel kills the process at the next begin or end
 *   call with SIGSEGV.
 * - On a machine whose clock source the vDSO cannot read (such as hpet), a seccomp filter must
 *   allow clock_gettime().
 * - In a library that is loaded with dlopen(), the C library may allocate memory at the first call
 *   of each thread, for the thread-local variables of this header. Under a seccomp filter, dlopen()
 *   itself also needs getrandom(), mmap() and madvise(); see "ids" below.
 *
 * `steptrace doctor -p PID` warns about SECCOMP_MODE_STRICT and about the second exception. It
 * cannot warn about PR_SET_TSC, because the kernel does not show this setting.
 *
 * NESTING
 *
 * A step may run inside another step, for example in the branch of a condition or the body of a
 * loop. Set the member `parent` of the inner step to the outer step. The depth of the inner step is
 * computed from `parent`. The step counts of a command include nested steps.
 *
 * SUSPENDED SPANS
 *
 * A generator or a coroutine stops in the middle of its work and continues later. Call
 * steptrace_step_suspend() when a step stops, and steptrace_step_resume() when the step continues.
 * For a command, call steptrace_command_suspend() and steptrace_command_resume(). However often a
 * step is suspended, it is one step, with one event. The event contains the suspended time
 * (suspended_ms). The duration does not include the suspended time. A step may end while it is
 * suspended. If the command or the outer step also stops, make the calls for the command or the
 * outer step, too. If no tracer was attached at one of the suspend or resume calls, the event has
 * no duration and no suspended time.
 *
 * TEXT THAT COSTS TIME
 *
 * A binding may have to convert text before it can set a member, such as `user_id`. This costs time
 * even if no tracer is attached. To avoid this cost, set the member `describe` to a function that
 * sets the members with text. (Do not use steptrace_enabled() to decide whether to set the text. If
 * a tracer attached after this decision, the events of the command would have no text.)
 *
 * - While no tracer is attached, the function is not called.
 * - While a tracer is attached, the function is called before the first event that needs the text:
 *   by the begin call, or by a later call for the command, its steps or its tools. The function
 *   runs in the thread that makes this call.
 * - The function is called once for each command or step. There is one exception: several threads
 *   need the text at the same moment. Then each of them may call the function. Each call must set
 *   the same values.
 * - The function must not make calls for this command or its steps, except steptrace_command_id().
 *
 * WHAT HAPPENS WHEN A TRACER ATTACHES
 *
 * Each probe is a small function. It contains one or more nop instructions, the sites, and a return
 * instruction. To attach to a probe, a tracer attaches to one of its sites. A note in the ELF file
 * contains the address of the first site. The note has the SystemTap format, which bpftrace, perf
 * and bpftool read, too.
 *
 * The tracer attaches to one site of each probe. The kernel then increments the 16-bit counter
 * `steptrace_semaphore` in every process that maps the file, or only in the processes that the
 * tracer has chosen. The begin and end calls check this counter. While the counter is zero, no
 * probe function is called. While the counter is not zero, a begin or end call fills in a struct of
 * fixed size, the span. The span contains the text itself, not pointers to the text. The begin or
 * end call then passes the address of the span to the probe function. A BPF program in the kernel
 * copies the span.
 *
 *	command__start    command__done    command__rejected
 *	step__start       step__done
 *	tool__start       tool__done       fragment__changed
 *
 * A begin call reads the clock after its probe has fired. An end call reads the clock before its
 * probe fires. So the duration of a step or command does not contain the cost of its own two
 * probes. The duration contains the cost of all probes between the two. For example, the duration
 * of a command contains the cost of the probes of its steps.
 *
 * A tracer may attach in the middle of a command. If the begin call of a step or command ran before
 * the tracer attached, the step or command has no start time, and its event has no duration. The
 * ids and the text are not lost: a later call fills in the ids and the text.
 *
 * WHAT IS OPEN NOW
 *
 * `steptrace inflight` shows the commands and steps that a process is executing now, also those
 * that began while no tracer was attached. `inflight` reads the memory of the process, and searches
 * for the structs of open commands and steps. To make a struct recognisable, the begin call of the
 * command or step stores a tag in the struct. The end call clears the tag. The tag is a constant
 * mixed with the address of the tag. So a copy of the struct at another address has no valid tag.
 *
 * - Make the end call for each command and step that began, even if the work is cancelled.
 *   Otherwise `inflight` shows the struct until the memory of the struct is used for something
 *   else.
 * - Set the members with text before the begin call. (While no tracer is attached, the function in
 *   `describe` is not called. `inflight` then does not show the text that this function sets.)
 * - A child of fork() has a copy of each open struct, at the same address. `inflight` does not show
 *   the copy while the command is open in the parent.
 *
 * VERSIONS OF THE HEADER AND OF THE TRACER
 *
 * Every span begins with its size in bytes (size_bytes), the number of its layout, and its kind. A
 * later version of the header may append fields to a span without changing the layout. Existing
 * fields then keep their offset and meaning. In a new field, 0 means "not set".
 *
 * - If the tracer is newer than the runner's header, the tracer's struct can be longer than the
 *   runner's span. The tracer reads as many bytes as its own struct has, and treats all bytes after
 *   size_bytes as 0. If the memory after the span cannot be read, the tracer reads only size_bytes
 *   bytes.
 * - If the tracer is older than the runner's header, the tracer reads only the fields that the
 *   tracer knows.
 * - If the tracer does not know the layout, it counts the event as lost (unknown_layout).
 *
 * Assertions below check the offsets. The names of the probes, their single argument and the
 * register of the argument never change.
 *
 * The tag contains the size of the struct and the version of its members. The ELF note "steptrace"
 * of type 1 says that the begin calls of a program store tags.
 *
 * PLATFORMS
 *
 * The header works with C11, C++11 and later, gcc and clang, on Linux on x86-64 and little-endian
 * aarch64. It works in static programs, PIE programs and shared objects, with and without LTO. On
 * other platforms, the probes are compiled out, and a #warning says so. Define STEPTRACE_QUIET to
 * switch the warning off. Define STEPTRACE_DISABLE to compile the probes out on a supported
 * platform.
 */
#ifndef STEPTRACE_H
#define STEPTRACE_H

/* The file in the #include below does not exist, so the compiler stops there. Otherwise it would
 * print hundreds of further errors. */
#if defined(__cplusplus) ? __cplusplus < 201103L : (__STDC_VERSION__ + 0 < 201112L)
#error "steptrace.h needs C11 or C++11, or later: compile with -std=c11, -std=gnu11 or -std=c++17"
#include <steptrace.h-needs-C11-or-C++11>
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#if defined(STEPTRACE_DISABLE)
#define STEPTRACE__ACTIVE 0
#elif defined(__linux__) && (defined(__GNUC__) || defined(__clang__)) &&                           \
	((defined(__x86_64__) && !defined(__ILP32__)) ||                                           \
	 (defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)))
#define STEPTRACE__ACTIVE 1
#else
#define STEPTRACE__ACTIVE 0
#if !defined(STEPTRACE_QUIET)
#warning "steptrace.h: no probes on this platform (define STEPTRACE_QUIET to silence this)"
#endif
#endif

#if STEPTRACE__ACTIVE
#include <pthread.h>
#include <sys/syscall.h>
#if defined(__cplusplus) || !defined(__STRICT_ANSI__)
#include <unistd.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#define STEPTRACE__ASSERT(condition, why) static_assert(condition, why)
#define STEPTRACE__THREAD_LOCAL           thread_local
#else
#define STEPTRACE__ASSERT(condition, why) _Static_assert(condition, why)
#define STEPTRACE__THREAD_LOCAL           _Thread_local
#endif

/* ------------------------------------------------------------------ values of members */

enum steptrace_outcome {
	STEPTRACE_SUCCESS = 1,
	STEPTRACE_FAILURE = 2,
	STEPTRACE_SKIPPED = 3, /* steps only: the step had nothing to do */
	/* The work was stopped before it was finished. It did not fail, and its caller did not
	 * cancel it. For example, an interpreter exits while a script that it runs is in the middle
	 * of a step. The tracer itself reports this outcome for a command or step whose process
	 * ended, or called execve(), before the end call. */
	STEPTRACE_ABORTED = 4,
	STEPTRACE_CANCELLED = 5, /* the caller no longer wanted the result */
};

enum steptrace_error {
	STEPTRACE_ERROR_NONE = 0,
	STEPTRACE_ERROR_GENERAL = 1,
	STEPTRACE_ERROR_TIMEOUT = 2,
	STEPTRACE_ERROR_MEMORY = 3,
	STEPTRACE_ERROR_PERMISSION = 4,
	STEPTRACE_ERROR_NOT_FOUND = 5,
	STEPTRACE_ERROR_VALIDATION = 6,
	STEPTRACE_ERROR_NETWORK = 7,
	STEPTRACE_ERROR_DATABASE = 8,
	STEPTRACE_ERROR_CANCELLED = 9,
	STEPTRACE_ERROR_LIMIT = 10, /* an answer, a template or a regex was larger than its limit */
};

enum steptrace_ai_cache {
	STEPTRACE_AI_NONE = 0, /* the step does not call a model */
	STEPTRACE_AI_OFF = 1,
	STEPTRACE_AI_MISS = 2,
	STEPTRACE_AI_HIT = 3,
};

enum steptrace_operation {
	STEPTRACE_CREATED = 1,
	STEPTRACE_UPDATED = 2,
	STEPTRACE_DELETED = 3,
};

/* ------------------------------------------------------------------ what a probe passes
 *
 * The argument of each probe is the address of one of these structs. A runner in C or C++ never
 * uses them directly. They are for authors of tracers and of bindings for other languages.
 *
 * Text is padded with NUL. Text that fills its field has no terminating NUL. Times are in
 * nanoseconds of CLOCK_MONOTONIC. The time of a begin or end is 0 if no tracer was attached at that
 * moment, or if the begin or end has not happened yet. An id is stored as the 16 bytes of a UUID,
 * in the order in which the text of the UUID shows them. If all 16 bytes are 0, there is no id.
 */

enum steptrace_span_kind {
	STEPTRACE_SPAN_COMMAND = 1,
	STEPTRACE_SPAN_STEP = 2,
	STEPTRACE_SPAN_TOOL = 3,
	STEPTRACE_SPAN_FRAGMENT = 4,
	STEPTRACE_SPAN_REJECTED = 5,
};

enum { STEPTRACE_LAYOUT = 1 };

enum steptrace_span_flags {
	STEPTRACE_FLAG_DRY_RUN = 1u << 0,
	STEPTRACE_FLAG_SCHEDULED = 1u << 1,   /* a schedule started the command */
	STEPTRACE_FLAG_FRAGMENT_ID = 1u << 2, /* fragment_id is set */
	STEPTRACE_FLAG_ITEMS = 1u << 3,       /* items_in and items_out are set */
	STEPTRACE_FLAG_EXIT_STATUS = 1u << 4, /* exit_status is set */
	STEPTRACE_FLAG_SUSPENDED = 1u << 7,   /* only in done probes: suspended_ns is set */
};

struct steptrace_span_head {
	uint16_t size_bytes; /* size of the whole span in this version of the header */
	uint8_t layout;      /* STEPTRACE_LAYOUT */
	uint8_t kind;        /* enum steptrace_span_kind */
	uint32_t flags;      /* enum steptrace_span_flags */
	uint64_t start_ns;   /* time after the start probe has fired */
	uint64_t end_ns;     /* time before the done probe fires */
	uint64_t execution_id[2];
};

struct steptrace_command_span {
	struct steptrace_span_head head;
	uint64_t announced_ns; /* time before command__start; see struct steptrace_span_owner */
	uint64_t parent_execution_id[2];
	int64_t schedule_id;
	int64_t schedule_run_id;
	int64_t planned_run_at_s; /* Unix time */
	uint64_t steps_successful;
	uint64_t steps_failed;
	uint64_t steps_skipped;
	uint32_t arguments_count;
	uint8_t outcome;        /* enum steptrace_outcome */
	uint8_t error_category; /* enum steptrace_error */
	uint8_t reserved[2];
	char slug[64];
	char user_id[64];
	char request_source[16];
	char correlation_id[128];
	uint64_t steps_aborted;
	uint64_t steps_cancelled;
	uint64_t suspended_ns;   /* how much of end_ns - start_ns the command was suspended */
	uint64_t enqueued_at_ns; /* CLOCK_REALTIME; 0: not known */
	uint32_t attempt;        /* 1: the first; 0: not known */
	uint8_t reserved_too[4];
	char queue[64];
};

/*
 * The command that a step, tool call or fragment belongs to. command_announced_ns is the time just
 * before command__start fired for this command. 0 means that command__start did not fire for this
 * command in this process. If the tracer attached or lost an event after this time, it may not have
 * received command__start. Then the tracer also reads the command's span.
 */
struct steptrace_span_owner {
	uint64_t command_announced_ns;
	uint64_t command; /* address of the struct steptrace_command_span */
};

struct steptrace_step_span {
	struct steptrace_span_head head;
	struct steptrace_span_owner owner;
	uint64_t step_id[2];
	uint64_t parent_step_id[2];
	int64_t fragment_id;
	uint64_t mutations_count;
	uint32_t items_in;
	uint32_t items_out;
	uint32_t prompt_tokens;
	uint32_t completion_tokens;
	uint16_t index;
	uint16_t depth;
	uint8_t outcome;        /* enum steptrace_outcome */
	uint8_t error_category; /* enum steptrace_error */
	uint8_t ai_cache;       /* enum steptrace_ai_cache */
	uint8_t reserved;
	char type[48];
	char name[64];
	uint64_t suspended_ns; /* how much of end_ns - start_ns the step was suspended */
};

struct steptrace_tool_span {
	struct steptrace_span_head head;
	struct steptrace_span_owner owner;
	uint64_t step_id[2];
	uint64_t invocation_id[2];
	int32_t exit_status;
	uint8_t outcome; /* enum steptrace_outcome */
	uint8_t reserved[3];
	char slug[64];
};

struct steptrace_fragment_span {
	struct steptrace_span_head head;
	struct steptrace_span_owner owner;
	uint64_t step_id[2];
	int64_t fragment_id;
	uint8_t operation; /* enum steptrace_operation */
	uint8_t reserved[7];
};

struct steptrace_rejected_span {
	struct steptrace_span_head head;
	char slug[64];
	char user_id[64];
	char request_source[16];
	char correlation_id[128];
	char reason[32];
	char invalid_fields[128]; /* names of the fields, separated by commas */
};

#define STEPTRACE__AT(type, member, offset)                                                        \
	STEPTRACE__ASSERT(offsetof(struct type, member) == (offset), #type "." #member " moved")
#define STEPTRACE__SIZE(type, bytes)                                                               \
	STEPTRACE__ASSERT(sizeof(struct type) == (bytes), #type " changed its size")

STEPTRACE__AT(steptrace_span_head, flags, 4);
STEPTRACE__AT(steptrace_span_head, start_ns, 8);
STEPTRACE__AT(steptrace_span_head, execution_id, 24);
STEPTRACE__SIZE(steptrace_span_head, 40);
STEPTRACE__AT(steptrace_command_span, announced_ns, 40);
STEPTRACE__AT(steptrace_command_span, schedule_id, 64);
STEPTRACE__AT(steptrace_command_span, steps_successful, 88);
STEPTRACE__AT(steptrace_command_span, outcome, 116);
STEPTRACE__AT(steptrace_command_span, slug, 120);
STEPTRACE__AT(steptrace_command_span, correlation_id, 264);
STEPTRACE__AT(steptrace_command_span, steps_aborted, 392);
STEPTRACE__AT(steptrace_command_span, suspended_ns, 408);
STEPTRACE__AT(steptrace_command_span, queue, 432);
STEPTRACE__SIZE(steptrace_command_span, 496);
STEPTRACE__AT(steptrace_step_span, owner, 40);
STEPTRACE__AT(steptrace_step_span, step_id, 56);
STEPTRACE__AT(steptrace_step_span, fragment_id, 88);
STEPTRACE__AT(steptrace_step_span, items_in, 104);
STEPTRACE__AT(steptrace_step_span, index, 120);
STEPTRACE__AT(steptrace_step_span, type, 128);
STEPTRACE__AT(steptrace_step_span, name, 176);
STEPTRACE__AT(steptrace_step_span, suspended_ns, 240);
STEPTRACE__SIZE(steptrace_step_span, 248);
STEPTRACE__AT(steptrace_tool_span, exit_status, 88);
STEPTRACE__AT(steptrace_tool_span, slug, 96);
STEPTRACE__SIZE(steptrace_tool_span, 160);
STEPTRACE__AT(steptrace_fragment_span, fragment_id, 72);
STEPTRACE__SIZE(steptrace_fragment_span, 88);
STEPTRACE__AT(steptrace_rejected_span, reason, 312);
STEPTRACE__SIZE(steptrace_rejected_span, 472);

/* ------------------------------------------------------------------ what a runner fills in
 *
 * In the structs that a runner fills in, the comment "----" divides the members into two groups.
 * The init function of the struct sets some of the members above this comment from its arguments.
 * The init function sets the other members above this comment to "not set", but does not change
 * `context`. A runner does not use the members below this comment: this header sets them.
 *
 * The comment of a text member ends with a number, for example "; 64". This is the size in bytes of
 * the field in the span to which the text is copied. Longer text is truncated.
 */

struct steptrace__pauses {
	uint64_t since_ns; /* 0: no tracer was attached when the pause began */
	uint64_t total_ns; /* of the pauses that have ended */
};

/*
 * The tag of a struct is STEPTRACE__TAG ^ (the address of the tag * STEPTRACE__TAG_FACTOR), from
 * the begin call to the end call. The factor spreads each bit of the address over the upper half.
 * The upper half of STEPTRACE__TAG is a random number. The lower half says what the struct is: the
 * version of its members (8 bits), enum steptrace_span_kind (8 bits), and the size (16 bits).
 */
#define STEPTRACE__TAG_FACTOR  UINT64_C(0x9e3779b97f4a7c15)
#define STEPTRACE__TAG_MAGIC   UINT64_C(0xd1f57e9a)
#define STEPTRACE__TAG_VERSION UINT64_C(1)
#define STEPTRACE__TAG(kind, type)                                                                 \
	((STEPTRACE__TAG_MAGIC << 32) | (STEPTRACE__TAG_VERSION << 24) |                           \
	 ((uint64_t)(kind) << 16) | sizeof(struct type))

struct steptrace_command {
	const char *slug;           /* the name of the command: "fragment.update"; 64 */
	void *context;              /* for `describe`; the init function does not set it */
	const char *user_id;        /* 64 */
	const char *request_source; /* api, cli, schedule, queue, test or another word; 16 */
	const char *correlation_id; /* id of the request; NULL: the execution id is used; 128 */
	const char *queue;          /* the queue from which the command was taken; 64 */
	struct steptrace_command *parent; /* the command that started this command; NULL: none */
	/* NULL, or a function that sets the members with text; see "TEXT THAT COSTS TIME" above */
	void (*describe)(struct steptrace_command *command, void *context);
	uint64_t enqueued_at_ns;  /* CLOCK_REALTIME when the command was put into the queue */
	int64_t schedule_id;      /* of the schedule that started the command; 0: not known */
	int64_t schedule_run_id;  /* of this run of the schedule; 0: not known */
	int64_t planned_run_at_s; /* Unix time; 0: not known */
	uint32_t attempt; /* how many times the command was taken from the queue; 0: not known */
	uint32_t arguments_count;
	/* 1: a schedule started the command. 0: the three members of the schedule are ignored. */
	uint8_t is_scheduled;
	uint8_t dry_run;        /* also applies to the command's steps */
	uint8_t error_category; /* enum steptrace_error; set it before the end call */
	/* ---- */
	uint8_t described;       /* text and ids of the span are filled in */
	uint8_t begun;           /* the begin call was made */
	uint8_t pause;           /* enum steptrace__pause */
	uint64_t announced_key;  /* steptrace__process_key() when command__start fired */
	uint64_t steps_count[8]; /* steps that ended, by outcome */
	struct steptrace__pauses pauses;
	uint64_t tag; /* STEPTRACE__TAG mixed with its own address while the command is open */
	struct steptrace_command_span span;
};

struct steptrace_step {
	struct steptrace_command *command;
	const char *type;              /* "DatabaseUpdateStep"; 48 */
	void *context;                 /* for `describe`; the init function does not set it */
	struct steptrace_step *parent; /* the step that contains this step; NULL: none */
	const char *name;              /* the step's name within its command; 64 */
	/* NULL, or a function that sets `name`; see "TEXT THAT COSTS TIME" above */
	void (*describe)(struct steptrace_step *step, void *context);
	int64_t fragment_id;          /* the step's fragment; also set has_fragment_id to 1 */
	uint64_t mutations_count;     /* rows changed */
	uint32_t items_in, items_out; /* items of a list step; also set has_items to 1 */
	uint32_t prompt_tokens, completion_tokens;
	uint16_t index; /* position among its siblings, from 0 */
	uint8_t has_fragment_id;
	uint8_t has_items;
	uint8_t ai_cache;       /* enum steptrace_ai_cache */
	uint8_t error_category; /* enum steptrace_error */
	/* ---- */
	uint8_t described;
	uint8_t pause; /* enum steptrace__pause */
	struct steptrace__pauses pauses;
	uint64_t tag; /* STEPTRACE__TAG mixed with its own address while the step is open */
	struct steptrace_step_span span;
};

struct steptrace_tool {
	struct steptrace_command *command;
	struct steptrace_step *step; /* the step that calls the tool; NULL: the command itself */
	const char *slug;            /* the name of the tool; 64 */
	int32_t exit_status;         /* of the tool; also set has_exit_status to 1 */
	uint8_t has_exit_status;
	/* ---- */
	uint8_t described;
	struct steptrace_tool_span span;
};

/* `steptrace inflight` reads these structs in the memory of a runner, so the offsets of their
 * members must not change. A later version may append members to a struct. Every other change needs
 * another STEPTRACE__TAG_VERSION. */
#if STEPTRACE__ACTIVE
STEPTRACE__AT(steptrace_command, user_id, 16);
STEPTRACE__AT(steptrace_command, correlation_id, 32);
STEPTRACE__AT(steptrace_command, parent, 48);
STEPTRACE__AT(steptrace_command, enqueued_at_ns, 64);
STEPTRACE__AT(steptrace_command, attempt, 96);
STEPTRACE__AT(steptrace_command, is_scheduled, 104);
STEPTRACE__AT(steptrace_command, described, 107);
STEPTRACE__AT(steptrace_command, steps_count, 120);
STEPTRACE__AT(steptrace_command, pauses, 184);
STEPTRACE__AT(steptrace_command, tag, 200);
STEPTRACE__AT(steptrace_command, span, 208);
STEPTRACE__SIZE(steptrace_command, 704);
STEPTRACE__AT(steptrace_step, type, 8);
STEPTRACE__AT(steptrace_step, parent, 24);
STEPTRACE__AT(steptrace_step, name, 32);
STEPTRACE__AT(steptrace_step, index, 80);
STEPTRACE__AT(steptrace_step, described, 86);
STEPTRACE__AT(steptrace_step, pauses, 88);
STEPTRACE__AT(steptrace_step, tag, 104);
STEPTRACE__AT(steptrace_step, span, 112);
STEPTRACE__SIZE(steptrace_step, 360);
#endif

/* ------------------------------------------------------------------ the probe functions
 *
 * Each probe has one function, which contains the sites, and one ELF note. The function and the
 * note are in the same COMDAT group. The linker keeps only one of several groups with the same
 * name. So a program or a library contains each probe once, even if many of its files include this
 * header. The `.ifndef` is needed for LTO, which puts the assembler text of all files into one
 * unit.
 *
 *	steptrace_probe_step__done:
 *		nop			1 byte, for every tool and kernel; the note points here
 *		nopl 0(%rax,%rax,1)	5 bytes, for kernels that replace 5 bytes by a call
 *		nopw %cs:0(%rax,%rax,1)	10 bytes, for kernels that need 10 bytes for the call
 *		ret
 *
 * The alignment prevents a site from crossing a page or a cache line. The functions are called only
 * while the semaphore is not zero, so the sites cost nothing while no tracer is attached.
 */
#if STEPTRACE__ACTIVE

#if defined(__x86_64__)
#define STEPTRACE__SITES                                                                           \
	"990:\tnop\n"                                                                              \
	"\t.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"                                                   \
	"\t.byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00\n"                     \
	"\tret\n"
#define STEPTRACE__ARGUMENT "8@%rdi"
#else
#define STEPTRACE__SITES                                                                           \
	"\thint #34\n" /* bti c */                                                                 \
	"990:\tnop\n"                                                                              \
	"\tret\n"
#define STEPTRACE__ARGUMENT "8@x0"
#endif

#define STEPTRACE__PROBE(name)                                                                     \
	__asm__(".ifndef steptrace_probe_" #name "\n"                                              \
		"\t.pushsection .text.steptrace_probe_" #name                                      \
		",\"axG\",%progbits,steptrace_probe_" #name ",comdat\n"                            \
		"\t.weak steptrace_probe_" #name "\n"                                              \
		"\t.hidden steptrace_probe_" #name "\n"                                            \
		"\t.type steptrace_probe_" #name ", %function\n"                                   \
		"\t.balign 32\n"                                                                   \
		"steptrace_probe_" #name ":\n"                                                     \
		"\t.cfi_startproc\n" STEPTRACE__SITES "\t.cfi_endproc\n"                           \
		"\t.size steptrace_probe_" #name ", . - steptrace_probe_" #name "\n"               \
		"\t.pushsection .note.stapsdt,\"G\",%note,steptrace_probe_" #name ",comdat\n"      \
		"\t.balign 4\n"                                                                    \
		"\t.4byte 992f - 991f, 994f - 993f, 3\n"                                           \
		"991:\t.asciz \"stapsdt\"\n"                                                       \
		"992:\t.balign 4\n"                                                                \
		"993:\t.8byte 990b\n"                                                              \
		"\t.8byte _.stapsdt.base\n"                                                        \
		"\t.8byte steptrace_semaphore\n"                                                   \
		"\t.asciz \"steptrace\"\n"                                                         \
		"\t.asciz \"" #name "\"\n"                                                         \
		"\t.asciz \"" STEPTRACE__ARGUMENT "\"\n"                                           \
		"994:\t.balign 4\n"                                                                \
		"\t.popsection\n"                                                                  \
		"\t.popsection\n"                                                                  \
		".endif\n");                                                                       \
	void steptrace_probe_##name(const void *span) __attribute__((visibility("hidden")));

/*
 * The semaphore is aligned to a page. The linkers lld and mold put relocated read-only data into a
 * separate segment. Without the alignment, the end of this segment and the semaphore could be in
 * the same page of the file. At exec, the kernel makes one mapping for each segment. Then the
 * mapping of this segment and the mapping of the semaphore's segment would both contain this page,
 * and the kernel could increment the semaphore in the wrong one of the two mappings.
 */
__asm__(".ifndef steptrace_semaphore\n"
	"	.pushsection .probes,\"awG\",%progbits,steptrace_semaphore,comdat\n"
	"	.weak steptrace_semaphore\n"
	"	.hidden steptrace_semaphore\n"
	"	.type steptrace_semaphore, %object\n"
	"	.balign 4096\n"
	"steptrace_semaphore:\n"
	"	.zero 8\n"
	"	.size steptrace_semaphore, 8\n"
	"	.pushsection .note.steptrace,\"G\",%note,steptrace_semaphore,comdat\n"
	"	.balign 4\n"
	"	.4byte 992f - 991f, 994f - 993f, 1\n" /* type 1: begin calls store tags */
	"991:	.asciz \"steptrace\"\n"
	"992:	.balign 4\n"
	"993:	.4byte 1\n" /* STEPTRACE__TAG_VERSION */
	"994:	.balign 4\n"
	"	.popsection\n"
	"	.popsection\n"
	".endif\n"
	".ifndef _.stapsdt.base\n" /* its address shows how far prelink moved the code */
	"	.pushsection .stapsdt.base,\"aG\",%progbits,.stapsdt.base,comdat\n"
	"	.weak _.stapsdt.base\n"
	"	.hidden _.stapsdt.base\n"
	"_.stapsdt.base:\n"
	"	.space 1\n"
	"	.size _.stapsdt.base, 1\n"
	"	.popsection\n"
	".endif\n");

extern volatile unsigned short steptrace_semaphore __attribute__((visibility("hidden")));

STEPTRACE__PROBE(command__start)
STEPTRACE__PROBE(command__done)
STEPTRACE__PROBE(command__rejected)
STEPTRACE__PROBE(step__start)
STEPTRACE__PROBE(step__done)
STEPTRACE__PROBE(tool__start)
STEPTRACE__PROBE(tool__done)
STEPTRACE__PROBE(fragment__changed)

#define STEPTRACE__FIRE(name, span) steptrace_probe_##name(span)

#else
#define STEPTRACE__FIRE(name, span) ((void)(span))
#endif

/* Returns 1 while a tracer is attached, otherwise 0. */
static inline int steptrace_enabled(void)
{
#if STEPTRACE__ACTIVE
	return steptrace_semaphore != 0;
#else
	return 0;
#endif
}

/*
 * Returns the address of the counter that steptrace_enabled() reads. A binding can read the counter
 * at this address without a call. Every program and every shared library has its own counter. This
 * function returns the address of the counter of the program or library whose code calls this
 * function. So call this function in the library that makes the begin and end calls. On platforms
 * without probes, the counter is always 0.
 */
static inline const volatile unsigned short *steptrace_semaphore_address(void)
{
#if STEPTRACE__ACTIVE
	return &steptrace_semaphore;
#else
	static const volatile unsigned short never = 0;

	return &never;
#endif
}

/* ------------------------------------------------------------------ ids
 *
 * An id has the form of a UUID, version 4. Its two words are computed from a 64-bit key and a
 * counter. Each process has its own key. Each thread has its own range of counter values.
 *
 * Begin and end calls make no system call, because a sandbox may kill a process that makes a system
 * call. All system calls are made once, in a constructor. It runs at program start, or in dlopen()
 * if this header is in a library that is loaded with dlopen(). A call that needs an id before the
 * constructor has run makes the system calls in its place. getrandom() reads a random seed,
 * mmap() allocates a page, and madvise() makes the kernel clear this page in a child process
 * (MADV_WIPEONFORK). The page contains the key.
 *
 * - fork(): a handler of pthread_atfork() stores the key of the child. The parent computes this key
 *   before the child exists, from its own key and the number of the fork. Threads that call fork()
 *   at the same time use different numbers.
 * - clone(): if the program calls clone() directly instead of fork(), no handler runs. The kernel
 *   has cleared the page of the child. When the child creates its first id, the child computes a
 *   key from the seed and the clock. If the kernel cannot clear pages (Linux before 4.14), such a
 *   child creates the same ids as its parent.
 */
#if STEPTRACE__ACTIVE

#if !defined(__cplusplus) && defined(__STRICT_ANSI__) /* not declared in strict modes */
extern long syscall(long number, ...);
extern int clock_gettime(int clock, struct timespec *now);
#endif

#define STEPTRACE__SLOW static __attribute__((noinline, unused))

struct steptrace__identity {
	uint64_t key; /* 0: this process is the child of a clone() and has not created an id yet */
	uint64_t threads_count;
};

static struct steptrace__identity *steptrace__page;
static struct steptrace__identity steptrace__page_that_stays;
static uint64_t steptrace__seed[2];
static uint64_t steptrace__forks_count;
static STEPTRACE__THREAD_LOCAL uint64_t steptrace__child_key; /* of the fork() in this thread */
static STEPTRACE__THREAD_LOCAL uint64_t steptrace__thread_key;
static STEPTRACE__THREAD_LOCAL uint64_t steptrace__thread_number;
static STEPTRACE__THREAD_LOCAL uint64_t steptrace__thread_next;

static inline uint64_t steptrace__now_ns(void)
{
	struct timespec now;

	clock_gettime(1 /* CLOCK_MONOTONIC */, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t steptrace__now_if_enabled_ns(void)
{
	return steptrace_enabled() ? steptrace__now_ns() : 0;
}

/* The last stage of splitmix64: a bijection in which every input bit affects every output bit. */
static inline uint64_t steptrace__mix(uint64_t word)
{
	word += 0x9e3779b97f4a7c15u;
	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
	return word ^ (word >> 31);
}

/* Computes the key of the child of a clone() without fork(), from the seed, the clock and the
 * counter of the thread. If two such children read the same time, their keys still differ if the
 * parent created an id between the two clone() calls. */
STEPTRACE__SLOW uint64_t steptrace__key_after_clone(struct steptrace__identity *page)
{
	uint64_t expected = 0;
	uint64_t key = steptrace__mix(steptrace__seed[0] ^ steptrace__now_ns());

	key = steptrace__mix(key ^ steptrace__seed[1] ^ steptrace__thread_next) | 1;
	if (!__atomic_compare_exchange_n(&page->key, &expected, key, 0, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		key = expected;
	return key;
}

static inline uint64_t steptrace__key(struct steptrace__identity *page)
{
	uint64_t key = __atomic_load_n(&page->key, __ATOMIC_RELAXED);

	return __builtin_expect(key != 0, 1) ? key : steptrace__key_after_clone(page);
}

/* Runs in the parent, before fork(). */
STEPTRACE__SLOW void steptrace__before_fork(void)
{
	uint64_t number = __atomic_add_fetch(&steptrace__forks_count, 1, __ATOMIC_RELAXED);

	steptrace__child_key =
		steptrace__mix(steptrace__key(steptrace__page) + steptrace__mix(number)) | 1;
}

/* Runs in the child, after fork(). */
STEPTRACE__SLOW void steptrace__after_fork(void)
{
	__atomic_store_n(&steptrace__page->key, steptrace__child_key, __ATOMIC_RELAXED);
}

/* Returns a page that the kernel clears in child processes, or memory that stays as it is. */
STEPTRACE__SLOW struct steptrace__identity *steptrace__page_new(void)
{
	long address = syscall(SYS_mmap, NULL, 4096, 3 /* read, write */,
			       0x22 /* private, anonymous */, -1, 0);

	if (address == -1 || syscall(SYS_madvise, address, 4096, 18 /* WIPEONFORK */) != 0)
		return &steptrace__page_that_stays;
	return (struct steptrace__identity *)(uintptr_t)address;
}

/* The priority 101 is the first that a program may use. Constructors that run later may already
 * make begin calls. */
__attribute__((constructor(101), unused)) static void steptrace__identity_init(void)
{
	struct steptrace__identity *page, *expected = NULL;
	uint64_t seed[2];
	int saved_errno = errno;

	if (__atomic_load_n(&steptrace__page, __ATOMIC_ACQUIRE))
		return;
	seed[0] = steptrace__now_ns(); /* used when getrandom() is not permitted */
	seed[1] = (uint64_t)(uintptr_t)seed;
	(void)syscall(SYS_getrandom, seed, sizeof(seed), 1 /* GRND_NONBLOCK */);
	__atomic_store_n(&steptrace__seed[0], seed[0], __ATOMIC_RELAXED);
	__atomic_store_n(&steptrace__seed[1], seed[1], __ATOMIC_RELAXED);

	page = steptrace__page_new();
	page->key = steptrace__mix(seed[0]) | 1;
	if (__atomic_compare_exchange_n(&steptrace__page, &expected, page, 0, __ATOMIC_RELEASE,
					__ATOMIC_RELAXED))
		(void)pthread_atfork(steptrace__before_fork, NULL, steptrace__after_fork);
	errno = saved_errno;
}

/*
 * Returns a 64-bit number from which an id is made, and stores the key of the process in *key. The
 * first 2^24 threads of a process never get the same number twice. Later threads can get a number
 * that an earlier thread got. An id of steptrace__id_new() is different even then, because the
 * index of the thread is part of the second half of the id.
 */
static inline uint64_t steptrace__next(uint64_t *key)
{
	struct steptrace__identity *page = __atomic_load_n(&steptrace__page, __ATOMIC_ACQUIRE);

	if (__builtin_expect(!page, 0)) {
		steptrace__identity_init();
		page = __atomic_load_n(&steptrace__page, __ATOMIC_ACQUIRE);
	}
	*key = steptrace__key(page);
	if (__builtin_expect(steptrace__thread_key != *key, 0)) {
		steptrace__thread_key = *key;
		steptrace__thread_number =
			__atomic_fetch_add(&page->threads_count, 1, __ATOMIC_RELAXED);
		steptrace__thread_next = steptrace__thread_number << 40;
	}
	return steptrace__mix(*key + steptrace__thread_next++);
}

/* Set the bits of a UUID for version 4 and variant 1, in the byte order of a little-endian word. */
#define STEPTRACE__UUID_LOW(word)                                                                  \
	(((word) & ~UINT64_C(0x00f0000000000000)) | UINT64_C(0x0040000000000000))
#define STEPTRACE__UUID_HIGH(word)                                                                 \
	(((word) & ~UINT64_C(0x00000000000000c0)) | UINT64_C(0x0000000000000080))

static inline void steptrace__id_new(uint64_t id[2])
{
	uint64_t key, word = steptrace__next(&key);

	id[0] = STEPTRACE__UUID_LOW(word);
	word ^= steptrace__seed[0] ^ (key >> 1) ^ (steptrace__thread_number << 32);
	id[1] = STEPTRACE__UUID_HIGH(steptrace__mix(word));
}

/*
 * Creates an id if the id is not set yet. If a tracer attaches in the middle of a command, several
 * threads may call this function for the same id at the same time. Each word of the id is set by
 * one of the threads only. A word that is already set is not changed, because an event may already
 * contain the word.
 */
STEPTRACE__SLOW void steptrace__id_once(uint64_t id[2])
{
	uint64_t key, word, low = __atomic_load_n(&id[0], __ATOMIC_RELAXED), high = 0;

	if (low && __atomic_load_n(&id[1], __ATOMIC_RELAXED))
		return;
	word = STEPTRACE__UUID_LOW(steptrace__next(&key));
	if (!low &&
	    __atomic_compare_exchange_n(&id[0], &low, word, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		low = word;
	word = steptrace__mix(low ^ steptrace__seed[0] ^ (key >> 1));
	__atomic_compare_exchange_n(&id[1], &high, STEPTRACE__UUID_HIGH(word), 0, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ filling the spans
 *
 * These functions are called only while a tracer is attached. The larger ones are not inlined.
 */

/* Copies text into a field of fixed size and pads the field with NUL. Text that is too long is
 * truncated, but no UTF-8 character is split. */
STEPTRACE__SLOW void steptrace__copy(char *field, size_t field_bytes, const char *text)
{
	const char *end;
	size_t bytes = 0;

	if (text) {
		end = (const char *)memchr(text, 0, field_bytes + 1);
		bytes = end ? (size_t)(end - text) : field_bytes;
		if (!end)
			while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80)
				bytes--;
		memcpy(field, text, bytes);
	}
	memset(field + bytes, 0, field_bytes - bytes);
}

/* Slugs and types are never empty, because tools that read events group them by slug and type. */
static inline const char *steptrace__name(const char *name)
{
	return name && *name ? name : "unnamed";
}

/* Sets the members of the head, except start_ns and execution_id. These two may have been set by an
 * earlier call. */
static inline void steptrace__head(struct steptrace_span_head *head, size_t bytes, uint8_t kind,
				   uint32_t flags)
{
	head->size_bytes = (uint16_t)bytes;
	head->layout = STEPTRACE_LAYOUT;
	head->kind = kind;
	head->flags = flags;
	head->end_ns = 0;
}

static inline uint32_t steptrace__flag(uint8_t is_set, enum steptrace_span_flags flag)
{
	return is_set ? (uint32_t)flag : 0u;
}

/* Returns the key of this process, or 0 after a clone() without fork() if no id was created yet.
 * steptrace__announced_ns() compares this key with the key that was stored when command__start
 * fired. If the two differ, command__start fired in the parent process. */
static inline uint64_t steptrace__process_key(void)
{
	struct steptrace__identity *page = __atomic_load_n(&steptrace__page, __ATOMIC_ACQUIRE);

	return page ? __atomic_load_n(&page->key, __ATOMIC_RELAXED) : 0;
}

enum steptrace__pause {
	STEPTRACE__NEVER_PAUSED = 0,
	STEPTRACE__PAUSED = 1,
	STEPTRACE__RESUMED = 2
};

/*
 * A pause has a length only if a tracer was attached when the pause began and when it ended. If one
 * of the two times is missing, the duration of the span is not known: its start time is removed.
 * `now_ns` is 0 if no tracer is attached.
 */
STEPTRACE__SLOW void steptrace__pause_begin(uint8_t *pause, struct steptrace__pauses *pauses,
					    uint64_t now_ns)
{
	if (*pause == STEPTRACE__PAUSED)
		return;
	if (*pause == STEPTRACE__NEVER_PAUSED)
		pauses->total_ns = 0;
	*pause = STEPTRACE__PAUSED;
	pauses->since_ns = now_ns;
}

STEPTRACE__SLOW void steptrace__pause_end(uint8_t *pause, struct steptrace__pauses *pauses,
					  uint64_t *start_ns, uint64_t now_ns)
{
	if (*pause != STEPTRACE__PAUSED)
		return;
	*pause = STEPTRACE__RESUMED;
	if (now_ns && pauses->since_ns)
		pauses->total_ns += now_ns - pauses->since_ns;
	else
		*start_ns = 0;
}

/* Called at the end of the span. If the span is still suspended, its pause ends here. */
static inline uint64_t steptrace__suspended_ns(uint8_t *pause, struct steptrace__pauses *pauses,
					       uint64_t *start_ns, uint64_t end_ns)
{
	if (*pause == STEPTRACE__NEVER_PAUSED)
		return 0;
	steptrace__pause_end(pause, pauses, start_ns, end_ns);
	return pauses->total_ns;
}

static inline void steptrace__command_known(struct steptrace_command *command);

/*
 * Fills in the text of the command's span and the id of its parent. If the command began before the
 * tracer attached, several threads that run steps of the command may call this function at the same
 * time. All of them write the same bytes. The times and the execution id are not changed.
 */
STEPTRACE__SLOW void steptrace__command_describe(struct steptrace_command *command)
{
	struct steptrace_command_span *span = &command->span;

	if (command->describe)
		command->describe(command, command->context);
	steptrace__head(&span->head, sizeof(*span), STEPTRACE_SPAN_COMMAND,
			steptrace__flag(command->dry_run, STEPTRACE_FLAG_DRY_RUN) |
				steptrace__flag(command->is_scheduled, STEPTRACE_FLAG_SCHEDULED));
	span->parent_execution_id[0] = span->parent_execution_id[1] = 0;
	if (command->parent) {
		steptrace__command_known(command->parent);
		span->parent_execution_id[0] = command->parent->span.head.execution_id[0];
		span->parent_execution_id[1] = command->parent->span.head.execution_id[1];
	}
	span->schedule_id = command->schedule_id;
	span->schedule_run_id = command->schedule_run_id;
	span->planned_run_at_s = command->planned_run_at_s;
	span->steps_successful = span->steps_failed = span->steps_skipped = 0;
	span->steps_aborted = span->steps_cancelled = 0;
	span->suspended_ns = 0;
	span->enqueued_at_ns = command->enqueued_at_ns;
	span->attempt = command->attempt;
	span->arguments_count = command->arguments_count;
	span->outcome = span->error_category = 0;
	memset(span->reserved, 0, sizeof(span->reserved));
	memset(span->reserved_too, 0, sizeof(span->reserved_too));
	steptrace__copy(span->slug, sizeof(span->slug), steptrace__name(command->slug));
	steptrace__copy(span->user_id, sizeof(span->user_id), command->user_id);
	steptrace__copy(span->request_source, sizeof(span->request_source),
			command->request_source);
	steptrace__copy(span->correlation_id, sizeof(span->correlation_id),
			command->correlation_id);
	steptrace__copy(span->queue, sizeof(span->queue), command->queue);
	__atomic_store_n(&command->described, 1, __ATOMIC_RELEASE);
}

static inline void steptrace__command_known(struct steptrace_command *command)
{
	if (__builtin_expect(!__atomic_load_n(&command->described, __ATOMIC_ACQUIRE), 0)) {
		steptrace__id_once(command->span.head.execution_id);
		steptrace__command_describe(command);
	}
}

STEPTRACE__SLOW void steptrace__command_started(struct steptrace_command *command)
{
	if (!command->span.head.execution_id[0])
		steptrace__id_new(command->span.head.execution_id);
	steptrace__command_describe(command);
	command->announced_key = steptrace__process_key();
	command->span.announced_ns = steptrace__now_ns();
	STEPTRACE__FIRE(command__start, &command->span);
	command->span.head.start_ns = steptrace__now_ns();
}

/* Returns 0 if command__start fired in the parent process and the command continues in a child of
 * fork(). The tracer must then read the command's span again. */
static inline uint64_t steptrace__announced_ns(const struct steptrace_command *command)
{
	return command->announced_key == steptrace__process_key() ? command->span.announced_ns : 0;
}

STEPTRACE__SLOW void steptrace__command_ended(struct steptrace_command *command, uint8_t outcome)
{
	struct steptrace_command_span *span = &command->span;

	uint64_t end_ns = steptrace__now_ns();

	steptrace__command_known(command);
	span->head.end_ns = end_ns;
	span->head.flags |= steptrace__flag(command->pause, STEPTRACE_FLAG_SUSPENDED);
	span->suspended_ns = steptrace__suspended_ns(&command->pause, &command->pauses,
						     &span->head.start_ns, end_ns);
	span->announced_ns = steptrace__announced_ns(command);
	span->outcome = outcome;
	span->error_category = command->error_category;
	span->steps_successful = command->steps_count[STEPTRACE_SUCCESS];
	span->steps_failed = command->steps_count[STEPTRACE_FAILURE];
	span->steps_skipped = command->steps_count[STEPTRACE_SKIPPED];
	span->steps_aborted = command->steps_count[STEPTRACE_ABORTED];
	span->steps_cancelled = command->steps_count[STEPTRACE_CANCELLED];
	STEPTRACE__FIRE(command__done, span);
}

STEPTRACE__SLOW void steptrace__owner(struct steptrace_span_head *head,
				      struct steptrace_span_owner *owner,
				      struct steptrace_command *command)
{
	steptrace__command_known(command);
	head->execution_id[0] = command->span.head.execution_id[0];
	head->execution_id[1] = command->span.head.execution_id[1];
	owner->command_announced_ns = steptrace__announced_ns(command);
	owner->command = (uint64_t)(uintptr_t)&command->span;
}

static inline void steptrace__step_known(struct steptrace_step *step);

/*
 * Fills in the text and the ids of the step's span, except the step's own id. Several threads may
 * call this function for the same parent step at the same time. All of them write the same bytes. A
 * step that began before the tracer attached has no start time. This function does not set it.
 */
STEPTRACE__SLOW void steptrace__step_describe(struct steptrace_step *step)
{
	struct steptrace_step_span *span = &step->span;

	if (step->describe)
		step->describe(step, step->context);
	steptrace__head(&span->head, sizeof(*span), STEPTRACE_SPAN_STEP,
			steptrace__flag(step->command->dry_run, STEPTRACE_FLAG_DRY_RUN));
	steptrace__owner(&span->head, &span->owner, step->command);
	span->depth = 0;
	span->parent_step_id[0] = span->parent_step_id[1] = 0;
	if (step->parent) {
		steptrace__step_known(step->parent);
		span->parent_step_id[0] = step->parent->span.step_id[0];
		span->parent_step_id[1] = step->parent->span.step_id[1];
		span->depth = (uint16_t)(step->parent->span.depth + 1u);
	}
	span->fragment_id = 0;
	span->mutations_count = 0;
	span->items_in = span->items_out = 0;
	span->prompt_tokens = span->completion_tokens = 0;
	span->index = step->index;
	span->suspended_ns = 0;
	span->outcome = span->error_category = span->ai_cache = span->reserved = 0;
	steptrace__copy(span->type, sizeof(span->type), steptrace__name(step->type));
	steptrace__copy(span->name, sizeof(span->name), step->name);
	__atomic_store_n(&step->described, 1, __ATOMIC_RELEASE);
}

static inline void steptrace__step_known(struct steptrace_step *step)
{
	if (__builtin_expect(!__atomic_load_n(&step->described, __ATOMIC_ACQUIRE), 0)) {
		steptrace__id_once(step->span.step_id);
		steptrace__step_describe(step);
	}
}

STEPTRACE__SLOW void steptrace__step_started(struct steptrace_step *step)
{
	steptrace__id_new(step->span.step_id);
	steptrace__step_describe(step);
	STEPTRACE__FIRE(step__start, &step->span);
	step->span.head.start_ns = steptrace__now_ns();
}

STEPTRACE__SLOW void steptrace__step_ended(struct steptrace_step *step, uint8_t outcome)
{
	struct steptrace_step_span *span = &step->span;
	uint64_t end_ns = steptrace__now_ns();

	steptrace__step_known(step);
	span->head.end_ns = end_ns;
	span->head.flags |= steptrace__flag(step->has_fragment_id, STEPTRACE_FLAG_FRAGMENT_ID) |
			    steptrace__flag(step->has_items, STEPTRACE_FLAG_ITEMS) |
			    steptrace__flag(step->pause, STEPTRACE_FLAG_SUSPENDED);
	span->suspended_ns =
		steptrace__suspended_ns(&step->pause, &step->pauses, &span->head.start_ns, end_ns);
	span->owner.command_announced_ns = steptrace__announced_ns(step->command);
	span->fragment_id = step->fragment_id;
	span->mutations_count = step->mutations_count;
	span->items_in = step->items_in;
	span->items_out = step->items_out;
	span->prompt_tokens = step->prompt_tokens;
	span->completion_tokens = step->completion_tokens;
	span->outcome = outcome;
	span->error_category = step->error_category;
	span->ai_cache = step->ai_cache;
	__atomic_fetch_add(&step->command->steps_count[outcome], 1, __ATOMIC_RELAXED);
	STEPTRACE__FIRE(step__done, span);
}

STEPTRACE__SLOW void steptrace__tool_describe(struct steptrace_tool *tool)
{
	struct steptrace_tool_span *span = &tool->span;

	memset(span, 0, sizeof(*span));
	steptrace__head(&span->head, sizeof(*span), STEPTRACE_SPAN_TOOL,
			steptrace__flag(tool->command->dry_run, STEPTRACE_FLAG_DRY_RUN));
	steptrace__owner(&span->head, &span->owner, tool->command);
	steptrace__id_new(span->invocation_id);
	if (tool->step) {
		steptrace__step_known(tool->step);
		span->step_id[0] = tool->step->span.step_id[0];
		span->step_id[1] = tool->step->span.step_id[1];
	}
	steptrace__copy(span->slug, sizeof(span->slug), steptrace__name(tool->slug));
	tool->described = 1;
}

STEPTRACE__SLOW void steptrace__tool_started(struct steptrace_tool *tool)
{
	steptrace__tool_describe(tool);
	STEPTRACE__FIRE(tool__start, &tool->span);
	tool->span.head.start_ns = steptrace__now_ns();
}

STEPTRACE__SLOW void steptrace__tool_ended(struct steptrace_tool *tool, uint8_t outcome)
{
	uint64_t end_ns = steptrace__now_ns();

	if (!tool->described)
		steptrace__tool_describe(tool);
	tool->span.head.end_ns = end_ns;
	tool->span.head.flags |= steptrace__flag(tool->has_exit_status, STEPTRACE_FLAG_EXIT_STATUS);
	tool->span.owner.command_announced_ns = steptrace__announced_ns(tool->command);
	tool->span.exit_status = tool->exit_status;
	tool->span.outcome = outcome;
	STEPTRACE__FIRE(tool__done, &tool->span);
}

STEPTRACE__SLOW void steptrace__fragment_changed(struct steptrace_step *step, int64_t fragment_id,
						 uint8_t operation)
{
	struct steptrace_fragment_span span;

	memset(&span, 0, sizeof(span));
	steptrace__step_known(step);
	steptrace__head(&span.head, sizeof(span), STEPTRACE_SPAN_FRAGMENT,
			steptrace__flag(step->command->dry_run, STEPTRACE_FLAG_DRY_RUN));
	steptrace__owner(&span.head, &span.owner, step->command);
	span.step_id[0] = step->span.step_id[0];
	span.step_id[1] = step->span.step_id[1];
	span.fragment_id = fragment_id;
	span.operation = operation;
	STEPTRACE__FIRE(fragment__changed, &span);
}

STEPTRACE__SLOW void steptrace__command_rejected(struct steptrace_command *command,
						 const char *reason, const char *invalid_fields)
{
	struct steptrace_rejected_span span;

	memset(&span, 0, sizeof(span));
	steptrace__command_known(command);
	steptrace__head(&span.head, sizeof(span), STEPTRACE_SPAN_REJECTED, 0);
	span.head.execution_id[0] = command->span.head.execution_id[0];
	span.head.execution_id[1] = command->span.head.execution_id[1];
	memcpy(span.slug, command->span.slug, sizeof(span.slug));
	memcpy(span.user_id, command->span.user_id, sizeof(span.user_id));
	memcpy(span.request_source, command->span.request_source, sizeof(span.request_source));
	memcpy(span.correlation_id, command->span.correlation_id, sizeof(span.correlation_id));
	steptrace__copy(span.reason, sizeof(span.reason), reason);
	steptrace__copy(span.invalid_fields, sizeof(span.invalid_fields), invalid_fields);
	STEPTRACE__FIRE(command__rejected, &span);
	if (command->begun) {
		command->error_category = STEPTRACE_ERROR_VALIDATION;
		steptrace__command_ended(command, STEPTRACE_FAILURE);
	}
}

#define STEPTRACE__WHEN_ENABLED(call)                                                              \
	do {                                                                                       \
		if (__builtin_expect(steptrace_enabled(), 0))                                      \
			call;                                                                      \
	} while (0)

#else
#define STEPTRACE__WHEN_ENABLED(call) ((void)0)
#endif

/*
 * Stores the tag at the end of a begin call. The empty asm forces the compiler to store the members
 * of the struct before it stores the tag. If the struct is a local variable, then without the asm
 * and `volatile` the compiler may keep its members in registers only, or not compute them at all.
 */
#if STEPTRACE__ACTIVE
#define STEPTRACE__OPEN(object, kind, type)                                                        \
	do {                                                                                       \
		__asm__ __volatile__("" : : "r"(object) : "memory");                               \
		*(volatile uint64_t *)&(object)->tag =                                             \
			STEPTRACE__TAG(kind, type) ^                                               \
			(uint64_t)(uintptr_t) & (object)->tag * STEPTRACE__TAG_FACTOR;             \
	} while (0)
#define STEPTRACE__CLOSE(object) (*(volatile uint64_t *)&(object)->tag = 0)
#else
#define STEPTRACE__OPEN(object, kind, type) ((void)(object))
#define STEPTRACE__CLOSE(object)            ((void)(object))
#endif

/* Clears all members from `first` on, up to the member before `end`. For a memset() of up to 128
 * bytes, the compiler stores 16 bytes at a time. For a larger memset(), gcc uses a slower
 * instruction (rep stos). So clear at most 128 bytes at once. */
#define STEPTRACE__CLEAR(object, type, first, end)                                                 \
	memset((char *)(object) + offsetof(struct type, first), 0,                                 \
	       offsetof(struct type, end) - offsetof(struct type, first))

/* ------------------------------------------------------------------ commands */

/* Prepares a command with the name `slug`. Sets the other members that a runner fills in to "not
 * set", but does not change `context`. */
static inline void steptrace_command_init(struct steptrace_command *command, const char *slug)
{
	command->slug = slug;
	STEPTRACE__CLEAR(command, steptrace_command, user_id, schedule_id);
	STEPTRACE__CLEAR(command, steptrace_command, schedule_id, steps_count);
	STEPTRACE__CLEAR(command, steptrace_command, steps_count, pauses);
	command->span.head.start_ns = 0;
	command->span.head.execution_id[0] = command->span.head.execution_id[1] = 0;
	command->span.announced_ns = 0;
}

/* The command begins. Set the members of `command` before this call. */
static inline void steptrace_command_begin(struct steptrace_command *command)
{
	command->begun = 1;
	STEPTRACE__WHEN_ENABLED(steptrace__command_started(command));
	STEPTRACE__OPEN(command, STEPTRACE_SPAN_COMMAND, steptrace_command);
}

/* The command is suspended; see SUSPENDED SPANS above. */
static inline void steptrace_command_suspend(struct steptrace_command *command)
{
#if STEPTRACE__ACTIVE
	steptrace__pause_begin(&command->pause, &command->pauses, steptrace__now_if_enabled_ns());
#endif
	(void)command;
}

/* The command continues. */
static inline void steptrace_command_resume(struct steptrace_command *command)
{
#if STEPTRACE__ACTIVE
	steptrace__pause_end(&command->pause, &command->pauses, &command->span.head.start_ns,
			     steptrace__now_if_enabled_ns());
#endif
	(void)command;
}

/* The command ends. `outcome` is any outcome except STEPTRACE_SKIPPED. */
static inline void steptrace_command_end(struct steptrace_command *command,
					 enum steptrace_outcome outcome)
{
	STEPTRACE__CLOSE(command);
	STEPTRACE__WHEN_ENABLED(steptrace__command_ended(command, (uint8_t)outcome));
	(void)outcome;
}

/*
 * The command was rejected. If this is known before the command runs, call this function after
 * init, and do not call begin and end. If the command has begun, this function ends it, with the
 * outcome STEPTRACE_FAILURE and the category STEPTRACE_ERROR_VALIDATION. Then do not call end.
 *
 * `reason` (32 bytes) is unknown_command, malformed_request, invalid_argument, invalid_pack or a
 * word of your own. `invalid_fields` (128 bytes) contains the names of the invalid fields,
 * separated by commas, or is NULL. `invalid_fields` must not contain the values of the fields.
 */
static inline void steptrace_command_rejected(struct steptrace_command *command, const char *reason,
					      const char *invalid_fields)
{
	STEPTRACE__CLOSE(command);
	STEPTRACE__WHEN_ENABLED(steptrace__command_rejected(command, reason, invalid_fields));
	(void)reason;
	(void)invalid_fields;
}

/*
 * Writes the command's execution id as text, 36 characters and NUL. The events of the command
 * contain the same id. So a runner can put the id into its answers and log lines. The function
 * works with and without a tracer. If the command has no id yet, the function creates the id. On
 * platforms without probes, all digits of the id are 0.
 */
static inline void steptrace_command_id(struct steptrace_command *command, char text[37])
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *id = (const unsigned char *)command->span.head.execution_id;
	int at = 0, i;

#if STEPTRACE__ACTIVE
	steptrace__id_once(command->span.head.execution_id);
#endif
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = digits[id[i] >> 4];
		text[at++] = digits[id[i] & 15];
	}
	text[at] = 0;
}

/*
 * Sets the execution id of a command that another process has executed, so that `parent` of a
 * command in this process can point to it: a worker executes a job, and the job was put into the
 * queue by that command. Call this function after init. Make no other call for the parent.
 *
 *	steptrace_command_init(&parent, "");
 *	if (steptrace_command_set_id(&parent, job->parent_execution_id) == 0)
 *		command.parent = &parent;
 *
 * `text` is what steptrace_command_id() has written there. Returns 0; or -1, if `text` is NULL or
 * is no such id. The command then has no id.
 */
static inline int steptrace_command_set_id(struct steptrace_command *command, const char *text)
{
	unsigned char id[16] = {0};
	int at = 0, i, digit;

	for (i = 0; text && i < 32; i++, at++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			if (text[at++] != '-')
				return -1;
		digit = text[at] >= '0' && text[at] <= '9'   ? text[at] - '0'
			: text[at] >= 'a' && text[at] <= 'f' ? text[at] - 'a' + 10
							     : -1;
		if (digit < 0)
			return -1;
		id[i / 2] = (unsigned char)(id[i / 2] << 4 | digit);
	}
	if (!text || text[at])
		return -1;
	memcpy(command->span.head.execution_id, id, sizeof(id));
	return command->span.head.execution_id[0] && command->span.head.execution_id[1] ? 0 : -1;
}

/* ------------------------------------------------------------------ steps */

/* Prepares a step of `command`. `type` is the kind of step, such as "DatabaseUpdateStep". */
static inline void steptrace_step_init(struct steptrace_step *step,
				       struct steptrace_command *command, const char *type)
{
	step->command = command;
	step->type = type;
	STEPTRACE__CLEAR(step, steptrace_step, parent, pauses);
	step->span.head.start_ns = 0;
	step->span.step_id[0] = step->span.step_id[1] = 0;
}

/* The step begins. Set `parent`, `name` and `index` before this call. */
static inline void steptrace_step_begin(struct steptrace_step *step)
{
	STEPTRACE__WHEN_ENABLED(steptrace__step_started(step));
	STEPTRACE__OPEN(step, STEPTRACE_SPAN_STEP, steptrace_step);
}

/* The step is suspended; see SUSPENDED SPANS above. */
static inline void steptrace_step_suspend(struct steptrace_step *step)
{
#if STEPTRACE__ACTIVE
	steptrace__pause_begin(&step->pause, &step->pauses, steptrace__now_if_enabled_ns());
#endif
	(void)step;
}

/* The step continues. */
static inline void steptrace_step_resume(struct steptrace_step *step)
{
#if STEPTRACE__ACTIVE
	steptrace__pause_end(&step->pause, &step->pauses, &step->span.head.start_ns,
			     steptrace__now_if_enabled_ns());
#endif
	(void)step;
}

/* The step ends. Before this call, set the members that apply to the step: `mutations_count`,
 * `error_category`, `fragment_id` (with `has_fragment_id`), `items_in` and `items_out` (with
 * `has_items`), `prompt_tokens`, `completion_tokens` and `ai_cache`. */
static inline void steptrace_step_end(struct steptrace_step *step, enum steptrace_outcome outcome)
{
	unsigned int which = (unsigned int)outcome & 7u;

	STEPTRACE__CLOSE(step);
#if STEPTRACE__ACTIVE
	if (__builtin_expect(steptrace_enabled(), 0)) {
		steptrace__step_ended(step, (uint8_t)which);
		return;
	}
#endif
	step->command->steps_count[which]++;
}

/* The step created, updated or deleted a fragment. Call this between the step's begin and end. */
static inline void steptrace_fragment_changed(struct steptrace_step *step, int64_t fragment_id,
					      enum steptrace_operation operation)
{
	STEPTRACE__WHEN_ENABLED(steptrace__fragment_changed(step, fragment_id, (uint8_t)operation));
	(void)step;
	(void)fragment_id;
	(void)operation;
}

/* ------------------------------------------------------------------ tools */

/* Prepares a call of the tool `slug`. `step` is NULL when the command itself calls the tool. */
static inline void steptrace_tool_init(struct steptrace_tool *tool,
				       struct steptrace_command *command,
				       struct steptrace_step *step, const char *slug)
{
	memset(tool, 0, offsetof(struct steptrace_tool, span));
	tool->command = command;
	tool->step = step;
	tool->slug = slug;
}

/* The tool call begins. */
static inline void steptrace_tool_begin(struct steptrace_tool *tool)
{
	STEPTRACE__WHEN_ENABLED(steptrace__tool_started(tool));
	(void)tool;
}

/* The tool call ends. If the tool has an exit status, set `exit_status` before this call, and set
 * `has_exit_status` to 1. */
static inline void steptrace_tool_end(struct steptrace_tool *tool, enum steptrace_outcome outcome)
{
	STEPTRACE__WHEN_ENABLED(steptrace__tool_ended(tool, (uint8_t)outcome));
	(void)tool;
	(void)outcome;
}

#ifdef __cplusplus
}
#endif
#endif /* STEPTRACE_H */
