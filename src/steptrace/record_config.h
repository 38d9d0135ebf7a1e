/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `steptrace record --config FILE`: options from a file, and from the command line, which wins.
 *
 *	record_config__apply	stores the options of the file, if the command line names one
 *	option_groups__parse	then stores those of the command line
 *
 * An option of the command line replaces all lines of the file with the same name. What belongs
 * together is replaced together: outputs with the options of their files and connections, and the
 * targets.
 */
#ifndef STEPTRACE_RECORD_CONFIG_H
#define STEPTRACE_RECORD_CONFIG_H

#include <stdbool.h>

#include "common/error.h"
#include "common/option_file.h"
#include "common/option_groups.h"

struct record_config {
	const char *path;        /* --config; NULL: no file */
	bool checks_only;        /* --check */
	const char *unit_path;   /* --unit; NULL: the installed one */
	struct option_file file; /* owned: texts of the options point into it */
};

/* --config, --check and --unit, which no file can have. NULL: for the help. */
struct option_group record_config__group(struct record_config *config);

/* `groups` are all groups of the command, also that of record_config__group(). 0, or OPTION_HELP or
 * OPTION_BAD with a sentence, which names the line of the file. */
int record_config__apply(struct record_config *config, const struct option_group *groups,
			 size_t count, int argc, char **argv, struct error *err);

/* After all options were parsed. 0 or -EINVAL with a sentence. */
int record_config__finish(const struct record_config *config, struct error *err);

/* Accepts a zeroed struct. */
void record_config__free(struct record_config *config);

#endif
