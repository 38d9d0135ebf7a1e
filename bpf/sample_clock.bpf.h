/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * How many periods of its clock a sample stands for.
 *
 *	due	│    │    │    │    │    │    │		origin_ns + n * period_ns
 *	sampled	│    │              │    │    │
 *	stands for 1              3    1    1
 *
 * A processor delivers no ticks while its interrupts are off, and while a hypervisor has taken it
 * away. Then the next sample is that of the thread which has the processor since then: its own
 * clock says the same.
 *
 * The functions here know no map, and nothing of BPF.
 */
#ifndef STEPTRACE_SAMPLE_CLOCK_BPF_H
#define STEPTRACE_SAMPLE_CLOCK_BPF_H

/* Of one processor. It begins with zeros. */
struct sample_clock {
	__u64 origin_ns; /* half a period before the first sample; 0: there was none */
	__u64 tick;      /* the number of the latest one, from origin_ns on */
};

/* More are taken for a pause of the whole machine. */
enum { SAMPLE_TICKS_MAX = 255 };

/* Returns 0 for a sample that an earlier one, which was late, has stood for. */
static inline __u32 sample_clock__ticks(struct sample_clock *clock, __u64 now_ns, __u64 period_ns)
{
	__u64 tick, passed;

	if (!clock->origin_ns) {
		clock->origin_ns = now_ns - period_ns / 2;
		clock->tick = 0;
		return 1;
	}
	tick = (now_ns - clock->origin_ns) / period_ns;
	if (tick < clock->tick) /* the interrupts of two clocks are nested */
		return 0;
	passed = tick - clock->tick;
	clock->tick = tick;
	return passed > SAMPLE_TICKS_MAX ? 1 : (__u32)passed;
}

#endif
