-- Row counts stored with a run, for the nodes in a newline-separated list, or all nodes if it is NULL.
SELECT
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM store_node_statistics
WHERE
  run_id = :run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (
      SELECT
        line.value
      FROM JSON_EACH(
        '[' || REPLACE(REPLACE(JSON_QUOTE(CAST(:ids AS TEXT)), '\\', '\u005c'), '\n', '","') || ']'
      ) AS line
    )
  );
