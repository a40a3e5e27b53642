-- What was counted with a run; of the nodes in a list of lines, or of all where that is NULL.
SELECT unique_id, row_count, counted_at, reason, profile_reason
FROM node_statistics
WHERE
  run_id = :run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(unique_id))
  );
