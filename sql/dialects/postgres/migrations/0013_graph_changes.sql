-- The views no longer count a node as modified if only one run compiled it, or had a catalog.
DELETE FROM recce_metadata.store_graph_changes
WHERE
  TRUE;
DELETE FROM recce_metadata.store_graph_steps
WHERE
  TRUE;
