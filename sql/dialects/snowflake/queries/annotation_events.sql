-- Changes of annotations, also of earlier and deleted values; NULL disables a filter, and 'unreplaced' as the state leaves
-- out what another change replaced.
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
  event.replaces
FROM recce_metadata.annotation_events AS event
WHERE
  (
    CAST(:state AS VARCHAR) IS NULL OR NOT event.is_replaced
  )
  AND (
    CAST(:project AS VARCHAR) IS NULL
    OR event.project_name = CAST(:project AS VARCHAR)
  )
  AND (
    CAST(:ids AS VARCHAR) IS NULL
    OR event.unique_id IN (
      SELECT
        CAST(line.value AS VARCHAR)
      FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
    )
  )
  AND (
    CAST(:graph_id AS VARCHAR) IS NULL
    OR event.unique_id IN (
      SELECT
        place.unique_id
      FROM recce_metadata.store_graph_parts AS part
      JOIN recce_metadata.store_part_nodes AS place
        ON place.part_id = part.part_id
      WHERE
        part.graph_id = CAST(:graph_id AS VARCHAR)
    )
  );
