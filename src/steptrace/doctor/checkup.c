// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/doctor/checkup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cgroup2.h"
#include "steptrace/attach/attachments.h"
#include "steptrace/attach/exec_hold.h"
#include "steptrace/attach/proc.h"
#include "steptrace/attach/site_choice.h"
#include "steptrace/capture/capture.h"
#include "steptrace/capture/mmap_records.h"
#include "steptrace/capture/uprobe.h"
#include "steptrace/confine/privilege.h"

/* ---- the kernel */

static void read_word(const char *path, char word[64])
{
	FILE *file = fopen(path, "re");

	word[0] = 0;
	if (file && fgets(word, 64, file))
		word[strcspn(word, "\n")] = 0;
	if (file)
		fclose(file);
}

static void check_program(struct findings *findings)
{
	int program = uprobe__load_empty(UPROBE_PERF, -1);

	if (program < 0) {
		findings__add(findings, "kernel", "BPF programs", VERDICT_FAIL,
			      program == -EPERM ? "see the privileges below"
						: "a kernel with CONFIG_BPF_SYSCALL is needed",
			      "cannot be loaded: %s", strerror(-program));
		return;
	}
	close(program);
	findings__add(findings, "kernel", "BPF programs", VERDICT_OK, NULL, "can be loaded");
}

static void check_ring_buffer(struct findings *findings)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_RINGBUF;
	attr.max_entries = (uint32_t)sysconf(_SC_PAGESIZE);
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd >= 0) {
		close(fd);
		findings__add(findings, "kernel", "ring buffer", VERDICT_OK, NULL, "available");
	} else if (errno == EPERM) {
		findings__add(findings, "kernel", "ring buffer", VERDICT_WARN, NULL,
			      "not known: steptrace has no permission to test it");
	} else {
		findings__add(findings, "kernel", "ring buffer", VERDICT_FAIL,
			      "Linux 5.12 or later is needed", "not available: %s",
			      strerror(errno));
	}
}

static void check_types(struct findings *findings)
{
	bool there = access("/sys/kernel/btf/vmlinux", R_OK) == 0;

	findings__add(findings, "kernel", "BTF", there ? VERDICT_OK : VERDICT_FAIL,
		      there ? NULL
			    : "mount sysfs on /sys, or use a kernel with CONFIG_DEBUG_INFO_BTF",
		      there ? "/sys/kernel/btf/vmlinux" : "/sys/kernel/btf/vmlinux cannot be read");
}

static void check_proc(struct findings *findings)
{
	struct error err;

	if (proc__check(&err))
		findings__add(findings, "kernel", "/proc", VERDICT_FAIL, PROC_ADVICE, "%s",
			      err.text);
}

static bool may_load_programs(void)
{
	int program = uprobe__load_empty(UPROBE_PERF, -1);

	if (program >= 0)
		close(program);
	return program != -EPERM;
}

static void check_links(struct findings *findings)
{
	if (!may_load_programs())
		findings__add(findings, "kernel", "uprobe links", VERDICT_WARN, NULL,
			      "not known: steptrace has no permission to test it");
	else if (uprobe__probe_method() == UPROBE_MULTI)
		findings__add(findings, "kernel", "uprobe links", VERDICT_OK, NULL,
			      "uprobe_multi: CAP_BPF and CAP_PERFMON are enough");
	else
		findings__add(
			findings, "kernel", "uprobe links", VERDICT_WARN,
			"Linux 6.6 or later has uprobe_multi links, which need fewer privileges",
			"through the perf PMU: this needs CAP_SYS_ADMIN");
}

static void check_lockdown(struct findings *findings)
{
	char word[64];

	read_word("/sys/kernel/security/lockdown", word);
	if (strstr(word, "[confidentiality]"))
		findings__add(findings, "kernel", "lockdown", VERDICT_FAIL,
			      "boot without lockdown=confidentiality",
			      "confidentiality: BPF programs cannot read memory");
}

static void check_cgroups(struct findings *findings)
{
	const char *mount = cgroup2__mount();

	findings__add(findings, "kernel", "cgroup version 2", mount ? VERDICT_OK : VERDICT_WARN,
		      mount ? NULL : "mount cgroup2 at /sys/fs/cgroup", "%s",
		      mount ? mount
			    : "not mounted there: --cgroup finds nothing, and events do not name "
			      "the container");
}

