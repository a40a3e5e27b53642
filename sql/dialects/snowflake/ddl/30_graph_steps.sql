-- One row per pair of compared graphs, the earlier graph first. `same_dbt` is true if one version of dbt wrote both; it
-- decides what is compared. Written after the pair's rows of `graph_changes`.
-- `impacts_id` is set after the pair's rows of `graph_impacts`, of which it is the id. It is empty if these would be too
-- many, and NULL until the next writer stores them.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_steps (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  impacts_id VARCHAR(64),
  PRIMARY KEY (previous_graph_id, graph_id, same_dbt)
);
