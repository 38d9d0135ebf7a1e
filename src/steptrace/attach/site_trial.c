// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/site_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process_maps.h"

#if defined(__x86_64__)
/* The bytes and the alignment of a probe function of usdt/steptrace.h, without a note. Each kind of
 * site has a copy of its own, so that no function has two probes. */
__asm__("	.pushsection .text\n"
	"	.balign 32\n"
	"	.type steptrace_measured_sites, %function\n"
	"steptrace_measured_sites:\n"
	"	.rept 3\n"
	"	.balign 32\n"
	"	nop\n"
	"	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
	"	.byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00\n"
	"	ret\n"
	"	.endr\n"
	"	.size steptrace_measured_sites, . - steptrace_measured_sites\n"
	"	.popsection\n");
#else
__asm__("	.pushsection .text\n"
	"	.balign 32\n"
	"	.type steptrace_measured_sites, %function\n"
	"steptrace_measured_sites:\n"
	"	nop\n"
	"	ret\n"
	"	.size steptrace_measured_sites, . - steptrace_measured_sites\n"
	"	.popsection\n");
#endif

extern const uint8_t steptrace_measured_sites[] __attribute__((visibility("hidden")));

enum { FUNCTION_BYTES = 32 };

enum {
	WARMUP_HITS = 32, /* the kernel rewrites a site after its first hits */
	ROUNDS = 5,
	ROUND_HITS = 200,
};
_Static_assert(SITE_TRIAL_HITS == WARMUP_HITS + ROUNDS * ROUND_HITS, "the header says how many");

enum { TRAP = 0xcc }; /* of x86: no other machine has more than one kind of site */

typedef void probe_function(const void *span);

/* The offset of the functions above in the file of this program. */
static int own_offset(uint64_t *offset)
{
	uint64_t address = (uint64_t)(uintptr_t)steptrace_measured_sites;
	struct process_mapping mapping;
	struct process_maps maps;
	int code = process_maps__open(&maps, 0);

	if (code)
		return code;
	code = -ENOENT;
	while (code && process_maps__next(&maps, &mapping)) {
		if (address < mapping.start || address >= mapping.end)
			continue;
		*offset = address - mapping.start + mapping.file_offset;
		code = 0;
	}
	process_maps__close(&maps);
	return code;
}

int site_trial__open(struct site_trial *trial)
{
	int code;

	trial->file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (trial->file_fd < 0)
		return -errno;
	code = own_offset(&trial->offset);
	if (code)
		site_trial__close(trial);
	return code;
}

void site_trial__close(struct site_trial *trial)
{
	close(trial->file_fd);
	trial->file_fd = -1;
}

struct uprobe_place site_trial__place(const struct site_trial *trial, enum site_kind kind)
{
	return (struct uprobe_place){
		.offset = trial->offset + (uint64_t)kind * FUNCTION_BYTES + sites[kind].offset,
	};
}

static probe_function *function_of(enum site_kind kind)
{
	return (probe_function *)((uintptr_t)steptrace_measured_sites +
				  (uintptr_t)kind * FUNCTION_BYTES);
}

/* Other processes disturb single rounds, so the fastest one counts. */
double site_trial__hit_ns(enum site_kind kind, const void *span)
{
	probe_function *function = function_of(kind);
	uint64_t best = UINT64_MAX;

	for (int hit = 0; hit < WARMUP_HITS; hit++)
		function(span);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock__now_ns();
		uint64_t took;

		for (int hit = 0; hit < ROUND_HITS; hit++)
			function(span);
		took = clock__now_ns() - start;
		if (took < best)
			best = took;
	}
	return (double)best / ROUND_HITS;
}

bool site_trial__is_rewritten(enum site_kind kind)
{
	const struct site_info *site = &sites[kind];
	const volatile uint8_t *first =
		(const volatile uint8_t *)(uintptr_t)function_of(kind) + site->offset;

	return *first != site->bytes[0] && *first != TRAP;
}

static void exit_on_signal(int signal)
{
	(void)signal;
	_exit(1);
}

/* FORK_UNDONE: the child found a trap or the original bytes, so it proved nothing. */
enum { FORK_SURVIVED = 0, FORK_DIED = 1, FORK_UNDONE = 2 };

/* Hits the site in a forked child, as a child of a runner would. The kernel writes a line to its
 * log about a process that dies of such a signal, but not where a handler catches it. */
static int try_fork(enum site_kind kind)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		signal(SIGSEGV, exit_on_signal);
		signal(SIGILL, exit_on_signal);
		signal(SIGTRAP, exit_on_signal);
		if (!site_trial__is_rewritten(kind))
			_exit(FORK_UNDONE);
		function_of(kind)(NULL);
		_exit(FORK_SURVIVED);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : FORK_DIED;
}

enum { FORKS_MAX = 16, FORKS_ENOUGH = 3 };

/*
 * One death is enough for "yes". One survival is not enough for "no": while another tracer
 * attaches to or detaches from the same file, the kernel turns the site back into a trap for a
 * moment, in this process before the fork or in the child after it. So the answer is "no" after
 * FORKS_ENOUGH children survived the rewritten site, or after all FORKS_MAX children found it
 * undone.
 */
bool site_trial__kills_forks(enum site_kind kind)
{
	int survived = 0, undone = 0;

	for (int i = 0; i < FORKS_MAX && survived < FORKS_ENOUGH; i++) {
		int result;

		for (int hit = 0; hit < WARMUP_HITS && !site_trial__is_rewritten(kind); hit++)
			function_of(kind)(NULL);
		if (!site_trial__is_rewritten(kind))
			continue;
		result = try_fork(kind);
		if (result != FORK_SURVIVED && result != FORK_UNDONE)
			return true;
		survived += result == FORK_SURVIVED;
		undone += result == FORK_UNDONE;
	}
	return survived < FORKS_ENOUGH && undone < FORKS_MAX;
}