static const char *hold_advice(int code)
{
	if (code == -EPERM)
		return "run it as root: this needs CAP_SYS_ADMIN";
	return "a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS is needed";
}

static void check_holds(struct findings *findings)
{
	int code = exec_hold__check();

	if (code == 0)
		findings__add(
			findings, "kernel", "new programs", VERDICT_OK, NULL,
			"programs that -- PROGRAM starts are recorded from their first event");
	else
		findings__add(findings, "kernel", "new programs", VERDICT_WARN, hold_advice(code),
			      "their first milliseconds are not recorded, also with -- PROGRAM: "
			      "the kernel cannot let an exec wait (%s)",
			      strerror(-code));
}

static void check_mappings(struct findings *findings)
{
	struct mmap_records records;
	int code = mmap_records__open(&records, 0);

	if (code == 0)
		findings__add(
			findings, "kernel", "new libraries", VERDICT_OK, NULL,
			"found up to 50 ms after a process loads them, with -- PROGRAM within "
			"milliseconds (-x FILE attaches to a library before)");
	else
		findings__add(findings, "kernel", "new libraries", VERDICT_WARN,
			      "see the privileges below: CAP_PERFMON is needed",
			      "found by scans, up to 2 seconds after a process loads them (%s)",
			      strerror(-code));
	mmap_records__close(&records);
}

void checkup__kernel(struct findings *findings)
{
	struct utsname system;

	uname(&system);
	findings__add(findings, "kernel", "release", VERDICT_OK, NULL, "%s %s", system.release,
		      system.machine);
	check_proc(findings);
	check_program(findings);
	check_ring_buffer(findings);
	check_types(findings);
	check_links(findings);
	check_cgroups(findings);
	check_holds(findings);
	check_mappings(findings);
	checkup__programs(findings, may_load_programs());
	check_lockdown(findings);
}

/* ---- privileges */

/* Without permission to test it, uprobe_multi links are assumed. */
static bool perf_links(void)
{
	int program = uprobe__load_empty(UPROBE_PERF, -1);

	if (program < 0)
		return false;
	close(program);
	return uprobe__probe_method() == UPROBE_PERF;
}

enum { OPEN_FILES_FEW = 1024 };

/* The soft limit does not matter: a recording raises it. */
static void check_open_files(struct findings *findings)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	findings__add(findings, "privileges", "open files",
		      limit.rlim_max < OPEN_FILES_FEW ? VERDICT_WARN : VERDICT_OK,
		      limit.rlim_max < OPEN_FILES_FEW
			      ? "raise the hard limit: ulimit -Hn, or LimitNOFILE= of the service"
			      : NULL,
		      "at most %llu; each attached binary takes one",
		      (unsigned long long)limit.rlim_max);
}

void checkup__privileges(struct findings *findings)
{
	struct privilege_state rows[PRIVILEGES_MAX];
	size_t count = privilege__list(perf_links(), rows);

	for (size_t i = 0; i < count; i++) {
		enum verdict verdict = rows[i].essential ? VERDICT_FAIL : VERDICT_WARN;

		findings__add(findings, "privileges", rows[i].name,
			      rows[i].held ? VERDICT_OK : verdict,
			      rows[i].held ? NULL : "sudo, or make install SETCAP=1", "%s: %s",
			      rows[i].held ? "held" : "not held", rows[i].purpose);
	}
	check_open_files(findings);
}

/* ---- the sites and their cost */

