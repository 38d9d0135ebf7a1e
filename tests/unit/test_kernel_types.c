// SPDX-License-Identifier: BSD-2-Clause
/* What is copied of the kernel's types (types_fixture.h) into BTF of their own. */
#include "types_fixture.h"

#include <errno.h>
#include <stdio.h>

/* ---- writes a type with all members as text, without typedef names: "40{first@0 i4 ...}" */

static void describe(FILE *out, const struct btf *btf, unsigned int id);

static void describe_members(FILE *out, const struct btf *btf, const struct btf_type *type)
{
	fprintf(out, "%s%u{", btf_is_union(type) ? "u" : "s", type->size);
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];

		fprintf(out, "%s@%u", btf__name_by_offset(btf, member->name_off),
			btf_member_bit_offset(type, i));
		fprintf(out, ":%u ", btf_member_bitfield_size(type, i));
		describe(out, btf, member->type);
		fputc(' ', out);
	}
	fputc('}', out);
}

static void describe(FILE *out, const struct btf *btf, unsigned int id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (btf_is_mod(type) || btf_is_typedef(type))
		type = btf__type_by_id(btf, type->type);
	if (btf_is_composite(type)) {
		describe_members(out, btf, type);
	} else if (btf_is_array(type)) {
		fprintf(out, "%u*", btf_array(type)->nelems);
		describe(out, btf, btf_array(type)->type);
	} else if (btf_is_ptr(type)) {
		fputs("pointer", out);
	} else if (btf_is_enum(type)) {
		for (unsigned int i = 0; i < btf_vlen(type); i++)
			fprintf(out, "%s=%d ", btf__name_by_offset(btf, btf_enum(type)[i].name_off),
				btf_enum(type)[i].val);
	} else {
		fprintf(out, "%s%u", btf__name_by_offset(btf, type->name_off), type->size);
	}
}

static void describe_named(char text[1024], const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	FILE *out = fmemopen(text, 1024, "w");

	assert_true(id > 0);
	describe(out, btf, (unsigned int)id);
	fclose(out);
}

/* ---- */

static void types_are_copied_with_all_members(void **state)
{
	const struct fixture *fixture = *state;
	char theirs[1024], ours[1024];

	describe_named(theirs, fixture->all, "outer");
	describe_named(ours, fixture->few, "outer");
	assert_string_equal(ours, theirs);
	assert_string_equal(ours, "s48{first@0:0 int4 @64:0 u8{left@0:0 int4 right@0:0 pointer } "
				  "inners@128:0 3*s4{deep@0:0 int4 } next@256:0 pointer "
				  "low@320:3 int4 high@323:5 int4 colour@352:0 RED=1 BLUE=7  }");
}

static void types_behind_pointers_are_not_copied(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(btf__find_by_name_kind(fixture->few, "far", BTF_KIND_STRUCT), -ENOENT);
	assert_true(btf__find_by_name_kind(fixture->few, "inner", BTF_KIND_STRUCT) > 0);
	assert_int_equal(type_of_member(fixture->few, "outer", 3)->type, 0);
}

static void types_unknown_to_the_kernel_are_not_copied(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(btf__find_by_name_kind(fixture->few, "record", BTF_KIND_STRUCT), -ENOENT);
}

static void the_id_of_the_function_is_found(void **state)
{
	const struct fixture *fixture = *state;
	struct type_bytes all = bytes_of(fixture->all);
	unsigned int id;

	assert_int_equal(fixture->function_id,
			 btf__find_by_name_kind(fixture->all, "iterator", BTF_KIND_FUNC));
	assert_int_equal(copy_bytes(all, fixture->wanted, "nonesuch", NULL, &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(copy_bytes(all, fixture->wanted, "outer", NULL, &id), 0);
	assert_int_equal(id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(types_are_copied_with_all_members),
		TEST(types_behind_pointers_are_not_copied),
		TEST(types_unknown_to_the_kernel_are_not_copied),
		TEST(the_id_of_the_function_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
