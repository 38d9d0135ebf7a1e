// SPDX-License-Identifier: BSD-2-Clause
/* The parts of symbols that need no process: tables, lists, rights, rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/symbols/demangle.h"
#include "steptrace/symbols/foreign_file.h"
#include "steptrace/symbols/function_table.h"
#include "steptrace/symbols/kernel_symbols.h"
#include "steptrace/symbols/owner.h"
#include "steptrace/symbols/perf_map.h"
#include "steptrace/symbols/place_map.h"
#include "steptrace/symbols/symbol_name.h"
#include "steptrace/symbols/unwind.h"

static FILE *text_file(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	return file;
}

/* ---- places */

static void places_keep_their_values(void **state)
{
	struct place_map map = {0};

	(void)state;
	assert_int_equal(place_map__get(&map, 1, 0), 0);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_int_equal(place_map__set(&map, i % 7, i * 4096ull, i), 0);
	for (uint32_t i = 1; i <= 5000; i++) {
		assert_int_equal(place_map__get(&map, i % 7, i * 4096ull), i);
		assert_int_equal(place_map__get(&map, i % 7 + 7, i * 4096ull), 0);
	}
	assert_int_equal(place_map__set(&map, 1, 4096, 0), 0);
	assert_int_equal(place_map__get(&map, 1, 4096), 0);
	assert_int_equal(place_map__set(&map, 1, 4096, 9), 0);
	assert_int_equal(place_map__get(&map, 1, 4096), 9);
	place_map__free(&map);
}

/* Pids come and go: what was removed makes room again. */
static void removed_places_take_no_room(void **state)
{
	struct place_map map = {0};

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++) {
		assert_int_equal(place_map__set(&map, 0, i, i), 0);
		assert_int_equal(place_map__set(&map, 0, i, 0), 0);
	}
	assert_true(map.room <= 4096);
	place_map__free(&map);
}

/* ---- functions */

static const char *name_at(const struct function_table *table, uint64_t address)
{
	const struct function *function = function_table__find(table, address);

	return function ? function->name : "none";
}

static void add(struct function_table *table, uint64_t start, uint64_t end, const char *name,
		uint32_t rank)
{
	assert_int_equal(function_table__add(table, &(struct function){start, end, name, rank}), 0);
}

static void functions_by_address(void **state)
{
	struct function_table table = {0};

	(void)state;
	function_table__sort(&table);
	assert_string_equal(name_at(&table, 0), "none");
	add(&table, 0x300, 0x300, "without_size", 1);
	add(&table, 0x100, 0x200, "outer", 1);
	add(&table, 0x140, 0x150, "inner", 1);
	add(&table, 0x380, 0x390, "last", 1);
	function_table__sort(&table);
	assert_string_equal(name_at(&table, 0xff), "none");
	assert_string_equal(name_at(&table, 0x100), "outer");
	assert_string_equal(name_at(&table, 0x145), "inner");
	assert_string_equal(name_at(&table, 0x150), "outer");
	assert_string_equal(name_at(&table, 0x1ff), "outer");
	assert_string_equal(name_at(&table, 0x200), "none");
	assert_string_equal(name_at(&table, 0x37f), "without_size");
	assert_string_equal(name_at(&table, 0x390), "none");
	function_table__free(&table);
}

static void the_best_of_several_names(void **state)
{
	struct function_table table = {0};

	(void)state;
	add(&table, 0x100, 0x110, "__read", 6);
	add(&table, 0x100, 0x110, "read", 6);
	add(&table, 0x100, 0x110, "read_alias", 6);
	add(&table, 0x100, 0x110, "a", 5);
	add(&table, 0x200, 0x200, "best", 6);
	add(&table, 0x200, 0x210, "sized", 5);
	function_table__sort(&table);
	assert_string_equal(name_at(&table, 0x105), "read");
	assert_string_equal(name_at(&table, 0x20f), "best");
	assert_string_equal(name_at(&table, 0x210), "none");
	function_table__free(&table);
}

/* ---- the kernel */

#define NAME_AT(symbols, address)                                                                  \
	kernel_symbols__name(symbols, kernel_symbols__find(symbols, address))
#define MODULE_AT(symbols, address)                                                                \
	kernel_symbols__module(symbols, kernel_symbols__find(symbols, address))

static void read_kernel(struct kernel_symbols *symbols, const char *text)
{
	FILE *list = text_file(text);

	assert_int_equal(kernel_symbols__read(symbols, list), 0);
	fclose(list);
}

