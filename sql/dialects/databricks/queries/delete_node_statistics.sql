-- Delete statistics that more complete rows replace, for the nodes in a newline-separated list.
DELETE FROM recce_metadata.store_node_statistics
WHERE
  run_id = :run_id AND unique_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
