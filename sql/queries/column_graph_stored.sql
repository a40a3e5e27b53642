-- One row where a recorded run has this column graph: then all of it is stored.
SELECT 1 FROM runs WHERE column_graph_id = :column_graph_id LIMIT 1;
