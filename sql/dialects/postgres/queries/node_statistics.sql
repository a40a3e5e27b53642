-- Row counts stored with a run, for the nodes in a newline-separated list, or all nodes if it is NULL.
SELECT
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM recce_metadata.store_node_statistics
WHERE
  run_id = :run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (
      SELECT
        wanted.unique_id
      FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(  10))) AS wanted(unique_id)
    )
  );
