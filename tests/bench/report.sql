-- SPDX-License-Identifier: BSD-2-Clause
-- The questions that the sections of `steptrace report` answer, for DuckDB. The recording is read
-- once, with the columns that are needed. DuckDB does not look for repeated lines, and does not skip
-- damaged ones. FILE is replaced.

-- load
CREATE TABLE events AS
SELECT event, timestamp::TIMESTAMP AS ts, host, boot_id, version, part, execution_id, command_slug,
    dry_run, outcome, error_category, step_type, duration_ms, total_duration_ms, mutations_count,
    complete, lost, kind, reason, hits, processes_untraced, tool_slug, operation, steps_executed,
    step.name AS step_name, step.depth AS depth, failed_step.step_type AS failed_step_type,
    coalesce(aborted.signal_name, aborted.cause) AS cause,
    aborted.step.step_type AS aborted_step_type, aborted.step.name AS aborted_step_name,
    schedule.schedule_id AS schedule_id, schedule.planned_run_at::TIMESTAMP AS planned_run_at,
    queue.name AS queue_name, queue.attempt AS attempt, queue.wait_ms AS wait_ms,
    ai.cache AS ai_cache, ai.prompt_tokens AS prompt_tokens,
    ai.completion_tokens AS completion_tokens, overdue, age_at_least_ms
FROM read_ndjson('FILE', columns = {
    event: 'VARCHAR', timestamp: 'VARCHAR', host: 'VARCHAR', boot_id: 'VARCHAR',
    version: 'VARCHAR', part: 'BIGINT', execution_id: 'VARCHAR', command_slug: 'VARCHAR',
    dry_run: 'BOOLEAN', outcome: 'VARCHAR', error_category: 'VARCHAR', step_type: 'VARCHAR',
    duration_ms: 'DOUBLE', total_duration_ms: 'DOUBLE', mutations_count: 'BIGINT',
    complete: 'BOOLEAN', lost: 'BIGINT', kind: 'VARCHAR', reason: 'VARCHAR', hits: 'BIGINT',
    processes_untraced: 'BIGINT', tool_slug: 'VARCHAR', operation: 'VARCHAR',
    steps_executed: 'BIGINT', step: 'STRUCT(name VARCHAR, depth INTEGER)',
    failed_step: 'STRUCT(step_type VARCHAR)',
    aborted: 'STRUCT(cause VARCHAR, signal_name VARCHAR,
        step STRUCT(step_type VARCHAR, name VARCHAR))',
    schedule: 'STRUCT(schedule_id BIGINT, planned_run_at VARCHAR)',
    queue: 'STRUCT(name VARCHAR, attempt BIGINT, wait_ms DOUBLE)',
    ai: 'STRUCT(cache VARCHAR, prompt_tokens BIGINT, completion_tokens BIGINT)',
    overdue: 'VARCHAR[]', age_at_least_ms: 'DOUBLE'});

-- coverage
SELECT count(*), count(DISTINCT host), min(ts), max(ts), sum(lost) FILTER (event = 'trace.stopped'),
    sum(hits), sum(processes_untraced),
    count(execution_id) FILTER (event = 'command.execution.completed')
        - count(DISTINCT execution_id) FILTER (event = 'command.execution.completed')
FROM events;

-- traces and losses
SELECT host, boot_id, version, count(*), max(part) FROM events WHERE event = 'trace.started'
GROUP BY ALL;
SELECT kind, reason, sum(lost) FROM events WHERE event = 'trace.lost' GROUP BY ALL;

-- commands
SELECT command_slug AS command, count(*) FILTER (event = 'command.execution.completed') AS count,
    count(*) FILTER (event = 'command.execution.started') AS started,
    count(*) FILTER (outcome = 'success'), count(*) FILTER (outcome = 'failure'),
    count(*) FILTER (outcome = 'skipped'), count(*) FILTER (outcome = 'aborted'),
    count(*) FILTER (outcome = 'cancelled'), sum(total_duration_ms), min(total_duration_ms),
    max(total_duration_ms), approx_quantile(total_duration_ms, [0.5, 0.95, 0.99]) AS p,
    count(*) FILTER (NOT complete), count(*) FILTER (dry_run),
    count(*) FILTER (total_duration_ms > 5000),
    sum(total_duration_ms) FILTER (total_duration_ms > 5000), min(ts), max(ts)
FROM events WHERE event IN ('command.execution.completed', 'command.execution.started')
GROUP BY ALL ORDER BY count DESC;

