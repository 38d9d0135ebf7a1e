// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/histogram.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LAST_NS ((1ull << HISTOGRAM_OCTAVES) - 1)

enum { GROUP_BYTES = HISTOGRAM_SUBBUCKETS * sizeof(uint32_t) };

struct place {
	unsigned int group, bucket;
};

static struct place place_of(uint64_t ns)
{
	unsigned int octave;

	if (ns > LAST_NS)
		ns = LAST_NS;
	if (ns < HISTOGRAM_SUBBUCKETS)
		return (struct place){0, (unsigned int)ns};
	octave = 63 - (unsigned int)__builtin_clzll(ns);
	return (struct place){
		octave - HISTOGRAM_SUBBUCKET_BITS + 1,
		(unsigned int)(ns >> (octave - HISTOGRAM_SUBBUCKET_BITS)) - HISTOGRAM_SUBBUCKETS,
	};
}

static uint64_t width_of(struct place place)
{
	return place.group ? 1ull << (place.group - 1) : 1;
}

static uint64_t from_ns(struct place place)
{
	if (!place.group)
		return place.bucket;
	return (uint64_t)(HISTOGRAM_SUBBUCKETS + place.bucket) * width_of(place);
}

static uint64_t count_at(const struct histogram *histogram, struct place place)
{
	const uint32_t *counts = histogram->counts[place.group];
	const uint32_t *carries = histogram->carries[place.group];

	return (counts ? counts[place.bucket] : 0) |
	       (carries ? (uint64_t)carries[place.bucket] << 32 : 0);
}

/* A group without values has none. */
static unsigned int buckets_of(const struct histogram *histogram, unsigned int group)
{
	return histogram->counts[group] ? HISTOGRAM_SUBBUCKETS : 0;
}

/* ---- adding */

static int reserve(uint32_t **group)
{
	if (!*group)
		*group = calloc(1, GROUP_BYTES);
	return *group ? 0 : -ENOMEM;
}

/* Makes room for the bucket to count `more`. */
static int make_room(struct histogram *histogram, struct place place, uint64_t more)
{
	uint64_t count = count_at(histogram, place) + more;
	int code = reserve(&histogram->counts[place.group]);

	return code || count <= UINT32_MAX ? code : reserve(&histogram->carries[place.group]);
}

static void count_more(struct histogram *histogram, struct place place, uint64_t more)
{
	uint64_t count = count_at(histogram, place) + more;

	histogram->counts[place.group][place.bucket] = (uint32_t)count;
	if (histogram->carries[place.group])
		histogram->carries[place.group][place.bucket] = (uint32_t)(count >> 32);
}

static uint64_t sum_of(uint64_t left, uint64_t right)
{
	uint64_t sum;

	return __builtin_add_overflow(left, right, &sum) ? UINT64_MAX : sum;
}

static uint64_t product_of(uint64_t left, uint64_t right)
{
	uint64_t product;

	return __builtin_mul_overflow(left, right, &product) ? UINT64_MAX : product;
}

static void widen(struct histogram *histogram, uint64_t min_ns, uint64_t max_ns)
{
	if (!histogram->count || min_ns < histogram->min_ns)
		histogram->min_ns = min_ns;
	if (max_ns > histogram->max_ns)
		histogram->max_ns = max_ns;
}

int histogram__add(struct histogram *histogram, uint64_t ns, uint64_t times)
{
	const struct place place = place_of(ns);
	int code = make_room(histogram, place, times);

	if (code || !times)
		return code;
	count_more(histogram, place, times);
	widen(histogram, ns, ns);
	histogram->count += times;
	histogram->sum_ns = sum_of(histogram->sum_ns, product_of(ns, times));
	return 0;
}

static int make_room_for_all(struct histogram *histogram, const struct histogram *from)
{
	int code = 0;

	for (unsigned int group = 0; group < HISTOGRAM_GROUPS; group++)
		for (unsigned int bucket = 0; bucket < buckets_of(from, group) && !code; bucket++) {
			const struct place place = {group, bucket};
			uint64_t more = count_at(from, place);

			code = more ? make_room(histogram, place, more) : 0;
		}
	return code;
}

