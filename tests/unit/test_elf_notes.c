// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <steptrace.h>

#include "elf_image.h"
#include "steptrace/attach/elf_notes.h"
#include "steptrace/stream/event.h"

#if defined(__x86_64__)
enum { ALL_SITES = 1 << SITE_NOP1 | 1 << SITE_NOP5 | 1 << SITE_NOP10 };
#define NOP_BYTES                                                                                  \
	{                                                                                          \
		0x90, 0x90, 0x90, 0x90                                                             \
	}
#else
enum { ALL_SITES = 1 << SITE_NOP1 };
#define NOP_BYTES                                                                                  \
	{                                                                                          \
		0x1f, 0x20, 0x03, 0xd5                                                             \
	}
#endif

static struct elf_image image;
static struct probe_notes notes;
static struct error err;

/* Reads a copy at the end of its memory, so that AddressSanitizer sees a read beyond it. */
static int read_bytes(const void *bytes, size_t size_bytes)
{
	void *copy = NULL;
	int result;

	assert_int_equal(posix_memalign(&copy, 16, size_bytes), 0);
	memcpy(copy, bytes, size_bytes);
	memset(&notes, 0xa5, sizeof(notes));
	memset(&err, 0, sizeof(err));
	result = elf_notes__read_memory(copy, size_bytes, &notes, &err);
	free(copy);
	return result;
}

static int read_image(void)
{
	elf_image__close(&image);
	return read_bytes(image.bytes, image.size_bytes);
}

static void put_probe(int function, const char *name)
{
	struct stap_desc stap = elf_image__probe(function, name);

	elf_image__stap(&image, &stap);
}

static int read_one(const struct stap_desc *stap)
{
	elf_image__open(&image);
	elf_image__stap(&image, stap);
	return read_image();
}

/* ---- valid files */

static void a_file_without_probes(void **state)
{
	(void)state;
	elf_image__open(&image);
	assert_int_equal(read_image(), 0);
	assert_int_equal(notes.count, 0);
	assert_int_equal(notes.unknown_count, 0);
	assert_int_equal(notes.build_id_bytes, 0);
}

static void every_probe_is_found(void **state)
{
	(void)state;
	elf_image__open(&image);
	for (int i = 0; i < PROBES_COUNT; i++) {
		struct stap_desc stap = elf_image__probe(i, probes[i].name);

		elf_image__stap(&image, &stap);
	}
	assert_int_equal(read_image(), 0);
	assert_int_equal(notes.count, PROBES_COUNT);
	for (unsigned int i = 0; i < PROBES_COUNT; i++) {
		assert_int_equal(notes.notes[i].probe, i);
		assert_int_equal(notes.notes[i].offset, IMAGE_CODE_AT + 32 * i);
		assert_int_equal(notes.notes[i].semaphore_offset, IMAGE_DATA_AT);
		assert_int_equal(notes.notes[i].sites, ALL_SITES);
	}
}

static void a_probe_without_a_semaphore(void **state)
{
	struct stap_desc stap = elf_image__probe(0, "step__done");

	(void)state;
	stap.semaphore = 0;
	assert_int_equal(read_one(&stap), 0);
	assert_int_equal(notes.count, 1);
	assert_int_equal(notes.notes[0].semaphore_offset, 0);
}

/* A prelinker has moved the file by 0x1000 up or down after the note was made. */
static void a_file_that_was_moved(void **state)
{
	static const int64_t moves[] = {0x1000, -0x1000};

	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		struct stap_desc stap = elf_image__probe(2, "step__done");

		stap.site -= (uint64_t)moves[i];
		stap.base -= (uint64_t)moves[i];
		stap.semaphore -= (uint64_t)moves[i];
		assert_int_equal(read_one(&stap), 0);
		assert_int_equal(notes.notes[0].offset, IMAGE_CODE_AT + 64);
		assert_int_equal(notes.notes[0].semaphore_offset, IMAGE_DATA_AT);
	}
}

