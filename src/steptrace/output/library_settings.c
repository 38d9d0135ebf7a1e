// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/library_settings.h"

#include <stddef.h>
#include <stdlib.h>

void library_settings__ignore(void)
{
	static const char *const names[] = {
		"SSLKEYLOGFILE",   /* the keys of connections are written there */
		"SASL_PATH",       /* plugins are loaded from there */
		"SASL_CONF_PATH",  /* names plugins */
		"OPENSSL_CONF",    /* names engines and providers */
		"OPENSSL_ENGINES", /* engines are loaded from there */
		"OPENSSL_MODULES", /* providers are loaded from there */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}
