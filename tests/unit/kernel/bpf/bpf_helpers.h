/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of libbpf's header of this name, for programs of bpf/ that run in a unit test: the
 * functions that the kernel offers to BPF programs. They act on `kernel` (../../kernel.h), which a
 * test prepares and then looks at. A program that needs one more function needs it here.
 */
#ifndef TESTS_BPF_HELPERS_H
#define TESTS_BPF_HELPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SEC(name)
#define __uint(name, value)   int(*name)[value]
#define __type(name, value)   typeof(value) *name
#define barrier_var(variable) ((void)(variable))

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Where memory of a program can be. */
static inline bool kernel__is_address(const void *at)
{
	return (unsigned long)at >= 4096 && (unsigned long)at < 1UL << 48;
}

/* ---- maps: all of them in one table, by the address of the map and the bytes of the key */

enum { KERNEL_ENTRIES = 64, KERNEL_KEY_BYTES = 32, KERNEL_RECORDS = 256, KERNEL_TASKS = 8 };

struct kernel_entry {
	void *map; /* NULL: not used */
	unsigned char key[KERNEL_KEY_BYTES];
	_Alignas(8) unsigned char value[128];
};

/* What a map of type task storage has for a task; there is one such map. */
struct kernel_storage {
	void *task; /* NULL: not used */
	_Alignas(8) unsigned char value[4096];
};

/* A record that a program has reserved, and then submitted or discarded. */
struct kernel_record {
	_Alignas(8) unsigned char bytes[1024];
	size_t size_bytes;
	__u64 flags;
	bool is_submitted;
};

/* The machine as the programs see it. A zeroed one has endless room and the process 0. */
struct kernel {
	/* for the test to set */
	__u64 time_ns, pid_tid, uid_gid, cgroup_id, cookie;
	__u64 ancestors[8]; /* cgroup ids, from the root down; 0: no more */
	char comm[16];
	__u32 cpu;
	struct task_struct *task; /* NULL: all of its members are 0 */
	struct pt_regs *regs;     /* of the task that leaves its processor */
	bool is_ring_full, are_maps_full, is_memory_gone;
	__u64 unread_bytes;
	void (*on_submit)(void); /* NULL: none */

	/* for the test to look at */
	struct kernel_record records[KERNEL_RECORDS];
	size_t records_count; /* reserved so far */
	struct kernel_entry entries[KERNEL_ENTRIES];
	struct kernel_storage storages[KERNEL_TASKS];
	unsigned char sequence[4096]; /* what iterators wrote */
	size_t sequence_bytes;
};

static struct kernel kernel;

static inline struct kernel_entry *kernel__find(void *map, void *key, size_t key_bytes)
{
	for (int i = 0; i < KERNEL_ENTRIES; i++)
		if (kernel.entries[i].map == map &&
		    memcmp(kernel.entries[i].key, key, key_bytes) == 0)
			return &kernel.entries[i];
	return NULL;
}

static inline void *kernel__lookup(void *map, void *key, size_t key_bytes)
{
	struct kernel_entry *entry = kernel__find(map, key, key_bytes);

	return entry ? entry->value : NULL;
}

static inline long kernel__update(void *map, void *key, size_t key_bytes, void *value,
				  size_t value_bytes, __u64 flags)
{
	struct kernel_entry *entry = kernel__find(map, key, key_bytes);
	void *no_map = NULL;

	if (entry && flags == BPF_NOEXIST)
		return -17; /* EEXIST */
	for (int i = 0; i < KERNEL_ENTRIES && !entry && !kernel.are_maps_full; i++)
		if (kernel.entries[i].map == no_map)
			entry = &kernel.entries[i];
	if (!entry)
		return -7; /* E2BIG */
	entry->map = map;
	memcpy(entry->key, key, key_bytes);
	memcpy(entry->value, value, value_bytes);
	return 0;
}

static inline long kernel__delete(void *map, void *key, size_t key_bytes)
{
	struct kernel_entry *entry = kernel__find(map, key, key_bytes);

	if (!entry)
		return -2; /* ENOENT */
	memset(entry, 0, sizeof(*entry));
	return 0;
}

#define bpf_map_lookup_elem(map, key) kernel__lookup(map, key, sizeof(*(key)))
#define bpf_map_update_elem(map, key, value, flags)                                                \
	kernel__update(map, key, sizeof(*(key)), value, sizeof(*(value)), flags)
#define bpf_map_delete_elem(map, key) kernel__delete(map, key, sizeof(*(key)))

/* A task without an entry gets one with this flag, if there is memory. */
static inline void *kernel__storage(void *task, __u64 flags)
{
	struct kernel_storage *unused = NULL;
	void *no_task = NULL;

	for (int i = 0; i < KERNEL_TASKS; i++) {
		if (task && kernel.storages[i].task == task)
			return kernel.storages[i].value;
		if (!unused && kernel.storages[i].task == no_task)
			unused = &kernel.storages[i];
	}
	if (!task || !unused || !(flags & BPF_LOCAL_STORAGE_GET_F_CREATE) || kernel.are_maps_full)
		return NULL;
	unused->task = ((struct task_struct *)task)->bpf_storage = task;
	return unused->value;
}

