// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/demangle.h"

#include <libiberty/demangle.h>
#include <stddef.h>
#include <string.h>

/* The names of C functions are not tried: libiberty would take some for those of old compilers. */
char *demangle(const char *name)
{
	if (strncmp(name, "_Z", 2) != 0 && strncmp(name, "_R", 2) != 0 &&
	    strncmp(name, "__Z", 3) != 0)
		return NULL;
	return cplus_demangle(name, DMGL_AUTO);
}
