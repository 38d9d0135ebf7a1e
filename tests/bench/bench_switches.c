// SPDX-License-Identifier: BSD-2-Clause
/*
 * What --breakdown costs at a context switch: of a thread that is inside a step, and of any other
 * thread of the machine.
 *
 * Two threads on one processor hand a byte to each other through two pipes. So each message is one
 * switch, with one wake-up. The cases take turns, and the differences of one round are compared.
 * Two empty programs on the same tracepoints show what the kernel itself takes for calling a
 * program. A crowd of such pairs on all processors shows the effect on a machine that does nothing
 * but switching.
 *
 * The times are processor times of this process, which has all of the threads: other load on the
 * machine does not count.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <steptrace.h>

#include "bench.h"
#include "program.h"

enum {
	ROUNDS = 21,
	TIMES = 20,
	MESSAGES = 1000,
	CROWD_PAIRS = 8,
	CROWD_MESSAGES = 500,
	STEPS = 1000
};

static uint64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- two threads */

struct pair {
	int to_partner[2], to_self[2];
	int messages;
	bool is_in_step, is_pinned;
	pthread_t partner;
};

static void stay_on_one_processor(void)
{
	cpu_set_t allowed, one;
	int last = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		last = CPU_ISSET(cpu, &allowed) ? cpu : last;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

struct span {
	struct steptrace_command command;
	struct steptrace_step step;
};

static void begin(struct span *span)
{
	steptrace_command_init(&span->command, "bench.switch");
	steptrace_command_begin(&span->command);
	steptrace_step_init(&span->step, &span->command, "SwitchStep");
	steptrace_step_begin(&span->step);
}

static void end(struct span *span)
{
	steptrace_step_end(&span->step, STEPTRACE_SUCCESS);
	steptrace_command_end(&span->command, STEPTRACE_SUCCESS);
}

static void pass_on(int from, int to)
{
	char byte = 0;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		abort();
}

static void *answer(void *context)
{
	struct pair *pair = context;
	struct span span;

	if (pair->is_pinned)
		stay_on_one_processor();
	if (pair->is_in_step)
		begin(&span);
	for (int i = 0; i < pair->messages; i++)
		pass_on(pair->to_partner[0], pair->to_self[1]);
	if (pair->is_in_step)
		end(&span);
	return NULL;
}

static void *ask(void *context)
{
	struct pair *pair = context;

	if (write(pair->to_partner[1], "", 1) != 1)
		abort();
	for (int i = 1; i < pair->messages; i++)
		pass_on(pair->to_self[0], pair->to_partner[1]);
	if (read(pair->to_self[0], &(char){0}, 1) != 1)
		abort();
	return NULL;
}

static void open_pair(struct pair *pair, int messages, bool is_in_step, bool is_pinned)
{
	*pair = (struct pair){
		.messages = messages, .is_in_step = is_in_step, .is_pinned = is_pinned};
	if (pipe2(pair->to_partner, O_CLOEXEC) || pipe2(pair->to_self, O_CLOEXEC))
		abort();
	pthread_create(&pair->partner, NULL, answer, pair);
}

static void close_pair(struct pair *pair)
{
	pthread_join(pair->partner, NULL);
	for (int i = 0; i < 2; i++) {
		close(pair->to_partner[i]);
		close(pair->to_self[i]);
	}
}

/* Nanoseconds of one switch. */
static double switch_ns(bool is_in_step)
{
	struct pair pair;
	struct span span;
	uint64_t start;
	double ns;

	open_pair(&pair, MESSAGES, is_in_step, true);
	if (is_in_step)
		begin(&span);
	start = processor_ns();
	ask(&pair);
	ns = (double)(processor_ns() - start) / (2.0 * MESSAGES);
	if (is_in_step)
		end(&span);
	close_pair(&pair);
	return ns;
}

/* Nanoseconds of one message of a crowd. */
static double crowd_ns(bool is_in_step)
{
	struct pair pairs[CROWD_PAIRS];
	pthread_t askers[CROWD_PAIRS];
	uint64_t start;
	double ns;

	for (int i = 0; i < CROWD_PAIRS; i++)
		open_pair(&pairs[i], CROWD_MESSAGES, is_in_step, false);
	start = processor_ns();
	for (int i = 0; i < CROWD_PAIRS; i++)
		pthread_create(&askers[i], NULL, ask, &pairs[i]);
	for (int i = 0; i < CROWD_PAIRS; i++)
		pthread_join(askers[i], NULL);
	ns = (double)(processor_ns() - start) / (2.0 * CROWD_PAIRS * CROWD_MESSAGES);
	for (int i = 0; i < CROWD_PAIRS; i++)
		close_pair(&pairs[i]);
	return ns;
}

/* Nanoseconds of one step that does nothing, in this thread. */
static double step_ns(bool unused)
{
	struct steptrace_command command;
	struct steptrace_step step;
	uint64_t start;

	(void)unused;
	steptrace_command_init(&command, "bench.switch");
	steptrace_command_begin(&command);
	start = processor_ns();
	for (int i = 0; i < STEPS; i++) {
		steptrace_step_init(&step, &command, "EmptyStep");
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	start = processor_ns() - start;
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	return (double)start / STEPS;
}

/* The least of several times: other load disturbs it least. */
static double least(double (*measure)(bool is_in_step), bool is_in_step)
{
	double ns = measure(is_in_step);

	for (int i = 1; i < TIMES; i++) {
		double again = measure(is_in_step);

		ns = again < ns ? again : ns;
	}
	return ns;
}

/* ---- two empty programs */

static int attach_empty(const char *tracepoint)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP), fd, link;

	if (id < 0)
		return id;
	options.attach_btf_id = (unsigned int)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", program, 2, &options);
	link = fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
	if (fd >= 0)
		close(fd);
	return link;
}

