// SPDX-License-Identifier: BSD-2-Clause
/* Formats of profiles: the table of formats, folded text, and speedscope. */
#include "flame_fixture.h"

#include <cjson/cJSON.h>
#include <errno.h>

#include "steptrace/flame/facts_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_formats(void **state)
{
	(void)state;
	for (int i = 0; i < FLAME_FORMATS_COUNT; i++) {
		assert_int_equal(flame_format__parse(flame_format__name((enum flame_format)i)), i);
		assert_true(strlen(flame_format__help((enum flame_format)i)) > 10);
	}
	assert_int_equal(flame_format__parse("pdf"), -EINVAL);
	assert_string_equal(stack_state__name(STATE_ON_CPU), "on-cpu");
	assert_string_equal(stack_state__name(STATE_OTHER), "other");
}

/* Every format is written to a file that is full. */
static void test_full_file(void **state)
{
	struct folded folded = {.facts = facts, .stacks = few, .stacks_count = COUNT(few)};

	(void)state;
	for (int i = 0; i < FLAME_FORMATS_COUNT; i++) {
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		assert_int_equal(flame__write(full, (enum flame_format)i, &folded), -ENOSPC);
		fclose(full);
	}
}

/* ---- folded */

static void assert_folded(const struct folded_stack *stacks, size_t count, const char *expected)
{
	char *text = written(FLAME_FOLDED, stacks, count);

	assert_string_equal(text, expected);
	free(text);
}

static void test_folded(void **state)
{
	(void)state;
	assert_folded(few, COUNT(few),
		      "add;[cut];operator_new(unsigned_long) 10101\n"
		      "triage;[no_stack];[disk] 5000\n"
		      "triage;Update;main 1\n"
		      "triage;Update;main;sqlite3_step 30303\n"
		      "triage;Update;main;do_futex_[k];[lock] 1200000\n");
	assert_folded(NULL, 0, "");
}

static void test_folded_hostile(void **state)
{
	const struct folded_stack hostile[] = {
		{"a;b 1", "", STATE_ON_CPU, FRAMES(&frame_hostile), false, 1, 1000},
		{"", "", STATE_ON_CPU, FRAMES(&frame_main), false, 1, 1500},
		{"none", "", STATE_ON_CPU, FRAMES(&frame_main), false, 0, 0},
	};

	(void)state;
	assert_folded(hostile, COUNT(hostile),
		      "[unnamed];main 2\n"
		      "a:b_1;</script>\"<img_src=x_onerror=y>\\x1b\\n\\u202e\xef\xbf\xbf_12 1\n");
}

/* Every line ends in a blank and a number, there is no other blank, and the sum is the whole. */
static void test_folded_sums(void **state)
{
	struct random_profile profile;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t us = 0;
		char *text, *line, *rest;

		random_profile(&profile, seed);
		text = written(FLAME_FOLDED, profile.stacks, RANDOM_STACKS);
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			char *blank = strchr(line, ' '), *end;

			assert_non_null(blank);
			us += strtoull(blank + 1, &end, 10);
			assert_string_equal(end, "");
		}
		assert_int_equal(us, time_of(profile.stacks, RANDOM_STACKS) / 1000);
		free(text);
	}
}

/* ---- speedscope */

static cJSON *speedscope_of(const struct folded_stack *stacks, size_t count)
{
	char *text = written(FLAME_SPEEDSCOPE, stacks, count);
	cJSON *document = cJSON_Parse(text);

	assert_non_null(document);
	assert_null(strchr(text, '<'));
	free(text);
	return document;
}

