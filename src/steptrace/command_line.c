// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/command_line.h"

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"

bool command_line__is_work(int parsed, void (*print_help)(void), const struct error *err,
			   int *status)
{
	*status = STATUS_DONE;
	if (parsed == OPTION_HELP)
		print_help();
	if (parsed == OPTION_BAD) {
		log__error("%s", err->text);
		*status = STATUS_USAGE;
	}
	return parsed == OPTION_END;
}

int command_line__end(int status, const struct error *err)
{
	if (err->text[0])
		log__error("%s", err->text);
	return status;
}
