-- One row per change of an annotation, also of earlier and deleted values. Key: event_id.
-- An event is replaced if another one of the same item names it in `replaces`; of events without `replaces` (from before
-- version 13 of the store), each replaces the one before it by time. Unreplaced events with different values are a
-- conflict, in which the latest by time is shown.
CREATE OR REPLACE VIEW recce_metadata.annotation_events AS
WITH named AS (
  SELECT DISTINCT
    event.project_name,
    event.unique_id,
    event.event_id
  FROM recce_metadata.store_annotation_events AS event
  JOIN recce_metadata.store_annotation_events AS newer
    ON newer.project_name = event.project_name
    AND newer.unique_id = event.unique_id
    AND newer.field = event.field
    AND newer.item = event.item
    AND COALESCE(newer.column_name, '') = COALESCE(event.column_name, '')
    AND COALESCE(newer.parent_id, '') = COALESCE(event.parent_id, '')
    AND COALESCE(newer.parent_column, '') = COALESCE(event.parent_column, '')
  WHERE
    ' ' || newer.replaces || ' ' LIKE '% ' || event.event_id || ' %'
), dated AS (
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
    event.replaces,
    CASE WHEN named.event_id IS NULL THEN 0 ELSE 1 END AS is_named,
    CASE WHEN event.replaces IS NULL THEN 1 ELSE 0 END AS is_old,
    RANK() OVER (
      PARTITION BY event.project_name, event.unique_id, event.column_name, event.parent_id, event.parent_column, event.field, event.item, CASE WHEN event.replaces IS NULL THEN 1 ELSE 0 END
      ORDER BY event.wall_ms DESC, event.counter DESC, event.writer_id DESC, event.event_id DESC
    ) AS age
  FROM recce_metadata.store_annotation_events AS event
  LEFT JOIN named
    ON named.project_name = event.project_name
    AND named.unique_id = event.unique_id
    AND named.event_id = event.event_id
), judged AS (
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
    recorder_version,
    replaces,
    CASE WHEN is_named = 1 OR (
      is_old = 1 AND age > 1
    ) THEN 1 ELSE 0 END AS replaced_mark,
    CASE
      WHEN is_named = 1 OR (
        is_old = 1 AND age > 1
      )
      THEN NULL
      WHEN value IS NULL
      THEN ''
      ELSE 'is ' || value
    END AS open_value
  FROM dated
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
  CASE
    WHEN replaced_mark = 0
    AND ROW_NUMBER() OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
      ORDER BY replaced_mark, wall_ms DESC, counter DESC, writer_id DESC, event_id DESC
    ) = 1
    THEN TRUE
    ELSE FALSE
  END AS is_latest,
  recorder_version,
  replaces,
  CASE WHEN replaced_mark = 1 THEN TRUE ELSE FALSE END AS is_replaced,
  CASE
    WHEN MIN(open_value) OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
    ) <> MAX(open_value) OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
    )
    THEN TRUE
    ELSE FALSE
  END AS has_conflict
FROM judged;
