-- What was counted with a run; of the nodes in a list of lines, or of all where that is NULL.
SELECT
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM recce_metadata.node_statistics
WHERE
  run_id = :run_id
  AND (
    CAST(:ids AS STRING) IS NULL
    OR unique_id IN UNNEST(SPLIT(CAST(:ids AS STRING), CHR(10)))
  );
