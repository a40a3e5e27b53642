-- Set the origin of edges: a newline-separated list, each line a version's id, a space and the id of a node that it
-- reads.
UPDATE recce_metadata.store_version_parents SET kind = :kind, confidence = :confidence
WHERE
  version_id IN (
    SELECT
      wanted.version_id
    FROM UNNEST(STRING_TO_ARRAY(:version_ids, CHR(  10))) AS wanted(version_id)
  )
  AND version_id || ' ' || parent_id IN (
    SELECT
      wanted.edge
    FROM UNNEST(STRING_TO_ARRAY(:edges, CHR(  10))) AS wanted(edge)
  );