struct empty {
	int links[2];
};

static bool open_empty(struct empty *empty)
{
	empty->links[0] = attach_empty("sched_switch");
	empty->links[1] = attach_empty("sched_wakeup");
	return empty->links[0] >= 0 && empty->links[1] >= 0;
}

static void close_empty(const struct empty *empty)
{
	for (int i = 0; i < 2; i++)
		if (empty->links[i] >= 0)
			close(empty->links[i]);
}

/* ---- the tracer */

static void start_tracer(struct program *tracer, bool has_breakdown)
{
	static char pid[16];
	const char *argv[] = {
		program__path("../../steptrace"),     "record", "-p", pid, "-o", "/dev/null",
		has_breakdown ? "--breakdown" : NULL, NULL};

	snprintf(pid, sizeof(pid), "%d", getpid());
	program__start(tracer, argv, 2);
	if (!program__await(tracer, "attached to")) {
		fprintf(stderr, "bench: steptrace record does not attach\n");
		exit(1);
	}
}

/* ---- cases and figures */

enum { NOTHING, EMPTY, RECORDED, OTHER, TRACED, CASES };

static const char *const names[CASES] = {
	"without a tracer",
	"two empty programs on the same tracepoints",
	"in a step, record",
	"outside of a step, record --breakdown",
	"in a step, record --breakdown",
};

static double told[CASES][ROUNDS], crowd[CASES][ROUNDS], other_more[ROUNDS], traced_more[ROUNDS],
	steps[2][ROUNDS];

static void run_round(int round)
{
	struct program tracer;
	struct empty empty;

	told[NOTHING][round] = least(switch_ns, false);
	crowd[NOTHING][round] = least(crowd_ns, false);
	open_empty(&empty);
	told[EMPTY][round] = least(switch_ns, false);
	crowd[EMPTY][round] = least(crowd_ns, false);
	close_empty(&empty);
	start_tracer(&tracer, false);
	told[RECORDED][round] = least(switch_ns, true);
	steps[0][round] = least(step_ns, true);
	program__end(&tracer, SIGINT);
	start_tracer(&tracer, true);
	told[OTHER][round] = least(switch_ns, false);
	crowd[OTHER][round] = least(crowd_ns, false);
	told[TRACED][round] = least(switch_ns, true);
	steps[1][round] = least(step_ns, true);
	program__end(&tracer, SIGINT);
	other_more[round] = told[OTHER][round] - told[EMPTY][round];
	traced_more[round] = told[TRACED][round] - told[EMPTY][round];
}

static void show_beside(const char *name, double *values, double base, const char *of)
{
	double ns = bench__median_of(values, ROUNDS);

	bench__line(.name = name, .value = ns, .ratio = base > 0 ? ns / base : 0,
		    .of = base > 0 ? of : NULL);
}

static void show(const char *name, double *values, double base)
{
	show_beside(name, values, base, "without a tracer");
}

static void show_difference(const char *name, double *values, double limit_ns, const char *target)
{
	struct bench_interval ns = bench__interval(values, ROUNDS);

	bench__line(.name = name, .value = ns.median, .target = target,
		    .met = ns.median <= limit_ns);
	printf("    (95 %% interval of the median: %.0f to %.0f ns)\n", ns.low, ns.high);
}

int main(void)
{
	struct empty empty;
	double base;
	bool works;

	printf("a context switch with --breakdown\n");
	if (geteuid()) {
		printf("  left out: needs root\n");
		return 0;
	}
	works = open_empty(&empty);
	close_empty(&empty);
	if (!works) {
		printf("  left out: this kernel does not load tp_btf programs\n");
		return 0;
	}
	stay_on_one_processor();
	for (int round = 0; round < ROUNDS; round++)
		run_round(round);
	base = bench__median_of(told[NOTHING], ROUNDS);
	for (int i = 0; i < CASES; i++)
		show(names[i], told[i], i ? base : 0);
	show_difference("outside of a step, more than empty programs", other_more, 100,
			"at most 100 ns");
	show_difference("in a step, more than empty programs", traced_more, 1500,
			"at most 1500 ns");
	printf("  a message of a crowd of %d pairs of threads\n", CROWD_PAIRS);
	base = bench__median_of(crowd[NOTHING], ROUNDS);
	show(names[NOTHING], crowd[NOTHING], 0);
	show(names[EMPTY], crowd[EMPTY], base);
	show(names[OTHER], crowd[OTHER], base);
	printf("  a step that does nothing, in the runner\n");
	base = bench__median_of(steps[0], ROUNDS);
	show("record", steps[0], 0);
	show_beside("record --breakdown", steps[1], base, "record");
	return 0;
}