static void a_file_that_has_no_base(void **state)
{
	struct stap_desc stap = elf_image__probe(1, "step__done");

	(void)state;
	stap.base = 12345;
	elf_image__open(&image);
	elf_image__stap(&image, &stap);
	elf_image__close(&image);
	image.headers[2].sh_type = SHT_NULL;
	assert_int_equal(read_bytes(image.bytes, image.size_bytes), 0);
	assert_int_equal(notes.notes[0].offset, IMAGE_CODE_AT + 32);
}

static void other_notes_are_skipped(void **state)
{
	struct stap_desc foreign = elf_image__probe(0, "step__done");
	struct stap_desc newer = elf_image__probe(0, "step__paused");

	(void)state;
	foreign.provider = "libc";
	foreign.arguments = "-4@%eax 8@%rdi";
	elf_image__open(&image);
	elf_image__note(&image, "stapsdt", 4, "x", 1);
	elf_image__note(&image, "Linux", 3, "x", 1);
	elf_image__note(&image, "", 3, "", 0);
	elf_image__stap(&image, &foreign);
	elf_image__stap(&image, &newer);
	elf_image__stap(&image, &newer);
	put_probe(0, "tool__done");
	assert_int_equal(read_image(), 0);
	assert_int_equal(notes.count, 1);
	assert_int_equal(notes.notes[0].probe, PROBE_TOOL_DONE);
	assert_int_equal(notes.unknown_count, 2);
}

/* Those that all probes have, with the names of this machine: "nop" on aarch64. */
static void sites_have_names(void **state)
{
	const struct probe_notes one = {.notes = {{.sites = 1}}, .count = 1};
	const struct probe_notes two = {.notes = {{.sites = 7}, {.sites = 3}}, .count = 2};
	char names[SITE_NAMES_BYTES], both[SITE_NAMES_BYTES];

	(void)state;
	probe_notes__site_names(&one, "+", names);
	assert_string_equal(names, sites[SITE_NOP1].name);
	snprintf(both, sizeof(both), "%s%s%s", sites[SITE_NOP1].name,
		 sites[SITE_NOP5].size_bytes ? ", " : "",
		 sites[SITE_NOP5].size_bytes ? sites[SITE_NOP5].name : "");
	probe_notes__site_names(&two, ", ", names);
	assert_string_equal(names, both);
}

static void build_ids(void **state)
{
	static const size_t lengths[] = {1, 8, 20, BUILD_ID_MAX_BYTES, BUILD_ID_MAX_BYTES + 1};
	uint8_t id[BUILD_ID_MAX_BYTES + 1];

	(void)state;
	memset(id, 0x5a, sizeof(id));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t kept = lengths[i] <= BUILD_ID_MAX_BYTES ? lengths[i] : 0;

		elf_image__open(&image);
		elf_image__note(&image, "GNU", 3, id, lengths[i]);
		assert_int_equal(read_image(), 0);
		assert_int_equal(notes.build_id_bytes, kept);
		assert_memory_equal(notes.build_id, id, kept);
	}
}

