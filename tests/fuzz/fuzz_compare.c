// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compares any two recordings. Probabilities are probabilities, intervals contain their value, the
 * text is printable, and the JSON is JSON.
 *
 *	input:  the old recording, an empty line, the new recording
 *
 * links: src/steptrace/recording/[a-z]*.c src/steptrace/report/[a-z]*.c
 * links: src/steptrace/compare/[a-z]*.c src/steptrace/latency/histogram.c STREAM -lcjson -lz -lm
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steptrace/compare/comparison_json.h"
#include "steptrace/compare/comparison_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct side {
	struct summary *summary;
	struct recording_counts counts;
};

/* False: it is in the compact format. */
static bool read_side(struct side *side, const uint8_t *data, size_t bytes)
{
	const struct summary_options options = {.rows = 5};
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct recording_reader *reader;
	struct recorded_event event;
	struct error err = {""};
	char path[32];
	const char *paths[] = {path};

	require(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	side->summary = summary__new(&options);
	if (recording_reader__open(&reader, paths, 1, &err)) {
		close(fd);
		return false;
	}
	while (recording_reader__next(reader, &event, &err) > 0)
		require(summary__add(side->summary, &event) == 0);
	side->counts = *recording_reader__counts(reader);
	recording_reader__close(reader);
	close(fd);
	return true;
}

static void check_probability(double p)
{
	require(p >= 0 && p <= 1);
}

static void check_ratio(const struct ratio *ratio)
{
	require(!ratio->has_low || (ratio->is_known && ratio->low >= 0));
	require(!ratio->has_low || ratio->low <= ratio->value * 1.0000001);
	require(!ratio->has_high || ratio->high >= ratio->value * 0.9999999);
}

static void check_row(const struct compared_row *row)
{
	check_probability(row->rank.effect);
	check_probability(row->rank.p);
	check_probability(row->failures_p);
	check_probability(row->rank_corrected);
	require(row->rank_corrected >= row->rank.p);
	require(row->failures_corrected >= row->failures_p);
	check_ratio(&row->p50);
	check_ratio(&row->p95);
}

static void check_json(const struct comparison *comparison, const struct doubts *doubts,
		       const struct compared_recording *sides)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	cJSON *json;

	require(comparison_json__write(out, comparison, doubts, sides) == 0 && fclose(out) == 0);
	json = cJSON_Parse(text);
	require(cJSON_IsObject(json));
	cJSON_Delete(json);
	free(text);
}

static void check_text(const struct comparison *comparison, const struct doubts *doubts,
		       const struct compared_recording *sides, unsigned int columns)
{
	const struct text_style style = {.columns = columns};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	require(comparison_text__write(out, comparison, doubts, sides, 5, &style) == 0 &&
		fclose(out) == 0);
	for (size_t i = 0; i < bytes; i++)
		require((unsigned char)text[i] >= 0x20 || text[i] == '\n');
	free(text);
}

static void check(const struct side *old, const struct side *new)
{
	const struct compared_recording sides[COMPARE_SIDES] = {
		{"old", old->summary, &old->counts}, {"new", new->summary, &new->counts}};
	static struct doubts doubts;
	struct comparison comparison;

	require(comparison__make(&comparison, old->summary, new->summary) == 0);
	for (size_t i = 0; i < comparison.count; i++)
		check_row(&comparison.rows[i]);
	doubts__find(&doubts, sides, &comparison);
	check_json(&comparison, &doubts, sides);
	check_text(&comparison, &doubts, sides, 0);
	check_text(&comparison, &doubts, sides, 61);
	comparison__free(&comparison);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *middle = memmem(data, size, "\n\n", 2);
	size_t bytes = middle ? (size_t)(middle - data) + 1 : size;
	struct side old, new;
	bool is_old_read = read_side(&old, data, bytes);
	bool is_new_read = read_side(&new, data + bytes, size - bytes);

	if (is_old_read && is_new_read)
		check(&old, &new);
	summary__free(old.summary);
	summary__free(new.summary);
	return 0;
}
