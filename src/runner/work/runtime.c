// SPDX-License-Identifier: BSD-2-Clause
#include "runner/work/runtime.h"

#include "common/log.h"

static void warn_of_broken(void *data, const struct pack_entry *entry)
{
	struct error err;

	(void)data;
	if (!entry->problems.count)
		return;
	pack_problem__tell(&entry->problems.items[0], &err);
	log__warn("%s (see: steprun check)", err.text);
}

int runtime__open(struct runtime *runtime, const struct runner_options *options, struct error *err)
{
	int code;

	*runtime = (struct runtime){.options = options};
	code = catalogue__open(&runtime->catalogue, options->packs.items, options->packs.count,
			       err);
	if (code)
		return error__prefix(err, code, "give the folder of packs with --packs");
	catalogue__each(&runtime->catalogue, warn_of_broken, NULL);
	if (options->tools_path)
		code = tool_list__load(&runtime->tools, options->tools_path, err);
	return code;
}

void runtime__close(struct runtime *runtime)
{
	catalogue__close(&runtime->catalogue);
	tool_list__free(&runtime->tools);
}
