// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/symbols/demangle.h"

static void forget(struct reader_file *file)
{
	elf_module__close(file->module);
	if (file->map)
		perf_map__free(file->map);
	free(file->map);
	*file = (struct reader_file){0};
}

static int take_file(struct reader_file *file, int fd, struct elf_identity *identity)
{
	forget(file);
	return fd < 0 ? -EBADF : elf_module__open(fd, &file->module, identity);
}

static int take_debug(struct reader_file *file, int fd)
{
	if (fd < 0)
		return -EBADF;
	if (file->module)
		return elf_module__add_debug(file->module, fd);
	close(fd);
	return -ENOENT;
}

static int take_perf_map(struct reader_file *file, int fd)
{
	int code;

	forget(file);
	if (fd < 0)
		return -EBADF;
	file->map = calloc(1, sizeof(*file->map));
	code = file->map ? perf_map__read(file->map, fd) : -ENOMEM;
	close(fd);
	if (code)
		forget(file);
	return code;
}

static int find_rule(struct reader_file *file, uint64_t offset, struct unwind_rule *rule)
{
	if (!file->module)
		return -ENOENT;
	elf_module__rule(file->module, offset, rule);
	return 0;
}

static uint8_t *add_map_name(uint8_t *at, const struct perf_map *map, uint64_t address)
{
	const struct function *function = function_table__find(&map->functions, address);

	return helper_answer__add_text(at, function ? function->name : "");
}

/* Demangled, and without a version such as @@GLIBC_2.2.5. */
static uint8_t *add_function(uint8_t *at, const char *name)
{
	char *plain = strndup(name, strcspn(name, "@"));
	char *shown = plain ? demangle(plain) : NULL;

	at = helper_answer__add_text(at, shown ? shown : plain ? plain : name);
	free(shown);
	free(plain);
	return at;
}

/* Where there is no function, the address as the linker gave it: that is what other tools take. */
static uint8_t *add_name(uint8_t *at, struct elf_module *module, uint64_t offset)
{
	const char *name = elf_module__function(module, offset);
	char place[32] = "";
	uint64_t address;

	if (name)
		return add_function(at, name);
	if (elf_module__address(module, offset, &address))
		snprintf(place, sizeof(place), "+0x%" PRIx64, address);
	return helper_answer__add_text(at, place);
}

static size_t find_names(const struct reader_file *file, const struct helper_question *question,
			 struct helper_answer *answer)
{
	uint8_t *at = answer->texts;

	for (uint32_t i = 0; i < question->places_count; i++)
		at = file->map ? add_map_name(at, file->map, question->places[i])
			       : add_name(at, file->module, question->places[i]);
	return (size_t)(at - (uint8_t *)answer);
}

size_t reader__answer(struct reader *reader, const struct helper_question *question, int fd,
		      struct helper_answer *answer)
{
	struct reader_file *file = &reader->files[question->file];
	size_t bytes = helper_answer__bytes(question->kind);

	memset(answer, 0, bytes);
	answer->kind = question->kind;
	switch (question->kind) {
	case HELPER_FILE: answer->code = take_file(file, fd, &answer->identity); return bytes;
	case HELPER_DEBUG: answer->code = take_debug(file, fd); return bytes;
	case HELPER_PERF_MAP: answer->code = take_perf_map(file, fd); return bytes;
	default: break;
	}
	if (fd >= 0)
		close(fd);
	if (question->kind == HELPER_RULE)
		answer->code = find_rule(file, question->places[0], &answer->rule);
	else if (file->map || file->module)
		bytes = find_names(file, question, answer);
	else
		answer->code = -ENOENT;
	return bytes;
}

void reader__close(struct reader *reader)
{
	for (size_t i = 0; i < HELPER_FILES_MAX; i++)
		forget(&reader->files[i]);
}
