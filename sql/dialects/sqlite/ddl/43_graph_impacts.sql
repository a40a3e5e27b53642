-- One row per pair of graphs, changed node and downstream node: the columns of `impacted_nodes` that do not depend on the
-- run. Derived: `record` and `init` write the rows. The view computes them for pairs without an id.
CREATE TABLE IF NOT EXISTS store_graph_impacts (
  impacts_id TEXT NOT NULL,
  changed_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  changed_status TEXT NOT NULL,
  distance INTEGER NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id)
);
