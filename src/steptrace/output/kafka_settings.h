/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of --kafka-config: settings of librdkafka, NAME=VALUE, one a line. A line that begins
 * with # is a comment. Blanks around name and value are left out.
 *
 *	security.protocol=sasl_ssl
 *	sasl.mechanism=SCRAM-SHA-512
 *	sasl.username=steptrace
 *	sasl.password=...
 *	ssl.ca.location=/etc/steptrace/ca.pem
 *
 * Only the settings of a table are accepted. Others are refused: those that load or start code,
 * those that steptrace chooses itself, and those that need a file after steptrace has given up its
 * rights. Files of certificates and keys are read at once, and become the text of the setting that
 * takes it: ssl.ca.location becomes ssl.ca.pem.
 *
 * A message names the line, and the setting if there is one of that name. The path of a file is the
 * only value that it can contain: any other value may be a password.
 */
#ifndef STEPTRACE_KAFKA_SETTINGS_H
#define STEPTRACE_KAFKA_SETTINGS_H

#include <stddef.h>

#include "common/error.h"

enum { KAFKA_SETTINGS_MAX = 128, KAFKA_FILE_BYTES_MAX = 1 << 20 };

struct kafka_setting {
	const char *name; /* of librdkafka */
	char *value;      /* owned, and a secret */
	unsigned int line;
};

struct kafka_settings {
	const char *path; /* borrowed; NULL: no file */
	struct kafka_setting items[KAFKA_SETTINGS_MAX];
	size_t count;
};

/* For zeroed memory; `path` NULL: no file. 0, or negative errno with a sentence; free it in any
 * case. */
int kafka_settings__read(struct kafka_settings *settings, const char *path, struct error *err);

/* The value of a setting; NULL: the file does not have it. */
const char *kafka_settings__value(const struct kafka_settings *settings, const char *name);

/* Overwrites the values. */
void kafka_settings__free(struct kafka_settings *settings);

#endif
