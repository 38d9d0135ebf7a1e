// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `steptrace record --all` costs other programs: its BPF programs run at every exec and at
 * every exit of a process of the machine.
 *
 * It is measured in two ways. The first way is the time of vfork, exec, exit and wait, with the
 * tracer and without, on one processor. Starting and stopping the tracer is slow, and the speed of
 * the machine changes. So the phases run in pairs, (without, with), (with, without), ..., and each
 * pair gives one ratio. It compares the lower deciles, because other load on the machine disturbs
 * them least. The result is the median of the ratios with its 95 % interval. The same ratio of two
 * phases without the tracer shows the precision: smaller differences cannot be measured. The second
 * way is the run time of the BPF programs as the kernel reports it.
 */
#include <bpf/bpf.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "program.h"
#include "watched.h"

enum { PAIRS = 60, PAIRS_LEAST = 6, BUDGET_S = 40, SPAWNS = 100, KINDS = 2 };

struct kind {
	const char *name;
	const char *path;
	double without_ns[PAIRS], with_ns[PAIRS];
	double cost[PAIRS];    /* percent: with the tracer against without, in one pair */
	double nothing[PAIRS]; /* percent: without against without, in neighbouring pairs */
};

static struct kind kinds[KINDS] = {
	{.name = "a static program that does nothing"},
	{.name = "/bin/true", .path = "/bin/true"},
};

static uint64_t spawn_ns(const char *path)
{
	char *const argv[] = {(char *)path, NULL};
	uint64_t start = bench__now_ns();
	pid_t pid;

	if (posix_spawn(&pid, path, NULL, NULL, argv, environ)) {
		fprintf(stderr, "bench: cannot run %s\n", path);
		exit(1);
	}
	waitpid(pid, NULL, 0);
	return bench__now_ns() - start;
}

static double lower_decile(double *values, size_t count)
{
	bench__median_of(values, count); /* sorts */
	return values[count / 10];
}

/* Keeps this process and the programs that it spawns on its last allowed processor. The tracer may
 * use all of them. Returns the allowed processors. */
static cpu_set_t stay_on_one_processor(void)
{
	cpu_set_t allowed, one;
	int last = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		last = CPU_ISSET(cpu, &allowed) ? cpu : last;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	sched_setaffinity(0, sizeof(one), &one);
	return allowed;
}

static void spawn_all(double ns[KINDS])
{
	static double each[KINDS][SPAWNS];
	cpu_set_t allowed = stay_on_one_processor();

	for (int i = 0; i < SPAWNS; i++)
		for (int kind = 0; kind < KINDS; kind++)
			each[kind][i] = (double)spawn_ns(kinds[kind].path);
	for (int kind = 0; kind < KINDS; kind++)
		ns[kind] = lower_decile(each[kind], SPAWNS);
	sched_setaffinity(0, sizeof(allowed), &allowed);
}

/* ---- the tracer and other tracers */

static void start_tracer(struct program *tracer)
{
	const char *const argv[] = {
		program__path("../../steptrace"), "record", "--all", "-o", "/dev/null", NULL};

	program__start(tracer, argv, 2);
	if (!program__await(tracer, "attached to")) {
		fprintf(stderr, "bench: steptrace record --all does not attach\n");
		exit(1);
	}
}

static bool has_all_option(void)
{
	const char *const argv[] = {program__path("../../steptrace"), "record", "--help", NULL};
	struct program help;
	bool has;

	program__start(&help, argv, 1);
	has = program__await(&help, "--all");
	program__end(&help, 0);
	return has;
}

/* ---- first way: the time of the spawning process */

static void run_with(double ns[KINDS])
{
	struct program tracer;

	start_tracer(&tracer);
	spawn_all(ns);
	program__end(&tracer, SIGINT);
}

/* Returns true if another tracer is attached to all runners. It costs as much as ours, so it must
 * not start or stop during a measurement. */
static bool is_accompanied(struct watched *runner)
{
	return !watched__reaches(runner, 0, 200);
}

static bool run_without(double ns[KINDS], struct watched *runner)
{
	uint64_t changed_ns;

	is_accompanied(runner);
	changed_ns = runner->changed_ns;
	spawn_all(ns);
	is_accompanied(runner);
	return runner->changed_ns == changed_ns;
}

/* Returns false if another tracer started or stopped; then the pair is not counted. */
static bool run_pair(int pair, struct watched *runner, int *accompanied)
{
	double without[KINDS], with[KINDS];
	bool before = is_accompanied(runner), steady;

	if (pair % 2)
		run_with(with);
	steady = run_without(without, runner);
	if (pair % 2 == 0)
		run_with(with);
	if (!steady || is_accompanied(runner) != before)
		return false;
	for (int kind = 0; kind < KINDS && pair >= 0; kind++) {
		kinds[kind].without_ns[pair] = without[kind];
		kinds[kind].with_ns[pair] = with[kind];
	}
	*accompanied += before && pair >= 0;
	return true;
}

