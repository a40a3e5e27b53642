-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
DROP VIEW IF EXISTS node_statistics;
CREATE VIEW node_statistics AS
SELECT
  run_id,
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM store_node_statistics;
