// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_interruption.h"

#include <errno.h>
#include <signal.h>

static volatile sig_atomic_t is_asked_to_end;

static void on_signal(int signal)
{
	(void)signal;
	is_asked_to_end = 1;
}

void export_interruption__catch(struct recording_reader *reader)
{
	const struct sigaction action = {.sa_handler = on_signal,
					 .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

	recording_reader__stop_when(reader, &is_asked_to_end);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool export_interruption__is_asked(void)
{
	return is_asked_to_end;
}

struct recording_from export_interruption__place(struct recording_from place,
						 struct recording_from began)
{
	if (!place.part)
		place = began;
	if (!place.part)
		place.part = 1;
	return place;
}

int export_interruption__say(struct recording_from place, struct recording_from began,
			     struct error *err)
{
	place = export_interruption__place(place, began);
	return error__set(err, -EINTR,
			  "interrupted: to go on, give the same files and --from %llu:%llu",
			  (unsigned long long)place.part, (unsigned long long)place.byte);
}
