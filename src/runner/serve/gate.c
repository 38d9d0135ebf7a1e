// SPDX-License-Identifier: BSD-2-Clause
#include "runner/serve/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/printable.h"

enum { TOKEN_BYTES_MIN = 16, CORRELATION_BYTES_MIN = 8 };

/* ------------------------------------------------------------------ the token */

static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length >= TOKEN_BYTES_MIN && length <= GATE_TOKEN_BYTES_MAX;
}

static int read_token(struct gate_token *token, int fd, const char *path, struct error *err)
{
	char text[GATE_TOKEN_BYTES_MAX + 64];
	struct stat file;
	ssize_t bytes = fstat(fd, &file) ? -1 : read(fd, text, sizeof(text) - 1);
	char *begin = text;

	if (bytes < 0)
		return error__set(err, -errno, "cannot read the token in '%s': %s", path,
				  strerror(errno));
	text[bytes] = 0;
	begin += strspn(begin, " \t\r\n");
	token->length = strcspn(begin, " \t\r\n");
	if (file.st_size >= (off_t)sizeof(text) || !is_token(begin, token->length) ||
	    strlen(begin) != (size_t)(text + bytes - begin) ||
	    begin[token->length + strspn(begin + token->length, " \t\r\n")])
		return error__set(err, -EINVAL,
				  "'%s' does not hold a token: %d to %d characters of ASCII "
				  "without blanks (for example from: openssl rand -hex 32)",
				  path, TOKEN_BYTES_MIN, GATE_TOKEN_BYTES_MAX);
	if (file.st_mode & 077)
		log__warn("other users may read the token in '%s' (see: chmod 600)", path);
	token->text = strndup(begin, token->length);
	return token->text ? 0 : error__set(err, -ENOMEM, "out of memory");
}

int gate_token__read(struct gate_token *token, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code;

	*token = (struct gate_token){.text = NULL};
	if (fd < 0)
		return error__set(err, -errno, "cannot read the token in '%s': %s", path,
				  strerror(errno));
	code = read_token(token, fd, path, err);
	close(fd);
	return code;
}

/* A wrong token of the same length takes as long as the right one. */
static bool is_same(const struct gate_token *token, const char *text)
{
	unsigned char differs = 0;

	if (strlen(text) != token->length)
		return false;
	for (size_t i = 0; i < token->length; i++)
		differs |= (unsigned char)(text[i] ^ token->text[i]);
	return !differs;
}

static bool shows_token(const struct http_exchange *exchange, const struct gate_token *token)
{
	const char *header = http__header(exchange, "Authorization");

	return header && strncasecmp(header, "Bearer ", 7) == 0 && is_same(token, header + 7);
}

/* ------------------------------------------------------------------ refusing */

/* Returns true. */
static bool refuse(struct gate_pass *pass, unsigned int status, const char *reason,
		   const char *field, const char *text)
{
	pass->status = status;
	refusal__set(&pass->refusal, -EACCES, reason, field, "%s", text);
	return true;
}

/* ------------------------------------------------------------------ where it comes from */

static bool is_port_or_nothing(const char *text)
{
	return !*text || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == 0);
}

/* The host of "HOST", "HOST:PORT" or "[HOST]:PORT" is one of this machine. */
static bool is_local(const char *host)
{
	static const char *const names[] = {"localhost", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (strncasecmp(host, names[i], length) == 0)
			return is_port_or_nothing(host + length);
	}
	return strncmp(host, "127.", 4) == 0 &&
	       is_port_or_nothing(host + strspn(host, "0123456789."));
}

static bool is_own_origin(const char *origin, const char *host)
{
	return host && strncasecmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0;
}

/* The header that says that the request is for another host, or from the page of another site.
 * NULL: none does. */
static const char *foreign_header(const struct http_exchange *exchange)
{
	const char *host = http__header(exchange, "Host");
	const char *origin = http__header(exchange, "Origin");

	if (host && !is_local(host))
		return "Host";
	return origin && !is_own_origin(origin, host) ? "Origin" : NULL;
}

/* ------------------------------------------------------------------ headers */

/* One of the headers that the server believes comes twice: perhaps the client has sent one, and a
 * proxy the other. NULL: none does. */
