/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses and renders a template or an expression in a context. Include <cmocka.h> first. */
#ifndef TESTS_TEMPLATE_RENDER_H
#define TESTS_TEMPLATE_RENDER_H

#include "runner/template/template.h"

typedef int parse_function(const char *text, struct template **template, struct error *err);

/* `scope` is without its root, which is freed. */
static inline int render_in(cJSON *root, struct scope scope, parse_function *parse,
			    const char *text, cJSON **value, struct error *err)
{
	struct template *template;
	int code = parse(text, &template, err);

	assert_non_null(root);
	scope.root = root;
	*value = NULL;
	if (!code)
		code = template__render(template, &scope, value, err);
	template__free(template);
	cJSON_Delete(root);
	return code;
}

#endif
