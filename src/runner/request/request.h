/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request to execute a command, as an API receives it:
 *
 *	{"command": "/todo buy milk", "arguments": {"due": "tomorrow"}, "dry_run": false}
 *
 * `command` is a name (catalogue.h) and text. The text is parsed into arguments (command_text.h)
 * unless `arguments` holds some; then text is refused, because it would be lost. `arguments` and
 * `dry_run` may be missing or null, and `arguments` may be an empty list, which PHP writes for an
 * empty map. Every other member is refused: `"dryrun": true` must not execute anything.
 * No object may have a name twice (unique_names.h).
 */
#ifndef STEPTRACE_RUNNER_REQUEST_H
#define STEPTRACE_RUNNER_REQUEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "runner/pack/catalogue.h"

enum { REQUEST_BYTES_MAX = 1 << 20 };

/* Why a request never became a command. */
struct refusal {
	const char *reason;         /* a word, as in events */
	const char *field;          /* the member or header that is not valid; NULL: none */
	char slug[PACK_SLUG_BYTES]; /* of the command; "" if it is not known */
	struct error err;           /* for the user who sent the request */
};

struct request {
	const struct pack *pack; /* borrowed from the catalogue */
	cJSON *input;            /* owned: an object */
	bool dry_run;
};

/*
 * Reads a request. The caller frees it with request__free. Returns 0; or -EINVAL (malformed or not
 * valid), -ENOENT (unknown command), -ENOEXEC (the pack cannot be loaded) or -ENOMEM, and says more
 * in `refusal`.
 */
int request__read(struct request *request, const struct catalogue *catalogue, const char *body,
		  size_t bytes, struct refusal *refusal);
void request__free(struct request *request);

/* Finds the pack of a command that a schedule or a job names. Errors as above. */
int request__find_pack(const struct catalogue *catalogue, const char *name,
		       const struct pack **pack, struct refusal *refusal);

/* Fills `refusal` and returns `code`. */
int refusal__set(struct refusal *refusal, int code, const char *reason, const char *field,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Notes the first word of what a user called the command, if it is a slug. The rest may be text
 * that was meant for the command, and does not belong into an event. */
void refusal__name(struct refusal *refusal, const char *command);

#endif
