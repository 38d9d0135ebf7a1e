// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/link_plan.h"

#include "steptrace/stream/event.h"

_Static_assert((int)PROBES_COUNT <= (int)LINK_PROGRAMS_MAX, "one program for each probe");
_Static_assert((int)PROBE_NOTES_MAX <= (int)UPROBE_PLACES_MAX, "one place for each note");

static uint8_t index_of_program(struct link_plan *plan, int program_fd)
{
	size_t i = 0;

	while (i < plan->programs_count && plan->fds[1 + i] != program_fd)
		i++;
	if (i == plan->programs_count)
		plan->fds[1 + plan->programs_count++] = program_fd;
	return (uint8_t)i;
}

static void add_place(struct link_plan *plan, const struct probe_note *note, int program_fd,
		      enum site_kind site)
{
	uint32_t at = plan->order.count++;

	plan->order.programs[at] = index_of_program(plan, program_fd);
	plan->order.places[at] = (struct uprobe_place){
		.offset = note->offset + sites[site].offset,
		.semaphore_offset = note->semaphore_offset,
		.cookie = note->probe,
	};
}

/* A probe that is compiled in several times has several notes. */
static void add_probe(struct link_plan *plan, const struct probe_notes *notes, int program_fd,
		      const struct site_choice *choice, enum steptrace_probe probe)
{
	for (size_t i = 0; i < notes->count && program_fd >= 0; i++) {
		const struct probe_note *note = &notes->notes[i];

		if (note->probe == probe)
			add_place(plan, note, program_fd, site__choose(choice, note->sites));
	}
}

void link_plan__make(struct link_plan *plan, const struct binary *binary,
		     const struct capture *capture, const struct site_choice *choice)
{
	plan->order.method = capture__method(capture);
	plan->order.count = 0;
	plan->fds[0] = binary->fd;
	plan->programs_count = 0;
	for (int i = 0; i < PROBES_COUNT; i++)
		if (probes[i].phase != PHASE_BEGINS)
			add_probe(plan, &binary->notes, capture__program_fd(capture, i), choice, i);
	for (int i = PROBES_COUNT - 1; i >= 0; i--)
		if (probes[i].phase == PHASE_BEGINS)
			add_probe(plan, &binary->notes, capture__program_fd(capture, i), choice, i);
}