static const char *repeated_header(const struct http_exchange *exchange)
{
	static const char *const names[] = {"Host", "Origin", "Authorization", "X-User-ID",
					    "X-Correlation-ID"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (http__is_repeated(exchange, names[i]))
			return names[i];
	return NULL;
}

static bool is_correlation_id(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:";
	size_t length = strlen(text);

	return length >= CORRELATION_BYTES_MIN && length < GATE_CORRELATION_BYTES &&
	       strspn(text, allowed) == length;
}

/* Printable text, which fits into events as it is. */
static bool is_user_id(const char *text)
{
	char shown[GATE_USER_BYTES];

	return *text && strcmp(printable__copy(shown, sizeof(shown), text, SIZE_MAX), text) == 0;
}

static void begin_pass(const struct http_exchange *exchange, struct gate_pass *pass)
{
	const char *correlation = http__header(exchange, "X-Correlation-ID");

	pass->allow = NULL;
	pass->refusal.slug[0] = 0;
	pass->correlation_id[0] = 0;
	snprintf(pass->user_id, sizeof(pass->user_id), "local-default");
	if (correlation && is_correlation_id(correlation) &&
	    !http__is_repeated(exchange, "X-Correlation-ID"))
		snprintf(pass->correlation_id, sizeof(pass->correlation_id), "%s", correlation);
}

static bool read_user(const struct http_exchange *exchange, struct gate_pass *pass)
{
	const char *user = http__header(exchange, "X-User-ID");

	if (user && !is_user_id(user))
		return false;
	if (user)
		snprintf(pass->user_id, sizeof(pass->user_id), "%s", user);
	return true;
}

/* ------------------------------------------------------------------ routes */

static const struct {
	const char *path, *methods;
	enum gate_route route;
	bool is_open; /* needs no token */
} routes[] = {
	{"/api/commands/execute", "POST", GATE_EXECUTE, false},
	{"/api/commands", "GET, HEAD", GATE_COMMANDS, false},
	{"/healthz", "GET, HEAD", GATE_HEALTH, true},
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

static bool has_word(const char *list, const char *word)
{
	const char *found = strstr(list, word);
	size_t length = strlen(word);

	return found && length && (found == list || found[-1] == ' ') &&
	       (found[length] == 0 || found[length] == ',');
}

static size_t find_route(const char *path)
{
	size_t at = 0;

	while (at < ROUTE_COUNT && strcmp(path, routes[at].path))
		at++;
	return at;
}

/* Whether the client is one that nothing is believed of. */
static bool is_client_refused(const struct http_exchange *exchange, const struct gate_token *token,
			      bool is_open, struct gate_pass *pass)
{
	const char *repeated = repeated_header(exchange);
	const char *foreign = foreign_header(exchange);

	if (exchange->is_unclear)
		return refuse(pass, 400, "malformed_request", NULL,
			      "the headers do not say clearly where the request ends");
	if (token->text && !is_open && !shows_token(exchange, token))
		return refuse(pass, 401, "unauthorized", "Authorization",
			      "this server wants a token: send the header Authorization: Bearer "
			      "TOKEN");
	if (repeated)
		return refuse(pass, 400, "invalid_argument", repeated,
			      "a header that the server uses comes more than once");
	if (!token->text && foreign)
		return refuse(pass, 403, "foreign_origin", foreign,
			      "the request comes from a page of another site, or is meant for "
			      "another host name; with --token-file the server does not ask");
	return false;
}

static bool is_request_refused(const struct http_exchange *exchange, size_t route,
			       struct gate_pass *pass)
{
	bool has_valid_user = read_user(exchange, pass);

	if (route == ROUTE_COUNT)
		return refuse(pass, 404, "unknown_path", NULL,
			      "there is nothing at this path; commands are executed by POST "
			      "/api/commands/execute");
	if (!has_word(routes[route].methods, exchange->method)) {
		pass->allow = routes[route].methods;
		return refuse(pass, 405, "method_not_allowed", NULL,
			      "this path does not have that method (see the header Allow)");
	}
	if (exchange->has_query && routes[route].route == GATE_EXECUTE)
		return refuse(pass, 400, "invalid_argument", NULL,
			      "this path takes no query: dry_run and arguments belong into the "
			      "body");
	if (!has_valid_user)
		return refuse(pass, 400, "invalid_argument", "X-User-ID",
			      "X-User-ID must be 1 to 64 bytes of printable text");
	if (exchange->is_too_large)
		return refuse(pass, 413, "too_large", NULL,
			      "the body of a request has at most 1 MiB");
	return false;
}

enum gate_route gate__look(const struct http_exchange *exchange, const struct gate_token *token,
			   struct gate_pass *pass)
{
	size_t route = find_route(exchange->path);
	bool is_open = route < ROUTE_COUNT && routes[route].is_open;

	begin_pass(exchange, pass);
	if (is_client_refused(exchange, token, is_open, pass) ||
	    is_request_refused(exchange, route, pass))
		return GATE_REFUSED;
	return routes[route].route;
}
