-- Makes room for rows that say more of the same nodes; the nodes are in a list of lines.
DELETE FROM recce_metadata.node_statistics
WHERE
  run_id = :run_id AND unique_id IN UNNEST(SPLIT(:ids, CHR(10)));
