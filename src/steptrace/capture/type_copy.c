// SPDX-License-Identifier: BSD-2-Clause
/* First chooses the types, gives them numbers and counts their bytes. Then writes them. */
#include "steptrace/capture/type_copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/capture/raw_btf.h"

/* ---- the names of the structures that are wanted */

struct names {
	const char **sorted;
	size_t count;
};

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_one_of(const struct names *names, const char *name)
{
	return bsearch(&name, names->sorted, names->count, sizeof(*names->sorted), compare);
}

/* The names stay in the bytes of `wanted`. */
static int list_names(struct names *names, const struct raw_btf *wanted)
{
	const struct btf_type *type = raw_btf__type(wanted, 1);

	names->sorted = calloc(wanted->count, sizeof(*names->sorted));
	if (!names->sorted)
		return -ENOMEM;
	for (uint32_t id = 1; id < wanted->count; id++, type = raw_btf__next(type)) {
		const char *name = raw_btf__name(wanted, type->name_off);

		if (!name)
			return -EBADMSG;
		if (BTF_INFO_KIND(type->info) == BTF_KIND_STRUCT && name[0])
			names->sorted[names->count++] = name;
	}
	qsort(names->sorted, names->count, sizeof(*names->sorted), compare);
	return 0;
}

/* ---- choosing */

/* More levels of types within types than any kernel has. */
#define LEVELS_MAX   64

#define BEING_CHOSEN UINT32_MAX

struct choice {
	struct raw_btf from;
	uint32_t *numbers; /* in the copy, by id in `from`; 0: not in it, or void */
	uint32_t *ids;     /* in `from`, by number in the copy */
	uint32_t count;    /* of the numbers, with 0 */
	size_t types_bytes, names_bytes;
	uint32_t function_id;
};

static int count_name(struct choice *choice, uint32_t offset)
{
	const char *name = raw_btf__name(&choice->from, offset);

	if (!name)
		return -EBADMSG;
	choice->names_bytes += offset ? strlen(name) + 1 : 0;
	return choice->names_bytes > BTF_MAX_NAME_OFFSET ? -EBADMSG : 0;
}

/* Of the kinds that are copied, those with elements have named elements, and the name comes first:
 * struct btf_member, btf_enum and btf_enum64. */
static uint32_t *name_of_element(const struct btf_type *type, uint32_t index)
{
	return (uint32_t *)((char *)(type + 1) + index * raw_btf__element_bytes(type));
}

static uint32_t count_of_elements(const struct btf_type *type)
{
	return raw_btf__element_bytes(type) ? BTF_INFO_VLEN(type->info) : 0;
}

static int add(struct choice *choice, uint32_t id, const struct btf_type *type)
{
	int code = count_name(choice, type->name_off);

	for (uint32_t i = 0; !code && i < count_of_elements(type); i++)
		code = count_name(choice, *name_of_element(type, i));
	choice->types_bytes += raw_btf__type_bytes(type);
	choice->ids[choice->count] = id;
	choice->numbers[id] = choice->count++;
	return code;
}

static int choose(struct choice *choice, uint32_t id, int level);

static int choose_members(struct choice *choice, const struct btf_type *type, int level)
{
	const struct btf_member *members = (const void *)(type + 1);
	int code = 0;

	for (uint32_t i = 0; !code && i < BTF_INFO_VLEN(type->info); i++)
		code = choose(choice, members[i].type, level);
	return code;
}

static int choose_array(struct choice *choice, const struct btf_type *type, int level)
{
	const struct btf_array *array = (const void *)(type + 1);
	int code = choose(choice, array->index_type, level);

	return code ? code : choose(choice, array->type, level);
}

/* A typedef and so on: stands for the type that it leads to. */
static int choose_instead(struct choice *choice, uint32_t id, const struct btf_type *type,
			  int level)
{
	int code = choose(choice, type->type, level);

	choice->numbers[id] = code ? 0 : choice->numbers[type->type];
	return code;
}

static int choose_new(struct choice *choice, uint32_t id, const struct btf_type *type, int level)
{
	int code = 0;

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: code = choose_members(choice, type, level); break;
	case BTF_KIND_ARRAY: code = choose_array(choice, type, level); break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: return choose_instead(choice, id, type, level);
	case BTF_KIND_PTR:
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD: break;
	default: return -EOPNOTSUPP;
	}
	return code ? code : add(choice, id, type);
}

/* Chooses the types of the members first. No type contains itself: such bytes are damaged. */
static int choose(struct choice *choice, uint32_t id, int level)
{
	const struct btf_type *type = raw_btf__type(&choice->from, id);

	if (id == 0)
		return 0;
	if (!type || level > LEVELS_MAX || choice->numbers[id] == BEING_CHOSEN)
		return -EBADMSG;
	if (choice->numbers[id])
		return 0;
	choice->numbers[id] = BEING_CHOSEN;
	return choose_new(choice, id, type, level + 1);
}