static double percent(double of, double against)
{
	return 100 * (of / against - 1);
}

static void print_interval(const char *name, double *values, size_t count)
{
	struct bench_interval interval = bench__interval(values, count);

	printf("  %-44s %+10.2f %%   95 %%: %+.2f to %+.2f", name, interval.median, interval.low,
	       interval.high);
}

/* The target is met or missed only if the whole interval is on one side of it. */
static const char *verdict(double *values, size_t count)
{
	struct bench_interval interval = bench__interval(values, count);

	return interval.high <= 1 ? "met" : interval.low > 1 ? "missed" : "not decided by this run";
}

static void print_kind(struct kind *kind, size_t pairs)
{
	size_t nothings = 0;

	for (size_t pair = 0; pair < pairs; pair++)
		kind->cost[pair] = percent(kind->with_ns[pair], kind->without_ns[pair]);
	for (size_t pair = 1; pair + 1 < pairs; pair += 2) /* (with, without), (without, with) */
		kind->nothing[nothings++] =
			percent(kind->without_ns[pair + 1], kind->without_ns[pair]);
	bench__line(.name = kind->name, .value = bench__median_of(kind->without_ns, pairs) / 1e3,
		    .unit = "us");
	print_interval("  with record --all", kind->cost, pairs);
	printf("   (target: within 1 %%, %s)\n", verdict(kind->cost, pairs));
	print_interval("  without it, twice: the precision", kind->nothing, nothings);
	putchar('\n');
}

/* Returns the number of counted pairs. */
static int run_pairs(struct watched *runner, int *disturbed, int *accompanied)
{
	uint64_t end_ns = bench__now_ns() + BUDGET_S * 1000000000ULL;
	int pair = -1; /* the first pair is not counted */

	while (pair < PAIRS && bench__now_ns() < end_ns) {
		if (run_pair(pair, runner, accompanied))
			pair++;
		else
			(*disturbed)++;
	}
	return pair;
}

static void bench_felt(struct watched *runner)
{
	int disturbed = 0, accompanied = 0, pairs = run_pairs(runner, &disturbed, &accompanied);

	printf("vfork, exec, exit and wait, while everything is traced\n");
	if (disturbed)
		printf("  %d pairs not counted: another tracer started or stopped\n", disturbed);
	if (accompanied)
		printf("  %d of %d pairs ran while another tracer traced everything\n", accompanied,
		       pairs);
	if (pairs < PAIRS_LEAST) {
		printf("  not measured: at least %d pairs are needed\n", PAIRS_LEAST);
		return;
	}
	for (int kind = 0; kind < KINDS; kind++)
		print_kind(&kinds[kind], (size_t)pairs);
}

/* ---- second way: the run time of the BPF programs */

static uint32_t newest_program(void)
{
	uint32_t id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0)
		continue;
	return id;
}

/* The mean run time of the BPF program with this name that was loaded after program id `older`. */
static double run_ns(const char *name, uint32_t older)
{
	uint32_t id = older;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = {0};
		uint32_t bytes = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);
		int code = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &bytes);

		if (fd >= 0)
			close(fd);
		if (code == 0 && strcmp(info.name, name) == 0 && info.run_cnt)
			return (double)info.run_time_ns / (double)info.run_cnt;
	}
	return NAN;
}

static void print_told(double exec_ns, double end_ns, const double spawned_ns[KINDS])
{
	double ns = exec_ns + end_ns;

	printf("run time of the BPF programs as the kernel reports it, with its clock reads\n");
	bench__line(.name = "at an exec", .value = exec_ns);
	bench__line(.name = "at an exit", .value = end_ns);
	for (int kind = 0; kind < KINDS; kind++) {
		double share = 100 * ns / spawned_ns[kind];
		char name[64];

		snprintf(name, sizeof(name), "both, of %s", kinds[kind].name);
		bench__line(.name = name, .value = share, .unit = "%", .target = "within 1 %",
			    .met = share <= 1);
	}
}

static void bench_told(void)
{
	uint32_t older = newest_program();
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct program tracer;
	double ns[KINDS];

	if (stats < 0)
		return;
	start_tracer(&tracer);
	for (int i = 0; i < 5; i++)
		spawn_all(ns);
	print_told(run_ns("process_execed", older), run_ns("process_ended", older), ns);
	program__end(&tracer, SIGINT);
	close(stats);
}

int main(void)
{
	struct watched runner;

	if (geteuid() != 0) {
		printf("spawning while everything is traced: skipped, this needs root\n");
		return 0;
	}
	if (!has_all_option()) {
		printf("spawning while everything is traced: skipped, no record --all\n");
		return 0;
	}
	kinds[0].path = program__path("../nothing");
	watched__start(&runner);
	bench_felt(&runner);
	bench_told();
	watched__end(&runner);
	return 0;
}
