-- hand-written: other warehouses have no indexes or do not need them
-- Find previous and next runs, one by one: `row_count_history` searches them for counts.
CREATE INDEX IF NOT EXISTS runs_in_time ON recce_metadata.store_runs (project_name, environment, run_at);
