// SPDX-License-Identifier: BSD-2-Clause
/* Loads libcarrier.so from its own folder. Reads a number from each line of stdin and runs that
 * many commands of the library. -1 begins a command that never ends. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char path[PATH_MAX + 32], line[64];
	void (*carrier_run)(int count);
	void (*carrier_begin)(void);
	void *library;
	ssize_t bytes;

	bytes = readlink("/proc/self/exe", path, PATH_MAX);
	if (bytes <= 0)
		return 1;
	path[bytes] = 0;
	strcpy(strrchr(path, '/'), "/libcarrier.so");
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&carrier_run = dlsym(library, "carrier_run");
	*(void **)&carrier_begin = dlsym(library, "carrier_begin");
	while (carrier_run && carrier_begin && fgets(line, sizeof(line), stdin)) {
		if (atoi(line) < 0)
			carrier_begin();
		else
			carrier_run(atoi(line));
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
