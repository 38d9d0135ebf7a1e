/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up brokers for librdkafka, as getaddrinfo() does, with the child process of resolver.h. Any
 * thread may call it. */
#ifndef STEPTRACE_KAFKA_NAMES_H
#define STEPTRACE_KAFKA_NAMES_H

#include <netdb.h>
#include <pthread.h>

#include "steptrace/output/resolver.h"

struct kafka_names {
	struct resolver *resolver; /* owned */
	pthread_mutex_t mutex;     /* one question at a time */
	int give_up_fd;            /* borrowed; readable: an answer is not waited for */
};

/* Starts the child. 0 or -EAGAIN with a sentence; kafka_names__close() in any case. */
int kafka_names__open(struct kafka_names *names, struct error *err);
void kafka_names__close(struct kafka_names *names);

/* 0, or a code of getaddrinfo(). The caller frees the list with kafka_names__free(). */
int kafka_names__find(struct kafka_names *names, const char *host, const char *port,
		      const struct addrinfo *hints, struct addrinfo **list);
void kafka_names__free(struct addrinfo *list);

#endif