static const char *text_in(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

/* What the schema asks of a sampled profile. Returns the sum of its weights. */
static double check_profile(const cJSON *profile, int frames_count)
{
	const cJSON *samples = cJSON_GetObjectItem(profile, "samples"), *sample, *frame, *weight;
	const cJSON *weights = cJSON_GetObjectItem(profile, "weights");
	double sum = 0;

	assert_string_equal(text_in(profile, "type"), "sampled");
	assert_string_equal(text_in(profile, "unit"), "nanoseconds");
	assert_true(cJSON_IsString(cJSON_GetObjectItem(profile, "name")));
	assert_int_equal(cJSON_GetArraySize(samples), cJSON_GetArraySize(weights));
	cJSON_ArrayForEach (sample, samples)
		cJSON_ArrayForEach (frame, sample)
			assert_in_range(frame->valueint, 0, frames_count - 1);
	cJSON_ArrayForEach (weight, weights)
		sum += weight->valuedouble;
	assert_true(cJSON_GetObjectItem(profile, "startValue")->valuedouble == 0);
	assert_true(cJSON_GetObjectItem(profile, "endValue")->valuedouble == sum);
	return sum;
}

static const cJSON *frames_in(const cJSON *document)
{
	return cJSON_GetObjectItem(cJSON_GetObjectItem(document, "shared"), "frames");
}

static void assert_sample(const cJSON *document, int profile, int sample, const char *expected)
{
	const cJSON *profiles = cJSON_GetObjectItem(document, "profiles"), *frame;
	const cJSON *samples =
		cJSON_GetObjectItem(cJSON_GetArrayItem(profiles, profile), "samples");
	char text[200] = "";

	cJSON_ArrayForEach (frame, cJSON_GetArrayItem(samples, sample)) {
		strcat(text,
		       text_in(cJSON_GetArrayItem(frames_in(document), frame->valueint), "name"));
		strcat(text, ";");
	}
	assert_string_equal(text, expected);
}

static void test_speedscope(void **state)
{
	static const char *const names[] = {"all commands: on-CPU", "all commands: off-CPU",
					    "triage: on-CPU", "triage: off-CPU", "add: on-CPU"};
	static const double sums[] = {40404929, 1205000000, 30303430, 1205000000, 10101499};
	cJSON *document = speedscope_of(few, COUNT(few));
	const cJSON *profiles = cJSON_GetObjectItem(document, "profiles");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(profiles), COUNT(names));
	for (int i = 0; i < (int)COUNT(names); i++) {
		const cJSON *profile = cJSON_GetArrayItem(profiles, i);
		double sum = check_profile(profile, cJSON_GetArraySize(frames_in(document)));

		assert_string_equal(text_in(profile, "name"), names[i]);
		assert_true(sum == sums[i]);
	}
	assert_sample(document, 1, 1, "triage;Update;main;do_futex;[lock];");
	assert_sample(document, 4, 0, "add;[cut];operator new(unsigned long);");
	cJSON_Delete(document);
}

static void test_speedscope_frames(void **state)
{
	cJSON *document = speedscope_of(few, COUNT(few));
	const cJSON *frame;
	bool is_seen = false;

	(void)state;
	assert_string_equal(text_in(document, "$schema"),
			    "https://www.speedscope.app/file-format-schema.json");
	cJSON_ArrayForEach (frame, frames_in(document)) {
		if (strcmp(text_in(frame, "name"), "sqlite3_step") != 0)
			continue;
		assert_string_equal(text_in(frame, "file"), "libsqlite3.so.0");
		is_seen = true;
	}
	assert_true(is_seen);
	cJSON_Delete(document);
}

/* A file without a profile would be refused. */
static void test_speedscope_empty(void **state)
{
	cJSON *document = speedscope_of(NULL, 0);
	const cJSON *profiles = cJSON_GetObjectItem(document, "profiles");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(profiles), 1);
	assert_true(check_profile(cJSON_GetArrayItem(profiles, 0), 0) == 0);
	cJSON_Delete(document);
}

static void test_speedscope_sums(void **state)
{
	struct random_profile profile;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		double all = 0, commands = 0;
		const cJSON *item;
		cJSON *document;

		random_profile(&profile, seed);
		document = speedscope_of(profile.stacks, RANDOM_STACKS);
		cJSON_ArrayForEach (item, cJSON_GetObjectItem(document, "profiles")) {
			double sum = check_profile(item, cJSON_GetArraySize(frames_in(document)));
			bool is_all = strncmp(text_in(item, "name"), "all commands:", 13) == 0;

			*(is_all ? &all : &commands) += sum;
		}
		assert_true(all == (double)time_of(profile.stacks, RANDOM_STACKS));
		assert_true(commands == all);
		cJSON_Delete(document);
	}
}