/* The note says which tags the runner's begin calls store. */
static void the_note_about_tags(void **state)
{
	static const struct {
		const char *owner;
		uint32_t type, size_bytes, version, read;
	} cases[] = {{"steptrace", 1, 4, 1, 1},          {"steptrace", 1, 4, 2, 2},
		     {"steptrace", 1, 8, 1, UINT32_MAX}, {"steptrace", 1, 3, 1, UINT32_MAX},
		     {"steptrace", 1, 0, 1, UINT32_MAX}, {"steptrace", 2, 4, 1, 0},
		     {"steptracf", 1, 4, 1, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint32_t words[] = {cases[i].version, 0};

		elf_image__open(&image);
		elf_image__note(&image, cases[i].owner, cases[i].type, words, cases[i].size_bytes);
		assert_int_equal(read_image(), 0);
		assert_int_equal(notes.tags_version, cases[i].read);
	}
}

#if defined(__x86_64__)
/* A site is only recognised if all its bytes and the sites before it are as expected. */
static void a_changed_byte_removes_a_site(void **state)
{
	static const struct {
		size_t spoilt; /* offset of the changed byte in the function */
		unsigned int sites;
	} rows[] = {
		{1, 1 << SITE_NOP1},
		{5, 1 << SITE_NOP1},
		{6, 1 << SITE_NOP1 | 1 << SITE_NOP5},
		{15, 1 << SITE_NOP1 | 1 << SITE_NOP5},
		{16, ALL_SITES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		elf_image__open(&image);
		image.bytes[IMAGE_CODE_AT + rows[i].spoilt] = 0xcc;
		put_probe(0, "step__done");
		assert_int_equal(read_image(), 0);
		assert_int_equal(notes.notes[0].sites, rows[i].sites);
	}
}

/* The function is at the end of the file, after the section headers, and is cut. */
static void a_site_at_the_end_of_the_file(void **state)
{
	static const struct {
		size_t left; /* bytes of the function that remain */
		unsigned int sites;
	} rows[] = {
		{16, ALL_SITES},
		{15, 1 << SITE_NOP1 | 1 << SITE_NOP5},
		{6, 1 << SITE_NOP1 | 1 << SITE_NOP5},
		{5, 1 << SITE_NOP1},
		{1, 1 << SITE_NOP1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(image.bytes + sizeof(Elf64_Ehdr));

		elf_image__open(&image);
		put_probe(0, "step__done");
		elf_image__close(&image);
		elf_image__put_sites(&image.bytes[image.size_bytes]);
		segments[0].p_offset = image.size_bytes;
		assert_int_equal(read_bytes(image.bytes, image.size_bytes + rows[i].left), 0);
		assert_int_equal(notes.notes[0].offset, image.size_bytes);
		assert_int_equal(notes.notes[0].sites, rows[i].sites);
	}
}
#endif

/* ---- malformed files are refused with a message */

static void expect_refusal(int result, const char *part)
{
	assert_int_equal(result, -EBADMSG);
	if (!strstr(err.text, part))
		fail_msg("'%s' instead of '%s'", err.text, part);
}

static void descriptions_that_end_too_early(void **state)
{
	struct stap_desc stap = elf_image__probe(0, "step__done");
	char room[256];
	size_t whole = elf_image__desc(&stap, room);

	(void)state;
	for (size_t bytes = 0; bytes < whole; bytes++) {
		elf_image__open(&image);
		elf_image__note(&image, "stapsdt", 3, room, bytes);
		expect_refusal(read_image(), "malformed");
		assert_int_equal(notes.count, 0);
	}
}

static void strings_without_an_end(void **state)
{
	char room[64];

	(void)state;
	memset(room, 'x', sizeof(room));
	elf_image__open(&image);
	elf_image__note(&image, "stapsdt", 3, room, sizeof(room));
	expect_refusal(read_image(), "malformed");
}

static void addresses_outside_the_file_are_refused(void **state)
{
	static const struct {
		uint64_t site, semaphore;
		const char *part;
	} rows[] = {
		{0, IMAGE_DATA, "code"},
		{IMAGE_CODE - 1, IMAGE_DATA, "code"},
		{IMAGE_CODE + IMAGE_CODE_BYTES, IMAGE_DATA, "code"},
		{UINT64_MAX, IMAGE_DATA, "code"},
		{IMAGE_DATA, IMAGE_DATA, "code"}, /* not executable */
		{IMAGE_CODE, IMAGE_CODE, "data"}, /* not writable */
		{IMAGE_CODE, IMAGE_DATA - 1, "data"},
		{IMAGE_CODE, IMAGE_DATA + IMAGE_DATA_BYTES, "data"}, /* in memory only */
		{IMAGE_CODE, UINT64_MAX, "data"},
		{IMAGE_CODE + 17, IMAGE_DATA, "nop"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stap_desc stap = elf_image__probe(0, "step__done");

		stap.site = rows[i].site;
		stap.semaphore = rows[i].semaphore;
		expect_refusal(read_one(&stap), rows[i].part);
		assert_int_equal(notes.count, 0);
	}
}

static void other_arguments_are_refused(void **state)
{
	static const char *const arguments[] = {"", "8@%rsi", "-8@%rdi", "8@%rdi 8@%rsi", "4@%edi"};

	(void)state;
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		struct stap_desc stap = elf_image__probe(0, "step__done");

		stap.arguments = arguments[i];
		expect_refusal(read_one(&stap), elf_image_argument);
	}
}

/* Reads a file with so many sites of four bytes, in a segment behind the section headers. Each has
 * `times` notes. */
static int read_many(int sites_count, int times)
{
	Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(image.bytes + sizeof(Elf64_Ehdr));
	static const uint8_t nop[4] = NOP_BYTES;
	uint8_t *code;

	elf_image__open(&image);
	for (int i = 0; i < sites_count * times; i++) {
		struct stap_desc stap = elf_image__probe(0, "step__done");

		stap.site = IMAGE_CODE + 4u * (unsigned int)(i % sites_count);
		elf_image__stap(&image, &stap);
	}
	elf_image__close(&image);
	code = &image.bytes[image.size_bytes];
	segments[0].p_offset = image.size_bytes;
	segments[0].p_filesz = segments[0].p_memsz = 4u * (unsigned int)sites_count;
	for (int i = 0; i < sites_count; i++)
		memcpy(&code[4 * i], nop, sizeof(nop));
	return read_bytes(image.bytes, image.size_bytes + segments[0].p_filesz);
}

static void too_many_probes_are_refused(void **state)
{
	(void)state;
	assert_int_equal(read_many(PROBE_NOTES_MAX, 1), 0);
	assert_int_equal(notes.count, PROBE_NOTES_MAX);
	expect_refusal(read_many(PROBE_NOTES_MAX + 1, 1), "256");
}

/* A hit of the site is one hit, however many notes name it. */
static void a_site_with_many_notes_is_one_site(void **state)
{
	(void)state;
	assert_int_equal(read_many(1, 241), 0);
	assert_int_equal(notes.count, 1);
	assert_int_equal(read_many(3, 2), 0);
	assert_int_equal(notes.count, 3);
}

/* A linker that folds identical functions makes one function of all probes. */
static void two_probes_at_one_site_are_refused(void **state)
{
	(void)state;
	elf_image__open(&image);
	put_probe(0, "step__start");
	put_probe(0, "step__done");
	expect_refusal(read_image(), "step__start and step__done have the same address");
}

/* If a note claims more bytes than its section has, reading of the section ends there. */
static void sizes_beyond_the_section(void **state)
{
	static const uint32_t sizes[] = {200, 4096, INT32_MAX, UINT32_MAX - 3, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		elf_image__open(&image);
		put_probe(0, "step__done");
		elf_image__note_claiming(&image, 8, sizes[i], 3, "stapsdt", "x", 1);
		assert_int_equal(read_image(), 0);
		assert_int_equal(notes.count, 1);
		elf_image__open(&image);
		put_probe(0, "step__done");
		elf_image__note_claiming(&image, sizes[i], 1, 3, "stapsdt", "x", 1);
		assert_int_equal(read_image(), 0);
		assert_int_equal(notes.count, 1);
	}
}

/* libelf copies a whole section into memory, so sections above a limit are refused. */
static void huge_note_sections_are_refused(void **state)
{
	(void)state;
	elf_image__open(&image);
	put_probe(0, "step__done");
	elf_image__close(&image);
	image.headers[1].sh_size = 5 << 20;
	expect_refusal(read_bytes(image.bytes, image.size_bytes), "bytes of notes");
}

/* Any user can make a file whose headers claim numbers for which libelf takes all memory. */
static void headers_above_the_limits_are_refused(void **state)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)image.bytes;
	static const struct {
		uint16_t sections, segments;
		Elf64_Shdr first;
		const char *part;
	} rows[] = {
		{0, 2, {.sh_size = 65537}, "65536 sections"},
		{0, 2, {.sh_size = UINT64_MAX}, "65536 sections"},
		{4, 129, {0}, "128 segments"},
		{4, PN_XNUM, {.sh_info = UINT32_MAX}, "128 segments"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		elf_image__open(&image);
		put_probe(0, "step__done");
		elf_image__close(&image);
		header->e_shnum = rows[i].sections;
		header->e_phnum = rows[i].segments;
		image.headers[0] = rows[i].first;
		expect_refusal(read_bytes(image.bytes, image.size_bytes), rows[i].part);
	}
}

/* Without the names, nothing tells that a file was moved. */
static void huge_section_names_are_not_read(void **state)
{
	static uint8_t large[2 << 20];

	(void)state;
	elf_image__open(&image);
	put_probe(0, "step__done");
	elf_image__close(&image);
	image.headers[2].sh_addr += 0x1000;
	expect_refusal(read_bytes(image.bytes, image.size_bytes), "outside");
	image.headers[3].sh_size = sizeof(large) - image.headers[3].sh_offset;
	memcpy(large, image.bytes, image.size_bytes);
	assert_int_equal(read_bytes(large, sizeof(large)), 0);
	assert_int_equal(notes.count, 1);
}

/* ---- other files */

static void files_that_are_not_elf(void **state)
{
	static const char *const texts[] = {"", "\177", "\177ELF", "#!/bin/sh\necho\n",
					    "!<arch>\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(read_bytes(texts[i], strlen(texts[i])), -ENOEXEC);
		assert_int_equal(notes.count, 0);
		assert_true(err.text[0] != 0);
	}
}

static void files_for_another_machine(void **state)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)image.bytes;

	(void)state;
	elf_image__open(&image);
	put_probe(0, "step__done");
	elf_image__close(&image);
	header->e_machine = IMAGE_OTHER_MACHINE;
	assert_int_equal(read_bytes(image.bytes, image.size_bytes), -ENOEXEC);
	assert_non_null(strstr(err.text, "another machine"));
	elf_image__put_headers(&image, header->e_shoff);
	header->e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(read_bytes(image.bytes, image.size_bytes), -ENOEXEC);
	elf_image__put_headers(&image, header->e_shoff);
	header->e_ident[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(read_bytes(image.bytes, image.size_bytes), -ENOEXEC);
}

/* The function must return one of its errors or 0, and must not crash. */
static void expect_an_answer(size_t size_bytes)
{
	int result = read_bytes(image.bytes, size_bytes);

	assert_true(result == 0 || result == -EBADMSG || result == -ENOEXEC);
	assert_int_equal(result != 0, err.text[0] != 0);
	assert_true(notes.count <= PROBE_NOTES_MAX);
}

static void make_ordinary_image(void)
{
	elf_image__open(&image);
	elf_image__note(&image, "GNU", 3, "build-id", 8);
	put_probe(0, "step__done");
	put_probe(1, "command__done");
	elf_image__close(&image);
}

static void files_cut_anywhere(void **state)
{
	(void)state;
	make_ordinary_image();
	for (size_t size = 0; size <= image.size_bytes; size++)
		expect_an_answer(size);
	assert_int_equal(notes.count, 2); /* the last iteration reads the whole file */
}

static void files_with_any_byte_changed(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	(void)state;
	make_ordinary_image();
	for (size_t at = 0; at < image.size_bytes; at++) {
		uint8_t before = image.bytes[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			image.bytes[at] = values[i];
			expect_an_answer(image.size_bytes);
		}
		image.bytes[at] = before;
	}
}

static void headers_with_huge_numbers(void **state)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)image.bytes;
	static const uint64_t numbers[] = {1, 0xffff, INT32_MAX, INT64_MAX, UINT64_MAX - 63};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		for (int which = 0; which < 8; which++) {
			make_ordinary_image();
			switch (which) {
			case 0: header->e_shnum = (uint16_t)numbers[i]; break;
			case 1: header->e_phnum = (uint16_t)numbers[i]; break;
			case 2: header->e_shoff = numbers[i]; break;
			case 3: header->e_phoff = numbers[i]; break;
			case 4: image.headers[1].sh_size = numbers[i]; break;
			case 5: image.headers[1].sh_offset = numbers[i]; break;
			case 6: /* the number of sections is in section header 0 */
				header->e_shnum = 0;
				image.headers[0].sh_size = numbers[i];
				break;
			case 7:
				header->e_phnum = PN_XNUM;
				image.headers[0].sh_info = (uint32_t)numbers[i];
				break;
			}
			expect_an_answer(image.size_bytes);
		}
	}
}

