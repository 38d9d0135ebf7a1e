// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steptrace/capture/ring.h"
#include "steptrace/capture/ring_sizes.h"

enum { RING_BYTES = 4096 };

/* The kernel's side of a ring buffer, played by the test in a file with the same layout. */
struct kernel {
	int fd;
	char *pages;
	uint64_t *read, *reserved;
	char *records;
};

static struct kernel kernel__open(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 2 * page + 2 * RING_BYTES;
	struct kernel kernel = {.fd = memfd_create("ring", MFD_CLOEXEC)};

	assert_true(kernel.fd >= 0);
	assert_int_equal(ftruncate(kernel.fd, (off_t)bytes), 0);
	kernel.pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kernel.fd, 0);
	assert_ptr_not_equal(kernel.pages, MAP_FAILED);
	kernel.read = (uint64_t *)kernel.pages;
	kernel.reserved = (uint64_t *)(kernel.pages + page);
	kernel.records = kernel.pages + 2 * page;
	return kernel;
}

static void kernel__close(struct kernel *kernel)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(kernel->pages, 2 * page + 2 * RING_BYTES);
	close(kernel->fd);
}

static void put(struct kernel *kernel, uint64_t position, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = (position + i) % RING_BYTES;

		kernel->records[at] = kernel->records[at + RING_BYTES] = ((const char *)bytes)[i];
	}
}

/* Writes a record with that time, length and flags; returns its position. */
static uint64_t kernel__make(struct kernel *kernel, uint64_t time_ns, uint32_t length,
			     uint32_t flags)
{
	uint64_t position = *kernel->reserved;
	uint32_t head[2] = {length | flags, 0};
	char *record = calloc(1, length);

	memset(record, (int)(time_ns & 0x7f), length);
	memcpy(record, &time_ns, length < sizeof(time_ns) ? length : sizeof(time_ns));
	put(kernel, position, head, sizeof(head));
	put(kernel, position + sizeof(head), record, length);
	free(record);
	*kernel->reserved = position + ((length + sizeof(head) + 7) & ~7ull);
	return position;
}

static void kernel__submit(struct kernel *kernel, uint64_t position, uint32_t length)
{
	put(kernel, position, &length, sizeof(length));
}

struct world {
	struct kernel kernels[3];
	struct ring items[3];
	struct rings rings;
};

static void world__open(struct world *world, size_t count)
{
	*world = (struct world){.rings = {.items = world->items, .count = count}};
	for (size_t i = 0; i < count; i++) {
		world->kernels[i] = kernel__open();
		assert_int_equal(ring__open(&world->items[i], world->kernels[i].fd, RING_BYTES), 0);
	}
}

static void world__close(struct world *world)
{
	for (size_t i = 0; i < world->rings.count; i++) {
		ring__close(&world->items[i]);
		kernel__close(&world->kernels[i]);
	}
}

/* The next record must have this time; 0: there must be none. */
static void expect(struct world *world, uint64_t time_ns, size_t length)
{
	size_t bytes = 0;
	const char *record = rings__next(&world->rings, &bytes);
	uint64_t stamp = 0;

	if (time_ns == 0) {
		assert_null(record);
		return;
	}
	assert_non_null(record);
	memcpy(&stamp, record, sizeof(stamp));
	assert_int_equal(stamp, time_ns);
	assert_int_equal(bytes, length);
	for (size_t i = sizeof(stamp); i < bytes; i++)
		assert_int_equal(record[i], (int)(time_ns & 0x7f));
}

static void only_records_before_the_look_are_read(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 1);
	kernel__make(&world.kernels[0], 10, 24, 0);
	expect(&world, 0, 0);
	rings__look(&world.rings, 11);
	kernel__make(&world.kernels[0], 12, 30, 0);
	expect(&world, 10, 24);
	expect(&world, 0, 0);
	rings__look(&world.rings, 13);
	expect(&world, 12, 30);
	expect(&world, 0, 0);
	world__close(&world);
}

