// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/site.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "steptrace/attach/process_maps.h"
#include "steptrace/capture/uprobe.h"

#if defined(__x86_64__)
const struct site_info sites[SITE_KINDS_COUNT] = {
	[SITE_NOP1] = {"nop1", 0, 1, {0x90}},
	[SITE_NOP5] = {"nop5", 1, 5, {0x0f, 0x1f, 0x44, 0x00, 0x00}},
	[SITE_NOP10] = {"nop10", 6, 10, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}},
};

/* The same bytes as a probe function of usdt/steptrace.h, at the same alignment, without a note;
 * one copy for each kind of site, so that no two probes meet in one. */
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
const struct site_info sites[SITE_KINDS_COUNT] = {
	[SITE_NOP1] = {"nop", 0, 4, {0x1f, 0x20, 0x03, 0xd5}},
	[SITE_NOP5] = {"nop5", 0, 0, {0}},
	[SITE_NOP10] = {"nop10", 0, 0, {0}},
};

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

enum { MEASURED_STRIDE = 32 };

typedef void probe_function(const void *span);

unsigned int site__recognise(const uint8_t *bytes, size_t size_bytes)
{
	unsigned int found = 0;

	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++) {
		const struct site_info *site = &sites[kind];

		if (site->size_bytes == 0 || site->offset + site->size_bytes > size_bytes)
			break; /* the later ones lie behind the earlier ones */
		if (memcmp(bytes + site->offset, site->bytes, site->size_bytes) != 0)
			break;
		found |= 1u << kind;
	}
	return found;
}

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

static int new_counter(void)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint64_t);
	attr.max_entries = 1;
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static uint64_t counter_value(int fd)
{
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	return value;
}

enum { TRAP = 0xcc }; /* x86's, the only machine with a choice */

enum { WARMUP_HITS = 32, ROUNDS = 5, ROUND_HITS = 200 };

/* The best round: the others were disturbed. */
static double fastest_round_ns(probe_function *function, const void *span)
{
	uint64_t best = UINT64_MAX;

	for (int hit = 0; hit < WARMUP_HITS;
	     hit++) /* the kernel rewrites the site after its first hits */
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

/* 0 where the probe cannot be attached or does not fire every time. */
static double measure_site(int program, int counter, const struct uprobe_place *place,
			   enum uprobe_method method, probe_function *function, struct uprobe *held)
{
	const uint64_t expected = WARMUP_HITS + ROUNDS * ROUND_HITS;
	uint64_t before = counter_value(counter);
	double ns;

	if (uprobe__attach(program, method, place, held))
		return 0;
	ns = fastest_round_ns(function, NULL);
	return counter_value(counter) - before == expected ? ns : 0;
}

/* Whether the kernel made something else of the site than a trap. */
static bool is_rewritten(probe_function *function, const struct site_info *site)
{
	const volatile uint8_t *first =
		(const volatile uint8_t *)(uintptr_t)function + site->offset;

	return *first != site->bytes[0] && *first != TRAP;
}

static void give_up(int signal)
{
	(void)signal;
	_exit(1);
}

enum { FORK_SURVIVED = 0, FORK_DIED = 1, FORK_UNDONE = 2 };

/* In a child as a forking runner has them. The handler keeps the kernel's log clean. FORK_UNDONE: it found
 * a trap there, which says nothing. */
static int try_fork(probe_function *function, const struct site_info *site)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		signal(SIGSEGV, give_up);
		signal(SIGILL, give_up);
		signal(SIGTRAP, give_up);
		if (!is_rewritten(function, site))
			_exit(FORK_UNDONE);
		function(NULL);
		_exit(FORK_SURVIVED);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : FORK_DIED;
}

enum { FORKS_MAX = 16, FORKS_ENOUGH = 3 };

/*
 * Any death counts, and a survival only where it was not luck: somebody else who attaches to the same file
 * turns the site into a trap for a moment, in us before the fork or in the child after it. So several have
 * to survive what the kernel made of it; or all of them have to find that the kernel took it back.
 */