-- steps
SELECT command_slug AS command, step_type, step_name, count(*) AS count,
    count(*) FILTER (outcome = 'success'), count(*) FILTER (outcome = 'failure'),
    count(*) FILTER (outcome = 'skipped'), count(*) FILTER (outcome = 'aborted'),
    count(*) FILTER (outcome = 'cancelled'), sum(duration_ms), min(duration_ms), max(duration_ms),
    approx_quantile(duration_ms, [0.5, 0.95, 0.99]) AS p, count(*) FILTER (duration_ms > 3000),
    sum(duration_ms) FILTER (duration_ms > 3000), min(ts), max(ts)
FROM events WHERE event = 'dsl.step.executed' GROUP BY ALL ORDER BY count DESC;

-- errors
SELECT error_category, command_slug, step_type, step_name, count(*) AS count, min(ts), max(ts)
FROM events
WHERE outcome = 'failure' AND (event = 'dsl.step.executed'
    OR event = 'command.execution.completed' AND failed_step_type IS NULL)
GROUP BY ALL ORDER BY count DESC;

-- aborted
SELECT command_slug, cause, aborted_step_type, aborted_step_name, count(*) AS count,
    sum(total_duration_ms), min(total_duration_ms), max(total_duration_ms),
    approx_quantile(total_duration_ms, [0.5, 0.95, 0.99]), min(ts), max(ts)
FROM events WHERE event = 'command.execution.completed' AND outcome = 'aborted'
GROUP BY ALL ORDER BY count DESC;

-- ai
SELECT command_slug, step_type, step_name, count(*) AS count, count(*) FILTER (ai_cache = 'hit'),
    count(*) FILTER (ai_cache = 'miss'), count(*) FILTER (ai_cache = 'off'), sum(prompt_tokens),
    sum(completion_tokens), min(ts), max(ts)
FROM events WHERE ai_cache IS NOT NULL GROUP BY ALL ORDER BY count DESC;

-- mutations
SELECT command_slug, count(*) AS count, count(*) FILTER (event = 'dsl.step.executed'),
    sum(mutations_count), count(*) FILTER (operation = 'created'),
    count(*) FILTER (operation = 'updated'), count(*) FILTER (operation = 'deleted'), min(ts), max(ts)
FROM events
WHERE event = 'fragment.changed' OR event = 'dsl.step.executed' AND mutations_count > 0
GROUP BY ALL ORDER BY count DESC;

-- tools
SELECT tool_slug, count(*) AS count, count(*) FILTER (outcome = 'success'),
    count(*) FILTER (outcome = 'failure'), sum(duration_ms), min(duration_ms), max(duration_ms),
    approx_quantile(duration_ms, [0.5, 0.95, 0.99]), min(ts), max(ts)
FROM events WHERE event = 'tool.invocation.completed' GROUP BY ALL ORDER BY count DESC;

-- schedules
SELECT schedule_id, command_slug, count(*) AS count, count(*) FILTER (ts < planned_run_at),
    approx_quantile(epoch_us(ts) - epoch_us(planned_run_at), [0.5, 0.95, 0.99]),
    max(ts - planned_run_at), min(ts), max(ts)
FROM events WHERE event = 'command.execution.started' AND schedule_id IS NOT NULL
GROUP BY ALL ORDER BY count DESC;

-- queues
SELECT queue_name, count(*) AS count, count(*) FILTER (attempt > 1), sum(wait_ms), min(wait_ms),
    max(wait_ms), approx_quantile(wait_ms, [0.5, 0.95, 0.99]), min(ts), max(ts)
FROM events WHERE event = 'command.execution.started' AND queue_name IS NOT NULL
GROUP BY ALL ORDER BY count DESC;

-- overdue
SELECT what, command_slug, count(*) AS count, max(age_at_least_ms), max(ts)
FROM events, unnest(overdue) AS list(what) WHERE event = 'command.execution.overdue'
GROUP BY ALL ORDER BY count DESC;

-- rejected
SELECT command_slug, reason, count(*) AS count, min(ts), max(ts)
FROM events WHERE event = 'command.validation.failed' GROUP BY ALL ORDER BY count DESC;

-- timeline
SELECT date_trunc('minute', ts) AS minute, count(*), count(*) FILTER (outcome IN ('failure', 'aborted')),
    sum(total_duration_ms)
FROM events WHERE event = 'command.execution.completed' GROUP BY ALL ORDER BY minute;

-- slowest
WITH slowest AS (
    SELECT execution_id, total_duration_ms FROM events
    WHERE event = 'command.execution.completed' ORDER BY total_duration_ms DESC NULLS LAST LIMIT 5)
SELECT slowest.total_duration_ms, e.* FROM slowest JOIN events e USING (execution_id)
WHERE e.event IN ('dsl.step.executed', 'command.execution.completed')
ORDER BY slowest.total_duration_ms DESC, ts;
