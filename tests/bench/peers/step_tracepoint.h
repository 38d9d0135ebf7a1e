/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of dsl.step.executed as an event of LTTng-UST. LTTng-UST includes this file several
 * times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER steptrace_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./step_tracepoint.h"

#if !defined(STEPTRACE_STEP_TRACEPOINT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define STEPTRACE_STEP_TRACEPOINT_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	steptrace_bench, step,
	LTTNG_UST_TP_ARGS(const uint8_t *, execution, const uint8_t *, id, uint64_t, duration_ns,
			  uint16_t, index),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_array(uint8_t, correlation_id, execution, 16) lttng_ust_field_array(
			uint8_t, execution_id, execution,
			16) lttng_ust_field_array(uint8_t, step_id, id,
						  16) lttng_ust_field_string(step_type,
									     "DatabaseUpdateStep")
			lttng_ust_field_string(command_slug, "fragment.update")
				lttng_ust_field_integer(uint64_t, duration_ns, duration_ns)
					lttng_ust_field_integer(uint64_t, mutations_count,
								1) lttng_ust_field_integer(uint8_t,
											   outcome,
											   1)
						lttng_ust_field_string(user_id, "local-default")
							lttng_ust_field_string(name, "set-title")
								lttng_ust_field_integer(uint16_t,
											index,
											index)))

#endif

#include <lttng/tracepoint-event.h>
