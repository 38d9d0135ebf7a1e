/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The settings in the section [Service] of a systemd unit and of its drop-ins, in the order in
 * which systemd reads them: first the unit, then the drop-ins by their names.
 *
 * Drop-ins of UNIT are the files *.conf in the folders /etc/systemd/system/UNIT.d and
 * /run/systemd/system/UNIT.d, and in the folder FILE.d next to the unit. Of two with the same name,
 * the one in the folder that is named first here is read.
 */
#ifndef STEPTRACE_UNIT_SETTINGS_H
#define STEPTRACE_UNIT_SETTINGS_H

#include "common/error.h"

/* Calls `on_setting` for each KEY=VALUE, without blanks around the two. 0, or negative errno with a
 * sentence: a file cannot be read. */
int unit_settings__read(const char *path,
			void (*on_setting)(void *context, const char *key, const char *value),
			void *context, struct error *err);

#endif
