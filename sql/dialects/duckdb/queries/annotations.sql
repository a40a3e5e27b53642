-- Present notes, tags and owners; NULL disables a filter.
WITH ranked AS (
  SELECT
    event.event_id,
    event.project_name,
    event.unique_id,
    event.column_name,
    event.parent_id,
    event.parent_column,
    event.field,
    event.item,
    event.value,
    event.author,
    event.wall_ms,
    event.counter,
    event.writer_id,
    event.recorder_version,
    ROW_NUMBER() OVER (
      PARTITION BY event.project_name, event.unique_id, event.column_name, event.parent_id, event.parent_column, event.field, event.item
      ORDER BY event.wall_ms DESC NULLS FIRST, event.counter DESC NULLS FIRST, event.writer_id DESC NULLS FIRST, event.event_id DESC NULLS FIRST
    ) AS age
  FROM recce_metadata.store_annotation_events AS event
  WHERE
    (
      CAST(:project AS TEXT) IS NULL OR event.project_name = CAST(:project AS TEXT)
    )
    AND (
      CAST(:ids AS TEXT) IS NULL
      OR event.unique_id IN (
        SELECT
          wanted.unique_id
        FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id)
      )
    )
    AND (
      CAST(:graph_id AS TEXT) IS NULL
      OR event.unique_id IN (
        SELECT
          place.unique_id
        FROM recce_metadata.store_graph_parts AS part
        JOIN recce_metadata.store_part_nodes AS place
          ON place.part_id = part.part_id
        WHERE
          part.graph_id = CAST(:graph_id AS TEXT)
      )
    )
)
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
  recorder_version
FROM ranked
WHERE
  age = 1 AND NOT value IS NULL;
