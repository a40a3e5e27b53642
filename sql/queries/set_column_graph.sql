-- Give a run that was recorded without columns its column graph, all of which is stored by then.
UPDATE runs SET column_graph_id = :column_graph_id WHERE run_id = :run_id AND column_graph_id IS NULL;
