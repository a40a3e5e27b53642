-- Changes of annotations in a newline-separated list that are already stored.
SELECT
  event_id
FROM recce_metadata.store_annotation_events
WHERE
  event_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
