/* SPDX-License-Identifier: BSD-2-Clause */
/* Which settings of librdkafka the file of --kafka-config can have, and why it cannot have
 * others. */
#ifndef STEPTRACE_KAFKA_SETTING_ROWS_H
#define STEPTRACE_KAFKA_SETTING_ROWS_H

struct kafka_setting_row {
	const char *name;
	const char *becomes; /* the value is a file; its text is the value of this setting */
};

/* NULL: it is not accepted. */
const struct kafka_setting_row *kafka_setting_row__named(const char *name);

/* The end of a sentence; NULL: no reason is known. */
const char *kafka_setting_row__refusal(const char *name);

#endif