/* ---- the probes that usdt/steptrace.h puts into this test program */

static void this_program_carries_the_probes(void **state)
{
	static void (*const functions[])(const void *) = {
		steptrace_probe_command__start,    steptrace_probe_command__done,
		steptrace_probe_command__rejected, steptrace_probe_step__start,
		steptrace_probe_step__done,        steptrace_probe_tool__start,
		steptrace_probe_tool__done,        steptrace_probe_fragment__changed,
	};
	unsigned int seen = 0;
	uint8_t there[SITES_BYTES];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(elf_notes__read(fd, "this test", &notes, &err), 0);
	assert_int_equal(notes.count, PROBES_COUNT);
	assert_int_equal(notes.unknown_count, 0);
	for (size_t i = 0; i < notes.count; i++) {
		const struct probe_note *note = &notes.notes[i];

		seen |= 1u << note->probe;
		assert_int_equal(note->sites, ALL_SITES);
		assert_true(note->semaphore_offset != 0);
		assert_int_equal(note->semaphore_offset, notes.notes[0].semaphore_offset);
		assert_int_equal(pread(fd, there, sizeof(there), (off_t)note->offset),
				 sizeof(there));
		assert_int_equal(site__recognise(there, sizeof(there)), ALL_SITES);
		/* The distance in the file equals that in memory: the note names the right
		 * function. */
		assert_int_equal(note->offset - notes.notes[0].offset,
				 (uintptr_t)functions[note->probe] -
					 (uintptr_t)functions[notes.notes[0].probe]);
	}
	assert_int_equal(seen, (1u << PROBES_COUNT) - 1);
	close(fd);
}

