// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long attaching and detaching take: from the exec of a tracer until the runner sees its
 * semaphore raised, and from Ctrl-C until the tracer has exited. The runner
 * (tests/targets/watched.c) reads the clock when its semaphore changes, so that all tracers are
 * measured in the same way.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "program.h"
#include "watched.h"

enum { ROUNDS = 15 };
enum { STEPTRACE_PROBES = 7 }; /* probes that `record` attaches; each raises the semaphore by one */

struct tracer {
	const char *name;
	const char *const *argv;
	const char *word; /* printed on stderr when the tracer is attached; NULL: it prints none */
	unsigned int semaphore; /* value of the semaphore when all its probes are attached */
	int every;              /* has a turn in every nth round; slow tracers have fewer turns */
	size_t count;
	double attached_ms[ROUNDS], said_ms[ROUNDS], ended_ms[ROUNDS];
};

static void fail(const char *who, const char *what)
{
	fprintf(stderr, "bench: %s %s\n", who, what);
	exit(1);
}

static double ms_since(uint64_t start_ns, uint64_t ns)
{
	return (double)(int64_t)(ns - start_ns) / 1e6;
}

/* Returns false if another tracer disturbed the measurement. */
static bool run_once(struct tracer *tracer, struct watched *runner, bool counts)
{
	struct program program;
	uint64_t said_ns = 0;
	double ended_ms;

	program__start(&program, tracer->argv, 2);
	if (tracer->word && !program__await(&program, tracer->word))
		fail(tracer->name, "does not report that it is attached");
	said_ns = bench__now_ns();
	if (!watched__reaches(runner, tracer->semaphore, PROGRAM_PATIENCE_MS))
		fail(tracer->name, "does not attach to all probes");
	usleep(20000); /* let the tracer become idle before Ctrl-C */
	ended_ms = program__end(&program, SIGINT);
	if (runner->changed_ns < program.started_ns)
		return false;
	if (counts) {
		tracer->attached_ms[tracer->count] =
			ms_since(program.started_ns, runner->changed_ns);
		tracer->said_ms[tracer->count] = ms_since(program.started_ns, said_ns);
		tracer->ended_ms[tracer->count++] = ended_ms;
	}
	return true;
}

static void run_round(struct tracer *tracers, size_t count, struct watched *runner, int round)
{
	for (size_t i = 0; i < count; i++) {
		if (round > 0 && round % tracers[i].every != 0)
			continue;
		do {
			if (!watched__reaches(runner, 0, 3 * PROGRAM_PATIENCE_MS))
				fail("another tracer",
				     "is attached to all runners of this machine");
		} while (!run_once(&tracers[i], runner, round >= 0));
	}
}

static void print_spread(const double *sorted, size_t count)
{
	printf("  %44s %10.1f to %.1f ms, %zu rounds\n", "between", sorted[0], sorted[count - 1],
	       count);
}

static void print_ours(struct tracer *ours, double theirs_ms)
{
	double ms = bench__median_of(ours->attached_ms, ours->count);

	bench__line(.name = "steptrace record -p: attached", .value = ms, .unit = "ms",
		    .target = "under 60 ms", .met = ms < 60);
	print_spread(ours->attached_ms, ours->count);
	if (theirs_ms > 0)
		bench__line(.name = "compared with bpftrace on one probe", .value = ms,
			    .unit = "ms", .ratio = ms / theirs_ms, .of = "bpftrace",
			    .target = "at most 0.10", .met = ms / theirs_ms <= 0.1);
	bench__line(.name = "message \"attached to\"",
		    .value = bench__median_of(ours->said_ms, ours->count), .unit = "ms");
	bench__line(.name = "from Ctrl-C to exit",
		    .value = bench__median_of(ours->ended_ms, ours->count), .unit = "ms");
	print_spread(ours->ended_ms, ours->count);
}

static double print_theirs(struct tracer *theirs)
{
	double ms = bench__median_of(theirs->attached_ms, theirs->count);

	bench__line(.name = theirs->name, .value = ms, .unit = "ms");
	print_spread(theirs->attached_ms, theirs->count);
	bench__line(.name = "  from Ctrl-C to exit",
		    .value = bench__median_of(theirs->ended_ms, theirs->count), .unit = "ms");
	return ms;
}

/* The program text "usdt:PATH:steptrace:a, ... { @[probe] = count(); }". */
static const char *bpftrace_program(const char *binary, const char *const *names, size_t count)
{
	static char text[4096];
	size_t at = 0;
	char *copy;

	for (size_t i = 0; i < count && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%susdt:%s:steptrace:%s",
				       i ? ", " : "", binary, names[i]);
	if (at < sizeof(text))
		snprintf(text + at, sizeof(text) - at, " { @[probe] = count(); }");
	copy = strdup(text);
	if (!copy)
		fail("bpftrace", "cannot be started: out of memory");
	return copy;
}

static bool have_bpftrace(void)
{
	return system("bpftrace --version >/dev/null 2>&1") == 0;
}

static void bench_attach(struct watched *runner)
{
	const char *binary = runner->program.name;
	static const char *const names[STEPTRACE_PROBES] = {
		"step__done", "step__start",       "command__start",    "command__done",
		"tool__done", "command__rejected", "fragment__changed",
	};
	char pid[16];
	const char *ours[] = {
		program__path("../../steptrace"), "record", "-p", pid, "-o", "/dev/null", NULL};
	const char *one[] = {"bpftrace", "-p", pid, "-e", bpftrace_program(binary, names, 1), NULL};
	const char *all[] = {
		"bpftrace", "-p", pid, "-e", bpftrace_program(binary, names, STEPTRACE_PROBES),
		NULL};
	static struct tracer tracers[] = {
		{.name = "steptrace",
		 .word = "attached to",
		 .semaphore = STEPTRACE_PROBES,
		 .every = 1},
		{.name = "bpftrace, step__done only", .semaphore = 1, .every = 3},
		{.name = "bpftrace, the same seven probes",
		 .semaphore = STEPTRACE_PROBES,
		 .every = 3},
	};
	size_t count = have_bpftrace() ? 3 : 1;
	double theirs_ms = 0;

	snprintf(pid, sizeof(pid), "%d", runner->program.pid);
	tracers[0].argv = ours;
	tracers[1].argv = one;
	tracers[2].argv = all;
	for (int round = -1; round < ROUNDS; round++)
		run_round(tracers, count, runner, round);
	printf("from exec to attached\n");
	for (size_t i = 1; i < count; i++) {
		double ms = print_theirs(&tracers[i]);

		theirs_ms = i == 1 ? ms : theirs_ms;
	}
	print_ours(&tracers[0], theirs_ms);
	if (count == 1)
		printf("  bpftrace: not installed\n");
}

int main(void)
{
	struct watched runner;

	if (geteuid() != 0) {
		printf("from exec to attached: skipped, this needs root\n");
		return 0;
	}
	watched__start(&runner);
	bench_attach(&runner);
	watched__end(&runner);
	return 0;
}
