// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/unwind.h"

#include <string.h>

struct registers {
	uint64_t values[UNWIND_REGISTERS];
	uint32_t known; /* a bit for each */
};

struct walk {
	struct registers now;
	uint64_t address;        /* of the frame; a return address, except in the first */
	bool is_exact;           /* the first frame, or one that a signal interrupted */
	bool has_frame_pointers; /* the frame before kept one */
	uint64_t begin;          /* of the copied bytes, in the process */
	const uint8_t *bytes;
	size_t bytes_count;
};

enum step { STEP_DONE, STEP_OUTERMOST, STEP_CUT };

static bool read_word(const struct walk *walk, uint64_t address, uint64_t *word)
{
	uint64_t offset = address - walk->begin;

	if (offset >= walk->bytes_count || walk->bytes_count - offset < sizeof(*word))
		return false;
	memcpy(word, walk->bytes + offset, sizeof(*word));
	return true;
}

static bool get(const struct registers *from, unsigned int number, uint64_t *value)
{
	*value = from->values[number];
	return from->known & 1u << number;
}

static void set(struct registers *to, unsigned int number, uint64_t value)
{
	to->values[number] = value;
	to->known |= 1u << number;
}

/* False: it cannot be known. */
static bool find_cfa(const struct walk *walk, const struct unwind_place *place, uint64_t *cfa)
{
	uint64_t base;

	if (place->how == UNWIND_PLT) {
		if (!get(&walk->now, UNWIND_STACK_POINTER, &base))
			return false;
		*cfa = base + (uint64_t)place->offset +
		       ((walk->address & 15) >= place->base ? 8 : 0);
		return true;
	}
	if (!get(&walk->now, place->base, &base))
		return false;
	*cfa = base + (uint64_t)place->offset;
	return place->how == UNWIND_IS_REGISTER || read_word(walk, *cfa, cfa);
}

static bool find_value(const struct walk *walk, const struct unwind_place *place, uint64_t cfa,
		       unsigned int number, uint64_t *value)
{
	uint64_t base;

	switch (place->how) {
	case UNWIND_SAME: return get(&walk->now, number, value);
	case UNWIND_AT_CFA: return read_word(walk, cfa + (uint64_t)place->offset, value);
	case UNWIND_IS_CFA: *value = cfa + (uint64_t)place->offset; return true;
	case UNWIND_AT_REGISTER:
		return get(&walk->now, place->base, &base) &&
		       read_word(walk, base + (uint64_t)place->offset, value);
	case UNWIND_IS_REGISTER:
		if (!get(&walk->now, place->base, &base))
			return false;
		*value = base + (uint64_t)place->offset;
		return true;
	default: return false;
	}
}

/* aarch64 programs may sign return addresses, in the bits that no address of a process uses. */
static uint64_t without_signature(uint64_t address)
{
#ifdef __aarch64__
	return address & 0x0000ffffffffffffull;
#else
	return address;
#endif
}

static bool find_return_address(const struct walk *walk, const struct unwind_rule *rule,
				uint64_t cfa, uint64_t *address)
{
#ifdef __aarch64__
	const unsigned int number = UNWIND_LINK;
#else
	const unsigned int number = UNWIND_STACK_POINTER; /* never SAME on x86-64 */
#endif
	if (!find_value(walk, &rule->return_address, cfa, number, address))
		return false;
	*address = without_signature(*address);
	return true;
}

static uint64_t stack_pointer(const struct walk *walk)
{
	return walk->now.values[UNWIND_STACK_POINTER];
}

/* On aarch64 a function without a frame has its caller's stack pointer. That is so only in the
 * innermost one, and where a signal interrupted one: all others have called something, and have
 * saved their return address before. */
static bool is_outward(const struct walk *walk, bool is_signal, uint64_t cfa)
{
	if (is_signal)
		return true;
	return walk->is_exact ? cfa >= stack_pointer(walk) : cfa > stack_pointer(walk);
}

static enum step step_by_rule(struct walk *walk, const struct unwind_rule *rule)
{
	struct registers caller = {.known = 0};
	uint64_t cfa, address, value;

	if (rule->return_address.how == UNWIND_UNKNOWN)
		return STEP_OUTERMOST;
	if (!find_cfa(walk, &rule->cfa, &cfa) || !is_outward(walk, rule->is_signal, cfa) ||
	    !find_return_address(walk, rule, cfa, &address))
		return STEP_CUT;
	set(&caller, UNWIND_STACK_POINTER, cfa);
	for (unsigned int i = 0; i < UNWIND_REGISTERS; i++) {
		bool is_default =
			i == UNWIND_STACK_POINTER && rule->registers[i].how <= UNWIND_UNKNOWN;

		if (!is_default && find_value(walk, &rule->registers[i], cfa, i, &value))
			set(&caller, i, value);
	}
	walk->now = caller;
	walk->address = address;
	walk->is_exact = rule->is_signal;
	walk->has_frame_pointers = false;
	return address ? STEP_DONE : STEP_OUTERMOST;
}

/* [fp]: that of the caller; [fp + 8]: the return address. The outermost frame has a 0. */
static enum step step_by_frame_pointer(struct walk *walk)
{
	struct registers caller = {.known = 0};
	uint64_t frame, older, address;

	if (!get(&walk->now, UNWIND_FRAME_POINTER, &frame))
		return STEP_CUT;
	if (frame == 0 && walk->has_frame_pointers)
		return STEP_OUTERMOST;
	if (frame < stack_pointer(walk) || !read_word(walk, frame, &older) ||
	    !read_word(walk, frame + 8, &address))
		return STEP_CUT;
	set(&caller, UNWIND_FRAME_POINTER, older);
	set(&caller, UNWIND_STACK_POINTER, frame + 16);
	walk->now = caller;
	walk->address = without_signature(address);
	walk->is_exact = false;
	walk->has_frame_pointers = true;
	return walk->address ? STEP_DONE : STEP_OUTERMOST;
}

static enum step step(struct walk *walk, unwind_find *find, void *context)
{
	const struct unwind_rule *rule = find(context, walk->address - (walk->is_exact ? 0 : 1));

	if (!rule)
		return STEP_CUT;
	return rule->is_there ? step_by_rule(walk, rule) : step_by_frame_pointer(walk);
}

size_t unwind__walk(const struct stack_registers *registers, const void *bytes, size_t bytes_count,
		    unwind_find *find, void *context, uint64_t *addresses, size_t room,
		    bool *is_cut)
{
	struct walk walk = {.address = registers->program_counter,
			    .is_exact = true,
			    .begin = registers->values[UNWIND_STACK_POINTER],
			    .bytes = bytes,
			    .bytes_count = bytes_count};
	enum step result = STEP_DONE;
	size_t count = 0;

	for (unsigned int i = 0; i < UNWIND_REGISTERS; i++)
		set(&walk.now, i, registers->values[i]);
	while (result == STEP_DONE && count < room) {
		addresses[count] = walk.address + (count > 0 && walk.is_exact);
		count++;
		result = step(&walk, find, context);
		/* A handler returns to the first instruction of the code that ends the signal. */
		addresses[count - 1] += count > 1 && walk.is_exact && result == STEP_DONE;
	}
	*is_cut = result != STEP_OUTERMOST;
	return count;
}