/* It is passed when every record before it was read. Discarded records are skipped. */
static void a_mark_is_passed(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 2);
	rings__mark(&world.rings);
	assert_true(rings__passed_mark(&world.rings));
	kernel__make(&world.kernels[0], 10, 24, 0);
	kernel__make(&world.kernels[1], 11, 24, 0);
	kernel__make(&world.kernels[1], 12, 24, BPF_RINGBUF_DISCARD_BIT);
	rings__mark(&world.rings);
	kernel__make(&world.kernels[0], 13, 24, 0); /* behind the mark */
	assert_false(rings__passed_mark(&world.rings));
	rings__look(&world.rings, 14);
	expect(&world, 10, 24);
	assert_false(rings__passed_mark(&world.rings));
	expect(&world, 11, 24);
	expect(&world, 13, 24);
	expect(&world, 0, 0);
	assert_true(rings__passed_mark(&world.rings));
	world__close(&world);
}

/* A record that is still being written is not passed. */
static void a_mark_behind_a_busy_record(void **state)
{
	struct world world;
	uint64_t busy;

	(void)state;
	world__open(&world, 1);
	busy = kernel__make(&world.kernels[0], 10, 24, BPF_RINGBUF_BUSY_BIT);
	rings__mark(&world.rings);
	rings__look(&world.rings, 11);
	expect(&world, 0, 0);
	assert_false(rings__passed_mark(&world.rings));
	kernel__submit(&world.kernels[0], busy, 24);
	expect(&world, 10, 24);
	assert_true(rings__passed_mark(&world.rings));
	world__close(&world);
}

static void space_is_released_on_request(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 1);
	kernel__make(&world.kernels[0], 10, 24, 0);
	rings__look(&world.rings, 11);
	assert_int_equal(rings__unread_bytes(&world.rings), 32);
	assert_int_equal(rings__size_bytes(&world.rings), RING_BYTES);
	expect(&world, 10, 24);
	assert_int_equal(*world.kernels[0].read, 0);
	rings__release(&world.rings);
	assert_int_equal(*world.kernels[0].read, 32);
	assert_int_equal(rings__unread_bytes(&world.rings), 0);
	world__close(&world);
}

static void discarded_records_are_skipped(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 1);
	kernel__make(&world.kernels[0], 10, 24, BPF_RINGBUF_DISCARD_BIT);
	kernel__make(&world.kernels[0], 11, 24, 0);
	kernel__make(&world.kernels[0], 12, 24, BPF_RINGBUF_DISCARD_BIT);
	kernel__make(&world.kernels[0], 13, 4, 0); /* too short to be a record */
	rings__look(&world.rings, 20);
	expect(&world, 11, 24);
	expect(&world, 0, 0);
	rings__release(&world.rings);
	assert_int_equal(*world.kernels[0].read, *world.kernels[0].reserved);
	world__close(&world);
}

static void records_across_the_end_of_the_buffer(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 1);
	for (uint64_t time_ns = 1; time_ns < 1000; time_ns++) {
		kernel__make(&world.kernels[0], time_ns, 1000 + time_ns % 500, 0);
		rings__look(&world.rings, time_ns);
		expect(&world, time_ns, 1000 + time_ns % 500);
		expect(&world, 0, 0);
		rings__release(&world.rings);
	}
	world__close(&world);
}

static void reading_stops_at_a_busy_record(void **state)
{
	struct world world;
	uint64_t position;

	(void)state;
	world__open(&world, 2);
	kernel__make(&world.kernels[0], 10, 24, 0);
	position = kernel__make(&world.kernels[0], 12, 24, BPF_RINGBUF_BUSY_BIT);
	kernel__make(&world.kernels[0], 16, 24, 0);
	kernel__make(&world.kernels[1], 14, 24, 0); /* may be a consequence of the busy record */
	rings__look(&world.rings, 20);
	expect(&world, 10, 24);
	expect(&world, 0, 0);
	kernel__submit(&world.kernels[0], position, 24);
	rings__look(&world.rings, 21);
	expect(&world, 12, 24);
	expect(&world, 14, 24);
	expect(&world, 16, 24);
	expect(&world, 0, 0);
	world__close(&world);
}