/* ---- facts */

static void test_facts(void **state)
{
	static const char *const sentences[] = {
		"1,234,567 samples were lost between the kernel and steptrace. Their time is "
		"missing.",
		"2,000 samples were dropped: --hold had no room for more. Their time is missing.",
		"1 of 9 samples have cut stacks: the outermost functions are missing. These stacks "
		"begin with [cut].",
		"1 sample was taken outside of the executions that ended and passed the filters. "
		"It is not shown.",
		"30.0 s from 2025-11-30 09:27:38 UTC. 1 execution ended and passed the filters.",
		"On-CPU: 99 samples a second of each running thread, unwound by frame pointers.",
		"Off-CPU: each wait of 1.00 ms or more, unwound by DWARF.",
		"9 samples. The kernel records at most 127 frames of a stack.",
	};
	struct facts_text text;

	(void)state;
	facts_text__write(&text, &facts);
	assert_int_equal(text.count, COUNT(sentences));
	for (size_t i = 0; i < text.count; i++) {
		assert_string_equal(text.sentences[i].text, sentences[i]);
		assert_int_equal(text.sentences[i].is_loss, i < 3);
	}
}

static void test_what_was_not_read(void **state)
{
	static const struct folded_facts unread = {.samples_count = 1,
						   .on_cpu = true,
						   .on_cpu_unwind = "DWARF",
						   .kernel_hidden = true,
						   .symbols_time_used_up = true,
						   .files_unread = 1,
						   .files_forbidden = 2,
						   .files_slow = 1,
						   .maps_refused = 3,
						   .readers_lost = 2};
	static const char *const sentences[] = {
		"/proc/kallsyms shows no addresses, so functions of the kernel have no names: run "
		"steptrace as root, and look at the sysctl kernel.kptr_restrict.",
		"1 file could not be opened or read: its functions have no names.",
		"2 files were not read because the users of their processes may not read them: "
		"their functions have no names.",
		"1 file took too long to read: some of its functions have no names.",
		"3 perf maps were not read: they are not files of the users of their processes, "
		"are too large or no text, or too many files are open.",
		"2 processes that read symbols ended or did not answer: the files that they were "
		"reading have no names.",
		"20 s for reading symbols were used up: stacks may be cut, and names may be "
		"missing.",
	};
	struct facts_text text;

	(void)state;
	facts_text__write(&text, &unread);
	assert_true(text.count > COUNT(sentences) && text.count < FACTS_SENTENCES);
	for (size_t i = 0; i < COUNT(sentences); i++) {
		assert_string_equal(text.sentences[i + 1].text, sentences[i]);
		assert_true(text.sentences[i + 1].is_loss);
	}
}

static void test_no_losses(void **state)
{
	struct folded_facts none = {.samples_count = 1, .on_cpu = true, .on_cpu_unwind = "DWARF"};
	struct facts_text text;

	(void)state;
	facts_text__write(&text, &none);
	assert_string_equal(text.sentences[0].text,
			    "No sample is known to be lost, dropped or cut.");
	for (size_t i = 0; i < text.count; i++)
		assert_false(text.sentences[i].is_loss);
}

static void test_counts(void **state)
{
	static const struct {
		uint64_t count;
		const char *text;
	} cases[] = {{0, "0"},
		     {999, "999"},
		     {1000, "1,000"},
		     {UINT64_MAX, "18,446,744,073,709,551,615"}};
	char text[COUNT_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(count_text__write(cases[i].count, text), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_full_file),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_folded_hostile),
		cmocka_unit_test(test_folded_sums),
		cmocka_unit_test(test_speedscope),
		cmocka_unit_test(test_speedscope_frames),
		cmocka_unit_test(test_speedscope_empty),
		cmocka_unit_test(test_speedscope_sums),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_what_was_not_read),
		cmocka_unit_test(test_no_losses),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
