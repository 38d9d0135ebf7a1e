/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of recorded events that the program understands: one table. From it come the members
 * of struct recorded_event, the bits that say which of them a line has, and the scanner's lookup.
 * docs/schema describes the fields. All others are passed over.
 *
 * object	the JSON object that has the field: TOP, or one of RECORDED_OBJECTS
 * name		in JSON
 * type		of the member:
 *		TEXT	struct recorded_text, with its escapes decoded
 *		U64	uint64_t	also as a string of digits (record --safe-integers)
 *		I64	int64_t		the same
 *		BOOL	bool
 *		MS	uint64_t	nanoseconds; in JSON milliseconds with decimals, exact
 *		TIME	uint64_t	nanoseconds since 1970; in JSON a timestamp
 *		RAW	struct recorded_text, the JSON text of the value
 * member	of struct recorded_event; RECORDED_HAS(event, member) says whether the line has it
 *
 * Two rows may have one member: `duration` is duration_ms or total_duration_ms.
 */
#ifndef STEPTRACE_RECORDED_FIELDS_H
#define STEPTRACE_RECORDED_FIELDS_H

/* clang-format off */

/* An object, the object that contains it, and its name. */
#define RECORDED_OBJECTS(ROW) \
  ROW(SOURCE,       TOP,     "source") \
  ROW(STEP,         TOP,     "step") \
  ROW(SCHEDULE,     TOP,     "schedule") \
  ROW(QUEUE,        TOP,     "queue") \
  ROW(AI,           TOP,     "ai") \
  ROW(ITEMS,        TOP,     "items") \
  ROW(FAILED_STEP,  TOP,     "failed_step") \
  ROW(ABORTED,      TOP,     "aborted") \
  ROW(ABORTED_STEP, ABORTED, "step") \
  ROW(CPU,          TOP,     "cpu") \
  ROW(BLOCKED,      CPU,     "blocked_ms") \
  ROW(SWITCHES,     CPU,     "switches") \
  ROW(CLOCK,        TOP,     "clock") \
  ROW(CONTAINER,    TOP,     "container")

/* The members, each once. */
#define RECORDED_MEMBERS(ROW) \
  ROW(TEXT, event_name) \
  ROW(TEXT, correlation_id) \
  ROW(TEXT, execution_id) \
  ROW(TEXT, parent_execution_id) \
  ROW(TEXT, command_slug) \
  ROW(TEXT, user_id) \
  ROW(TEXT, request_source) \
  ROW(TEXT, outcome_name)		/* see also recorded_event.outcome */ \
  ROW(TEXT, error_category) \
  ROW(TEXT, step_id) \
  ROW(TEXT, step_type) \
  ROW(TEXT, step_name) \
  ROW(TEXT, parent_step_id) \
  ROW(TEXT, invocation_id) \
  ROW(TEXT, tool_slug) \
  ROW(TEXT, operation)			/* of a fragment: created, updated, deleted */ \
  ROW(TIME, timestamp_ns) \
  ROW(U64,  monotonic_ns) \
  ROW(MS,   duration_ns) \
  ROW(MS,   suspended_ns) \
  ROW(BOOL, dry_run) \
  ROW(BOOL, complete) \
  ROW(I64,  fragment_id) \
  ROW(U64,  mutations_count) \
  ROW(U64,  step_index) \
  ROW(U64,  step_depth) \
  ROW(U64,  steps_executed) \
  ROW(U64,  steps_successful) \
  ROW(U64,  steps_failed) \
  ROW(U64,  steps_skipped) \
  ROW(U64,  steps_lost) \
  ROW(I64,  exit_status)		/* of a tool */ \
  ROW(U64,  arguments_count) \
  ROW(U64,  pid) \
  ROW(U64,  tid) \
  ROW(U64,  cpu) \
  ROW(U64,  uid) \
  ROW(TEXT, comm) \
  ROW(I64,  schedule_id) \
  ROW(I64,  schedule_run_id) \
  ROW(TIME, planned_run_at_ns) \
  ROW(TEXT, queue_name) \
  ROW(U64,  attempt) \
  ROW(MS,   wait_ns) \
  ROW(TEXT, ai_cache)			/* hit, miss, off */ \
  ROW(U64,  prompt_tokens) \
  ROW(U64,  completion_tokens) \
  ROW(U64,  items_in) \
  ROW(U64,  items_out) \
  ROW(TEXT, failed_step_id) \
  ROW(TEXT, failed_step_type) \
  ROW(TEXT, failed_step_name) \
  ROW(TEXT, aborted_cause)		/* signal, exit, exec */ \
  ROW(TEXT, aborted_signal_name) \
  ROW(I64,  aborted_exit_status) \
  ROW(U64,  aborted_open_steps) \
  ROW(TEXT, aborted_step_id) \
  ROW(TEXT, aborted_step_type) \
  ROW(TEXT, aborted_step_name) \
  ROW(MS,   on_cpu_ns) \
  ROW(MS,   runnable_ns) \
  ROW(MS,   threads_ns) \
  ROW(MS,   blocked_disk_ns) \
  ROW(MS,   blocked_lock_ns) \
  ROW(MS,   blocked_network_ns) \
  ROW(MS,   blocked_sleep_ns) \
  ROW(MS,   blocked_pipe_ns) \
  ROW(MS,   blocked_other_ns) \
  ROW(U64,  switches_voluntary) \
  ROW(U64,  switches_involuntary) \
  ROW(U64,  migrations) \
  ROW(U64,  page_faults) \
  ROW(TEXT, container_id) \
  ROW(TEXT, reason)			/* of a rejection, of a loss, of the end of a trace */ \
  ROW(TEXT, version) \
  ROW(U64,  schema_version) \
  ROW(TEXT, host) \
  ROW(TEXT, boot_id) \
  ROW(TEXT, kernel) \
  ROW(U64,  part)			/* the first part of an output is 1 */ \
  ROW(BOOL, breakdown) \
  ROW(U64,  clock_monotonic_ns) \
  ROW(U64,  clock_realtime_ns) \
  ROW(RAW,  targets) \
  ROW(RAW,  labels) \
  ROW(TEXT, exe) \
  ROW(TEXT, lost_kind)			/* of trace.lost: the name of an event */ \
  ROW(U64,  lost)			/* of trace.lost and, in total, of trace.stopped */ \
  ROW(RAW,  lost_by_kind) \
  ROW(RAW,  lost_by_reason) \
  ROW(TIME, since_ns) \
  ROW(TIME, until_ns) \
  ROW(U64,  hits) \
  ROW(U64,  events) \
  ROW(U64,  aborted_events) \
  ROW(RAW,  filtered) \
  ROW(U64,  processes_untraced) \
  ROW(U64,  breakdowns_lost) \
  ROW(I64,  ahead_ns) \
  ROW(TEXT, level)			/* of trace.degraded */ \
  ROW(MS,   threshold_ns)		/* of command.execution.overdue */ \
  ROW(RAW,  overdue)			/* ["command","step"] or one of them */ \
  ROW(MS,   age_ns) \
  ROW(MS,   age_at_least_ns) \
  ROW(MS,   step_age_ns)		/* of the innermost open step */ \
  ROW(MS,   step_age_at_least_ns)

