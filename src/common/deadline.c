// SPDX-License-Identifier: BSD-2-Clause
#include "common/deadline.h"

#include <errno.h>
#include <stddef.h>

#include "common/clock.h"

#define GRACE_NS 500000000ull

static int say(struct error *err, int code)
{
	const char *text = code == -ETIMEDOUT ? "the command has reached its time limit (timeout)"
					      : "cancelled";

	return err ? error__set(err, code, "%s", text) : code;
}

static int check(const struct deadline *deadline, uint64_t grace_ns, struct error *err)
{
	uint64_t cancelled_ns, now_ns;

	if (!deadline)
		return 0;
	cancelled_ns = deadline->cancelled_ns ? *deadline->cancelled_ns : 0;
	if (!cancelled_ns && !deadline->at_ns)
		return 0;
	now_ns = clock__now_ns();
	if (cancelled_ns && now_ns >= cancelled_ns + grace_ns)
		return say(err, -ECANCELED);
	return deadline->at_ns && now_ns >= deadline->at_ns ? say(err, -ETIMEDOUT) : 0;
}

int deadline__check(const struct deadline *deadline, struct error *err)
{
	return check(deadline, GRACE_NS, err);
}

int deadline__check_wait(const struct deadline *deadline, struct error *err)
{
	return check(deadline, 0, err);
}

int64_t deadline__left_ms(const struct deadline *deadline, int64_t most_ms)
{
	uint64_t now_ns = clock__now_ns();
	int64_t left_ms = most_ms;

	if (deadline && deadline->at_ns)
		left_ms = deadline->at_ns > now_ns
				  ? (int64_t)((deadline->at_ns - now_ns) / 1000000) + 1
				  : 1;
	if (left_ms > most_ms)
		left_ms = most_ms;
	return left_ms > 1 ? left_ms : 1;
}
