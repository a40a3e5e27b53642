-- Set the origin of edges: a newline-separated list, each line a version's id, a space and the id of a node that it
-- reads.
UPDATE store_version_parents SET kind = :kind, confidence = :confidence
WHERE
  version_id IN (
    SELECT
      line.value
    FROM JSON_EACH(
      '[' || REPLACE(REPLACE(JSON_QUOTE(:version_ids), '\\', '\u005c'), '\n', '","') || ']'
    ) AS line
  )
  AND version_id || ' ' || parent_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:edges), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
