-- The views no longer count a node as modified if only one run compiled it, or had a catalog.
DELETE FROM store_graph_changes
WHERE
  TRUE;
DELETE FROM store_graph_steps
WHERE
  TRUE;
