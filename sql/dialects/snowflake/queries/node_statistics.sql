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
    CAST(:ids AS VARCHAR) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line.value AS VARCHAR)
      FROM TABLE(FLATTEN(INPUT => SPLIT(CAST(:ids AS VARCHAR), CHR(10)))) AS line
    )
  );
