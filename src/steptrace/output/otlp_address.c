// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/otlp_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/host_port.h"

static int refuse(const char *where, const char *why, struct error *err)
{
	return error__set(err, -EINVAL,
			  "'%s' is not the address of an OTLP receiver: %s (for example: "
			  "otlp:http://collector:4318)",
			  where, why);
}

/* The secret in the address must not be in the message. */
static int refuse_user(struct error *err)
{
	return error__set(
		err, -EINVAL,
		"the address of an OTLP receiver has a user or password, which other users "
		"of the machine could see: send them in a header (--otlp-headers)");
}

static bool take(const char **at, const char *word)
{
	size_t bytes = strlen(word);

	if (strncmp(*at, word, bytes) != 0)
		return false;
	*at += bytes;
	return true;
}

/* Letters, digits and marks of a host and a path: nothing that libcurl would read differently. */
static bool is_plain(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-._~:[]/%+,;=!$&'()*")] == 0;
}

/* Behind the bracket of an IPv6 address, or the last colon. */
static bool has_port(const char *authority, size_t bytes)
{
	const char *colon = memrchr(authority, ':', bytes);
	const char *bracket = memchr(authority, ']', bytes);

	return colon && (!bracket || colon > bracket);
}

int otlp_address__parse(const char *where, struct otlp_address *address, struct error *err)
{
	const char *at = where, *url, *authority, *path;
	struct host_port named;
	size_t bytes;

	take(&at, "otlp:");
	url = at;
	*address = (struct otlp_address){.is_tls = take(&at, "https://")};
	if (!address->is_tls && !take(&at, "http://"))
		return refuse(strchr(where, '@') ? "otlp:..." : where,
			      "it must begin with otlp:http:// or otlp:https://", err);
	authority = at;
	bytes = strcspn(authority, "/?#");
	path = authority + bytes;
	if (strchr(authority, '@'))
		return refuse_user(err);
	if (strpbrk(authority, "?#"))
		return refuse(where, "it must not contain ? or #", err);
	if (!is_plain(authority))
		return refuse(where, "it contains a character that is not allowed", err);
	if (snprintf(address->peer, sizeof(address->peer), "otlp:%.*s%s", (int)bytes, authority,
		     has_port(authority, bytes) ? ""
		     : address->is_tls          ? ":443"
						: ":80") >= (int)sizeof(address->peer) ||
	    snprintf(address->base, sizeof(address->base), "%s", url) >=
		    (int)sizeof(address->base) ||
	    host_port__split(address->peer + strlen("otlp:"), &named))
		return refuse(where, "HOST:PORT is wrong, or too long", err);
	if (named.port[strspn(named.port, "0123456789")])
		return refuse(where, "the port is not a number", err);
	for (size_t end = strlen(address->base); *path && address->base[end - 1] == '/'; end--)
		address->base[end - 1] = 0;
	return 0;
}

int otlp_address__check(const char *where, struct error *err)
{
	struct otlp_address address;

	return otlp_address__parse(where, &address, err);
}

bool otlp_address__is_encrypted(const char *where)
{
	static const char prefix[] = "otlp:https://";

	return strncmp(where, prefix, sizeof(prefix) - 1) == 0;
}
