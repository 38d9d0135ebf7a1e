/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A histogram of durations: log-linear buckets, from 1 ns to 2^HISTOGRAM_OCTAVES ns (104 days).
 *
 * An octave is the range from a power of two to the next one. Each has HISTOGRAM_SUBBUCKETS buckets
 * of the same width. A bucket is told as its middle, so a value that is read back differs from the
 * value that was added by less than 1/128 (0.79 %). Values below 64 ns are exact.
 *
 *	value   0 1 2 ... 63 | 64 65 ... 127 | 128 130 ... | 256 260 ...
 *	width   1            | 1             | 2           | 4
 *
 * The durations of one step usually lie within a few octaves. So memory for an octave (256 bytes)
 * is allocated at its first value: a row has 0.5 KiB and 0.25 KiB for each octave, 24 KiB at most.
 */
#ifndef STEPTRACE_HISTOGRAM_H
#define STEPTRACE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_SUBBUCKET_BITS = 6,
	HISTOGRAM_SUBBUCKETS = 1 << HISTOGRAM_SUBBUCKET_BITS,
	HISTOGRAM_OCTAVES = 53,
	/* The values below HISTOGRAM_SUBBUCKETS, then one for each octave above. */
	HISTOGRAM_GROUPS = HISTOGRAM_OCTAVES - HISTOGRAM_SUBBUCKET_BITS + 1,
};

/* Zeroed: empty. */
struct histogram {
	uint64_t count;          /* of all values */
	uint64_t sum_ns;         /* UINT64_MAX: the sum is larger than that */
	uint64_t min_ns, max_ns; /* exact; of an empty histogram: 0 */
	/* By group and bucket; NULL: no value. The carries of the counts are apart, because few
	 * buckets ever count beyond 2^32. Owned. */
	uint32_t *counts[HISTOGRAM_GROUPS];
	uint32_t *carries[HISTOGRAM_GROUPS];
};

/* Adds a value `times` times. Larger values than the histogram can tell count in its last bucket.
 * 0, or -ENOMEM: nothing has changed. */
int histogram__add(struct histogram *histogram, uint64_t ns, uint64_t times);

/* Adds all values of `from`. 0, or -ENOMEM: nothing has changed. */
int histogram__merge(struct histogram *histogram, const struct histogram *from);

/*
 * The value below or at which `fraction` (0 to 1) of all values lie, as the middle of its bucket,
 * but within min_ns and max_ns. The smallest and the largest value are exact. 0 for an empty
 * histogram.
 */
uint64_t histogram__percentile_ns(const struct histogram *histogram, double fraction);

/* A bucket that has values: `count` of them in from_ns <= value < below_ns. */
struct histogram_bucket {
	uint64_t from_ns, below_ns, count;
};

/* Calls `each` for the buckets that have values, in ascending order. */
void histogram__each(const struct histogram *histogram,
		     void (*each)(void *context, const struct histogram_bucket *bucket),
		     void *context);

/* Calls `each` for the buckets in which at least one of two histograms has values, in ascending
 * order. The counts are those of the two; `count` of the bucket is their sum. */
void histogram__each_of_two(const struct histogram *left, const struct histogram *right,
			    void (*each)(void *context, const struct histogram_bucket *bucket,
					 uint64_t left_count, uint64_t right_count),
			    void *context);

/* The bucket of the value that is the `rank`-th smallest one, counted from 1; an empty bucket if
 * there are not that many. */
struct histogram_bucket histogram__bucket_at(const struct histogram *histogram, uint64_t rank);

/* How much memory it has allocated. */
size_t histogram__bytes(const struct histogram *histogram);

/* Frees the memory: then it is empty. */
void histogram__clear(struct histogram *histogram);

#endif