#define bpf_task_storage_get(map, task, value, flags) kernel__storage(task, flags)

/* ---- the ring buffer */

static inline void *bpf_ringbuf_reserve(void *ring, __u64 bytes, __u64 flags)
{
	struct kernel_record *record = &kernel.records[kernel.records_count];

	(void)ring, (void)flags;
	if (kernel.is_ring_full || kernel.records_count == KERNEL_RECORDS)
		return NULL;
	kernel.records_count++;
	memset(record, 0xa5, sizeof(*record)); /* old bytes, as in the real one */
	record->size_bytes = bytes;
	record->is_submitted = false;
	return record->bytes;
}

/* Copies of stacks are not in these tests, and lists of addresses are empty. */
static inline long bpf_get_stack(void *context, void *to, __u32 size, __u64 flags)
{
	(void)context;
	(void)to;
	(void)size;
	(void)flags;
	return -1;
}

static inline long bpf_get_task_stack(struct task_struct *task, void *to, __u32 size, __u64 flags)
{
	(void)task;
	(void)to;
	(void)size;
	(void)flags;
	return -1;
}

static inline void bpf_ringbuf_submit(void *bytes, __u64 flags)
{
	struct kernel_record *record = bytes;

	record->is_submitted = true;
	record->flags = flags;
	if (kernel.on_submit)
		kernel.on_submit();
}

static inline long bpf_ringbuf_output(void *ring, const void *bytes, __u64 size, __u64 flags)
{
	void *record = bpf_ringbuf_reserve(ring, size, 0);

	if (!record || size > sizeof(kernel.records[0].bytes))
		return -11; /* EAGAIN */
	memcpy(record, bytes, size);
	bpf_ringbuf_submit(record, flags);
	return 0;
}

static inline void bpf_ringbuf_discard(void *bytes, __u64 flags)
{
	(void)bytes, (void)flags;
}

static inline __u64 bpf_ringbuf_query(void *ring, __u64 what)
{
	(void)ring;
	return what == BPF_RB_AVAIL_DATA ? kernel.unread_bytes : 0;
}

/* ---- memory */

static inline long kernel__read(void *to, __u32 bytes, const void *from)
{
	if (!kernel__is_address(from) || kernel.is_memory_gone) {
		memset(to, 0, bytes);
		return -14; /* EFAULT */
	}
	memcpy(to, from, bytes);
	return 0;
}

#define bpf_probe_read_user(to, bytes, from)   kernel__read(to, bytes, from)
#define bpf_probe_read_kernel(to, bytes, from) kernel__read(to, bytes, from)

static inline long bpf_probe_read_kernel_str(void *to, __u32 bytes, const void *from)
{
	if (!from)
		return -14;
	strncpy(to, from, bytes - 1);
	((char *)to)[bytes - 1] = 0;
	return (long)strlen(to) + 1;
}

/* ---- the current process */

static inline __u64 bpf_get_current_pid_tgid(void)
{
	return kernel.pid_tid;
}

static inline long bpf_get_ns_current_pid_tgid(__u64 device, __u64 inode,
					       struct bpf_pidns_info *ids, __u32 bytes)
{
	(void)device, (void)inode, (void)ids, (void)bytes;
	return -22; /* tests run in the initial namespace */
}

static inline __u64 bpf_get_current_uid_gid(void)
{
	return kernel.uid_gid;
}

static inline __u64 bpf_get_current_cgroup_id(void)
{
	return kernel.cgroup_id;
}

static inline __u64 bpf_get_current_ancestor_cgroup_id(int level)
{
	return level < 8 ? kernel.ancestors[level] : 0;
}

static inline long bpf_get_current_comm(void *comm, __u32 bytes)
{
	memcpy(comm, kernel.comm, bytes);
	return 0;
}

static inline __u64 bpf_get_current_task(void)
{
	return (__u64)kernel.task;
}

static inline struct task_struct *bpf_get_current_task_btf(void)
{
	return kernel.task;
}

static inline long bpf_task_pt_regs(struct task_struct *task)
{
	(void)task;
	return (long)kernel.regs;
}

/* ---- the rest */

static inline __u64 bpf_get_attach_cookie(void *context)
{
	(void)context;
	return kernel.cookie;
}

static inline __u64 bpf_ktime_get_ns(void)
{
	return kernel.time_ns;
}

static inline __u32 bpf_get_smp_processor_id(void)
{
	return kernel.cpu;
}

static inline long bpf_tail_call(void *context, void *map, __u32 index)
{
	(void)context, (void)map, (void)index;
	return -2;
}

static inline long bpf_seq_write(struct seq_file *file, const void *bytes, __u32 count)
{
	(void)file;
	memcpy(kernel.sequence + kernel.sequence_bytes, bytes, count);
	kernel.sequence_bytes += count;
	return 0;
}

#endif
