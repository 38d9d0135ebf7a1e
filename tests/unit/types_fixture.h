/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the copy of kernel types. libbpf makes what is copied, and reads the copy. The
 * "kernel" of these tests has one type of every kind, and then:
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
 *		enum colour { RED = 1, BLUE = 7 } colour;
 *	};
 *	void iterator(void);
 */
#ifndef TESTS_TYPES_FIXTURE_H
#define TESTS_TYPES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include <bpf/btf.h>
#include <stdlib.h>

#include "steptrace/capture/type_copy.h"

struct fixture {
	struct btf *all, *wanted, *few;
	unsigned int function_id;
};

static inline struct type_bytes bytes_of(const struct btf *btf)
{
	unsigned int count = 0;
	const void *bytes = btf__raw_data(btf, &count);

	assert_non_null(bytes);
	return (struct type_bytes){bytes, count};
}

/* Nothing leads to these. Their sizes have to be right, or the types behind them are not found. */
static inline void add_every_kind(struct btf *all)
{
	int integer = btf__find_by_name(all, "int"), prototype, variable;

	btf__add_enum64(all, "wide", 8, false);
	btf__add_enum64_value(all, "MANY", 1ULL << 40);
	btf__add_fwd(all, "nowhere", BTF_FWD_STRUCT);
	btf__add_volatile(all, btf__add_restrict(all, btf__add_ptr(all, integer)));
	btf__add_type_tag(all, "rcu", integer);
	btf__add_float(all, "double", 8);
	prototype = btf__add_func_proto(all, integer);
	btf__add_func_param(all, "argument", integer);
	btf__add_decl_tag(all, "kfunc", btf__add_func(all, "other", BTF_FUNC_GLOBAL, prototype),
			  -1);
	variable = btf__add_var(all, "jiffies", BTF_VAR_GLOBAL_ALLOCATED, integer);
	btf__add_datasec(all, ".data", 8);
	btf__add_datasec_var_info(all, variable, 0, 4);
	btf__add_datasec_var_info(all, variable, 4, 4);
}

static inline void add_outer(struct btf *all, int number, int inner, int far, int colour)
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
	btf__add_field(all, "colour", colour, 352, 0);
}

static inline int add_colour(struct btf *all)
{
	int colour = btf__add_enum(all, "colour", 4);

	btf__add_enum_value(all, "RED", 1);
	btf__add_enum_value(all, "BLUE", 7);
	return colour;
}

static inline struct btf *make_kernel(void)
{
	struct btf *all = btf__new_empty();
	int integer = btf__add_int(all, "int", 4, BTF_INT_SIGNED);
	int number = btf__add_typedef(all, "number_t", integer), inner, far;

	add_every_kind(all);
	inner = btf__add_struct(all, "inner", 4);
	btf__add_field(all, "deep", number, 0, 0);
	far = btf__add_struct(all, "far", 4);
	btf__add_field(all, "inner", inner, 0, 0);
	add_outer(all, number, inner, far, add_colour(all));
	btf__add_func(all, "iterator", BTF_FUNC_STATIC, btf__add_func_proto(all, 0));
	btf__add_func(all, "iterator", BTF_FUNC_STATIC, btf__type_cnt(all) - 2);
	return all;
}

/* The types that a BPF program uses: some of the kernel's, and a struct of its own. */
static inline struct btf *make_wanted(void)
{
	struct btf *wanted = btf__new_empty();

	btf__add_struct(wanted, "record", 8);
	btf__add_struct(wanted, "outer", 4);
	btf__add_struct(wanted, NULL, 4);
	return wanted;
}

/* The code of the copy. `few` and `id` may be NULL. */
static inline int copy_bytes(struct type_bytes all, const struct btf *wanted, const char *function,
			     struct btf **few, unsigned int *id)
{
	struct type_bytes named = bytes_of(wanted);
	struct type_copy copy;
	int code = type_copy__make(&copy, &all, &named, function);

	assert_int_equal(!copy.bytes, code != 0);
	if (id)
		*id = copy.function_id;
	if (few && !code)
		*few = btf__new(copy.bytes, (unsigned int)copy.count);
	type_copy__free(&copy);
	return code;
}

static inline int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.all = make_kernel(), .wanted = make_wanted()};
	assert_int_equal(copy_bytes(bytes_of(fixture.all), fixture.wanted, "iterator", &fixture.few,
				    &fixture.function_id),
			 0);
	assert_non_null(fixture.few);
	*state = &fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	btf__free(fixture->all);
	btf__free(fixture->wanted);
	btf__free(fixture->few);
	return 0;
}

static inline struct btf_type *named(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name(btf, name);

	assert_true(id > 0);
	return (struct btf_type *)btf__type_by_id(btf, (unsigned int)id);
}

static inline struct btf_member *member_of(const struct btf *btf, const char *name, int index)
{
	return &btf_members(named(btf, name))[index];
}

static inline struct btf_type *type_of_member(const struct btf *btf, const char *name, int index)
{
	unsigned int id = member_of(btf, name, index)->type;

	return (struct btf_type *)btf__type_by_id(btf, id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
