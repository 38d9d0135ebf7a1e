// SPDX-License-Identifier: BSD-2-Clause
/*
 * The copy of kernel types from one BTF object into another. The "kernel" of this test has:
 *
 *	typedef int number_t;
 *	struct inner { number_t deep; };
 *	struct far { struct inner inner; };
 *	struct outer {
 *		const number_t first;
 *		union { int left; struct far *right; };
 *		struct inner inners[3];
 *		struct outer *next;
 *		unsigned int low:3, high:5;
 *	};
 *	void iterator(void);
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/capture/kernel_types.h"

struct fixture {
	struct btf *all, *wanted, *few;
	int function_id;
};

static void add_outer(struct btf *all, int number, int inner, int far)
{
	int integer = btf__find_by_name(all, "int");
	int first = btf__add_const(all, number), inners = btf__add_array(all, integer, inner, 3);
	int right = btf__add_ptr(all, far), next = btf__add_ptr(all, right + 2);
	int either = btf__add_union(all, NULL, 8);

	btf__add_field(all, "left", integer, 0, 0);
	btf__add_field(all, "right", right, 0, 0);
	assert_int_equal(btf__add_struct(all, "outer", 48), either + 1);
	btf__add_field(all, "first", first, 0, 0);
	btf__add_field(all, NULL, either, 64, 0);
	btf__add_field(all, "inners", inners, 128, 0);
	btf__add_field(all, "next", next, 256, 0);
	btf__add_field(all, "low", integer, 320, 3);
	btf__add_field(all, "high", integer, 323, 5);
}

static struct btf *make_kernel(void)
{
	struct btf *all = btf__new_empty();
	int integer = btf__add_int(all, "int", 4, BTF_INT_SIGNED);
	int number = btf__add_typedef(all, "number_t", integer), inner, far, prototype;

	inner = btf__add_struct(all, "inner", 4);
	btf__add_field(all, "deep", number, 0, 0);
	far = btf__add_struct(all, "far", 4);
	btf__add_field(all, "inner", inner, 0, 0);
	add_outer(all, number, inner, far);
	prototype = btf__add_func_proto(all, 0);
	btf__add_func(all, "iterator", BTF_FUNC_STATIC, prototype);
	return all;
}

/* The types that a BPF program uses: some of the kernel's, and a struct of its own. */
static struct btf *make_wanted(void)
{
	struct btf *wanted = btf__new_empty();

	btf__add_struct(wanted, "record", 8);
	btf__add_struct(wanted, "outer", 4);
	btf__add_struct(wanted, NULL, 4);
	return wanted;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.all = make_kernel();
	fixture.wanted = make_wanted();
	fixture.few = btf__new_empty();
	fixture.function_id =
		kernel_types__copy(fixture.few, fixture.all, fixture.wanted, "iterator");
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	btf__free(fixture->all);
	btf__free(fixture->wanted);
	btf__free(fixture->few);
	return 0;
}

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
				  "low@320:3 int4 high@323:5 int4 }");
}

static void types_behind_pointers_are_not_copied(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(btf__find_by_name_kind(fixture->few, "far", BTF_KIND_STRUCT), -ENOENT);
	assert_true(btf__find_by_name_kind(fixture->few, "inner", BTF_KIND_STRUCT) > 0);
}

static void types_unknown_to_the_kernel_are_not_copied(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(btf__find_by_name_kind(fixture->few, "record", BTF_KIND_STRUCT), -ENOENT);
}

static void the_id_of_the_function_is_returned(void **state)
{
	const struct fixture *fixture = *state;
	struct btf *few = btf__new_empty();

	assert_int_equal(fixture->function_id,
			 btf__find_by_name_kind(fixture->all, "iterator", BTF_KIND_FUNC));
	assert_int_equal(kernel_types__copy(few, fixture->all, fixture->wanted, "nonesuch"), 0);
	assert_int_equal(kernel_types__copy(few, fixture->all, fixture->wanted, "outer"), 0);
	btf__free(few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(types_are_copied_with_all_members, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(types_behind_pointers_are_not_copied, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(types_unknown_to_the_kernel_are_not_copied, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_id_of_the_function_is_returned, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