static void functions_of_the_kernel(void **state)
{
	struct kernel_symbols symbols = {0};

	(void)state;
	read_kernel(&symbols, "ffffffff81000000 T _stext\n"
			      "ffffffff81000000 T _text\n"
			      "ffffffff81000500 D not_code\n"
			      "ffffffff81000400 t do_work\n"
			      "ffffffffc0a3b000 t nft_do_chain\t[nf_tables]\n"
			      "ffffffffc0a3b100 t nft_other\t[nf_tables]\n"
			      "not a line\n"
			      "ffffffff81000600 T"); /* cut */
	assert_int_equal(symbols.count, 5);
	assert_false(symbols.is_hidden);
	assert_null(kernel_symbols__find(&symbols, 0xffffffff80ffffff));
	assert_null(kernel_symbols__find(&symbols, 0x1000));
	assert_string_equal(NAME_AT(&symbols, 0xffffffff810003ff), "_stext");
	assert_string_equal(NAME_AT(&symbols, 0xffffffff81000501), "do_work");
	assert_string_equal(MODULE_AT(&symbols, 0xffffffff81000501), "[kernel]");
	assert_string_equal(NAME_AT(&symbols, 0xffffffffc0a3b0ff), "nft_do_chain");
	assert_string_equal(MODULE_AT(&symbols, 0xffffffffc0a3b100), "[nf_tables]");
	assert_null(kernel_symbols__find(&symbols, 0xffffffff90000000));
	kernel_symbols__free(&symbols);
}

static void a_kernel_that_hides_its_addresses(void **state)
{
	struct kernel_symbols symbols = {0};

	(void)state;
	read_kernel(&symbols, "0000000000000000 T _stext\n0000000000000000 t do_work\n");
	assert_int_equal(symbols.count, 0);
	assert_true(symbols.is_hidden);
	assert_null(kernel_symbols__find(&symbols, 0xffffffff81000501));
	kernel_symbols__free(&symbols);
}

/* ---- rights */

static const char status_text[] = "Name:\tjava\n"
				  "Uid:\t1000\t1000\t1000\t1000\n"
				  "Gid:\t1000\t1000\t1000\t1000\n"
				  "Groups:\t24 27 \n"
				  "NSpid:\t4711\t7\n"
				  "CapEff:\t0000000000000000\n";

static bool may_read(const struct owner *owner, uid_t uid, gid_t gid, mode_t mode)
{
	return owner__may_read(owner,
			       &(struct stat){.st_uid = uid, .st_gid = gid, .st_mode = mode});
}

static bool wrote(const struct owner *owner, uid_t uid, gid_t gid, mode_t mode)
{
	return owner__wrote(owner, &(struct stat){.st_uid = uid, .st_gid = gid, .st_mode = mode});
}

static void parse_owner(struct owner *owner, const char *text)
{
	FILE *status = text_file(text);

	assert_true(owner__parse(owner, status));
	fclose(status);
}

static void what_a_user_may_read(void **state)
{
	struct owner owner;

	(void)state;
	parse_owner(&owner, status_text);
	assert_int_equal(owner.inner_pid, 7);
	assert_true(may_read(&owner, 0, 0, 0644));
	assert_false(may_read(&owner, 0, 0, 0640));
	assert_false(may_read(&owner, 0, 0, 0711));
	assert_true(may_read(&owner, 0, 27, 0640));
	assert_false(may_read(&owner, 0, 28, 0640));
	assert_true(may_read(&owner, 0, 1000, 0040));
	assert_true(may_read(&owner, 1000, 0, 0400));
	/* the bits of the owner and of the group count alone */
	assert_false(may_read(&owner, 1000, 0, 0077));
	assert_false(may_read(&owner, 0, 27, 0606));
}

