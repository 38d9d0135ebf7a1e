/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network addresses as people write them: "127.0.0.1:9464", "[::1]:9464", "host.example:http".
 */
#ifndef STEPTRACE_COMMON_HOST_PORT_H
#define STEPTRACE_COMMON_HOST_PORT_H

struct host_port {
	char host[256];   /* without brackets */
	const char *port; /* borrowed: in the text */
};

/* 0, or -EINVAL where the text is no such thing. */
int host_port__split(const char *text, struct host_port *address);

#endif
