// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/export_out.h"

#include <errno.h>

enum { FLUSHED_BYTES = 1 << 16 };

void export_out__init(struct export_out *out, FILE *file)
{
	*out = (struct export_out){.file = file};
}

void export_out__free(struct export_out *out)
{
	json__free(&out->json);
}

/* The buffer is emptied also after an error, so that it does not grow. */
static void write_buffer(struct export_out *out)
{
	size_t bytes = json__length(&out->json);

	if (!out->err && bytes && fwrite(out->json.base, 1, bytes, out->file) != bytes)
		out->err = errno ? -errno : -EIO;
	out->json.at = out->json.base;
}

struct json *export_out__room(struct export_out *out, size_t bytes)
{
	if (json__length(&out->json) >= FLUSHED_BYTES)
		write_buffer(out);
	if (!out->err)
		out->err = json__reserve(&out->json, bytes);
	return out->err ? NULL : &out->json;
}

int export_out__flush(struct export_out *out)
{
	write_buffer(out);
	if (!out->err && fflush(out->file))
		out->err = -errno;
	return out->err;
}
