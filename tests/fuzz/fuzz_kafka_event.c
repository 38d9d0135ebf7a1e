// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks for the key, the kind and the host in any line, as an export does. All texts have to be in
 * the line.
 *
 * links: src/steptrace/output/kafka_event.c
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/output/kafka_event.h"

enum { HOST_BYTES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static bool is_within(const char *text, size_t bytes, const char *line, size_t size)
{
	return text >= line && text + bytes < line + size && text[bytes] == '"';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char own_host[] = "host";
	struct kafka_event event;
	char *line = malloc(size + !size), host[HOST_BYTES] = "former";

	memcpy(line, data, size);
	kafka_event__find(&event, line, size, own_host);
	must(event.name ? is_within(event.name, event.name_bytes, line, size)
			: event.name_bytes == 0);
	must(event.key_bytes > 0);
	must(event.key == own_host || is_within(event.key, event.key_bytes, line, size));
	must(kafka_event__host(line, size, host, sizeof(host)) || strcmp(host, "former") == 0);
	must(memchr(host, 0, sizeof(host)) != NULL);
	free(line);
	return 0;
}
