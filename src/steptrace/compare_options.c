// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare_options.h"

#include <errno.h>
#include <glob.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add(struct compare_request *request, const char *path, struct error *err)
{
	char **more = realloc(request->old, (request->old_count + 1) * sizeof(*more));

	if (!more)
		return error__set(err, -ENOMEM, "out of memory");
	request->old = more;
	more[request->old_count] = strdup(path);
	if (!more[request->old_count])
		return error__set(err, -ENOMEM, "out of memory");
	request->old_count++;
	return 0;
}

/* The name of a file, or a pattern of names. What matches nothing is a name: the reader says that
 * there is no such file. */
static int set_old(void *context, const char *value, struct error *err)
{
	glob_t found;
	int code = 0;

	if (access(value, F_OK) == 0)
		return add(context, value, err);
	if (glob(value, GLOB_NOCHECK, NULL, &found))
		return error__set(err, -EIO, "cannot find the files '%s'", value);
	for (size_t i = 0; !code && i < found.gl_pathc; i++)
		code = add(context, found.gl_pathv[i], err);
	globfree(&found);
	return code;
}

static const struct option_row rows[] = {
	{{0, "compare", "OLD",
	  "compare the recording OLD with FILE...: what became slower,\n"
	  "faster, fails more often, is new or gone; may be repeated,\n"
	  "or be a quoted pattern, for several files"},
	 .set = set_old},
	{{0, "fail-slower", "PERCENT",
	  "with --compare: exit status 1 if a command or step became\n"
	  "slower by more than PERCENT"},
	 OPTION_STORES(NUMBER, struct compare_request, fail_slower),
	 .min = 0,
	 .max = 100000,
	 .range = "a whole number from 0 to 100000",
	 .example = "20"},
};

struct option_group compare_options__group(struct compare_request *request)
{
	return (struct option_group){"comparing two recordings", rows,
				     sizeof(rows) / sizeof(rows[0]), request};
}

void compare_options__free(struct compare_request *request)
{
	for (size_t i = 0; i < request->old_count; i++)
		free(request->old[i]);
	free(request->old);
	request->old = NULL;
	request->old_count = 0;
}
