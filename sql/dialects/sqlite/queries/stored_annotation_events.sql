-- Changes of annotations in a newline-separated list that are already stored.
SELECT
  event_id
FROM store_annotation_events
WHERE
  event_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
