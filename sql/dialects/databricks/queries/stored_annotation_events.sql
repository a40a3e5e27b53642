-- Changes of annotations in a newline-separated list that are already stored.
SELECT
  event_id
FROM recce_metadata.store_annotation_events
WHERE
  event_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
