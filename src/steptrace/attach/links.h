/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe links of a recording. Several child processes hold them (see link_holder.h for why),
 * and the kernel releases the links of all of them at the same time.
 *
 *	links__begin -> links__make -> links__release -> (links__poll until LINK_GONE)
 *	             -> links__drop -> links__end
 *
 * A link is released in the background. While it is LINK_LEAVING its probes may still fire.
 */
#ifndef STEPTRACE_LINKS_H
#define STEPTRACE_LINKS_H

#include <stdbool.h>

#include "steptrace/attach/link_holder.h"

enum link_state {
	LINK_HELD,
	LINK_LEAVING,
	LINK_GONE, /* the kernel has let go of it */
	LINK_LOST, /* the kernel has let go of it, because its holder was killed */
};

struct link {
	uint32_t id;
	unsigned int holder;
	enum link_state state;
	struct link *next;
};

struct links {
	struct link_holder holders[LINK_HOLDERS];
	bool are_met;                      /* their pids are known */
	unsigned int counts[LINK_HOLDERS]; /* how many links each holds */
	struct link *first;                /* all that were not dropped; owned */
	uint32_t last_id;
};

/* Begins to start the holders. 0 or negative errno. Call links__end() in any case. */
int links__begin(struct links *links, enum uprobe_method method);

/*
 * Has a holder make the link of the order, whose kind and id are filled in here. `fds` are the
 * binary and `programs_count` programs. Returns 0 and *link, or negative errno and *failed: the
 * place, or the count of places if it is not known. -ECHILD: all holders were killed.
 */
int links__make(struct links *links, struct link_order *order, const int *fds,
		size_t programs_count, struct link **link, uint32_t *failed);

/* Begins to release it. */
void links__release(struct links *links, struct link *link);

/* Learns which links are gone or lost. Does not wait. */
void links__poll(struct links *links);

/* Waits until a link that is LEAVING is not any more. */
void links__await(struct links *links, const struct link *link);

/* Frees a link that is GONE or LOST. */
void links__drop(struct links *links, struct link *link);

/* Releases all links and frees them. Returns when no probe of any of them fires any more. Also for
 * a zeroed struct. */
void links__end(struct links *links);

#endif
