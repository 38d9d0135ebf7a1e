/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splits a network address into host and port.
 *
 *	"127.0.0.1:9464"	host "127.0.0.1"	port "9464"
 *	"[::1]:9464"		host "::1"		port "9464"
 *	"host.example:http"	host "host.example"	port "http"
 *
 * Nothing is looked up here; getaddrinfo(3) takes both parts. Nothing is allocated: `port` points
 * into the text that was split and is valid as long as that text is.
 */
#ifndef STEPTRACE_COMMON_HOST_PORT_H
#define STEPTRACE_COMMON_HOST_PORT_H

struct host_port {
	char host[256];   /* without the brackets of an IPv6 address */
	const char *port; /* borrowed: points into the text that was split */
};

/*
 * Returns 0, or -EINVAL when `text` is not HOST:PORT: no host, no port, a port number above 65535,
 * an IPv6 address without brackets, or a host longer than 255 bytes.
 */
int host_port__split(const char *text, struct host_port *address);

#endif
