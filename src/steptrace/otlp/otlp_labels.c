// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_labels.h"

#include <errno.h>

#include "steptrace/stream/json_scan.h"

#define BEFORE_NAME  "{\"key\":\""
#define BEFORE_VALUE "\",\"value\":{\"stringValue\":"
#define AFTER_VALUE  "}},"

/* A key may be there only once. */
static bool is_own(const struct json_member *label)
{
	static const char process[] = "process.";

	return json_member__is(label, "service.name") || json_member__is(label, "host.name") ||
	       json_member__is(label, "container.id") ||
	       (label->name_bytes >= sizeof(process) - 1 &&
		memcmp(label->name, process, sizeof(process) - 1) == 0);
}

static size_t bytes_of(const struct json_member *label)
{
	return sizeof(BEFORE_NAME BEFORE_VALUE AFTER_VALUE) - 1 + label->name_bytes +
	       label->value_bytes;
}

static void put(struct json *json, const struct json_member *label)
{
	json__raw(json, BEFORE_NAME);
	json__bytes(json, label->name, label->name_bytes);
	json__raw(json, BEFORE_VALUE);
	json__bytes(json, label->value, label->value_bytes);
	json__raw(json, AFTER_VALUE);
}

int otlp_labels__write(struct json *json, struct recorded_text labels)
{
	struct json_scan scan;
	struct json_member label;

	json->at = json->base;
	if (json__reserve(json, OTLP_LABELS_BYTES_MAX))
		return -ENOMEM;
	if (!json_scan__begin(&scan, labels.text, labels.bytes))
		return 0;
	while (json_scan__next(&scan, &label))
		if (label.value[0] == '"' && !is_own(&label) &&
		    json__length(json) + bytes_of(&label) <= OTLP_LABELS_BYTES_MAX)
			put(json, &label);
	return 0;
}
