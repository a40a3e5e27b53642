-- Set the origin of edges: a newline-separated list, each line a version's id, a space and the id of a node that it
-- reads.
UPDATE recce_metadata.store_version_parents SET kind = :kind, confidence = :confidence
WHERE
  version_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:version_ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  )
  AND version_id || ' ' || parent_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:edges, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
