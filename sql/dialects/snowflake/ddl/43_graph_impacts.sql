-- One row per pair of graphs, changed node and downstream node: the columns of `impacted_nodes` that do not depend on the
-- run. Derived: `record` and `init` write the rows. The view computes them for pairs without an id.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id VARCHAR(64) NOT NULL,
  changed_id VARCHAR NOT NULL,
  unique_id VARCHAR NOT NULL,
  changed_status VARCHAR NOT NULL,
  distance INT NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id)
);
