-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE OR REPLACE VIEW recce_metadata.node_statistics AS
SELECT
  run_id,
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM recce_metadata.store_node_statistics;
