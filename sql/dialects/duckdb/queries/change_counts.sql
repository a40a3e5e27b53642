-- Number of nodes that differ from the previous run, by run and status. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS nodes
FROM recce_metadata.node_changes
WHERE
  run_id IN (
    SELECT
      chosen.run_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id)
  )
GROUP BY
  run_id,
  status;
