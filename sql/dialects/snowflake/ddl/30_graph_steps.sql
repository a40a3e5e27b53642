-- One row per pair of graphs that were compared, the earlier one first. `same_dbt` says whether one version of dbt
-- wrote both: it decides what is compared. Written after the pair's rows of `graph_changes`.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_steps (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  PRIMARY KEY (previous_graph_id, graph_id, same_dbt)
);
