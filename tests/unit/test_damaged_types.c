// SPDX-License-Identifier: BSD-2-Clause
/* Damaged types of the kernel are refused, and no byte behind their end is read. */
#include "types_fixture.h"

#include <errno.h>
#include <string.h>

/* Each length gets memory of its own, so that a sanitizer sees a read behind the end. */
static void cut_off_types_are_refused(void **state)
{
	const struct fixture *fixture = *state;
	struct type_bytes all = bytes_of(fixture->all);

	for (size_t count = 0; count < all.count; count++) {
		void *cut = malloc(count ? count : 1);

		memcpy(cut, all.at, count);
		assert_int_equal(copy_bytes((struct type_bytes){cut, count}, fixture->wanted,
					    "iterator", NULL, NULL),
				 -EBADMSG);
		free(cut);
	}
}

/* The same types behind the names, and only the first bytes of them. */
static struct type_bytes behind_names(struct type_bytes all, unsigned int types_bytes)
{
	const struct btf_header *header = all.at;
	size_t names_bytes = (header->str_len + 3) / 4 * 4;
	size_t count = sizeof(*header) + names_bytes + types_bytes;
	struct btf_header *made = calloc(1, count);
	char *names = (char *)(made + 1);

	*made = *header;
	made->str_off = 0;
	made->type_off = (unsigned int)names_bytes;
	made->type_len = types_bytes;
	memcpy(names, (const char *)(header + 1) + header->str_off, header->str_len);
	memcpy(names + names_bytes, (const char *)(header + 1) + header->type_off, types_bytes);
	return (struct type_bytes){made, count};
}

/* Some of these ends lie between two types. */
static void a_section_of_types_may_end_anywhere(void **state)
{
	const struct fixture *fixture = *state;
	struct type_bytes all = bytes_of(fixture->all);
	unsigned int between = 0;

	for (unsigned int bytes = ((const struct btf_header *)all.at)->type_len; bytes > 0;) {
		struct type_bytes cut = behind_names(all, --bytes);
		int code = copy_bytes(cut, fixture->wanted, "iterator", NULL, NULL);

		assert_true(code == 0 || code == -EBADMSG);
		between += code == 0;
		free((void *)cut.at);
	}
	assert_in_range(between, 1, btf__type_cnt(fixture->all));
}

static struct btf_header *header_of(const struct btf *btf)
{
	return (struct btf_header *)bytes_of(btf).at;
}

static unsigned int id_of(const struct btf *btf, const char *name)
{
	return (unsigned int)btf__find_by_name(btf, name);
}

static struct btf_array *inners_of(const struct btf *btf)
{
	return btf_array(type_of_member(btf, "outer", 2));
}

static void shorten_header(struct btf_header *header)
{
	header->hdr_len -= 4;
	header->type_off += 4;
	header->str_off += 4;
}

static void empty_both(struct btf_header *header)
{
	header->type_len = header->str_len = 0;
}

static void leave_out_first_byte(struct btf_header *header)
{
	header->str_off++;
	header->str_len--;
}

