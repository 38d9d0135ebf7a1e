// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kafka_names__open(struct kafka_names *names, struct error *err)
{
	pthread_mutex_init(&names->mutex, NULL);
	names->give_up_fd = -1;
	names->resolver = resolver__start();
	return names->resolver
		       ? 0
		       : error__set(err, -EAGAIN, "cannot start a process that looks up brokers");
}

void kafka_names__close(struct kafka_names *names)
{
	resolver__close(names->resolver);
	names->resolver = NULL;
	pthread_mutex_destroy(&names->mutex);
}

/* An item and its address are one allocation. */
struct item {
	struct addrinfo info;
	struct sockaddr_storage address;
};

static struct addrinfo *add(struct addrinfo *list, const struct address *address,
			    const struct addrinfo *hints)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return list;
	item->address = address->bytes;
	item->info = (struct addrinfo){.ai_family = address->bytes.ss_family,
				       .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM,
				       .ai_protocol = hints ? hints->ai_protocol : 0,
				       .ai_addrlen = address->size,
				       .ai_addr = (struct sockaddr *)&item->address,
				       .ai_next = list};
	return &item->info;
}

static bool is_wanted(const struct address *address, const struct addrinfo *hints)
{
	return !hints || hints->ai_family == AF_UNSPEC ||
	       hints->ai_family == address->bytes.ss_family;
}

static struct addrinfo *list_of(const struct address_list *found, const struct addrinfo *hints)
{
	struct addrinfo *list = NULL;

	for (size_t i = found->count; i-- > 0;) /* in front of each other */
		if (is_wanted(&found->items[i], hints))
			list = add(list, &found->items[i], hints);
	return list;
}

int kafka_names__find(struct kafka_names *names, const char *host, const char *port,
		      const struct addrinfo *hints, struct addrinfo **list)
{
	struct host_port named = {.port = port};
	struct address_list found = {.count = 0};
	int code;

	if (strlen(host) >= sizeof(named.host))
		return EAI_NONAME;
	snprintf(named.host, sizeof(named.host), "%s", host);
	code = address_list__find_numeric(&found, &named);
	if (code) {
		pthread_mutex_lock(&names->mutex);
		code = resolver__ask(names->resolver, &named, &found, names->give_up_fd);
		pthread_mutex_unlock(&names->mutex);
	}
	*list = code ? NULL : list_of(&found, hints);
	if (code == -EADDRNOTAVAIL)
		return EAI_NONAME;
	return *list ? 0 : EAI_AGAIN;
}

void kafka_names__free(struct addrinfo *list)
{
	while (list) {
		struct item *item = (struct item *)list;

		list = list->ai_next;
		free(item);
	}
}