static void a_refused_file_is_named(void **state)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(elf_notes__read(fd, "a/b\nc", &notes, &err), -ENOEXEC);
	assert_string_equal(err.text, "'a/b\\nc': not an ELF file");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_without_probes),
		cmocka_unit_test(every_probe_is_found),
		cmocka_unit_test(a_probe_without_a_semaphore),
		cmocka_unit_test(a_file_that_was_moved),
		cmocka_unit_test(a_file_that_has_no_base),
		cmocka_unit_test(other_notes_are_skipped),
		cmocka_unit_test(sites_have_names),
		cmocka_unit_test(build_ids),
		cmocka_unit_test(the_note_about_tags),
#if defined(__x86_64__)
		cmocka_unit_test(a_changed_byte_removes_a_site),
		cmocka_unit_test(a_site_at_the_end_of_the_file),
#endif
		cmocka_unit_test(descriptions_that_end_too_early),
		cmocka_unit_test(strings_without_an_end),
		cmocka_unit_test(addresses_outside_the_file_are_refused),
		cmocka_unit_test(other_arguments_are_refused),
		cmocka_unit_test(too_many_probes_are_refused),
		cmocka_unit_test(a_site_with_many_notes_is_one_site),
		cmocka_unit_test(two_probes_at_one_site_are_refused),
		cmocka_unit_test(sizes_beyond_the_section),
		cmocka_unit_test(huge_note_sections_are_refused),
		cmocka_unit_test(headers_above_the_limits_are_refused),
		cmocka_unit_test(huge_section_names_are_not_read),
		cmocka_unit_test(files_that_are_not_elf),
		cmocka_unit_test(files_for_another_machine),
		cmocka_unit_test(files_cut_anywhere),
		cmocka_unit_test(files_with_any_byte_changed),
		cmocka_unit_test(headers_with_huge_numbers),
		cmocka_unit_test(this_program_carries_the_probes),
		cmocka_unit_test(a_refused_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
