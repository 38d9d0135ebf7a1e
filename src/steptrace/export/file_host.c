// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/file_host.h"

void file_host__event(struct file_host *host, const struct recorded_event *event)
{
	if (event->place.file_index != host->file_index)
		host->bytes = 0;
	host->file_index = event->place.file_index;
	if (event->kind != RECORDED_TRACE_STARTED || !event->host.text)
		return;
	host->bytes =
		event->host.bytes < sizeof(host->text) ? event->host.bytes : sizeof(host->text);
	memcpy(host->text, event->host.text, host->bytes);
}
