-- Changes of annotations in a newline-separated list that are already stored.
SELECT
  event_id
FROM recce_metadata.store_annotation_events
WHERE
  event_id IN (
    SELECT
      wanted.event_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS wanted(event_id)
  );
