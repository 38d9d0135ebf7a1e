/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables of the environment that make the libraries of outputs load code or write files:
 * OpenSSL, GnuTLS, SASL and libcurl. The tracer often runs as root, and its environment is not
 * always that of its user.
 */
#ifndef STEPTRACE_LIBRARY_SETTINGS_H
#define STEPTRACE_LIBRARY_SETTINGS_H

/* Call it before these libraries are used, and after programs were started that may need them. */
void library_settings__ignore(void);

#endif
