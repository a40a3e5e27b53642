-- Number of nodes that differ from the previous run, by run and status. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS nodes
FROM recce_metadata.node_changes
WHERE
  run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  )
GROUP BY
  run_id,
  status;
