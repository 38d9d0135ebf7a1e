-- SPDX-License-Identifier: BSD-2-Clause
-- Claims of scheduled runs and of jobs (claim.h): which process works on a row, and until when the
-- others believe it. The lease counts on the monotonic clock of one boot.

ALTER TABLE schedule_runs ADD COLUMN owner TEXT;
ALTER TABLE schedule_runs ADD COLUMN lease_boot TEXT;
ALTER TABLE schedule_runs ADD COLUMN lease_until_ms INTEGER;
CREATE INDEX schedule_runs_by_status ON schedule_runs(status, id);

ALTER TABLE jobs ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 3;
ALTER TABLE jobs ADD COLUMN error_category TEXT;
ALTER TABLE jobs ADD COLUMN owner TEXT;
ALTER TABLE jobs ADD COLUMN lease_boot TEXT;
ALTER TABLE jobs ADD COLUMN lease_until_ms INTEGER;
