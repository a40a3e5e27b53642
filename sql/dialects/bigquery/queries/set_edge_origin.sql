-- Set the origin of edges: a newline-separated list, each line a version's id, a space and the id of a node that it
-- reads.
UPDATE recce_metadata.store_version_parents SET kind = :kind, confidence = :confidence
WHERE
  version_id IN UNNEST(SPLIT(:version_ids, CHR(10)))
  AND version_id || ' ' || parent_id IN UNNEST(SPLIT(:edges, CHR(10)));