static bool kills_forks(probe_function *function, const struct site_info *site)
{
	int survived = 0, undone = 0;

	for (int i = 0; i < FORKS_MAX && survived < FORKS_ENOUGH; i++) {
		int result;

		for (int hit = 0; hit < WARMUP_HITS && !is_rewritten(function, site); hit++)
			function(NULL);
		if (!is_rewritten(function, site))
			continue;
		result = try_fork(function, site);
		if (result != FORK_SURVIVED && result != FORK_UNDONE)
			return true;
		survived += result == FORK_SURVIVED;
		undone += result == FORK_UNDONE;
	}
	return survived < FORKS_ENOUGH && undone < FORKS_MAX;
}

/* A site that is faster than the trap needs no rival: the next one is longer, not better. Where it
 * kills forks, the next one has nothing better to offer on the same kernel. */
static void measure_sites(struct site_choice *choice, int program, int counter, int file,
			  uint64_t offset, enum uprobe_method method)
{
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++) {
		uint64_t copy = (uint64_t)kind * MEASURED_STRIDE;
		uintptr_t address = (uintptr_t)steptrace_measured_sites + copy;
		struct uprobe_place place = {.file_fd = file,
					     .offset = offset + copy + sites[kind].offset};

		choice->ns_per_hit[kind] =
			measure_site(program, counter, &place, method, (probe_function *)address,
				     &choice->held[kind]);
		if (kind == SITE_NOP1 || choice->ns_per_hit[kind] == 0)
			continue;
		choice->is_trap[kind] = !is_rewritten((probe_function *)address, &sites[kind]);
		choice->kills_forks[kind] = !choice->is_trap[kind] &&
					    kills_forks((probe_function *)address, &sites[kind]);
		if (site__choose(choice, ~0u) != SITE_NOP1 || choice->kills_forks[kind])
			break;
	}
}

int site__measure(struct site_choice *choice)
{
	enum uprobe_method method = uprobe__probe_method();
	int counter, program, file, err;
	uint64_t offset;

	memset(choice, 0, sizeof(*choice));
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		choice->held[kind].fd = -1;
	if (sites[SITE_NOP5].size_bytes == 0)
		return 0; /* there is nothing to choose */
	err = own_offset(&offset);
	if (err)
		return err;
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	err = counter = new_counter();
	if (counter < 0)
		goto close_file;
	err = program = uprobe__load_empty(method, counter);
	if (program < 0)
		goto close_counter;
	err = 0;
	measure_sites(choice, program, counter, file, offset, method);

	close(program);
close_counter:
	close(counter);
close_file:
	close(file);
	return err;
}

static probe_function *measured_function(enum site_kind kind)
{
	return (probe_function *)((uintptr_t)steptrace_measured_sites +
				  (uintptr_t)kind * MEASURED_STRIDE);
}

double site__measure_program(int program_fd, enum uprobe_method method, enum site_kind kind,
			     const void *argument)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct uprobe_place place = {.file_fd = file};
	struct uprobe uprobe = {.fd = -1};
	double ns = 0;

	if (file < 0)
		return 0;
	if (own_offset(&place.offset) == 0) {
		place.offset += (uint64_t)kind * MEASURED_STRIDE + sites[kind].offset;
		if (uprobe__attach(program_fd, method, &place, &uprobe) == 0)
			ns = fastest_round_ns(measured_function(kind), argument);
		uprobe__detach(&uprobe);
	}
	close(file);
	return ns;
}

void site__release(struct site_choice *choice)
{
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		uprobe__detach(&choice->held[kind]);
}

/* It has to be worth it. */
static bool is_clearly_faster(double ns, double trap_ns)
{
	return trap_ns == 0 || ns < 0.8 * trap_ns;
}

enum site_kind site__choose(const struct site_choice *choice, unsigned int available)
{
	const double *ns_per_hit = choice->ns_per_hit;
	enum site_kind best = SITE_NOP1;

	for (int kind = SITE_NOP1 + 1; kind < SITE_KINDS_COUNT; kind++) {
		double ns = ns_per_hit[kind];

		if (!(available & (1u << kind)) || ns == 0 || choice->is_trap[kind] ||
		    choice->kills_forks[kind])
			continue;
		if (!is_clearly_faster(ns, ns_per_hit[SITE_NOP1]))
			continue;
		if (best == SITE_NOP1 || ns < ns_per_hit[best])
			best = (enum site_kind)kind;
	}
	return best;
}
