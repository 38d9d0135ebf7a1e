// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fates.h"

#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/id_hash.h"

enum { PLACES_COUNT = 1 << 16 };

struct place {
	uint8_t execution_id[16];
	uint8_t fate; /* FATE_OPEN: the place is empty */
};

struct fates {
	struct id_hash hash;
	struct place places[PLACES_COUNT];
};

struct fates *fates__new(void)
{
	struct fates *fates = calloc(1, sizeof(*fates));

	if (fates)
		id_hash__init(&fates->hash);
	return fates;
}

void fates__free(struct fates *fates)
{
	free(fates);
}

static size_t place_of(const struct fates *fates, const uint8_t execution_id[16])
{
	return id_hash__of(&fates->hash, execution_id) % PLACES_COUNT;
}

void fates__remember(struct fates *fates, const uint8_t execution_id[16], enum fate fate)
{
	struct place *place = &fates->places[place_of(fates, execution_id)];

	memcpy(place->execution_id, execution_id, sizeof(place->execution_id));
	place->fate = (uint8_t)fate;
}

enum fate fates__of(const struct fates *fates, const uint8_t execution_id[16])
{
	const struct place *place = &fates->places[place_of(fates, execution_id)];

	if (memcmp(place->execution_id, execution_id, sizeof(place->execution_id)) != 0)
		return FATE_OPEN;
	return (enum fate)place->fate;
}
