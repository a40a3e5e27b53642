-- Delete the stored changes of a pair of graphs; the next writer stores them again.
DELETE FROM recce_metadata.store_graph_impacts
WHERE
  impacts_id IN (
    SELECT
      steps.impacts_id
    FROM recce_metadata.store_graph_steps AS steps
    WHERE
      steps.previous_graph_id = :previous_graph_id AND steps.graph_id = :graph_id
  );
DELETE FROM recce_metadata.store_graph_changes
WHERE
  previous_graph_id = :previous_graph_id AND graph_id = :graph_id;
DELETE FROM recce_metadata.store_graph_steps
WHERE
  previous_graph_id = :previous_graph_id AND graph_id = :graph_id;