/* Whether the type is a wanted structure, or the function. */
static int look_at(struct choice *choice, uint32_t id, const struct btf_type *type,
		   const struct names *names, const char *function)
{
	uint32_t kind = BTF_INFO_KIND(type->info);
	const char *name;

	if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_FUNC)
		return 0;
	name = raw_btf__name(&choice->from, type->name_off);
	if (!name)
		return -EBADMSG;
	if (kind == BTF_KIND_STRUCT)
		return is_one_of(names, name) ? choose(choice, id, 0) : 0;
	if (!choice->function_id && !strcmp(name, function))
		choice->function_id = id;
	return 0;
}

static int choose_named(struct choice *choice, const struct names *names, const char *function)
{
	const struct btf_type *type = raw_btf__type(&choice->from, 1);
	int code = 0;

	for (uint32_t id = 1; !code && id < choice->from.count; id++, type = raw_btf__next(type))
		code = look_at(choice, id, type, names, function);
	return code;
}

static int open_choice(struct choice *choice, const struct type_bytes *all)
{
	int code = raw_btf__open(&choice->from, all->at, all->count);

	if (code)
		return code;
	choice->count = 1;
	choice->names_bytes = 1; /* the first name is "" */
	choice->numbers = calloc(choice->from.count, sizeof(*choice->numbers));
	choice->ids = calloc(choice->from.count, sizeof(*choice->ids));
	return choice->numbers && choice->ids ? 0 : -ENOMEM;
}

static void close_choice(struct choice *choice)
{
	free(choice->numbers);
	free(choice->ids);
	raw_btf__close(&choice->from);
}

/* ---- writing */

struct writer {
	const struct choice *choice;
	unsigned char *type; /* where the next one is written */
	char *names;
	uint32_t names_used;
};

static uint32_t write_name(struct writer *writer, uint32_t offset)
{
	const char *name = raw_btf__name(&writer->choice->from, offset);
	uint32_t at = writer->names_used, bytes = (uint32_t)strlen(name) + 1;

	if (offset == 0)
		return 0;
	memcpy(writer->names + at, name, bytes);
	writer->names_used += bytes;
	return at;
}

static void renumber(const struct choice *choice, struct btf_type *type)
{
	struct btf_member *members = (void *)(type + 1);
	struct btf_array *array = (void *)(type + 1);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_PTR: type->type = 0; break;
	case BTF_KIND_ARRAY:
		array->type = choice->numbers[array->type];
		array->index_type = choice->numbers[array->index_type];
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++)
			members[i].type = choice->numbers[members[i].type];
		break;
	default: break;
	}
}

static void write_type(struct writer *writer, const struct btf_type *type)
{
	struct btf_type *made = (void *)writer->type;
	size_t bytes = raw_btf__type_bytes(type);

	memcpy(made, type, bytes);
	made->name_off = write_name(writer, type->name_off);
	for (uint32_t i = 0; i < count_of_elements(made); i++)
		*name_of_element(made, i) = write_name(writer, *name_of_element(type, i));
	renumber(writer->choice, made);
	writer->type += bytes;
}

static int write_choice(const struct choice *choice, struct type_copy *copy)
{
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = (uint32_t)choice->types_bytes,
		.str_off = (uint32_t)choice->types_bytes,
		.str_len = (uint32_t)choice->names_bytes,
	};
	struct writer writer = {.choice = choice, .names_used = 1};

	copy->count = sizeof(header) + choice->types_bytes + choice->names_bytes;
	copy->bytes = calloc(1, copy->count);
	if (!copy->bytes)
		return -ENOMEM;
	memcpy(copy->bytes, &header, sizeof(header));
	writer.type = (unsigned char *)copy->bytes + sizeof(header);
	writer.names = (char *)writer.type + choice->types_bytes;
	for (uint32_t number = 1; number < choice->count; number++)
		write_type(&writer, raw_btf__type(&choice->from, choice->ids[number]));
	copy->function_id = choice->function_id;
	return 0;
}

/* ---- */

int type_copy__make(struct type_copy *copy, const struct type_bytes *all,
		    const struct type_bytes *wanted, const char *function)
{
	struct choice choice = {.count = 0};
	struct names names = {.count = 0};
	struct raw_btf naming;
	int code = raw_btf__open(&naming, wanted->at, wanted->count);

	*copy = (struct type_copy){0};
	if (!code)
		code = list_names(&names, &naming);
	if (!code)
		code = open_choice(&choice, all);
	if (!code)
		code = choose_named(&choice, &names, function);
	if (!code)
		code = write_choice(&choice, copy);
	close_choice(&choice);
	raw_btf__close(&naming);
	free(names.sorted);
	return code;
}

void type_copy__free(struct type_copy *copy)
{
	free(copy->bytes);
	copy->bytes = NULL;
}
