-- Makes room for rows that say more of the same nodes; the nodes are in a list of lines.
DELETE FROM recce_metadata.node_statistics
WHERE
  run_id = :run_id
  AND unique_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
