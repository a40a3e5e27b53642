-- Number of nodes that differ from the previous run, by run and status. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS nodes
FROM node_changes
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  )
GROUP BY
  run_id,
  status;
