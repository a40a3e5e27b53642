-- Delete statistics that more complete rows replace, for the nodes in a newline-separated list.
DELETE FROM store_node_statistics
WHERE
  run_id = :run_id
  AND unique_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
