-- One row per change of an annotation, also of earlier and deleted values. Key: event_id.
CREATE OR REPLACE VIEW recce_metadata.annotation_events AS
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
  counter,
  writer_id,
  CASE
    WHEN ROW_NUMBER() OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
      ORDER BY wall_ms DESC, counter DESC, writer_id DESC, event_id DESC
    ) = 1
    THEN TRUE
    ELSE FALSE
  END AS is_latest
FROM recce_metadata.store_annotation_events;