static void several_buffers_are_merged_by_time(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 3);
	for (uint64_t time_ns = 1; time_ns <= 90; time_ns++)
		kernel__make(&world.kernels[time_ns * 7 % 11 % 3], time_ns, 24, 0);
	rings__look(&world.rings, 90);
	for (uint64_t time_ns = 1; time_ns <= 90; time_ns++)
		expect(&world, time_ns, 24);
	expect(&world, 0, 0);
	world__close(&world);
}

/* A record that is newer than the look may have its cause in another buffer whose position was
 * read before that cause was written. So it must not be returned yet. */
static void newer_records_wait_for_the_next_look(void **state)
{
	struct world world;

	(void)state;
	world__open(&world, 2);
	kernel__make(&world.kernels[0], 10, 24, 0);
	kernel__make(&world.kernels[1], 31, 24, 0);
	rings__look(&world.rings, 30);
	kernel__make(&world.kernels[0], 30, 24, 0); /* this look does not see it */
	expect(&world, 10, 24);
	expect(&world, 0, 0);
	rings__look(&world.rings, 40);
	expect(&world, 30, 24);
	expect(&world, 31, 24);
	expect(&world, 0, 0);
	world__close(&world);
}

static void a_bad_descriptor_is_refused(void **state)
{
	struct ring ring = {.at = 0};

	(void)state;
	assert_true(ring__open(&ring, -1, RING_BYTES) < 0);
	ring__close(&ring);
}

static void sizes_follow_the_number_of_processors(void **state)
{
	enum { K = 1024, M = 1024 * K };
	static const struct {
		long cpus;
		uint64_t said_bytes, said_rings, bytes, rings;
	} rows[] = {
		{1, 0, 0, 16 * M, 1},         {4, 0, 0, 16 * M, 1},
		{6, 0, 0, 16 * M, 2},         {8, 0, 0, 16 * M, 4},
		{16, 0, 0, 32 * M, 8},        {48, 0, 0, 64 * M, 16},
		{1024, 0, 0, 64 * M, 16},     {8, 8 * M, 0, 8 * M, 2},
		{8, 64 * K, 0, 64 * K, 1},    {64, 100 * M, 0, 64 * M, 16},
		{2, 0, 8, 32 * M, 8},         {2, 0, 64, 64 * M, 64},
		{2, 128 * K, 64, 128 * K, 2}, {2, 0, 3, 16 * M, 2},
		{-1, 0, 0, 16 * M, 1},        {2, 1024 * (uint64_t)M, 64, 1024 * (uint64_t)M, 64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ring_sizes sizes = {rows[i].said_bytes, rows[i].said_rings};

		ring_sizes__choose(&sizes, rows[i].cpus);
		assert_int_equal(sizes.buffer_bytes, rows[i].bytes);
		assert_int_equal(sizes.rings_count, rows[i].rings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_records_before_the_look_are_read),
		cmocka_unit_test(a_mark_is_passed),
		cmocka_unit_test(a_mark_behind_a_busy_record),
		cmocka_unit_test(space_is_released_on_request),
		cmocka_unit_test(discarded_records_are_skipped),
		cmocka_unit_test(records_across_the_end_of_the_buffer),
		cmocka_unit_test(reading_stops_at_a_busy_record),
		cmocka_unit_test(several_buffers_are_merged_by_time),
		cmocka_unit_test(newer_records_wait_for_the_next_look),
		cmocka_unit_test(a_bad_descriptor_is_refused),
		cmocka_unit_test(sizes_follow_the_number_of_processors),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