/*    object        name                    member */
#define RECORDED_FIELDS(ROW) \
  ROW(TOP,          "event",                event_name) \
  ROW(TOP,          "correlation_id",       correlation_id) \
  ROW(TOP,          "execution_id",         execution_id) \
  ROW(TOP,          "parent_execution_id",  parent_execution_id) \
  ROW(TOP,          "command_slug",         command_slug) \
  ROW(TOP,          "user_id",              user_id) \
  ROW(TOP,          "request_source",       request_source) \
  ROW(TOP,          "outcome",              outcome_name) \
  ROW(TOP,          "error_category",       error_category) \
  ROW(TOP,          "step_id",              step_id) \
  ROW(TOP,          "step_type",            step_type) \
  ROW(TOP,          "invocation_id",        invocation_id) \
  ROW(TOP,          "tool_slug",            tool_slug) \
  ROW(TOP,          "operation",            operation) \
  ROW(TOP,          "timestamp",            timestamp_ns) \
  ROW(TOP,          "monotonic_ns",         monotonic_ns) \
  ROW(TOP,          "duration_ms",          duration_ns) \
  ROW(TOP,          "total_duration_ms",    duration_ns) \
  ROW(TOP,          "suspended_ms",         suspended_ns) \
  ROW(TOP,          "dry_run",              dry_run) \
  ROW(TOP,          "complete",             complete) \
  ROW(TOP,          "fragment_id",          fragment_id) \
  ROW(TOP,          "mutations_count",      mutations_count) \
  ROW(TOP,          "steps_executed",       steps_executed) \
  ROW(TOP,          "steps_successful",     steps_successful) \
  ROW(TOP,          "steps_failed",         steps_failed) \
  ROW(TOP,          "steps_skipped",        steps_skipped) \
  ROW(TOP,          "steps_lost",           steps_lost) \
  ROW(TOP,          "exit_status",          exit_status) \
  ROW(TOP,          "arguments_count",      arguments_count) \
  ROW(SOURCE,       "pid",                  pid) \
  ROW(SOURCE,       "tid",                  tid) \
  ROW(SOURCE,       "cpu",                  cpu) \
  ROW(SOURCE,       "uid",                  uid) \
  ROW(SOURCE,       "comm",                 comm) \
  ROW(STEP,         "name",                 step_name) \
  ROW(STEP,         "index",                step_index) \
  ROW(STEP,         "depth",                step_depth) \
  ROW(STEP,         "parent_step_id",       parent_step_id) \
  ROW(STEP,         "step_id",              step_id) \
  ROW(STEP,         "step_type",            step_type) \
  ROW(STEP,         "age_ms",               step_age_ns) \
  ROW(STEP,         "age_at_least_ms",      step_age_at_least_ns) \
  ROW(SCHEDULE,     "schedule_id",          schedule_id) \
  ROW(SCHEDULE,     "schedule_run_id",      schedule_run_id) \
  ROW(SCHEDULE,     "planned_run_at",       planned_run_at_ns) \
  ROW(QUEUE,        "name",                 queue_name) \
  ROW(QUEUE,        "attempt",              attempt) \
  ROW(QUEUE,        "wait_ms",              wait_ns) \
  ROW(AI,           "cache",                ai_cache) \
  ROW(AI,           "prompt_tokens",        prompt_tokens) \
  ROW(AI,           "completion_tokens",    completion_tokens) \
  ROW(ITEMS,        "in",                   items_in) \
  ROW(ITEMS,        "out",                  items_out) \
  ROW(FAILED_STEP,  "step_id",              failed_step_id) \
  ROW(FAILED_STEP,  "step_type",            failed_step_type) \
  ROW(FAILED_STEP,  "name",                 failed_step_name) \
  ROW(ABORTED,      "cause",                aborted_cause) \
  ROW(ABORTED,      "signal_name",          aborted_signal_name) \
  ROW(ABORTED,      "exit_status",          aborted_exit_status) \
  ROW(ABORTED,      "open_steps",           aborted_open_steps) \
  ROW(ABORTED_STEP, "step_id",              aborted_step_id) \
  ROW(ABORTED_STEP, "step_type",            aborted_step_type) \
  ROW(ABORTED_STEP, "name",                 aborted_step_name) \
  ROW(CPU,          "on_cpu_ms",            on_cpu_ns) \
  ROW(CPU,          "runnable_ms",          runnable_ns) \
  ROW(CPU,          "threads_ms",           threads_ns) \
  ROW(CPU,          "migrations",           migrations) \
  ROW(CPU,          "page_faults",          page_faults) \
  ROW(BLOCKED,      "disk",                 blocked_disk_ns) \
  ROW(BLOCKED,      "lock",                 blocked_lock_ns) \
  ROW(BLOCKED,      "network",              blocked_network_ns) \
  ROW(BLOCKED,      "sleep",                blocked_sleep_ns) \
  ROW(BLOCKED,      "pipe",                 blocked_pipe_ns) \
  ROW(BLOCKED,      "other",                blocked_other_ns) \
  ROW(SWITCHES,     "voluntary",            switches_voluntary) \
  ROW(SWITCHES,     "involuntary",          switches_involuntary) \
  ROW(CONTAINER,    "container_id",         container_id) \
  ROW(TOP,          "reason",               reason) \
  ROW(TOP,          "version",              version) \
  ROW(TOP,          "schema_version",       schema_version) \
  ROW(TOP,          "host",                 host) \
  ROW(TOP,          "boot_id",              boot_id) \
  ROW(TOP,          "kernel",               kernel) \
  ROW(TOP,          "part",                 part) \
  ROW(TOP,          "breakdown",            breakdown) \
  ROW(CLOCK,        "monotonic_ns",         clock_monotonic_ns) \
  ROW(CLOCK,        "realtime_ns",          clock_realtime_ns) \
  ROW(TOP,          "targets",              targets) \
  ROW(TOP,          "labels",               labels) \
  ROW(TOP,          "exe",                  exe) \
  ROW(TOP,          "kind",                 lost_kind) \
  ROW(TOP,          "lost",                 lost) \
  ROW(TOP,          "lost_by_kind",         lost_by_kind) \
  ROW(TOP,          "lost_by_reason",       lost_by_reason) \
  ROW(TOP,          "since",                since_ns) \
  ROW(TOP,          "until",                until_ns) \
  ROW(TOP,          "hits",                 hits) \
  ROW(TOP,          "events",               events) \
  ROW(TOP,          "aborted_events",       aborted_events) \
  ROW(TOP,          "filtered",             filtered) \
  ROW(TOP,          "processes_untraced",   processes_untraced) \
  ROW(TOP,          "breakdowns_lost",      breakdowns_lost) \
  ROW(TOP,          "ahead_ns",             ahead_ns) \
  ROW(TOP,          "level",                level) \
  ROW(TOP,          "threshold_ms",         threshold_ns) \
  ROW(TOP,          "overdue",              overdue) \
  ROW(TOP,          "age_ms",               age_ns) \
  ROW(TOP,          "age_at_least_ms",      age_at_least_ns)

/* clang-format on */

#endif
