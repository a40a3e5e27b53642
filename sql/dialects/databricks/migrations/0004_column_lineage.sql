-- hand-written: an existing column cannot be added again, and each statement must be repeatable. Columns that were NOT
-- NULL are nullable in the new table, but never NULL.
-- Column lineage of runs. Runs recorded before have none.
CREATE OR REPLACE TABLE recce_metadata.store_runs
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
)
AS SELECT
  run_id,
  run_at,
  project_name,
  environment,
  invocation_id,
  extractor,
  dbt_version,
  adapter_type,
  manifest_version,
  target_name,
  target_database,
  target_schema,
  git_sha,
  branch,
  git_dirty,
  pull_request,
  command,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  macro_set_id,
  CAST(NULL AS STRING) AS column_graph_id
FROM recce_metadata.store_runs;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id STRING NOT NULL,
  part_id STRING NOT NULL
)
CLUSTER BY (column_graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  lineage_id STRING NOT NULL
)
CLUSTER BY (part_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id STRING NOT NULL,
  tier STRING NOT NULL,
  reason STRING
)
CLUSTER BY (lineage_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name STRING,
  parent_id STRING,
  parent_column STRING,
  kind STRING NOT NULL,
  expression STRING,
  confidence DOUBLE
)
CLUSTER BY (lineage_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
