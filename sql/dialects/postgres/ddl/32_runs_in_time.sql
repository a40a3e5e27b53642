-- hand-written: other warehouses have no index, or need none
-- Finds the runs before and after a run, one after the other: `row_count_history` looks for counts in them.
CREATE INDEX IF NOT EXISTS runs_in_time ON recce_metadata.runs (project_name, environment, run_at);
