-- One row per project, environment and node: the latest row count, its run, and the previous count.
-- Key: project_name, environment, unique_id.
-- `is_current` is true if neither the code of the node nor that of an ancestor has changed since the count until the latest
-- run of the environment, and NULL if this is unknown.
CREATE OR REPLACE VIEW latest_row_counts AS
SELECT
  counted.project_name,
  counted.environment,
  counted.unique_id,
  counted.row_count,
  counted.counted_at,
  counted.run_id,
  counted.run_at,
  counted.git_sha,
  counted.previous_run_id,
  counted.previous_row_count,
  counted.row_delta,
  counted.row_change,
  CASE
    WHEN run.run_id = latest.run_id THEN TRUE
    WHEN latest.extractor <> 'dbt' THEN NULL
    WHEN place.unique_id IS NULL OR run.command LIKE '%--empty%' OR run.command LIKE '%--sample%' THEN FALSE
    WHEN run.graph_id = latest.graph_id AND run.macro_set_id = latest.macro_set_id THEN TRUE
    WHEN step.step_id IS NULL THEN NULL
    WHEN change.unique_id IS NULL THEN TRUE
    WHEN change.is_certain THEN FALSE
  END AS is_current
FROM row_count_history AS counted
JOIN store_runs AS run ON run.run_id = counted.run_id
LEFT JOIN latest_runs AS latest
  ON latest.project_name = counted.project_name AND latest.environment = counted.environment
LEFT JOIN store_graph_nodes AS place
  ON place.graph_id = latest.graph_id AND place.unique_id = counted.unique_id
LEFT JOIN store_code_steps AS step
  ON step.graph_id = latest.graph_id
  AND step.macro_set_id = latest.macro_set_id
  AND step.previous_graph_id = run.graph_id
  AND step.previous_macro_set_id = run.macro_set_id
LEFT JOIN store_code_changes AS change ON change.step_id = step.step_id AND change.unique_id = counted.unique_id
WHERE counted.next_run_id IS NULL;
