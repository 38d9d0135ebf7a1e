// SPDX-License-Identifier: BSD-2-Clause
#include "common/option_groups.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

/* ---- one table of all groups, as the parser wants it */

struct flat_table {
	struct option_spec specs[OPTIONS_MAX];
	const struct option_row *rows[OPTIONS_MAX];
	void *contexts[OPTIONS_MAX];
	size_t count;
};

/* `count` counts all rows, also those that have no room: then options__next() refuses them all. */
static void flatten(struct flat_table *table, const struct option_group *groups, size_t count)
{
	table->count = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < groups[i].count; j++) {
			size_t at = table->count++;

			if (at >= OPTIONS_MAX)
				continue;
			table->specs[at] = groups[i].rows[j].spec;
			table->rows[at] = &groups[i].rows[j];
			table->contexts[at] = groups[i].context;
		}
}

/* ---- values */

static int bad_value(const struct option_row *row, const char *value, struct error *err)
{
	return error__set(err, -EINVAL, "--%s cannot be '%s': give %s (for example: --%s %s)",
			  row->spec.name, value, row->range, row->spec.name, row->example);
}

static int parse_time(const struct option_row *row, const char *value, uint64_t *ns)
{
	if (parse__duration_ns(value, ns))
		return -EINVAL;
	return *ns < row->min || *ns > row->max ? -ERANGE : 0;
}

static int store(const struct option_row *row, void *context, const char *value, struct error *err)
{
	void *member = (char *)context + row->offset;
	int code = 0;

	switch (row->type) {
	case OPTION_CALL: return row->set(context, value, err);
	case OPTION_FLAG: *(bool *)member = true; return 0;
	case OPTION_TEXT: *(const char **)member = value; return 0;
	case OPTION_NUMBER: code = parse__u64(value, row->min, row->max, member); break;
	case OPTION_SIZE: code = parse__size_bytes(value, row->min, row->max, member); break;
	case OPTION_TIME: code = parse_time(row, value, member); break;
	case OPTION_PERCENT:
		code = parse__percent(value, (double)row->min / 10, 100, member);
		break;
	}
	return code ? bad_value(row, value, err) : 0;
}

/* What is done with each option. */
struct visitor {
	int (*visit)(void *context, const struct flat_table *table, int which, const char *value,
		     struct error *err);
	void *context;
};

static int walk(const struct option_group *groups, size_t count, int argc, char **argv,
		const struct visitor *visitor, struct options_parser *parser, struct error *err)
{
	struct flat_table table;
	const char *value;
	int which;

	flatten(&table, groups, count);
	*parser = (struct options_parser){
		.specs = table.specs, .count = table.count, .argc = argc, .argv = argv};
	while ((which = options__next(parser, &value)) >= 0)
		if (visitor->visit(visitor->context, &table, which, value, err))
			return OPTION_BAD;
	if (which == OPTION_BAD)
		error__set(err, -EINVAL, "%s", parser->error.text);
	parser->specs = NULL; /* the table ends here */
	return which;
}

static int visit_store(void *context, const struct flat_table *table, int which, const char *value,
		       struct error *err)
{
	(void)context;
	return store(table->rows[which], table->contexts[which], value, err);
}

int option_groups__parse(const struct option_group *groups, size_t count, int argc, char **argv,
			 struct options_parser *parser, struct error *err)
{
	const struct visitor visitor = {visit_store, NULL};

	return walk(groups, count, argc, argv, &visitor, parser, err);
}

struct listener {
	void (*on_option)(void *context, const char *name, const char *value);
	void *context;
};

static int visit_listen(void *context, const struct flat_table *table, int which, const char *value,
			struct error *err)
{
	const struct listener *listener = context;

	(void)err;
	listener->on_option(listener->context, table->specs[which].name, value);
	return 0;
}

int option_groups__scan(const struct option_group *groups, size_t count, int argc, char **argv,
			void (*on_option)(void *context, const char *name, const char *value),
			void *context, struct options_parser *parser, struct error *err)
{
	struct listener listener = {on_option, context};
	const struct visitor visitor = {visit_listen, &listener};

	return walk(groups, count, argc, argv, &visitor, parser, err);
}

static const struct option_row *find_row(const struct option_group *groups, size_t count,
					 const char *name, void **context)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < groups[i].count; j++)
			if (strcmp(groups[i].rows[j].spec.name, name) == 0) {
				*context = groups[i].context;
				return &groups[i].rows[j];
			}
	return NULL;
}

int option_groups__store(const struct option_group *groups, size_t count, const char *name,
			 const char *value, struct error *err)
{
	void *context = NULL;
	const struct option_row *row = find_row(groups, count, name, &context);

	if (!row)
		return error__set(err, -ENOENT, "there is no option '%s' (see --help)", name);
	if (row->spec.argument && !value)
		return error__set(err, -EINVAL, "the option '%s' needs a value: %s", name,
				  row->spec.argument);
	if (!row->spec.argument && value)
		return error__set(err, -EINVAL, "the option '%s' takes no value, but has '%s'",
				  name, value);
	return store(row, context, value, err);
}

void option_groups__print(FILE *out, const struct option_group *groups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "\n%s:\n", groups[i].title);
		for (size_t j = 0; j < groups[i].count; j++)
			options__print_rows(out, &groups[i].rows[j].spec, 1);
	}
	fputc('\n', out);
	options__print(out, NULL, 0);
}
