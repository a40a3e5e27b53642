-- Number of nodes that differ from the previous run, by run and status. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS nodes
FROM recce_metadata.node_changes
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  )
GROUP BY
  run_id,
  status;
