// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/capture/capture_private.h"

/*
 * Until context_unknown_until_ns the context is not known to user space: commands that started
 * before are introduced again by their steps. UINT64_MAX: for ever. At each loss a BPF program
 * moves the time forward, but not past UINT64_MAX, which it is until the first store here. A loss
 * between the first clock__now_ns() and the store would be forgotten, so the time is moved to a
 * second one taken after it.
 */
void capture__armed(struct capture *capture)
{
	__u64 *until_ns = &capture->skeleton->data->context_unknown_until_ns;

	__atomic_store_n(&capture->skeleton->data->armed_ns, clock__now_ns(), __ATOMIC_SEQ_CST);
	__atomic_store_n(until_ns, clock__now_ns(), __ATOMIC_SEQ_CST);
	capture__repeat_context(capture);
}

void capture__repeat_context(struct capture *capture)
{
	__u64 *until_ns = &capture->skeleton->data->context_unknown_until_ns;
	__u64 now = clock__now_ns(), seen = __atomic_load_n(until_ns, __ATOMIC_SEQ_CST);

	while (seen < now && !__atomic_compare_exchange_n(until_ns, &seen, now, 0, __ATOMIC_SEQ_CST,
							  __ATOMIC_SEQ_CST))
		continue;
}

void capture__disarm(struct capture *capture)
{
	__atomic_store_n(&capture->skeleton->data->context_unknown_until_ns, UINT64_MAX,
			 __ATOMIC_SEQ_CST);
}

const uint64_t *capture__last_lost_ns(const struct capture *capture)
{
	return (const uint64_t *)capture->skeleton->bss->last_lost_ns;
}

uint64_t capture__decisions_lost(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->decisions_lost, __ATOMIC_SEQ_CST);
}

uint64_t capture__breakdowns_lost(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->breakdowns_lost, __ATOMIC_SEQ_CST);
}

/* Of perf links: the kernel does not run a program while another one runs on the processor. It
 * always runs the program of a uprobe_multi link. */
static uint64_t missed_by(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	if (!program || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes))
		return 0;
	return info.recursion_misses;
}

void capture__counts(const struct capture *capture, struct capture_counts *sum)
{
	const struct steptrace_counts *rows = capture->skeleton->bss->counts;

	memset(sum, 0, sizeof(*sum));
	for (int probe = 0; probe < PROBES_COUNT; probe++) {
		for (int row = 0; row < COUNT_ROWS; row++) {
			sum->hits[probe] += rows[row].hits[probe];
			sum->full[probe] += rows[row].full[probe];
			sum->unreadable[probe] += rows[row].unreadable[probe];
			sum->filtered[probe] += rows[row].filtered[probe];
			sum->degraded[probe] += rows[row].degraded[probe];
		}
		if (capture->method == UPROBE_PERF)
			sum->missed[probe] = missed_by(capture->programs[probe]);
	}
}

void capture__degrade(struct capture *capture, uint32_t probes_mask, uint32_t sample_every)
{
	uint32_t degradation = probes_mask | (sample_every - 1) << DEGRADE_SAMPLE_SHIFT;

	__atomic_store_n(&capture->skeleton->bss->degradation, degradation, __ATOMIC_RELAXED);
}
