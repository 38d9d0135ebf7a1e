// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static size_t path_room(const struct folded_stack *stack)
{
	return 4 + stack->frames_count;
}

static int add_frame(struct flame_names *names, const struct folded_frame *frame, uint32_t *number)
{
	return flame_names__add(names, frame->is_kernel ? FLAME_KERNEL : FLAME_USER,
				frame->function, frame->module, number);
}

/* Writes the path of the stack, and fills in the row. */
static int add_path(struct flame_rows *rows, const struct folded_stack *stack, uint32_t *path,
		    struct flame_row *row)
{
	struct flame_names *names = &rows->names;
	size_t count = 0;
	int err = flame_names__add(names, FLAME_COMMAND, stack->command, "", &path[count++]);

	if (!err && stack->step[0])
		err = flame_names__add(names, FLAME_STEP, stack->step, "", &path[count++]);
	row->labels_count = count;
	if (!err && stack->is_cut)
		err = flame_names__add(names, FLAME_CUT, "[cut]", "", &path[count++]);
	for (size_t i = 0; i < stack->frames_count && !err; i++)
		err = add_frame(names, stack->frames[i], &path[count++]);
	if (!err && count == row->labels_count)
		err = flame_names__add(names, FLAME_CUT, "[no stack]", "", &path[count++]);
	row->path = path;
	row->path_count = count;
	row->state = stack->state;
	row->time_ns = stack->time_ns;
	row->samples_count = stack->samples_count;
	return err;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_paths(const struct flame_row *a, const struct flame_row *b, size_t from)
{
	size_t count = a->path_count < b->path_count ? a->path_count : b->path_count;

	for (size_t i = from; i < count; i++)
		if (a->path[i] != b->path[i])
			return compare_numbers(a->path[i], b->path[i]);
	return compare_numbers(a->path_count, b->path_count);
}

static int compare_rows(const void *left, const void *right)
{
	const struct flame_row *a = left, *b = right;
	int order = compare_numbers(a->path[0], b->path[0]);

	if (order == 0)
		order = compare_numbers(a->labels_count, b->labels_count);
	if (order == 0 && a->labels_count == 2)
		order = compare_numbers(a->path[1], b->path[1]);
	if (order == 0)
		order = compare_numbers(a->state, b->state);
	return order ? order : compare_paths(a, b, a->labels_count);
}

static void merge_equal(struct flame_rows *rows)
{
	size_t kept = 0;

	for (size_t i = 1; i < rows->count; i++) {
		struct flame_row *last = &rows->list[kept], *row = &rows->list[i];

		if (compare_rows(last, row) == 0) {
			last->time_ns += row->time_ns;
			last->samples_count += row->samples_count;
		} else {
			rows->list[++kept] = *row;
		}
	}
	if (rows->count)
		rows->count = kept + 1;
}

/* Names get numbers in the order of their texts, so that rows can be compared by numbers. */
static int sort(struct flame_rows *rows, size_t paths_count)
{
	uint32_t *numbers = calloc(rows->names.count + 1, sizeof(*numbers));
	int err = numbers ? flame_names__sort(&rows->names, numbers) : -ENOMEM;

	for (size_t i = 0; i < paths_count && !err; i++)
		rows->paths[i] = numbers[rows->paths[i]];
	free(numbers);
	if (err)
		return err;
	qsort(rows->list, rows->count, sizeof(*rows->list), compare_rows);
	merge_equal(rows);
	return 0;
}

static int fill(struct flame_rows *rows, const struct folded *folded)
{
	size_t used = 0;
	int err = 0;

	for (size_t i = 0; i < folded->stacks_count && !err; i++) {
		struct flame_row *row = &rows->list[rows->count++];

		err = add_path(rows, &folded->stacks[i], rows->paths + used, row);
		used += row->path_count;
	}
	return err ? err : sort(rows, used);
}

int flame_rows__init(struct flame_rows *rows, const struct folded *folded)
{
	size_t room = 1;
	int err;

	for (size_t i = 0; i < folded->stacks_count; i++)
		room += path_room(&folded->stacks[i]);
	*rows = (struct flame_rows){
		.list = calloc(folded->stacks_count + 1, sizeof(struct flame_row)),
		.paths = calloc(room, sizeof(uint32_t)),
	};
	err = rows->list && rows->paths ? fill(rows, folded) : -ENOMEM;
	if (err)
		flame_rows__free(rows);
	return err;
}

void flame_rows__free(struct flame_rows *rows)
{
	flame_names__free(&rows->names);
	free(rows->list);
	free(rows->paths);
	*rows = (struct flame_rows){0};
}

size_t flame_row__shared(const struct flame_row *a, const struct flame_row *b)
{
	size_t count = a->path_count < b->path_count ? a->path_count : b->path_count;
	size_t labels = a->labels_count < b->labels_count ? a->labels_count : b->labels_count;
	size_t shared = 0;

	while (shared < labels && a->path[shared] == b->path[shared])
		shared++;
	if (shared < labels || a->labels_count != b->labels_count || a->state != b->state)
		return shared;
	while (shared < count && a->path[shared] == b->path[shared])
		shared++;
	return shared;
}