static void add_site(struct findings *findings, const struct site_choice *choice, int kind)
{
	const char *name = sites[kind].name;
	double ns = choice->ns_per_hit[kind];
	bool is_chosen = kind == (int)site__choose(choice, ~0u);

	if (ns == 0 && is_chosen)
		findings__add(findings, "sites", name, VERDICT_OK, NULL,
			      "not measured, because a hit did not run the program; it works on "
			      "every kernel: the choice");
	else if (ns == 0)
		findings__add(
			findings, "sites", name, VERDICT_OK, NULL,
			"not used: a probe there did not fire, or a faster site was found before");
	else if (choice->is_trap[kind])
		findings__add(
			findings, "sites", name, VERDICT_OK, NULL,
			"%.0f ns per hit with an empty program; not used: it traps on this kernel",
			ns);
	else if (choice->kills_forks[kind])
		findings__add(
			findings, "sites", name, VERDICT_WARN,
			"for runners that never fork, --site can choose it; a later kernel may "
			"not have this defect",
			"%.0f ns per hit with an empty program; not used: this kernel kills a "
			"forked child that reaches the site",
			ns);
	else
		findings__add(findings, "sites", name, VERDICT_OK, NULL,
			      "%.0f ns per hit with an empty program%s", ns,
			      is_chosen ? ": the choice" : "");
}

/* What capturing costs more than an empty program, on the machines that were measured (make
 * bench). */
enum { CAPTURE_NS = 230 };

/* Measures the program that a recording uses, on a probe function of steptrace itself. Returns 0
 * where that fails, and adds a finding then. */
static double measure_hit(struct findings *findings, const char *name, bool is_selected,
			  enum site_kind site, enum uprobe_method *method)
{
	static struct {
		struct step_span step;
		struct command_span command;
	} spans;
	const struct capture_options options = {
		.buffer_bytes = 1 << 20, .rings_count = 1, .only_wanted_pids = !is_selected};
	struct capture *capture;
	struct error err;
	double ns;

	if (capture__open(&options, &capture, &err)) {
		findings__add(findings, "sites", name, VERDICT_FAIL, NULL, "%s", err.text);
		return 0;
	}
	capture__armed(capture);
	spans.step.child.head.start_ns = 1;
	spans.step.child.command_announced_ns = UINT64_MAX;
	spans.step.child.command = (uint64_t)(uintptr_t)&spans.command;
	*method = capture__method(capture);
	ns = site__measure_program(capture__program_fd(capture, PROBE_STEP_DONE), *method, site,
				   PROBE_STEP_DONE, &spans.step);
	capture__close(capture);
	if (ns == 0)
		findings__add(findings, "sites", name, VERDICT_FAIL, NULL,
			      "the program could not be attached to steptrace itself");
	return ns;
}

static void add_cost(struct findings *findings, const struct site_choice *choice)
{
	enum site_kind site = site__choose(choice, ~0u);
	enum uprobe_method method;
	double ns = measure_hit(findings, "captured hit", true, site, &method);

	if (ns > 0)
		findings__add(findings, "sites", "captured hit", VERDICT_OK, NULL,
			      "%.0f ns measured, with a record of a step's end at %s (%.0f "
			      "predicted: an empty program and %d ns)",
			      ns, sites[site].name, choice->ns_per_hit[site] + CAPTURE_NS,
			      CAPTURE_NS);
}

/* Probes belong to a file: other processes that run it pay, too. */
static void add_unselected_cost(struct findings *findings, const struct site_choice *choice)
{
	enum site_kind site = site__choose(choice, ~0u);
	enum uprobe_method method;
	double ns = measure_hit(findings, "unselected hit", false, site, &method);

	if (ns > 0)
		findings__add(findings, "sites", "unselected hit", VERDICT_OK,
			      method == UPROBE_MULTI
				      ? "with -p PID --no-children other processes pay nothing"
				      : "Linux 6.6 or later can spare other processes the cost "
					"(-p PID --no-children)",
			      "%.0f ns at each boundary of a process that runs the same file as a "
			      "traced process, but is not selected (-p, --cgroup, --uid, --comm)",
			      ns);
}

void checkup__sites(struct findings *findings)
{
	struct site_choice choice;
	int code = site__measure(&choice);

	if (code) {
		findings__add(findings, "sites", "measurement", VERDICT_FAIL,
			      "see the privileges above",
			      "cannot attach a probe to steptrace itself: %s", strerror(-code));
		return;
	}
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		if (sites[kind].size_bytes)
			add_site(findings, &choice, kind);
	add_cost(findings, &choice);
	add_unselected_cost(findings, &choice);
	site__release(&choice);
}