int histogram__merge(struct histogram *histogram, const struct histogram *from)
{
	int code = make_room_for_all(histogram, from);

	if (code || !from->count)
		return code;
	for (unsigned int group = 0; group < HISTOGRAM_GROUPS; group++)
		for (unsigned int bucket = 0; bucket < buckets_of(from, group); bucket++) {
			const struct place place = {group, bucket};

			if (count_at(from, place))
				count_more(histogram, place, count_at(from, place));
		}
	widen(histogram, from->min_ns, from->max_ns);
	histogram->count += from->count;
	histogram->sum_ns = sum_of(histogram->sum_ns, from->sum_ns);
	return 0;
}

/* ---- reading */

void histogram__each(const struct histogram *histogram,
		     void (*each)(void *context, const struct histogram_bucket *bucket),
		     void *context)
{
	for (unsigned int group = 0; group < HISTOGRAM_GROUPS; group++)
		for (unsigned int bucket = 0; bucket < buckets_of(histogram, group); bucket++) {
			const struct place place = {group, bucket};
			const struct histogram_bucket told = {
				from_ns(place),
				from_ns(place) + width_of(place),
				count_at(histogram, place),
			};

			if (told.count)
				each(context, &told);
		}
}

void histogram__each_of_two(const struct histogram *left, const struct histogram *right,
			    void (*each)(void *context, const struct histogram_bucket *bucket,
					 uint64_t left_count, uint64_t right_count),
			    void *context)
{
	for (unsigned int group = 0; group < HISTOGRAM_GROUPS; group++)
		for (unsigned int bucket = 0;
		     bucket < (buckets_of(left, group) | buckets_of(right, group)); bucket++) {
			const struct place place = {group, bucket};
			uint64_t counts[2] = {count_at(left, place), count_at(right, place)};
			const struct histogram_bucket told = {
				from_ns(place),
				from_ns(place) + width_of(place),
				counts[0] + counts[1],
			};

			if (told.count)
				each(context, &told, counts[0], counts[1]);
		}
}

struct search {
	uint64_t rank, passed; /* the rank counts from 1 */
	struct histogram_bucket bucket;
};

static void pass(void *context, const struct histogram_bucket *bucket)
{
	struct search *search = context;

	if (search->passed < search->rank)
		search->bucket = *bucket;
	search->passed += bucket->count;
}

struct histogram_bucket histogram__bucket_at(const struct histogram *histogram, uint64_t rank)
{
	struct search search = {.rank = rank};

	histogram__each(histogram, pass, &search);
	if (!rank || rank > search.passed)
		search.bucket = (struct histogram_bucket){0, 0, 0};
	return search.bucket;
}

static uint64_t middle_of(const struct histogram_bucket *bucket)
{
	return bucket->from_ns + (bucket->below_ns - 1 - bucket->from_ns) / 2;
}

/* The rank of a percentile is the smallest number of values that is at least the fraction. */
static uint64_t rank_of(const struct histogram *histogram, double fraction)
{
	double wanted = fraction * (double)histogram->count;
	uint64_t rank;

	if (!(wanted > 1))
		return 1;
	if (wanted >= (double)histogram->count)
		return histogram->count;
	rank = (uint64_t)wanted;
	return rank + ((double)rank < wanted);
}

uint64_t histogram__percentile_ns(const struct histogram *histogram, double fraction)
{
	uint64_t rank = rank_of(histogram, fraction), ns;
	struct histogram_bucket bucket;

	if (!histogram->count)
		return 0;
	if (rank == 1)
		return histogram->min_ns;
	if (rank == histogram->count)
		return histogram->max_ns;
	bucket = histogram__bucket_at(histogram, rank);
	ns = middle_of(&bucket);
	if (ns < histogram->min_ns)
		return histogram->min_ns;
	return ns > histogram->max_ns ? histogram->max_ns : ns;
}

/* ---- memory */

size_t histogram__bytes(const struct histogram *histogram)
{
	size_t groups = 0;

	for (int group = 0; group < HISTOGRAM_GROUPS; group++)
		groups += (histogram->counts[group] != NULL) + (histogram->carries[group] != NULL);
	return groups * GROUP_BYTES;
}

void histogram__clear(struct histogram *histogram)
{
	for (int group = 0; group < HISTOGRAM_GROUPS; group++) {
		free(histogram->counts[group]);
		free(histogram->carries[group]);
	}
	memset(histogram, 0, sizeof(*histogram));
}
