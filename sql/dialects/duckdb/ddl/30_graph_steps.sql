-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per pair of graphs that were compared, the earlier one first. `same_dbt` says whether one version of dbt
-- wrote both: it decides what is compared. Written after the pair's rows of `graph_changes`.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_steps (
  previous_graph_id TEXT(64) NOT NULL,
  graph_id TEXT(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL
);
