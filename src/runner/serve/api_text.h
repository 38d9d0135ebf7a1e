/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON that the server answers beside the results of commands. Each function returns text that
 * the caller frees; NULL: out of memory.
 */
#ifndef STEPTRACE_RUNNER_API_TEXT_H
#define STEPTRACE_RUNNER_API_TEXT_H

#include "runner/pack/catalogue.h"
#include "runner/request/request.h"

struct api_health {
	bool is_stopping;
	size_t workers, running, queued, queue_limit;
};

/*	{"success":false,"command":"todo","execution_id":"...",
 *	 "error":{"category":"validation","reason":"invalid_argument","field":"dry_run",
 *		  "message":"..."}}
 */
char *api_text__refusal(unsigned int status, const struct refusal *refusal,
			const char *execution_id);
/*	{"commands":[{"slug":"todo","name":"...","version":"1.0.0","triggers":["/todo","/t"],
 *		      "input_mode":"inline"}]}
 */
char *api_text__commands(const struct catalogue *catalogue);
/*	{"status":"ok","workers":4,"running":1,"queued":0,"queue_limit":64}	*/
char *api_text__health(const struct api_health *health);

#endif
