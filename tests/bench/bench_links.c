// SPDX-License-Identifier: BSD-2-Clause
/*
 * The cost of a probe hit for each kind of link (uprobe_multi, perf PMU), each kind of site (1-byte
 * nop, 5-byte nop) and each BPF program (empty, the real capture of step__done). Each combination
 * has its own probe function with the code of usdt/steptrace.h. All are attached at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <steptrace.h>

#include "bench.h"
#include "steptrace/attach/site_choice.h"
#include "steptrace/capture/capture.h"
#include "steptrace/stream/event.h"

/* clang-format off */
#if defined(__x86_64__)
#define SITES_CODE                                                                              \
	"	nop\n"                                                                          \
	"	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"                                           \
	"	.byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00\n"
#else
#define SITES_CODE "	nop\n"
#endif
/* clang-format on */

enum { METHODS = 2, SITES_TRIED = 2, COMBINATIONS = 2 * METHODS * SITES_TRIED, STRIDE = 32 };

__asm__("	.pushsection .text\n"
	"	.balign 32\n"
	"	.type bench_probes, %function\n"
	"bench_probes:\n"
	"	.rept 8\n"
	"	.balign 32\n" SITES_CODE "	ret\n"
	"	.endr\n"
	"	.size bench_probes, . - bench_probes\n"
	"	.popsection\n");

extern const uint8_t bench_probes[] __attribute__((visibility("hidden")));

typedef void probe_function(const void *span);

struct combination {
	enum site_kind site;
	enum uprobe_method method;
	struct capture *capture; /* NULL: an empty program */
	probe_function *function;
	struct uprobe uprobe; /* fd -1: this kernel does not support it */
	char name[64];
};

static struct combination combinations[COMBINATIONS];
static struct steptrace_command command;
static struct steptrace_step step;

static void fire(void *context, int times)
{
	const struct combination *combination = context;

	for (int i = 0; i < times; i++)
		combination->function(&step.span);
}

static int take(void *context, const void *bytes, size_t size_bytes)
{
	(void)context;
	(void)bytes;
	(void)size_bytes;
	return 0;
}

static void drain(void *context)
{
	const struct combination *combination = context;

	if (combination->capture)
		capture__drain(combination->capture, take, NULL, 1 << 30);
}

/* ---- attaching */

static uint64_t offset_in_file(uintptr_t address)
{
	unsigned long start, end, offset;
	uint64_t found = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    address >= start && address < end)
			found = address - start + offset;
	if (maps)
		fclose(maps);
	return found;
}

static int program_of(const struct combination *combination)
{
	if (combination->capture)
		return dup(capture__program_fd(combination->capture, PROBE_STEP_DONE));
	return uprobe__load_empty(combination->method, -1);
}

static void attach(struct combination *combination, int file_fd)
{
	uintptr_t address = (uintptr_t)combination->function + sites[combination->site].offset;
	struct uprobe_place place = {.offset = offset_in_file(address), .cookie = PROBE_STEP_DONE};
	int program = program_of(combination);

	if (program < 0)
		return;
	uprobe__attach(program, combination->method, file_fd, &place, &combination->uprobe);
	close(program);
}

static struct capture *open_capture(enum uprobe_method method)
{
	const struct capture_options options = {.buffer_bytes = 16 << 20,
						.rings_count = 1,
						.only_wanted_pids = true,
						.avoids_multi = method == UPROBE_PERF};
	struct capture *capture;
	struct error err;

	if (capture__open(&options, &capture, &err) || capture__want_pid(capture, getpid())) {
		fprintf(stderr, "bench: %s\n", err.text);
		exit(1);
	}
	capture__armed(capture);
	return capture;
}

/* Makes the span that the probes pass. The semaphore is raised meanwhile, as by a tracer, because
 * otherwise the header would not fill the span in. */
static void make_span(void)
{
	steptrace_semaphore = 1;
	steptrace_command_init(&command, "fragment.update");
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, "DatabaseUpdateStep");
	step.name = "set-title";
	steptrace_step_begin(&step);
	step.mutations_count = 1;
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_semaphore = 0;
}

/* The combinations in order of site, then link, then program; the empty program first. */
static void set_up(struct capture *const captures[METHODS], int file_fd)
{
	for (int i = 0; i < COMBINATIONS; i++) {
		struct combination *made = &combinations[i];
		uintptr_t address = (uintptr_t)bench_probes + (uintptr_t)i * STRIDE;

		made->site = i / (2 * METHODS) ? SITE_NOP5 : SITE_NOP1;
		made->method = i / 2 % METHODS ? UPROBE_PERF : UPROBE_MULTI;
		made->capture = i % 2 ? captures[made->method] : NULL;
		made->function = (probe_function *)address;
		made->uprobe.fd = -1;
		snprintf(made->name, sizeof(made->name), "%s, %s, %s", sites[made->site].name,
			 uprobe__method_name(made->method),
			 i % 2 ? "step__done captured" : "empty");
		if (sites[made->site].size_bytes && (i % 2 == 0 || made->capture))
			attach(made, file_fd);
	}
}

/* ---- the figures */

static size_t list_contenders(struct contender contenders[COMBINATIONS])
{
	size_t count = 0;

	for (int i = 0; i < COMBINATIONS; i++)
		if (combinations[i].uprobe.fd >= 0)
			contenders[count++] = (struct contender){
				.name = combinations[i].name,
				.run = fire,
				.after = drain,
				.context = &combinations[i],
				.times = 2000,
			};
	return count;
}

/* Each capture follows the empty program of the same site and link. */
static void print(struct contender *contender, double empty_ns)
{
	const struct combination *combination = contender->context;
	double ns = bench__median(contender);

	if (combination->capture)
		bench__line(.name = contender->name, .value = ns, .ratio = ns / empty_ns,
			    .of = "empty", .target = "at most 1.50", .met = ns / empty_ns <= 1.5);
	else
		bench__line(.name = contender->name, .value = ns);
}

static void bench_links(void)
{
	struct contender contenders[COMBINATIONS];
	size_t count = list_contenders(contenders);
	double empty_ns = 0;

	bench__run(contenders, count);
	printf("a hit, by site and link\n");
	for (size_t i = 0; i < count; i++) {
		const struct combination *combination = contenders[i].context;

		if (!combination->capture)
			empty_ns = bench__median(&contenders[i]);
		print(&contenders[i], empty_ns);
	}
	for (int i = 0; i < COMBINATIONS; i++)
		if (combinations[i].uprobe.fd < 0 && sites[combinations[i].site].size_bytes)
			printf("  %s: not supported by this kernel\n", combinations[i].name);
}

int main(void)
{
	struct capture *captures[METHODS] = {NULL};
	int file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (geteuid() != 0) {
		printf("a hit, by site and link: skipped, this needs root\n");
		return 0;
	}
	captures[UPROBE_PERF] = open_capture(UPROBE_PERF);
	if (uprobe__probe_method() == UPROBE_MULTI)
		captures[UPROBE_MULTI] = open_capture(UPROBE_MULTI);
	make_span();
	set_up(captures, file_fd);
	bench_links();
	for (int i = 0; i < COMBINATIONS; i++)
		uprobe__detach(&combinations[i].uprobe);
	capture__close(captures[UPROBE_MULTI]);
	capture__close(captures[UPROBE_PERF]);
	close(file_fd);
	return 0;
}