/* What is wrong, how it is made so, and the code of the copy. */
#define DAMAGES(ROW)                                                                               \
	ROW(another_magic, header_of(btf)->magic++, -EBADMSG)                                      \
	ROW(another_version, header_of(btf)->version++, -EOPNOTSUPP)                               \
	ROW(a_flag, header_of(btf)->flags++, -EOPNOTSUPP)                                          \
	ROW(short_header, shorten_header(header_of(btf)), -EBADMSG)                                \
	ROW(long_header, header_of(btf)->hdr_len = UINT32_MAX - 3, -EBADMSG)                       \
	ROW(types_not_aligned, header_of(btf)->type_off = 2, -EBADMSG)                             \
	ROW(types_far_away, header_of(btf)->type_off = UINT32_MAX - 3, -EBADMSG)                   \
	ROW(too_many_types, header_of(btf)->type_len = UINT32_MAX, -EBADMSG)                       \
	ROW(names_far_away, header_of(btf)->str_off = UINT32_MAX, -EBADMSG)                        \
	ROW(too_many_names, header_of(btf)->str_len++, -EBADMSG)                                   \
	ROW(no_names, empty_both(header_of(btf)), -EBADMSG)                                        \
	ROW(name_without_end, header_of(btf)->str_len--, -EBADMSG)                                 \
	ROW(no_empty_name, leave_out_first_byte(header_of(btf)), -EBADMSG)                         \
	ROW(kind_zero, named(btf, "double")->info = 0, -EOPNOTSUPP)                                \
	ROW(unknown_kind, named(btf, "double")->info = 20u << 24, -EOPNOTSUPP)                     \
	ROW(last_kind, named(btf, "double")->info = 31u << 24, -EOPNOTSUPP)                        \
	ROW(many_members, named(btf, "outer")->info |= 0xffff, -EBADMSG)                           \
	ROW(member_of_no_type, member_of(btf, "outer", 0)->type = btf__type_cnt(btf), -EBADMSG)    \
	ROW(member_of_last_id, member_of(btf, "outer", 3)->type = UINT32_MAX, -EBADMSG)            \
	ROW(element_of_no_type, inners_of(btf)->type = UINT32_MAX, -EBADMSG)                       \
	ROW(index_of_no_type, inners_of(btf)->index_type = UINT32_MAX, -EBADMSG)                   \
	ROW(typedef_of_no_type, named(btf, "number_t")->type = UINT32_MAX, -EBADMSG)               \
	ROW(function_as_member, member_of(btf, "outer", 0)->type = id_of(btf, "other"),            \
	    -EOPNOTSUPP)                                                                           \
	ROW(name_of_struct, named(btf, "far")->name_off = header_of(btf)->str_len, -EBADMSG)       \
	ROW(name_of_function, named(btf, "other")->name_off = UINT32_MAX, -EBADMSG)                \
	ROW(name_of_member, member_of(btf, "inner", 0)->name_off = UINT32_MAX, -EBADMSG)           \
	ROW(name_of_integer, named(btf, "int")->name_off = UINT32_MAX, -EBADMSG)                   \
	ROW(name_of_value, btf_enum(named(btf, "colour"))[1].name_off = UINT32_MAX, -EBADMSG)      \
	ROW(typedef_of_itself, named(btf, "number_t")->type = id_of(btf, "number_t"), -EBADMSG)    \
	ROW(typedefs_in_a_circle, named(btf, "number_t")->type = member_of(btf, "outer", 0)->type, \
	    -EBADMSG)                                                                              \
	ROW(struct_in_itself, member_of(btf, "outer", 0)->type = id_of(btf, "outer"), -EBADMSG)    \
	ROW(struct_in_its_member, member_of(btf, "inner", 0)->type = id_of(btf, "outer"),          \
	    -EBADMSG)                                                                              \
	ROW(array_of_itself, inners_of(btf)->type = member_of(btf, "outer", 2)->type, -EBADMSG)    \
	ROW(nothing, (void)btf, 0)                                                                 \
	ROW(pointer_to_no_type, type_of_member(btf, "outer", 3)->type = UINT32_MAX, 0)             \
	ROW(void_typedef, named(btf, "number_t")->type = 0, 0)                                     \
	ROW(damage_elsewhere, member_of(btf, "far", 0)->type = UINT32_MAX, 0)

#define MAKE(name, change, code)                                                                   \
	static void make_##name(struct btf *btf)                                                   \
	{                                                                                          \
		change;                                                                            \
	}
#define DAMAGE(name, change, code) {#name, make_##name, code},

DAMAGES(MAKE)
static const struct damage {
	const char *name;
	void (*make)(struct btf *btf);
	int code;
} damages[] = {DAMAGES(DAMAGE)};

/* BTF that libbpf has read lies in one piece, in which types can be changed. */
static void damage_is_refused(void **state)
{
	const struct fixture *fixture = *state;
	struct type_bytes all = bytes_of(fixture->all);

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct btf *btf = btf__new(all.at, (unsigned int)all.count);
		int code;

		damages[i].make(btf);
		code = copy_bytes((struct type_bytes){header_of(btf), all.count}, fixture->wanted,
				  "iterator", NULL, NULL);
		if (code != damages[i].code)
			fail_msg("%s: %d instead of %d", damages[i].name, code, damages[i].code);
		btf__free(btf);
	}
}

static int copy_nested(int levels, const struct btf *wanted, int (*wrap)(struct btf *, int))
{
	struct btf *all = btf__new_empty();
	int id = btf__add_int(all, "int", 4, BTF_INT_SIGNED), code;

	for (int i = 0; i < levels; i++)
		id = wrap(all, id);
	btf__add_struct(all, "outer", 4);
	btf__add_field(all, "deep", id, 0, 0);
	code = copy_bytes(bytes_of(all), wanted, "iterator", NULL, NULL);
	btf__free(all);
	return code;
}

static int wrap_in_typedef(struct btf *all, int id)
{
	return btf__add_typedef(all, "next", id);
}

static int wrap_in_array(struct btf *all, int id)
{
	return btf__add_array(all, 1, id, 1);
}

static void types_in_types_are_copied_up_to_a_limit(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(copy_nested(60, fixture->wanted, wrap_in_typedef), 0);
	assert_int_equal(copy_nested(60, fixture->wanted, wrap_in_array), 0);
	assert_int_equal(copy_nested(100, fixture->wanted, wrap_in_typedef), -EBADMSG);
	assert_int_equal(copy_nested(10000, fixture->wanted, wrap_in_array), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cut_off_types_are_refused),
		TEST(a_section_of_types_may_end_anywhere),
		TEST(damage_is_refused),
		TEST(types_in_types_are_copied_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
