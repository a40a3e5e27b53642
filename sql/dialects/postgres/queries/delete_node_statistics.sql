-- Delete statistics that more complete rows replace, for the nodes in a newline-separated list.
DELETE FROM recce_metadata.store_node_statistics
WHERE
  run_id = :run_id
  AND unique_id IN (
    SELECT
      wanted.unique_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS wanted(unique_id)
  );
