// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/printable.h"
#include "steptrace/commands.h"
#include "steptrace/output/http_client.h"
#include "steptrace/output/tls.h"
#include "steptrace/record/pseudonym_key.h"
#include "steptrace/unit_sandbox.h"

#define DROP_IN "share/steptrace/network.conf"

struct check {
	const struct record_request *request;
	const struct unit_sandbox *unit; /* NULL: no unit is meant */
	unsigned int problems_count;
};

static void complain(struct check *check, const struct error *err)
{
	log__error("%s", err->text);
	check->problems_count++;
}

/* ---- files that are read */

static void check_key(struct check *check)
{
	struct pseudonym_key key;
	struct error err = {""};

	if (pseudonym_key__read(check->request->session.pseudonym_key_path, &key, &err))
		complain(check, &err);
	pseudonym_key__wipe(&key);
}

static void check_tls(struct check *check, const struct sink_options *sink)
{
	struct error err = {""};
	struct tls_identity *identity = tls_identity__open(&sink->tls, &err);

	if (!identity)
		complain(check, &err);
	tls_identity__close(identity);
}

/* Opening it reads the settings and their files, and makes no connection. */
static void check_kafka(struct check *check, const struct sink_options *options)
{
	struct error err = {""};
	struct sink *sink = NULL;

	if (sink__open(options, &sink, &err))
		complain(check, &err);
	sink__close(sink);
}

static void check_otlp(struct check *check, const struct sink_options *sink)
{
	struct otlp_address address;
	const struct http_client_options options = {.address = &address,
						    .headers = sink->otlp.headers,
						    .authorities = sink->otlp.authorities};
	struct error err = {""};

	if (otlp_address__parse(sink->where, &address, &err) ||
	    http_client__check_files(&options, &err))
		complain(check, &err);
}

/* ---- files that are written */

static void check_folder(struct check *check, const char *where)
{
	char *folder = strdup(where), *slash = folder ? strrchr(folder, '/') : NULL;
	struct stat status;
	struct error err;

	if (slash)
		slash[slash == folder] = 0;
	if (slash && (stat(folder, &status) || !S_ISDIR(status.st_mode))) {
		error__set(&err, -ENOENT, "cannot write to '%s': there is no folder '%s'", where,
			   folder);
		complain(check, &err);
	}
	free(folder);
}

/* ---- the sandbox of the unit */

/* The drop-in that was installed with this program: PREFIX/bin/steptrace, PREFIX/share/... */
static void find_drop_in(char path[PATH_MAX])
{
	char program[PATH_MAX - sizeof(DROP_IN)];
	ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	program[bytes > 0 ? bytes : 0] = 0;
	for (int i = 0; i < 2 && (slash = strrchr(program, '/')); i++)
		*slash = 0;
	snprintf(path, PATH_MAX, "%s/%s", program, DROP_IN);
	if (access(path, F_OK))
		snprintf(path, PATH_MAX, "%s", "systemd/network.conf");
}

static void complain_of_network(struct check *check, const char *what, const char *setting)
{
	char drop_in[PATH_MAX];
	const char *unit = check->unit->path, *slash = strrchr(unit, '/');
	struct error err;

	find_drop_in(drop_in);
	error__set(&err, -EPERM,
		   "%s needs the network, which the unit '%s' forbids (%s). The drop-in '%s' "
		   "allows it: install -D -m 644 %s /etc/systemd/system/%s.d/network.conf",
		   what, unit, setting, drop_in, drop_in, slash ? slash + 1 : unit);
	complain(check, &err);
}

static void check_connection(struct check *check, const char *where)
{
	const char *setting;
	struct error err;

	if (strncmp(where, "unix:", 5) != 0) {
		setting = unit_sandbox__forbids_network(check->unit);
		if (setting)
			complain_of_network(check, where, setting);
		return;
	}
	setting = unit_sandbox__forbids_unix(check->unit);
	if (!setting)
		return;
	error__set(&err, -EPERM, "the unit '%s' forbids the socket of '%s' (%s)", check->unit->path,
		   where, setting);
	complain(check, &err);
}

static void check_path(struct check *check, const char *where)
{
	const char *setting = unit_sandbox__forbids_path(check->unit, where);
	struct error err;

	if (!setting)
		return;
	error__set(&err, -EPERM,
		   "the unit '%s' does not let the service write to '%s' (%s): choose a file below "
		   "/var/log/steptrace, or add ReadWritePaths=FOLDER in a drop-in",
		   check->unit->path, where, setting);
	complain(check, &err);
}

static void check_sandbox(struct check *check)
{
	const struct session_options *session = &check->request->session;
	const char *setting = unit_sandbox__forbids_network(check->unit);

	for (size_t i = 0; i < session->outputs_count; i++) {
		const char *where = session->outputs[i].sink.where;
		const struct sink_kind *kind = sink__kind(where);

		if (kind->connects)
			check_connection(check, where);
		else if (kind->makes_files)
			check_path(check, where);
	}
	if (session->metrics_address && setting)
		complain_of_network(check, "--metrics", setting);
}

static void check_outputs(struct check *check)
{
	const struct session_options *session = &check->request->session;

	for (size_t i = 0; i < session->outputs_count; i++) {
		const struct sink_options *sink = &session->outputs[i].sink;
		const struct sink_kind *kind = sink__kind(sink->where);

		if (kind->is_tls)
			check_tls(check, sink);
		if (kind->is_kafka)
			check_kafka(check, sink);
		if (kind->is_otlp)
			check_otlp(check, sink);
		/* systemd makes the folders of the unit when the service starts */
		if (kind->makes_files && !check->unit)
			check_folder(check, sink->where);
	}
}

/* ---- which unit */

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	if (stat(a, &first) || stat(b, &second))
		return false;
	return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* The unit of --unit, or the installed one if it reads the same file. False: no unit is meant. */
static bool read_unit(const struct record_config *config, struct unit_sandbox *unit,
		      struct error *err)
{
	char path[PATH_MAX];

	if (config->unit_path)
		return unit_sandbox__read(unit, config->unit_path, err) == 0;
	if (!config->path || !unit_sandbox__find(path) || unit_sandbox__read(unit, path, err))
		return false;
	return is_same_file(unit->config, config->path);
}

int record_check__run(const struct record_request *request)
{
	struct check check = {.request = request};
	struct unit_sandbox unit = {0};
	struct error err = {""};
	char shown[PATH_MAX];

	if (read_unit(&request->config, &unit, &err))
		check.unit = &unit;
	if (err.text[0])
		complain(&check, &err);
	check_key(&check);
	check_outputs(&check);
	if (check.unit)
		check_sandbox(&check);
	if (!check.problems_count)
		printf("no problem found%s%s\n",
		       check.unit ? ", also not with the sandbox of " : "",
		       check.unit ? printable__to(shown, unit.path) : "");
	unit_sandbox__free(&unit);
	return check.problems_count ? STATUS_FAILED : STATUS_DONE;
}
