-- One row per present note, tag or owner of a node, a column or an edge. Key: event_id. Belongs to the project, not to a
-- run.
CREATE OR REPLACE VIEW recce_metadata.annotations AS
SELECT
  event_id,
  project_name,
  unique_id,
  column_name,
  parent_id,
  parent_column,
  field,
  item,
  value,
  author,
  wall_ms,
  has_conflict
FROM recce_metadata.annotation_events
WHERE
  is_latest AND NOT value IS NULL;