static void what_root_may_read(void **state)
{
	struct owner owner;

	(void)state;
	parse_owner(&owner, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0000000000000002\n");
	assert_true(may_read(&owner, 5, 5, 0600));
	parse_owner(&owner, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0000000000000000\n");
	assert_false(may_read(&owner, 5, 5, 0600));
	/* root of a user namespace */
	parse_owner(&owner, "Uid:\t5000\t5000\t5000\t5000\nGid:\t5\t5\t5\t5\n"
			    "CapEff:\t000001ffffffffff\n");
	assert_false(may_read(&owner, 0, 0, 0600));
	/* sudo and the like: what everybody may */
	parse_owner(&owner, "Uid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\nCapEff:\t000001ffffffffff\n");
	assert_false(may_read(&owner, 0, 0, 0600));
	assert_false(may_read(&owner, 0, 0, 0604));
	assert_true(may_read(&owner, 0, 0, 0644));
	assert_false(wrote(&owner, 0, 5, 0600));
	assert_false(wrote(&owner, 1000, 5, 0600));
}

/* It was root, with capabilities or without, or in a group, when that was last read. */
static void what_one_may_read_that_may_have_given_up_rights(void **state)
{
	struct owner owner;

	(void)state;
	parse_owner(&owner, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0000000000000002\n");
	owner = owner__anybody(&owner);
	assert_true(may_read(&owner, 0, 0, 0755));
	assert_false(may_read(&owner, 0, 0, 0750));
	parse_owner(&owner, status_text);
	owner = owner__anybody(&owner);
	assert_true(may_read(&owner, 0, 0, 0444));
	assert_false(may_read(&owner, 0, 27, 0640));
	assert_false(may_read(&owner, 1000, 0, 0400));
	owner = owner__anybody(&(struct owner){.is_known = false});
	assert_false(may_read(&owner, 0, 0, 0444));
}

static void what_a_user_wrote(void **state)
{
	struct owner owner;

	(void)state;
	parse_owner(&owner, status_text);
	assert_true(wrote(&owner, 1000, 1000, 0644));
	assert_true(wrote(&owner, 1000, 1000, 0664));
	assert_false(wrote(&owner, 1000, 27, 0664));
	assert_false(wrote(&owner, 1000, 1000, 0646));
	assert_false(wrote(&owner, 0, 1000, 0644));
}

static void a_status_that_is_cut(void **state)
{
	struct owner owner;
	FILE *status = text_file("Name:\tx\nUid:\t1000\t1000\n");

	(void)state;
	assert_false(owner__parse(&owner, status));
	fclose(status);
	assert_false(may_read(&owner, 0, 0, 0777));
	assert_false(owner__read(&owner, 0x7ffffffe));
	assert_false(may_read(&owner, 0, 0, 0777));
}

/* ---- foreign paths */

static void paths_that_lead_elsewhere(void **state)
{
	char folder[] = "/tmp/steptrace-paths-XXXXXX", path[128];
	struct stat status;
	int root, fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_PATH | O_DIRECTORY);
	assert_int_equal(mkdirat(root, "in", 0755), 0);
	fd = openat(root, "in/file", O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("in/file", root, "link"), 0);
	assert_int_equal(symlinkat("in", root, "folder"), 0);
	assert_int_equal(mkfifoat(root, "in/fifo", 0644), 0);
	fd = foreign_file__open_below(root, "//in//file", &status);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	assert_int_equal(foreign_file__open_below(root, "/link", &status), -ELOOP);
	assert_int_equal(foreign_file__open_below(root, "/folder/file", &status), -ELOOP);
	assert_int_equal(foreign_file__open_below(root, "in/../in/file", &status), -ELOOP);
	assert_int_equal(foreign_file__open_below(root, "../etc/passwd", &status), -ELOOP);
	assert_int_equal(foreign_file__open_below(root, "in/fifo", &status), -EINVAL);
	assert_int_equal(foreign_file__open_below(root, "in", &status), -EINVAL);
	assert_int_equal(foreign_file__open_below(root, "", &status), -EINVAL);
	assert_int_equal(foreign_file__open_below(root, "in/none", &status), -ENOENT);
	assert_int_equal(foreign_file__open_below(root, "in/file/x", &status), -ENOTDIR);
	close(root);
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	assert_int_equal(system(path), 0);
}

/* ---- perf maps */

static int parse_map(struct perf_map *map, const char *text)
{
	char *copy = strdup(text);

	*map = (struct perf_map){0};
	return perf_map__parse(map, copy, strlen(text));
}

static void lines_of_a_perf_map(void **state)
{
	struct perf_map map;

	(void)state;
	assert_int_equal(parse_map(&map, "1000 10 first function\n"
					 "0x2000 0X20 second\n"
					 "1000 8 newer\n"
					 "-3000 10 negative\n"
					 "3000 10\n"
					 "3000  10 two blanks\n"
					 "3000 0 empty\n"
					 "ffffffffffffffff 2 too long\n"
					 "11112222333344445 2 too many digits\n"
					 "\n"
					 "4000 10 not ended"),
			 0);
	assert_int_equal(map.functions.count, 2);
	assert_string_equal(name_at(&map.functions, 0x1007), "newer");
	assert_string_equal(name_at(&map.functions, 0x201f), "second");
	assert_string_equal(name_at(&map.functions, 0x2020), "none");
	assert_string_equal(name_at(&map.functions, 0x4000), "none");
	perf_map__free(&map);
	assert_int_equal(parse_map(&map, ""), 0);
	perf_map__free(&map);
}

static void files_that_are_no_perf_maps(void **state)
{
	struct perf_map map = {0};
	int fd = memfd_create("map", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(perf_map__parse(&map, calloc(1, 10), 10), -EINVAL);
	perf_map__free(&map);
	assert_int_equal(ftruncate(fd, PERF_MAP_BYTES_MAX + 1), 0);
	assert_int_equal(perf_map__read(&map, fd), -EFBIG);
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_int_equal(perf_map__read(&map, fd), -EINVAL);
	perf_map__free(&map);
	close(fd);
}

static void lines_beyond_the_limit(void **state)
{
	const size_t lines = PERF_MAP_LINES_MAX + 10, line_bytes = 12;
	char *text = malloc(lines * line_bytes + 1);
	struct perf_map map = {0};

	(void)state;
	for (size_t i = 0; i < lines; i++)
		snprintf(text + i * line_bytes, line_bytes + 1, "%07zx 1 n\n", i);
	assert_int_equal(perf_map__parse(&map, text, lines * line_bytes), 0);
	assert_int_equal(map.functions.count, PERF_MAP_LINES_MAX);
	assert_string_equal(name_at(&map.functions, PERF_MAP_LINES_MAX - 1), "n");
	assert_string_equal(name_at(&map.functions, PERF_MAP_LINES_MAX), "none");
	perf_map__free(&map);
}

/* ---- names */

static void equal_names_are_one(void **state)
{
	struct symbol_names names = {0};
	const struct symbol_name *name = symbol_names__get(&names, "read", "libc.so.6", false);
	char long_text[2000];

	(void)state;
	assert_ptr_equal(symbol_names__get(&names, "read", "libc.so.6", false), name);
	assert_ptr_not_equal(symbol_names__get(&names, "read", "[kernel]", true), name);
	assert_ptr_not_equal(symbol_names__get(&names, "ead", "libc.so.6r", false), name);
	assert_string_equal(symbol_names__get(&names, "a\nb\033[31m", "x\377", false)->function,
			    "a\\nb\\x1b[31m");
	assert_string_equal(symbol_names__get(&names, "a\nb\033[31m", "x\377", false)->module,
			    "x\\xff");
	memset(long_text, '\n', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	assert_true(strlen(symbol_names__get(&names, long_text, long_text, false)->function) <
		    SYMBOL_BYTES);
	symbol_names__free(&names);
}

static bool is_outermost(const char *function, const char *module)
{
	struct symbol_names names = {0};
	bool result = symbol_names__get(&names, function, module, false)->is_outermost;

	symbol_names__free(&names);
	return result;
}

static void where_stacks_begin(void **state)
{
	(void)state;
	assert_true(is_outermost("_start", "steprun"));
	assert_true(is_outermost("clone3", "libc.so.6"));
	assert_true(is_outermost("__clone", "ld-musl-x86_64.so.1"));
	assert_true(is_outermost("clone", "libc-2.31.so"));
	assert_false(is_outermost("clone", "shop"));
	assert_false(is_outermost("main", "shop"));
	assert_false(is_outermost("_start_job", "shop"));
}

static void names_that_are_not_mangled(void **state)
{
	(void)state;
	assert_null(demangle("main"));
	assert_null(demangle("_Znonsense?"));
	assert_null(demangle(""));
	assert_null(demangle("_R"));
}

/* ---- walking */

#ifdef __x86_64__

struct rule_at {
	uint64_t from, to;
	struct unwind_rule rule;
};

static const struct unwind_rule *find_in(void *context, uint64_t address)
{
	const struct rule_at *rules = context;

	for (; rules->to; rules++)
		if (address >= rules->from && address < rules->to)
			return &rules->rule;
	return NULL;
}

#define PLACE(how_, base_, offset_)                                                                \
	{                                                                                          \
		.how = how_, .base = base_, .offset = offset_                                      \
	}
#define PUSHED                                                                                     \
	{                                                                                          \
		.is_there = 1, .cfa = PLACE(UNWIND_IS_REGISTER, 7, 16),                            \
		.return_address = PLACE(UNWIND_AT_CFA, 0, -8)                                      \
	}

static size_t walk(const struct rule_at *rules, uint64_t pc, const uint64_t *words, size_t count,
		   uint64_t *addresses, bool *is_cut)
{
	const struct stack_registers registers = {pc, {[7] = 0x7000}};

	return unwind__walk(&registers, words, count * sizeof(*words), find_in, (void *)rules,
			    addresses, 8, is_cut);
}

static void a_return_address_belongs_to_its_call(void **state)
{
	const struct rule_at rules[] = {
		{0x1000, 0x1100, PUSHED},
		{0x1100,
		 0x1200,
		 {.is_there = 1,
		  .cfa = PLACE(UNWIND_IS_REGISTER, 7, 16),
		  .return_address = PLACE(UNWIND_UNKNOWN, 0, 0)}},
		{0, 0, {0}},
	};
	/* the call is the last instruction of the first function, which does not return */
	const uint64_t words[] = {0, 0x1100, 0, 0x1180};
	uint64_t addresses[8];
	bool is_cut;

	(void)state;
	assert_int_equal(walk(rules, 0x1000, words, 4, addresses, &is_cut), 3);
	assert_int_equal(addresses[0], 0x1000);
	assert_int_equal(addresses[1], 0x1100);
	assert_int_equal(addresses[2], 0x1180);
	assert_false(is_cut);
}

static void a_stack_that_leads_nowhere(void **state)
{
	const struct rule_at rules[] = {{0x1000, 0x1100, PUSHED}, {0, 0, {0}}};
	const uint64_t wild[] = {0, 0x1050, 0, 0x9999, 0, 0};
	const uint64_t null[] = {0, 0x1050, 0, 0, 0, 0};
	uint64_t addresses[8];
	bool is_cut;

	(void)state;
	assert_int_equal(walk(rules, 0x1000, wild, 6, addresses, &is_cut), 3);
	assert_int_equal(addresses[2], 0x9999);
	assert_true(is_cut);
	assert_int_equal(walk(rules, 0x1000, null, 6, addresses, &is_cut), 2);
	assert_false(is_cut);
	assert_int_equal(walk(rules, 0x1000, wild, 1, addresses, &is_cut), 1);
	assert_true(is_cut);
	assert_int_equal(walk(rules, 0x5000, wild, 6, addresses, &is_cut), 1);
	assert_true(is_cut);
}

/* The table of calls to shared libraries pushes a word at its eleventh byte. */
static void the_table_of_calls(void **state)
{
	const struct rule_at rules[] = {
		{0x1000,
		 0x1100,
		 {.is_there = 1,
		  .cfa = PLACE(UNWIND_PLT, 11, 8),
		  .return_address = PLACE(UNWIND_AT_CFA, 0, -8)}},
		{0, 0, {0}},
	};
	const uint64_t words[] = {0x2222, 0x3333, 0};
	uint64_t addresses[8];
	bool is_cut;

	(void)state;
	walk(rules, 0x102a, words, 3, addresses, &is_cut);
	assert_int_equal(addresses[1], 0x2222);
	walk(rules, 0x102b, words, 3, addresses, &is_cut);
	assert_int_equal(addresses[1], 0x3333);
}

/* A stack whose frames lie deeper and deeper, or at the same place, would never end. */
static void a_stack_that_goes_in_circles(void **state)
{
	const struct rule_at rules[] = {
		{0x1000,
		 0x1100,
		 {.is_there = 1,
		  .cfa = PLACE(UNWIND_IS_REGISTER, 7, 0),
		  .return_address = PLACE(UNWIND_AT_CFA, 0, 0)}},
		{0, 0, {0}},
	};
	const uint64_t words[] = {0x1050, 0x1050};
	uint64_t addresses[8];
	bool is_cut;

	(void)state;
	assert_int_equal(walk(rules, 0x1000, words, 2, addresses, &is_cut), 2);
	assert_true(is_cut);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_keep_their_values),
		cmocka_unit_test(removed_places_take_no_room),
		cmocka_unit_test(functions_by_address),
		cmocka_unit_test(the_best_of_several_names),
		cmocka_unit_test(functions_of_the_kernel),
		cmocka_unit_test(a_kernel_that_hides_its_addresses),
		cmocka_unit_test(what_a_user_may_read),
		cmocka_unit_test(what_root_may_read),
		cmocka_unit_test(what_one_may_read_that_may_have_given_up_rights),
		cmocka_unit_test(what_a_user_wrote),
		cmocka_unit_test(a_status_that_is_cut),
		cmocka_unit_test(paths_that_lead_elsewhere),
		cmocka_unit_test(lines_of_a_perf_map),
		cmocka_unit_test(files_that_are_no_perf_maps),
		cmocka_unit_test(lines_beyond_the_limit),
		cmocka_unit_test(equal_names_are_one),
		cmocka_unit_test(where_stacks_begin),
		cmocka_unit_test(names_that_are_not_mangled),
#ifdef __x86_64__
		cmocka_unit_test(a_return_address_belongs_to_its_call),
		cmocka_unit_test(a_stack_that_leads_nowhere),
		cmocka_unit_test(the_table_of_calls),
		cmocka_unit_test(a_stack_that_goes_in_circles),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
