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
    CAST(:ids AS VARCHAR(65535)) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line AS VARCHAR(65535))
      FROM (
        SELECT
          SPLIT_TO_ARRAY(CAST(:ids AS VARCHAR(65535)), CHR(10)) AS lines
      ) AS split, split.lines AS line
    )
  );
