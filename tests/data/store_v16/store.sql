-- hand-written: names only the schema
-- Run only if the schema is missing: many roles may create tables but no schemas.
CREATE SCHEMA IF NOT EXISTS recce_metadata;

-- One row: the versions of this store, written by `init` and by migrations. A recorder updates the row first, so
-- concurrent recorders in one database wait for each other.
-- `schema_version` is the exact version of the tables, which a writer needs. `read_version` is the oldest version whose
-- readers can read them. `migrated_by` is the version of recce_meta that created or migrated the store.
CREATE TABLE IF NOT EXISTS recce_metadata.store (
  schema_version INT NOT NULL,
  migrated_at TIMESTAMPTZ NOT NULL,
  written_at TIMESTAMPTZ,
  read_version INT,
  migrated_by TEXT
);

-- One row per recorded run, written last: a run with a row is complete.
CREATE TABLE IF NOT EXISTS recce_metadata.store_runs (
  run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  run_at TIMESTAMPTZ NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  invocation_id TEXT,
  extractor TEXT NOT NULL,
  dbt_version TEXT,
  adapter_type TEXT,
  manifest_version TEXT,
  target_name TEXT,
  target_database TEXT,
  target_schema TEXT,
  git_sha TEXT,
  branch TEXT,
  git_dirty BOOLEAN,
  pull_request TEXT,
  command TEXT,
  node_count BIGINT NOT NULL,
  edge_count BIGINT NOT NULL,
  recorded_at TIMESTAMPTZ NOT NULL,
  recorder_version TEXT NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  macro_set_id VARCHAR(64) NOT NULL,
  column_graph_id VARCHAR(64),
  git_proven BOOLEAN,
  status TEXT,
  reason TEXT,
  build_status TEXT,
  build_errors BIGINT,
  build_failures BIGINT,
  build_warnings BIGINT,
  build_skipped BIGINT,
  warnings JSON,
  extraction JSON
);

-- One row per graph and part of the graph. A graph is split into parts by its nodes' unique ids, like a git tree into
-- folders. Graphs share equal parts, so a changed node adds only the few rows of its part.
-- Written once, by the first run that has the graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_parts (
  graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, part_id)
);

-- One row per part and node: the version and the relation of the node in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (part_id, unique_id)
);

-- One row per graph and node: the version and the relation of the node in this graph.
CREATE OR REPLACE VIEW recce_metadata.store_graph_nodes AS
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id;

-- One row per distinct content of a node, independent of its environment. Written by the first run that has it, never
-- changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_versions (
  version_id VARCHAR(64) NOT NULL PRIMARY KEY,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  fqn JSON NOT NULL,
  materialized TEXT,
  language TEXT,
  raw_code TEXT,
  compiled_code TEXT,
  checksum TEXT,
  checksum_rule TEXT,
  code_hash VARCHAR(64),
  compiled_hash VARCHAR(64),
  config JSON NOT NULL,
  unrendered_config JSON NOT NULL,
  columns JSON NOT NULL,
  columns_from TEXT,
  description TEXT NOT NULL,
  tags JSON NOT NULL,
  meta JSON NOT NULL,
  access TEXT,
  group_name TEXT,
  version TEXT,
  source_name TEXT,
  contract JSON,
  macros JSON NOT NULL,
  properties JSON NOT NULL
);

-- One row per node version and node that it reads. `kind` is ref, source, catalog or sql, and `confidence` is at most
-- 1.
-- Both are NULL if the edge was recorded before version 8.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_parents (
  version_id VARCHAR(64) NOT NULL,
  parent_id TEXT NOT NULL,
  kind TEXT,
  confidence DOUBLE PRECISION,
  PRIMARY KEY (version_id, parent_id)
);

-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id VARCHAR(64) NOT NULL PRIMARY KEY,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  macros JSON NOT NULL
);

-- One row per set of macros and macro of the set. Runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macro_sets (
  macro_set_id VARCHAR(64) NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (macro_set_id, version_id)
);

-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_results (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds DOUBLE PRECISION,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message TEXT,
  completed_at TEXT,
  PRIMARY KEY (run_id, unique_id)
);

-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMPTZ NOT NULL,
  reason TEXT,
  profile_reason TEXT,
  PRIMARY KEY (run_id, unique_id)
);

-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT NOT NULL,
  profiled_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT NOT NULL,
  not_null_count BIGINT NOT NULL,
  distinct_count BIGINT,
  is_approximate BOOLEAN NOT NULL,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  PRIMARY KEY (run_id, unique_id, ordinal)
);

-- One row per saved data diff (`--save`). The id is a hash of the content, so saving again is a no-op. Deleted with its
-- current run, or its base run if it has no current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_data_diffs (
  diff_id VARCHAR(64) NOT NULL PRIMARY KEY,
  taken_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  unique_id TEXT,
  subject_name TEXT NOT NULL,
  base_relation TEXT,
  current_relation TEXT,
  diff_type TEXT NOT NULL,
  is_equal BOOLEAN,
  base_rows BIGINT,
  current_rows BIGINT,
  added_rows BIGINT,
  removed_rows BIGINT,
  common_rows BIGINT,
  changed_rows BIGINT,
  differing_columns BIGINT,
  error TEXT,
  parameters JSON NOT NULL,
  result JSON NOT NULL,
  recorder_version TEXT NOT NULL
);

-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_diffs (
  diff_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  status TEXT NOT NULL,
  base_type TEXT,
  current_type TEXT,
  compared_as TEXT,
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE PRECISION,
  largest_difference DOUBLE PRECISION,
  reason TEXT,
  PRIMARY KEY (diff_id, ordinal)
);

-- One row per column graph and part of it: column lineage of a run, split into parts like a graph.
-- Written once, by the first run that has the column graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (column_graph_id, part_id)
);

-- One row per part of a column graph and node: the analysis of the node's SQL in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (part_id, unique_id)
);

-- One row per analysis of a node's SQL, keyed by a hash of its inputs: SQL, dialect, and the columns of parents.
-- `reason` explains why there are no columns. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id VARCHAR(64) NOT NULL PRIMARY KEY,
  tier TEXT NOT NULL,
  reason TEXT
);

-- Columns that an analysis found, in order. An output column has a row per source column, or one row with a NULL parent
-- if it has no source column. A column that affects rows has no output column; `kind` is its use.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  kind TEXT NOT NULL,
  expression TEXT,
  confidence DOUBLE PRECISION,
  PRIMARY KEY (lineage_id, ordinal)
);

-- One row per scanned run and one part of the catalog's statistics. Scans share equal parts, so scanning an unchanged
-- database adds only a list of parts.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (run_id, part_id)
);

-- One row per part and relation: statistics of the catalog at the time of the scan, NULL if missing in the catalog.
-- A part is written once, by the first scan that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMPTZ,
  altered_at TIMESTAMPTZ,
  PRIMARY KEY (part_id, unique_id)
);

-- One row per version of a scanned relation and foreign key of the version, in the order of its constraints.
-- `columns` and `parent_columns` are arrays of names in the same order. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name TEXT,
  parent_id TEXT NOT NULL,
  columns JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update TEXT,
  on_delete TEXT,
  PRIMARY KEY (version_id, ordinal)
);

-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  run_id VARCHAR(64) NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name TEXT,
  sample_percent DOUBLE PRECISION,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  recorder_version TEXT NOT NULL,
  status TEXT,
  reason TEXT
);

-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  relation TEXT NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  reason TEXT,
  notes JSON NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id)
);

-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT,
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE PRECISION,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal)
);

-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count BIGINT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);

-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT,
  metric_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_number DOUBLE PRECISION,
  threshold TEXT,
  holds BOOLEAN,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);

-- One row per check result, from `check run --save` or an imported recce state. The id is a hash of the result, so
-- saving again is a no-op. Deleted with its current run, or its base run if it has no current run.
-- `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.store_check_results (
  check_result_id VARCHAR(64) NOT NULL PRIMARY KEY,
  checked_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  origin TEXT NOT NULL,
  file_name TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name TEXT NOT NULL,
  check_type TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message TEXT NOT NULL,
  violations JSON NOT NULL,
  findings JSON NOT NULL,
  seconds DOUBLE PRECISION,
  parameters JSON NOT NULL,
  recorder_version TEXT NOT NULL
);

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

-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that do not depend on
-- the run. Derived: `record` and `init` write the rows. The view computes the changes of other pairs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  status TEXT NOT NULL,
  code_changed BOOLEAN,
  compiled_changed BOOLEAN,
  config_changed BOOLEAN,
  columns_changed BOOLEAN,
  description_changed BOOLEAN,
  contract_changed BOOLEAN,
  place_changed BOOLEAN,
  version_id TEXT,
  previous_version_id TEXT,
  relation_name TEXT,
  previous_relation_name TEXT,
  PRIMARY KEY (previous_graph_id, graph_id, same_dbt, unique_id)
);

-- hand-written: other warehouses have no indexes or do not need them
-- Find previous and next runs, one by one: `row_count_history` searches them for counts.
CREATE INDEX IF NOT EXISTS runs_in_time ON recce_metadata.store_runs (project_name, environment, run_at);

-- One row per mark of a reviewer on a node or a check, from the pages or from Python. Rows are only added: the latest
-- row of a reviewer for the same object and fingerprint counts. `fingerprint` identifies what was reviewed, on both
-- sides. Deleted with the current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_reviews (
  review_id VARCHAR(64) NOT NULL PRIMARY KEY,
  reviewed_at TIMESTAMPTZ NOT NULL,
  project_name TEXT NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT,
  check_name TEXT,
  status TEXT NOT NULL,
  comment TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL
);

-- One row per change of an annotation: a note, a tag or an owner of a node, a column or an edge. Rows are only added, and
-- `event_id` hashes their contents. `replaces` has the sorted ids of the rows that it replaces, separated by spaces; NULL
-- in rows from before version 13. The view annotation_events says which row is the present value; without a value it is
-- deleted. Belongs to a project and not to a run, so it stays when runs are pruned.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id VARCHAR(64) NOT NULL PRIMARY KEY,
  project_name TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  field TEXT NOT NULL,
  item TEXT NOT NULL,
  value TEXT,
  author TEXT NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL,
  replaces TEXT
);

-- One row per deleted run, written in the transaction that deletes it. A run with a row is not recorded or received again.
-- `prune` removes a row long after `first_seen_at`: when the row was written, the later of the warehouse's time and the
-- latest recording. It is NULL in rows that an earlier version wrote, and in rows of a store without runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  project_name TEXT NOT NULL,
  deleted_at TIMESTAMPTZ NOT NULL,
  deleted_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  recorder_version TEXT NOT NULL,
  first_seen_at TIMESTAMPTZ
);

-- One row per object that arrived under the id of a stored object with other contents, for example a run. The stored
-- object was not changed; `store_sync_conflict_pieces` has the one that arrived.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id VARCHAR(64) NOT NULL PRIMARY KEY,
  detected_at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  run_id VARCHAR(64),
  project_name TEXT,
  peer TEXT NOT NULL,
  stored_hash VARCHAR(64) NOT NULL,
  arriving_hash VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL
);

-- The object of a conflict that arrived: a bundle in base64, cut into pieces, because some warehouses limit the length of
-- a text.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (conflict_id, ordinal)
);

-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id VARCHAR(64) NOT NULL PRIMARY KEY,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  direction TEXT NOT NULL,
  peer TEXT NOT NULL,
  author TEXT NOT NULL,
  sent BIGINT NOT NULL,
  received BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  recorder_version TEXT NOT NULL
);

-- One row per run: the hash of its contents without times, to find runs with the same id and other contents. The first
-- exchange with another store adds the rows of runs recorded before version 12. Deleted with the run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  content_hash VARCHAR(64) NOT NULL
);

-- One row per pair of compared codes; a code is a graph with its macros. The first is that of the latest run of an
-- environment, the previous one that of an earlier run with the last result or row count of a node. Derived: `record` and
-- `init` write the rows, each after the pair's rows of `code_changes`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_steps (
  graph_id VARCHAR(64) NOT NULL,
  macro_set_id VARCHAR(64) NOT NULL,
  previous_graph_id VARCHAR(64) NOT NULL,
  previous_macro_set_id VARCHAR(64) NOT NULL,
  step_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, macro_set_id, previous_graph_id, previous_macro_set_id)
);

-- One row per pair of compared codes and node of the first whose code, or that of an ancestor, differs from the previous one.
-- `is_certain` is false if it may differ: only one of both runs compiled it, and it reads variables or flags.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  is_certain BOOLEAN,
  PRIMARY KEY (step_id, unique_id)
);

-- One row per pair of graphs, changed node and downstream node: the columns of `impacted_nodes` that do not depend on the
-- run. Derived: `record` and `init` write the rows. The view computes them for pairs without an id.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id VARCHAR(64) NOT NULL,
  changed_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  changed_status TEXT NOT NULL,
  distance INT NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id)
);

-- One row per change of an annotation, also of earlier and deleted values. Key: event_id.
-- An event is replaced if another one of the same item names it in `replaces`; of events without `replaces` (from before
-- version 13 of the store), each replaces the one before it by time. Unreplaced events with different values are a
-- conflict, in which the latest by time is shown.
CREATE OR REPLACE VIEW recce_metadata.annotation_events AS
WITH named AS (
  SELECT DISTINCT
    event.project_name,
    event.unique_id,
    event.event_id
  FROM recce_metadata.store_annotation_events AS event
  JOIN recce_metadata.store_annotation_events AS newer
    ON newer.project_name = event.project_name
    AND newer.unique_id = event.unique_id
    AND newer.field = event.field
    AND newer.item = event.item
    AND COALESCE(newer.column_name, '') = COALESCE(event.column_name, '')
    AND COALESCE(newer.parent_id, '') = COALESCE(event.parent_id, '')
    AND COALESCE(newer.parent_column, '') = COALESCE(event.parent_column, '')
  WHERE
    ' ' || newer.replaces || ' ' LIKE '% ' || event.event_id || ' %'
), dated AS (
  SELECT
    event.event_id,
    event.project_name,
    event.unique_id,
    event.column_name,
    event.parent_id,
    event.parent_column,
    event.field,
    event.item,
    event.value,
    event.author,
    event.wall_ms,
    event.counter,
    event.writer_id,
    event.recorder_version,
    event.replaces,
    CASE WHEN named.event_id IS NULL THEN 0 ELSE 1 END AS is_named,
    CASE WHEN event.replaces IS NULL THEN 1 ELSE 0 END AS is_old,
    RANK() OVER (
      PARTITION BY event.project_name, event.unique_id, event.column_name, event.parent_id, event.parent_column, event.field, event.item, CASE WHEN event.replaces IS NULL THEN 1 ELSE 0 END
      ORDER BY event.wall_ms DESC, event.counter DESC, event.writer_id DESC, event.event_id DESC
    ) AS age
  FROM recce_metadata.store_annotation_events AS event
  LEFT JOIN named
    ON named.project_name = event.project_name
    AND named.unique_id = event.unique_id
    AND named.event_id = event.event_id
), judged AS (
  SELECT
    event_id,
    project_name,
    unique_id,
    column_name,
    parent_id,
    parent_column,
    field,
    item,
    value,
    author,
    wall_ms,
    counter,
    writer_id,
    recorder_version,
    replaces,
    CASE WHEN is_named = 1 OR (
      is_old = 1 AND age > 1
    ) THEN 1 ELSE 0 END AS replaced_mark,
    CASE
      WHEN is_named = 1 OR (
        is_old = 1 AND age > 1
      )
      THEN NULL
      WHEN value IS NULL
      THEN ''
      ELSE 'is ' || value
    END AS open_value
  FROM dated
)
SELECT
  event_id,
  project_name,
  unique_id,
  column_name,
  parent_id,
  parent_column,
  field,
  item,
  value,
  author,
  wall_ms,
  counter,
  writer_id,
  CASE
    WHEN replaced_mark = 0
    AND ROW_NUMBER() OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
      ORDER BY replaced_mark, wall_ms DESC, counter DESC, writer_id DESC, event_id DESC
    ) = 1
    THEN TRUE
    ELSE FALSE
  END AS is_latest,
  recorder_version,
  replaces,
  CASE WHEN replaced_mark = 1 THEN TRUE ELSE FALSE END AS is_replaced,
  CASE
    WHEN MIN(open_value) OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
    ) <> MAX(open_value) OVER (
      PARTITION BY project_name, unique_id, column_name, parent_id, parent_column, field, item
    )
    THEN TRUE
    ELSE FALSE
  END AS has_conflict
FROM judged;

-- One row per stored check result, with the runs that were compared. Key: check_result_id.
-- Columns of a run are NULL if the run was pruned or never recorded.
CREATE OR REPLACE VIEW recce_metadata.check_history AS
SELECT
  result.check_result_id,
  result.checked_at,
  COALESCE(present.project_name, past.project_name) AS project_name,
  result.base_run_id,
  past.environment AS base_environment,
  past.run_at AS base_run_at,
  past.git_sha AS base_git_sha,
  result.current_run_id,
  present.environment AS current_environment,
  present.run_at AS current_run_at,
  present.git_sha AS current_git_sha,
  present.branch,
  present.pull_request,
  result.origin,
  result.file_name,
  result.ordinal,
  result.check_name,
  result.check_type,
  result.description,
  result.status,
  result.has_expectations,
  result.is_optional,
  result.node_count,
  result.differing_nodes,
  result.uncompared_nodes,
  result.message,
  result.violations,
  result.findings,
  result.seconds,
  result.parameters
FROM recce_metadata.store_check_results AS result
LEFT JOIN recce_metadata.store_runs AS past
  ON past.run_id = result.base_run_id
LEFT JOIN recce_metadata.store_runs AS present
  ON present.run_id = result.current_run_id;

-- hand-written: a subquery for each row, for which PostgreSQL has an index
-- One row per run and analysed node. `tier` is what was known when its SQL was analysed: gold, silver or bronze.
-- `reason` explains why no columns were found. Key: run_id, node_id.
CREATE OR REPLACE VIEW recce_metadata.column_analysis AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  analysis.tier,
  analysis.reason,
  (
    SELECT COUNT(DISTINCT edge.column_name)
    FROM recce_metadata.store_column_edges AS edge
    WHERE edge.lineage_id = place.lineage_id
  ) AS column_count
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id;

-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Filter by run_id, and if possible by node_id and column_name.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 100 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
--
-- The edges of a run are collected once, as JSON: the targets of a change by node, then by the first part of the name
-- of the column that is read ('rows' for rows). A walk looks up its edges there and needs no index. Each walk names its
-- run, so the planner does not cache walks by their JSON.
CREATE OR REPLACE VIEW recce_metadata.column_impact AS
SELECT
  run.run_id,
  run.environment,
  start.node_id,
  start.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM recce_metadata.store_runs AS run
CROSS JOIN LATERAL (
  WITH known AS (
    SELECT
      place.unique_id
    FROM recce_metadata.store_column_parts AS part
    JOIN recce_metadata.store_column_part_nodes AS place
      ON place.part_id = part.part_id
    JOIN recce_metadata.store_column_analyses AS analysis
      ON analysis.lineage_id = place.lineage_id
    WHERE
      part.column_graph_id = run.column_graph_id AND analysis.reason IS NULL
  ), reads AS MATERIALIZED (
    SELECT
      place.unique_id AS node_id,
      edge.column_name,
      edge.parent_id,
      edge.parent_column,
      edge.kind,
      edge.confidence
    FROM recce_metadata.store_column_parts AS part
    JOIN recce_metadata.store_column_part_nodes AS place
      ON place.part_id = part.part_id
    JOIN recce_metadata.store_column_edges AS edge
      ON edge.lineage_id = place.lineage_id
    WHERE
      part.column_graph_id = run.column_graph_id
  ), node_reads AS MATERIALIZED (
    SELECT
      place.unique_id AS node_id,
      edge.parent_id,
      known.unique_id IS NOT NULL AS is_known
    FROM recce_metadata.store_graph_nodes AS place
    JOIN recce_metadata.store_version_parents AS edge
      ON edge.version_id = place.version_id
    LEFT JOIN known
      ON known.unique_id = place.unique_id
    WHERE
      place.graph_id = run.graph_id AND run.column_graph_id IS NOT NULL
  ), steps AS (
    /* from a column to columns computed from it, and to rows that it affects */
    SELECT
      parent_id,
      COALESCE(SPLIT_PART(parent_column, '.', 1), 'rows') AS bucket,
      JSONB_BUILD_ARRAY(node_id, column_name, parent_column, confidence, TRUE) AS step
    FROM reads
    WHERE
      parent_id IS NOT NULL
      AND (
        parent_id <> node_id OR parent_column IS DISTINCT FROM column_name
      )
      AND kind <> 'referenced'
    UNION ALL
    /* from rows to the rows of every reader, and from a column to readers with unknown columns */
    SELECT
      parent_id,
      'rows' AS bucket,
      JSONB_BUILD_ARRAY(node_id, NULL, NULL, 1, is_known) AS step
    FROM node_reads
  )
  SELECT
    (
      SELECT
        JSONB_OBJECT_AGG(parent_id, buckets)
      FROM (
        SELECT
          parent_id,
          JSONB_OBJECT_AGG(bucket, steps) AS buckets
        FROM (
          SELECT
            parent_id,
            bucket,
            JSONB_AGG(step) AS steps
          FROM steps
          GROUP BY
            parent_id,
            bucket
        ) AS by_bucket
        GROUP BY
          parent_id
      ) AS by_parent
    ) AS steps,
    (
      SELECT
        JSONB_AGG(JSONB_BUILD_ARRAY(node_id, column_name))
      FROM (
        SELECT
          node_id,
          column_name
        FROM reads
        WHERE
          column_name IS NOT NULL
        UNION
        SELECT
          parent_id AS node_id,
          parent_column AS column_name
        FROM reads
        WHERE
          parent_id IS NOT NULL
        UNION
        SELECT
          parent_id AS node_id,
          CAST(NULL AS TEXT) AS column_name
        FROM node_reads
      ) AS places
    ) AS starts,
    (
      /* ephemeral models to which no edge leads: their readers were analysed with the SQL of the model as theirs */
      SELECT
        JSONB_OBJECT_AGG(place.unique_id, TRUE)
      FROM recce_metadata.store_graph_nodes AS place
      JOIN recce_metadata.store_node_versions AS version
        ON version.version_id = place.version_id
      WHERE
        place.graph_id = run.graph_id
        AND version.materialized = 'ephemeral'
        AND NOT EXISTS(
          SELECT
            1
          FROM reads
          WHERE
            reads.parent_id = place.unique_id
        )
    ) AS inlined
) AS graph
CROSS JOIN LATERAL (
  SELECT
    item ->> 0 AS node_id,
    item ->> 1 AS column_name
  FROM JSONB_ARRAY_ELEMENTS(graph.starts) AS item
) AS start
CROSS JOIN LATERAL (
  WITH RECURSIVE reached AS (
    SELECT
      start.node_id AS unique_id,
      start.column_name,
      CASE WHEN start.column_name IS NULL THEN 'rows' ELSE 'columns' END AS reach,
      0 AS distance,
      CAST(1 AS DOUBLE PRECISION) AS confidence
    UNION
    SELECT
      step.node_id,
      CASE
        WHEN step.column_name = '*' AND step.parent_column = '*'
        THEN reached.column_name
        ELSE step.column_name
      END,
      CASE
        WHEN step.column_name IS NOT NULL
        THEN 'columns'
        WHEN step.parent_column IS NOT NULL
        THEN 'rows'
        WHEN reached.column_name IS NOT NULL
        THEN 'unknown'
        ELSE reached.reach
      END,
      reached.distance + 1,
      CASE
        WHEN step.parent_column IS NULL
        AND reached.column_name IS NOT NULL
        AND reached.confidence > 0.5
        THEN 0.5
        WHEN step.confidence < reached.confidence
        THEN step.confidence
        ELSE reached.confidence
      END
    FROM reached
    CROSS JOIN LATERAL (
      SELECT
        item ->> 0 AS node_id,
        item ->> 1 AS column_name,
        item ->> 2 AS parent_column,
        CAST(item -> 3 AS DOUBLE PRECISION) AS confidence,
        CAST(item -> 4 AS BOOLEAN) AS is_known
      FROM JSONB_ARRAY_ELEMENTS(
        CASE
          WHEN reached.column_name IS NULL
          THEN COALESCE(graph.steps -> reached.unique_id -> 'rows', '[]')
          WHEN reached.column_name = '*'
          THEN COALESCE(JSONB_PATH_QUERY_ARRAY(graph.steps -> reached.unique_id, '$.*[*]'), '[]')
          ELSE COALESCE(graph.steps -> reached.unique_id -> 'rows', '[]') || COALESCE(graph.steps -> reached.unique_id -> '*', '[]') || COALESCE(graph.steps -> reached.unique_id -> SPLIT_PART(reached.column_name, '.', 1), '[]')
        END
      ) AS item
    ) AS step
    WHERE
      reached.distance < 100
      AND CASE
        WHEN reached.column_name IS NULL
        THEN step.parent_column IS NULL
        WHEN step.parent_column IS NULL
        THEN NOT step.is_known
        OR (
          graph.inlined -> reached.unique_id IS NOT NULL AND reached.distance = 0
        )
        ELSE step.parent_column IN (reached.column_name, '*')
        OR reached.column_name = '*'
        OR /* the catalog may list a field besides its struct; reading the struct reads the field */ LEFT(reached.column_name, LENGTH(step.parent_column) + 1) = step.parent_column || '.'
      END
  )
  SELECT
    unique_id AS impacted_id,
    column_name AS impacted_column,
    reach,
    MIN(distance) AS distance,
    MAX(confidence) AS confidence
  FROM reached
  WHERE
    (
      unique_id <> start.node_id
      OR COALESCE(column_name, '') <> COALESCE(start.column_name, '')
    )
    AND run.run_id <> ''
  GROUP BY
    unique_id,
    column_name,
    reach
) AS impact;

-- One row per run, node, output column and source column of its value. A constant column has one row without a parent,
-- and so has a column of a source or seed. Key: run_id, node_id, column_name, parent_id, parent_column.
-- `expression` is SQL, NULL if the column is passed through. `confidence` is 1 if the edge is certain.
CREATE OR REPLACE VIEW recce_metadata.column_lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.expression,
  edge.confidence,
  analysis.tier
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  edge.column_name IS NOT NULL;

-- One row per run, node and profiled column: stored statistics and shares of rows.
-- Key: run_id, unique_id, ordinal. Values are strings and sort as strings; numbers are also in the `_number` columns.
CREATE OR REPLACE VIEW recce_metadata.column_profiles AS
SELECT
  runs.run_id,
  runs.project_name,
  runs.environment,
  runs.run_at,
  figures.unique_id,
  figures.ordinal,
  figures.column_name,
  figures.column_type,
  figures.profiled_at,
  figures.row_count,
  figures.not_null_count,
  CAST(figures.not_null_count AS DOUBLE PRECISION) / NULLIF(figures.row_count, 0) AS not_null_share,
  figures.distinct_count,
  CAST(figures.distinct_count AS DOUBLE PRECISION) / NULLIF(figures.row_count, 0) AS distinct_share,
  figures.is_approximate,
  CASE
    WHEN figures.row_count > 0 AND NOT figures.is_approximate
    THEN figures.distinct_count = figures.row_count
  END AS is_unique,
  figures.min_value,
  figures.max_value,
  figures.average_value,
  figures.median_value,
  figures.min_number,
  figures.max_number,
  figures.average_number,
  figures.median_number,
  figures.true_count,
  figures.min_length,
  figures.max_length,
  figures.average_length
FROM recce_metadata.store_column_statistics AS figures
JOIN recce_metadata.store_runs AS runs
  ON runs.run_id = figures.run_id;

-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
CREATE OR REPLACE VIEW recce_metadata.column_quality AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  column_name,
  column_type,
  row_count,
  not_null_count,
  distinct_count,
  is_approximate,
  min_value,
  max_value,
  average_value,
  median_value,
  min_number,
  max_number,
  average_number,
  median_number,
  value_kinds,
  true_count,
  min_length,
  max_length,
  average_length,
  blank_count,
  is_declared_unique,
  is_private,
  score,
  reason
FROM recce_metadata.store_column_quality;

-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE OR REPLACE VIEW recce_metadata.column_statistics AS
SELECT
  run_id,
  unique_id,
  ordinal,
  column_name,
  column_type,
  profiled_at,
  row_count,
  not_null_count,
  distinct_count,
  is_approximate,
  min_value,
  max_value,
  average_value,
  median_value,
  min_number,
  max_number,
  average_number,
  median_number,
  value_kinds,
  true_count,
  min_length,
  max_length,
  average_length
FROM recce_metadata.store_column_statistics;

-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE OR REPLACE VIEW recce_metadata.column_top_values AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  place,
  column_name,
  value,
  value_kind,
  value_count
FROM recce_metadata.store_column_top_values;

-- One row per run, node and column that affects the node's rows: in `filter`, `join`, `group` or `order`.
-- Its value may not be part of any output column. A column that the SQL names anywhere is `referenced`: the node fails
-- if the column is removed or renamed. Key: run_id, node_id, parent_id, parent_column, usage.
CREATE OR REPLACE VIEW recce_metadata.column_usage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  edge.parent_column,
  edge.kind AS usage,
  edge.confidence,
  analysis.tier
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  edge.column_name IS NULL;

-- One row per saved data diff, with the runs that were compared. Key: diff_id.
-- Columns of a run are NULL if the run was pruned or never recorded.
CREATE OR REPLACE VIEW recce_metadata.data_diff_history AS
SELECT
  diff.diff_id,
  diff.taken_at,
  COALESCE(present.project_name, past.project_name) AS project_name,
  diff.base_run_id,
  past.environment AS base_environment,
  past.run_at AS base_run_at,
  past.git_sha AS base_git_sha,
  diff.current_run_id,
  present.environment AS current_environment,
  present.run_at AS current_run_at,
  present.git_sha AS current_git_sha,
  present.branch,
  present.pull_request,
  diff.unique_id,
  diff.subject_name,
  diff.base_relation,
  diff.current_relation,
  diff.diff_type,
  diff.is_equal,
  diff.base_rows,
  diff.current_rows,
  diff.current_rows - diff.base_rows AS row_delta,
  diff.added_rows,
  diff.removed_rows,
  diff.common_rows,
  diff.changed_rows,
  CAST(diff.changed_rows AS DOUBLE PRECISION) / NULLIF(diff.common_rows, 0) AS changed_share,
  diff.differing_columns,
  diff.error,
  diff.parameters,
  diff.result
FROM recce_metadata.store_data_diffs AS diff
LEFT JOIN recce_metadata.store_runs AS past
  ON past.run_id = diff.base_run_id
LEFT JOIN recce_metadata.store_runs AS present
  ON present.run_id = diff.current_run_id;

-- One row per deleted run, which is not recorded or received again. Key: run_id.
CREATE OR REPLACE VIEW recce_metadata.deleted_runs AS
SELECT
  run_id,
  project_name,
  deleted_at,
  deleted_by,
  reason
FROM recce_metadata.store_tombstones;

-- One row per scanned run, relation and foreign key of the relation: rows of `node_id` refer to rows of `parent_id`.
-- This is not lineage, because no rows flow along it. Key: run_id, node_id, ordinal.
-- `columns` and `parent_columns` are arrays in the same order. `column_names` and `parent_column_names` are the same
-- names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.foreign_keys AS
SELECT
  runs.run_id,
  runs.project_name,
  runs.environment,
  place.unique_id AS node_id,
  link.ordinal,
  link.name,
  REPLACE(
    REPLACE(REPLACE(REPLACE(CAST(link.columns AS TEXT), '["', ''), '","', ', '), '", "', ', '),
    '"]',
    ''
  ) AS column_names,
  link.parent_id,
  REPLACE(
    REPLACE(
      REPLACE(REPLACE(CAST(link.parent_columns AS TEXT), '["', ''), '","', ', '),
      '", "',
      ', '
    ),
    '"]',
    ''
  ) AS parent_column_names,
  link.columns,
  link.parent_columns,
  link.on_update,
  link.on_delete
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_version_references AS link
  ON link.version_id = place.version_id;

-- hand-written: DISTINCT ON, because PostgreSQL estimates few rows for it, but many for a filter on ROW_NUMBER
-- One row per project and environment: its latest run, with every column of `runs`. A run whose time is after its
-- recording, because a clock is wrong, counts as run when it was recorded. A failed scan is never the latest
-- run.
CREATE OR REPLACE VIEW recce_metadata.latest_runs AS
SELECT DISTINCT ON (project_name, environment)
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
  column_graph_id,
  git_proven,
  status,
  reason,
  build_status,
  build_errors,
  build_failures,
  build_warnings,
  build_skipped,
  warnings,
  extraction
FROM recce_metadata.store_runs
WHERE
  status = 'complete'
ORDER BY
  project_name,
  environment,
  LEAST(run_at, recorded_at) DESC,
  recorded_at DESC,
  run_id;

-- One row per project and environment: its latest scan of a live database. A failed scan is never the latest.
CREATE OR REPLACE VIEW recce_metadata.latest_scans AS
SELECT
  run_id,
  run_at,
  project_name,
  environment,
  adapter_type,
  target_name,
  target_database,
  command,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  column_graph_id
FROM (
  SELECT
    runs.*,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM recce_metadata.store_runs AS runs
  WHERE
    extractor = 'database' AND status = 'complete'
) AS aged_scans
WHERE
  age = 1;

-- One row per table: its latest measurement in each project and environment.
-- Key: project_name, environment, unique_id. `sampled_rows` is NULL if all rows were measured. `reason` explains why
-- the table could not be measured.
CREATE OR REPLACE VIEW recce_metadata.latest_table_quality AS
SELECT
  project_name,
  environment,
  unique_id,
  name,
  relation,
  quality_run_id,
  run_id,
  measured_at,
  row_count,
  sampled_rows,
  column_count,
  score,
  reason,
  notes
FROM (
  SELECT
    run.project_name,
    run.environment,
    measured.unique_id,
    measured.name,
    measured.relation,
    run.quality_run_id,
    run.run_id,
    measured.measured_at,
    measured.row_count,
    measured.sampled_rows,
    measured.column_count,
    measured.score,
    measured.reason,
    measured.notes,
    ROW_NUMBER() OVER (
      PARTITION BY run.project_name, run.environment, measured.unique_id
      ORDER BY run.started_at DESC, run.finished_at DESC, run.quality_run_id
    ) AS age
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_table_quality AS measured
    ON measured.quality_run_id = run.quality_run_id
) AS aged_measurements
WHERE
  age = 1;

-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
-- `kind` is how the edge is known: ref or source (dbt's functions), catalog (dependencies that the scanned database
-- records) or sql (names in SQL). `confidence` is 1 if it is certain. Both are NULL if they were not recorded.
CREATE OR REPLACE VIEW recce_metadata.lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  CASE
    WHEN edge.kind IS NOT NULL
    THEN edge.kind
    WHEN runs.extractor <> 'dbt'
    THEN NULL
    WHEN STARTS_WITH(edge.parent_id, 'source.')
    THEN 'source'
    ELSE 'ref'
  END AS kind,
  CASE
    WHEN edge.kind IS NOT NULL
    THEN edge.confidence
    WHEN runs.extractor = 'dbt'
    THEN CAST(1 AS DOUBLE PRECISION)
  END AS confidence
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_version_parents AS edge
  ON edge.version_id = place.version_id;

-- One row per measurement and user-defined metric, with the previous one in the same project and environment.
-- Key: quality_run_id, unique_id, ordinal, place. For a table's metric, `column_name` is NULL and `ordinal` is 0.
-- `holds` is NULL if there is no threshold or nothing was measured; see `reason`.
CREATE OR REPLACE VIEW recce_metadata.metric_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  ordinal,
  place,
  column_name,
  metric_name,
  value,
  value_kind,
  value_number,
  previous_value_number,
  value_number - previous_value_number AS value_change,
  threshold,
  holds,
  reason,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    run.quality_run_id,
    run.run_id,
    run.project_name,
    run.environment,
    run.started_at,
    metric.unique_id,
    metric.ordinal,
    metric.place,
    metric.column_name,
    metric.metric_name,
    metric.value,
    metric.value_kind,
    metric.value_number,
    LAG(metric.value_number) OVER in_time AS previous_value_number,
    metric.threshold,
    metric.holds,
    metric.reason,
    LAG(run.quality_run_id) OVER in_time AS previous_quality_run_id,
    LEAD(run.quality_run_id) OVER in_time AS next_quality_run_id
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_quality_metrics AS metric
    ON metric.quality_run_id = run.quality_run_id
  WINDOW in_time AS (
    PARTITION BY run.project_name, run.environment, metric.unique_id, COALESCE(metric.column_name, ''), metric.metric_name
    ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
  )
) AS metrics_in_time;

-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
CREATE OR REPLACE VIEW recce_metadata.node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.ordinal,
  item.content ->> 'name' AS column_name,
  item.content ->> 'type' AS column_type,
  COALESCE(item.content ->> 'description', '') AS description,
  COALESCE(CAST(item.content ->> 'documented' AS BOOLEAN), FALSE) AS documented,
  item.content ->> 'documented_type' AS documented_type,
  item.content -> 'tags' AS tags,
  item.content -> 'meta' AS meta,
  CAST(item.content ->> 'not_null' AS BOOLEAN) AS not_null,
  item.content ->> 'default' AS default_value,
  item.content ->> 'generated' AS generated_as,
  item.content ->> 'identity' AS identity_generation,
  item.content ->> 'collation' AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal);

-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.ordinal,
  item.content ->> 'name' AS constraint_name,
  item.content ->> 'type' AS constraint_type,
  REPLACE(
    REPLACE(REPLACE(REPLACE(item.content ->> 'columns', '["', ''), '","', ', '), '", "', ', '),
    '"]',
    ''
  ) AS column_names,
  item.content -> 'columns' AS columns,
  item.content ->> 'expression' AS expression,
  item.content -> 'references' ->> 'relation' AS parent_id,
  item.content ->> 'on_update' AS on_update,
  item.content ->> 'on_delete' AS on_delete,
  item.content ->> 'options' AS options,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.properties AS JSON) -> 'constraints') WITH ORDINALITY AS item(content, ordinal)
WHERE
  node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');

-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.ordinal,
  item.content ->> 'name' AS index_name,
  CAST(item.content ->> 'unique' AS BOOLEAN) AS is_unique,
  item.content ->> 'definition' AS definition,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.properties AS JSON) -> 'indexes') WITH ORDINALITY AS item(content, ordinal)
WHERE
  node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');

-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE OR REPLACE VIEW recce_metadata.node_statistics AS
SELECT
  run_id,
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM recce_metadata.store_node_statistics;

-- One row per run and node: the project at the time of the run, without groups.
-- Key: run_id, unique_id (an environment is a label of its run).
-- Compiled SQL is stored without its environment: a token, ⟦unique id⟧, replaces each relation that dbt wrote. ⟦⟧
-- replaces an opening bracket of the code itself. `compiled_code` restores the relations; it is computed only if
-- selected.
CREATE OR REPLACE VIEW recce_metadata.nodes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  runs.run_at,
  node.name,
  node.resource_type,
  node.package_name,
  place.schema_name,
  node.checksum,
  node.code_hash,
  node.raw_code,
  node.config,
  node.columns,
  place.database_name,
  place.identifier,
  place.relation_name,
  node.materialized,
  CASE
    WHEN POSITION('⟦' IN node.compiled_code) = 0
    THEN node.compiled_code
    ELSE (
      SELECT
        STRING_AGG(
          
            CASE
              WHEN piece.number = 1
              THEN piece.text
              WHEN STARTS_WITH(piece.text, '⟧')
              THEN '⟦' || SUBSTRING(piece.text FROM 2)
              ELSE COALESCE(
                (
                  run_relations.relations ->> SPLIT_PART(piece.text, '⟧', 1)
                ) || SUBSTRING(piece.text FROM POSITION('⟧' IN piece.text) + 1),
                '⟦' || piece.text
              )
            END,
            ''
          
          ORDER BY
            piece.number
        )
      FROM UNNEST(STRING_TO_ARRAY(node.compiled_code, '⟦')) WITH ORDINALITY AS piece(text, number)
    )
  END AS compiled_code,
  node.language,
  node.path,
  node.description,
  node.tags,
  node.meta,
  node.access,
  node.version,
  node.group_name,
  node.source_name,
  node.contract,
  node.fqn,
  node.checksum_rule,
  node.columns_from,
  node.unrendered_config,
  node.macros,
  node.properties,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    runs.run_id,
    JSONB_OBJECT_AGG(place.unique_id, place.relation_name) AS relations
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = runs.graph_id
  GROUP BY
    runs.run_id
) AS run_relations
  ON run_relations.run_id = runs.run_id
WHERE
  node.resource_type <> 'group';

-- One row per measurement, table and measured column, with the previous measurement of the column in the same project
-- and environment. Key: quality_run_id, unique_id, ordinal.
-- Shares are of the measured rows; the share of distinct values is of the rows with a value. `sampled_rows` is NULL if
-- all rows of the table were measured. `next_quality_run_id` is NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.quality_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  ordinal,
  column_name,
  row_count,
  previous_row_count,
  sampled_rows,
  previous_sampled_rows,
  null_count,
  null_share,
  previous_null_share,
  null_share - previous_null_share AS null_share_change,
  distinct_count,
  distinct_share,
  previous_distinct_share,
  distinct_share - previous_distinct_share AS distinct_share_change,
  min_number,
  previous_min_number,
  max_number,
  previous_max_number,
  average_number,
  previous_average_number,
  average_length,
  previous_average_length,
  score,
  previous_score,
  score - previous_score AS score_change,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    figures.*,
    LAG(row_count) OVER in_time AS previous_row_count,
    LAG(sampled_rows) OVER in_time AS previous_sampled_rows,
    LAG(null_share) OVER in_time AS previous_null_share,
    LAG(distinct_share) OVER in_time AS previous_distinct_share,
    LAG(min_number) OVER in_time AS previous_min_number,
    LAG(max_number) OVER in_time AS previous_max_number,
    LAG(average_number) OVER in_time AS previous_average_number,
    LAG(average_length) OVER in_time AS previous_average_length,
    LAG(score) OVER in_time AS previous_score,
    LAG(quality_run_id) OVER in_time AS previous_quality_run_id,
    LEAD(quality_run_id) OVER in_time AS next_quality_run_id
  FROM (
    SELECT
      run.quality_run_id,
      run.run_id,
      run.project_name,
      run.environment,
      run.started_at,
      run.finished_at,
      measured.unique_id,
      measured.ordinal,
      measured.column_name,
      measured.row_count,
      whole.sampled_rows,
      measured.row_count - measured.not_null_count AS null_count,
      CAST(measured.row_count - measured.not_null_count AS DOUBLE PRECISION) / NULLIF(measured.row_count, 0) AS null_share,
      measured.distinct_count,
      CAST(measured.distinct_count AS DOUBLE PRECISION) / NULLIF(measured.not_null_count, 0) AS distinct_share,
      measured.min_number,
      measured.max_number,
      measured.average_number,
      measured.average_length,
      measured.score
    FROM recce_metadata.store_quality_runs AS run
    JOIN recce_metadata.store_column_quality AS measured
      ON measured.quality_run_id = run.quality_run_id
    JOIN recce_metadata.store_table_quality AS whole
      ON whole.quality_run_id = measured.quality_run_id
      AND whole.unique_id = measured.unique_id
    WHERE
      measured.row_count IS NOT NULL
  ) AS figures
  WINDOW in_time AS (
    PARTITION BY project_name, environment, unique_id, column_name
    ORDER BY started_at, finished_at, quality_run_id DESC
  )
) AS columns_in_time;

-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE OR REPLACE VIEW recce_metadata.quality_metrics AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  place,
  column_name,
  metric_name,
  value,
  value_kind,
  value_number,
  threshold,
  holds,
  reason
FROM recce_metadata.store_quality_metrics;

-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE OR REPLACE VIEW recce_metadata.quality_runs AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  finished_at,
  target_name,
  sample_percent,
  sample_rows,
  sample_seed,
  keeps_values,
  table_count,
  failed_count,
  score,
  recorder_version,
  status,
  reason
FROM recce_metadata.store_quality_runs;

-- One row per reviewer and reviewed node or check, in the version that was reviewed: the last mark, unless it was
-- withdrawn. Key: review_id. A mark says nothing about a node or check with another fingerprint.
CREATE OR REPLACE VIEW recce_metadata.reviews AS
WITH marks AS (
  SELECT
    review_id,
    reviewed_at,
    project_name,
    base_run_id,
    current_run_id,
    unique_id,
    check_name,
    status,
    comment,
    reviewer,
    fingerprint,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, unique_id, check_name, fingerprint, reviewer
      ORDER BY reviewed_at DESC, review_id DESC
    ) AS place
  FROM recce_metadata.store_reviews
)
SELECT
  marks.review_id,
  marks.reviewed_at,
  marks.project_name,
  runs.environment,
  runs.branch,
  runs.pull_request,
  runs.git_sha,
  marks.base_run_id,
  marks.current_run_id,
  marks.unique_id,
  marks.check_name,
  marks.status,
  marks.comment,
  marks.reviewer,
  marks.fingerprint
FROM marks
LEFT JOIN recce_metadata.store_runs AS runs
  ON runs.run_id = marks.current_run_id
WHERE
  marks.place = 1 AND marks.status <> 'withdrawn';

-- hand-written: PostgreSQL looks up the neighbouring runs, because a window would read the counts of all runs. Further
-- runs are searched one by one only if a neighbour has no count of the node.
-- One row per run and node with a row count, with the previous count in the same project and environment.
-- Key: run_id, unique_id. `row_change` is a share of the previous count. `next_run_id` is the run with the next count,
-- NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.row_count_history AS
SELECT
  run_id,
  project_name,
  environment,
  run_at,
  git_sha,
  unique_id,
  row_count,
  counted_at,
  previous_run_id,
  previous_row_count,
  row_count - previous_row_count AS row_delta,
  CAST(row_count - previous_row_count AS DOUBLE PRECISION) / NULLIF(previous_row_count, 0) AS row_change,
  next_run_id
FROM (
  SELECT
    run.run_id,
    run.project_name,
    run.environment,
    run.run_at,
    run.git_sha,
    counted.unique_id,
    counted.row_count,
    counted.counted_at,
    -- without a length, as in existing stores: a replaced view must have the same types
    CAST(COALESCE(before.run_id, earlier.run_id) AS VARCHAR) AS previous_run_id,
    COALESCE(before.row_count, earlier.row_count) AS previous_row_count,
    CAST(COALESCE(after.run_id, later.run_id) AS VARCHAR) AS next_run_id
  FROM recce_metadata.store_node_statistics AS counted
  JOIN (
    -- runs with counts, in order
    SELECT
      run_id,
      project_name,
      environment,
      run_at,
      recorded_at,
      git_sha,
      LAG(run_id) OVER in_time AS previous_run_id,
      LEAD(run_id) OVER in_time AS next_run_id
    FROM recce_metadata.store_runs AS runs
    WHERE EXISTS (
      SELECT 1
      FROM recce_metadata.store_node_statistics AS figure
      WHERE figure.run_id = runs.run_id AND figure.row_count IS NOT NULL
    )
    WINDOW in_time AS (PARTITION BY project_name, environment ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC)
  ) AS run ON run.run_id = counted.run_id
  -- LIMIT: without it a condition on the node would read the whole table for each join
  LEFT JOIN LATERAL (
    SELECT figure.run_id, figure.row_count
    FROM recce_metadata.store_node_statistics AS figure
    WHERE
      figure.run_id = run.previous_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    LIMIT 1
  ) AS before ON TRUE
  LEFT JOIN LATERAL (
    SELECT figure.run_id
    FROM recce_metadata.store_node_statistics AS figure
    WHERE figure.run_id = run.next_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    LIMIT 1
  ) AS after ON TRUE
  LEFT JOIN LATERAL (
    SELECT figure.run_id, figure.row_count
    FROM recce_metadata.store_runs AS one
    JOIN recce_metadata.store_node_statistics AS figure
      ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    WHERE
      before.run_id IS NULL
      AND run.previous_run_id IS NOT NULL
      AND one.project_name = run.project_name
      AND one.environment = run.environment
      AND LEAST(one.run_at, one.recorded_at) <= LEAST(run.run_at, run.recorded_at)
      AND (
        LEAST(one.run_at, one.recorded_at) < LEAST(run.run_at, run.recorded_at)
        OR one.recorded_at < run.recorded_at
        OR (one.recorded_at = run.recorded_at AND one.run_id > run.run_id)
      )
    ORDER BY LEAST(one.run_at, one.recorded_at) DESC, one.recorded_at DESC, one.run_id
    LIMIT 1
  ) AS earlier ON TRUE
  LEFT JOIN LATERAL (
    SELECT figure.run_id
    FROM recce_metadata.store_runs AS one
    JOIN recce_metadata.store_node_statistics AS figure
      ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    WHERE
      after.run_id IS NULL
      AND run.next_run_id IS NOT NULL
      AND one.project_name = run.project_name
      AND one.environment = run.environment
      AND LEAST(one.run_at, one.recorded_at) >= LEAST(run.run_at, run.recorded_at)
      AND (
        LEAST(one.run_at, one.recorded_at) > LEAST(run.run_at, run.recorded_at)
        OR one.recorded_at > run.recorded_at
        OR (one.recorded_at = run.recorded_at AND one.run_id < run.run_id)
      )
    ORDER BY LEAST(one.run_at, one.recorded_at), one.recorded_at, one.run_id DESC
    LIMIT 1
  ) AS later ON TRUE
  WHERE
    counted.row_count IS NOT NULL
    -- Always true: the planner then expects few counts, and does not compile the query, which takes longer than to run it.
    AND counted.unique_id || '' = counted.unique_id
) AS counts_in_time;

-- One row per project, environment, node and version of the node: the first and last run with that content, and the
-- results of its runs in dbt. A version that returned after another version has one row.
-- Key: project_name, environment, unique_id, version_id.
CREATE OR REPLACE VIEW recce_metadata.run_history AS
SELECT
  run.project_name,
  run.environment,
  place.unique_id,
  place.version_id,
  MIN(LEAST(run.run_at, run.recorded_at)) AS first_run_at,
  MAX(LEAST(run.run_at, run.recorded_at)) AS last_run_at,
  COUNT(*) AS runs,
  COUNT(result.status) AS results,
  COUNT(
    CASE
      WHEN result.status IN ('error', 'fail', 'runtime error', 'partial success')
      THEN 1
    END
  ) AS failures,
  AVG(result.seconds) AS average_seconds,
  MAX(result.seconds) AS longest_seconds,
  MAX(
    CASE
      WHEN result.status IN ('success', 'pass')
      THEN LEAST(run.run_at, run.recorded_at)
    END
  ) AS last_success_at
FROM recce_metadata.store_runs AS run
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = run.graph_id
LEFT JOIN recce_metadata.store_run_results AS result
  ON result.run_id = run.run_id AND result.unique_id = place.unique_id
GROUP BY
  run.project_name,
  run.environment,
  place.unique_id,
  place.version_id;

-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE OR REPLACE VIEW recce_metadata.run_results AS
SELECT
  run_id,
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  completed_at
FROM recce_metadata.store_run_results;

-- One row per run that has a previous run in the same project and environment: the step from the previous run to this
-- run. The views of changes are based on steps; a first run has no previous run.
-- The previous run of a scan of a live database is the previous scan of the same scope (`command`), because objects
-- outside a scope are not removed. A scan is never the previous run of a run that is not a scan.
CREATE OR REPLACE VIEW recce_metadata.run_steps AS
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  previous_run_at,
  graph_id,
  previous_graph_id,
  macro_set_id,
  previous_macro_set_id,
  node_count,
  dbt_version,
  previous_dbt_version,
  extractor
FROM (
  SELECT
    run_id,
    LAG(run_id) OVER in_time AS previous_run_id,
    project_name,
    environment,
    run_at,
    LAG(run_at) OVER in_time AS previous_run_at,
    graph_id,
    LAG(graph_id) OVER in_time AS previous_graph_id,
    macro_set_id,
    LAG(macro_set_id) OVER in_time AS previous_macro_set_id,
    node_count,
    dbt_version,
    LAG(dbt_version) OVER in_time AS previous_dbt_version,
    extractor
  FROM recce_metadata.store_runs
  WHERE
    status = 'complete'
  WINDOW in_time AS (
    PARTITION BY project_name, environment, CASE WHEN extractor = 'database' THEN COALESCE(command, 'scan') ELSE 'run' END
    ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC
  )
) AS runs_in_time
WHERE
  previous_run_id IS NOT NULL;

-- One row per recorded run, written last: a run with a row is complete.
CREATE OR REPLACE VIEW recce_metadata.runs AS
SELECT
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
  column_graph_id,
  git_proven,
  status,
  reason,
  build_status,
  build_errors,
  build_failures,
  build_warnings,
  build_skipped,
  warnings,
  extraction
FROM recce_metadata.store_runs;

-- One row per object that arrived under the id of a stored one with other contents. Key: conflict_id. The stored object
-- was not changed.
CREATE OR REPLACE VIEW recce_metadata.sync_conflicts AS
SELECT
  conflict_id,
  detected_at,
  kind,
  object_id,
  run_id,
  project_name,
  peer,
  stored_hash,
  arriving_hash
FROM recce_metadata.store_sync_conflicts;

-- One row per push, pull or sync of this store with another one. Key: sync_id.
CREATE OR REPLACE VIEW recce_metadata.sync_history AS
SELECT
  sync_id,
  started_at,
  finished_at,
  direction,
  peer,
  author,
  sent,
  received,
  conflicts,
  skipped,
  failed,
  status,
  error
FROM recce_metadata.store_syncs;

-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE OR REPLACE VIEW recce_metadata.table_quality AS
SELECT
  quality_run_id,
  unique_id,
  name,
  relation,
  measured_at,
  row_count,
  sampled_rows,
  column_count,
  score,
  reason,
  notes
FROM recce_metadata.store_table_quality;

-- One row per measurement and measured table, with the previous measurement of the table in the same project and
-- environment. Key: quality_run_id, unique_id. `row_change` is a share of the previous count. `next_quality_run_id` is
-- the next measurement of the table, NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.table_quality_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  name,
  measured_at,
  row_count,
  previous_row_count,
  row_count - previous_row_count AS row_delta,
  CAST(row_count - previous_row_count AS DOUBLE PRECISION) / NULLIF(previous_row_count, 0) AS row_change,
  sampled_rows,
  column_count,
  score,
  previous_score,
  score - previous_score AS score_change,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    run.quality_run_id,
    run.run_id,
    run.project_name,
    run.environment,
    run.started_at,
    measured.unique_id,
    measured.name,
    measured.measured_at,
    measured.row_count,
    LAG(measured.row_count) OVER in_time AS previous_row_count,
    measured.sampled_rows,
    measured.column_count,
    measured.score,
    LAG(measured.score) OVER in_time AS previous_score,
    LAG(run.quality_run_id) OVER in_time AS previous_quality_run_id,
    LEAD(run.quality_run_id) OVER in_time AS next_quality_run_id
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_table_quality AS measured
    ON measured.quality_run_id = run.quality_run_id
  WHERE
    measured.row_count IS NOT NULL
  WINDOW in_time AS (
    PARTITION BY run.project_name, run.environment, measured.unique_id
    ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
  )
) AS tables_in_time;

-- One row per scan and relation with sizes or times in the catalog, with those of the previous scan in the same project
-- and environment. Key: run_id, unique_id. Estimates come from the warehouse and may lag.
-- `next_run_id` is the next scan with such figures, NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.table_size_history AS
SELECT
  run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  row_estimate,
  previous_row_estimate,
  row_estimate - previous_row_estimate AS row_delta,
  bytes,
  previous_bytes,
  bytes - previous_bytes AS byte_delta,
  created_at,
  altered_at,
  previous_run_id,
  next_run_id
FROM (
  SELECT
    runs.run_id,
    runs.project_name,
    runs.environment,
    runs.run_at,
    fact.unique_id,
    fact.row_estimate,
    LAG(fact.row_estimate) OVER in_time AS previous_row_estimate,
    fact.bytes,
    LAG(fact.bytes) OVER in_time AS previous_bytes,
    fact.created_at,
    fact.altered_at,
    LAG(runs.run_id) OVER in_time AS previous_run_id,
    LEAD(runs.run_id) OVER in_time AS next_run_id
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_fact_parts AS part
    ON part.run_id = runs.run_id
  JOIN recce_metadata.store_relation_facts AS fact
    ON fact.part_id = part.part_id
  WINDOW in_time AS (
    PARTITION BY runs.project_name, runs.environment, fact.unique_id
    ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
  )
) AS sizes_in_time;

-- One row per measurement, table, column and frequent value; `place` 1 is the most frequent.
-- Key: quality_run_id, unique_id, ordinal, place. `value_share` is of the measured rows; `value` is NULL for NULL.
CREATE OR REPLACE VIEW recce_metadata.top_value_history AS
SELECT
  run.quality_run_id,
  run.run_id,
  run.project_name,
  run.environment,
  run.started_at,
  frequent.unique_id,
  frequent.ordinal,
  frequent.column_name,
  frequent.place,
  frequent.value,
  frequent.value_kind,
  frequent.value_count,
  CAST(frequent.value_count AS DOUBLE PRECISION) / NULLIF(measured.row_count, 0) AS value_share
FROM recce_metadata.store_quality_runs AS run
JOIN recce_metadata.store_column_top_values AS frequent
  ON frequent.quality_run_id = run.quality_run_id
JOIN recce_metadata.store_column_quality AS measured
  ON measured.quality_run_id = frequent.quality_run_id
  AND measured.unique_id = frequent.unique_id
  AND measured.ordinal = frequent.ordinal;

-- One row per present note, tag or owner of a node, a column or an edge. Key: event_id. Belongs to the project, not to a
-- run.
CREATE OR REPLACE VIEW recce_metadata.annotations AS
SELECT
  event_id,
  project_name,
  unique_id,
  column_name,
  parent_id,
  parent_column,
  field,
  item,
  value,
  author,
  wall_ms,
  has_conflict
FROM recce_metadata.annotation_events
WHERE
  is_latest AND NOT value IS NULL;

-- One row per saved value diff and column. Key: diff_id, ordinal.
-- `status` is 'equal', 'changed', 'incomparable' (see `reason`), 'added' (only in current) or 'removed'.
CREATE OR REPLACE VIEW recce_metadata.column_diff_history AS
SELECT
  diff.diff_id,
  diff.taken_at,
  diff.project_name,
  diff.base_run_id,
  diff.current_run_id,
  diff.current_environment,
  diff.current_git_sha,
  diff.branch,
  diff.pull_request,
  diff.unique_id,
  diff.subject_name,
  item.ordinal,
  item.column_name,
  item.status,
  item.base_type,
  item.current_type,
  item.compared_as,
  item.matched,
  item.mismatched,
  CAST(item.matched AS DOUBLE PRECISION) / NULLIF(item.matched + item.mismatched, 0) AS match_share,
  item.null_to_value,
  item.value_to_null,
  item.mean_difference,
  item.largest_difference,
  item.reason
FROM recce_metadata.data_diff_history AS diff
JOIN recce_metadata.store_column_diffs AS item
  ON item.diff_id = diff.diff_id;

-- One row per project, environment, column and downstream effect of a change, in the latest run: its `column_impact`.
-- Filter by project_name and environment, and if possible by node_id and column_name.
-- Key: project_name, environment, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW recce_metadata.latest_column_impact AS
SELECT
  run.run_id,
  run.project_name,
  run.environment,
  impact.node_id,
  impact.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM recce_metadata.latest_runs AS run
JOIN recce_metadata.column_impact AS impact
  ON impact.run_id = run.run_id;

-- One row per column of the latest measurement of each table in each project and environment.
-- Key: project_name, environment, unique_id, ordinal. Shares are of the measured rows; the share of distinct values is
-- of the rows with a value. Values are strings and sort as strings; numbers are also in the `_number` columns.
-- `is_private` columns have no values.
CREATE OR REPLACE VIEW recce_metadata.latest_column_quality AS
SELECT
  latest.project_name,
  latest.environment,
  latest.unique_id,
  latest.name,
  measured.ordinal,
  measured.column_name,
  measured.column_type,
  latest.quality_run_id,
  latest.run_id,
  latest.measured_at,
  measured.row_count,
  latest.sampled_rows,
  measured.row_count - measured.not_null_count AS null_count,
  CAST(measured.row_count - measured.not_null_count AS DOUBLE PRECISION) / NULLIF(measured.row_count, 0) AS null_share,
  measured.distinct_count,
  CAST(measured.distinct_count AS DOUBLE PRECISION) / NULLIF(measured.not_null_count, 0) AS distinct_share,
  measured.is_approximate,
  measured.min_value,
  measured.max_value,
  measured.average_value,
  measured.median_value,
  measured.min_number,
  measured.max_number,
  measured.average_number,
  measured.median_number,
  measured.true_count,
  measured.min_length,
  measured.max_length,
  measured.average_length,
  measured.blank_count,
  measured.is_declared_unique,
  measured.is_private,
  measured.score,
  measured.reason
FROM recce_metadata.latest_table_quality AS latest
JOIN recce_metadata.store_column_quality AS measured
  ON measured.quality_run_id = latest.quality_run_id
  AND measured.unique_id = latest.unique_id;

-- One row per column of the latest scan of each project and environment. Key: run_id, unique_id, ordinal.
CREATE OR REPLACE VIEW recce_metadata.latest_columns AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.resource_type,
  item.ordinal,
  item.column_name,
  item.column_type,
  item.not_null,
  item.default_value,
  item.generated_as,
  item.identity_generation,
  item.collation_name,
  item.description
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.node_columns AS item
  ON item.run_id = scan.run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;

-- One row per constraint of the latest scan of each project and environment. Key: run_id, unique_id, ordinal.
CREATE OR REPLACE VIEW recce_metadata.latest_constraints AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.ordinal,
  item.constraint_name,
  item.constraint_type,
  item.column_names,
  item.expression,
  item.parent_id,
  item.on_update,
  item.on_delete,
  item.options
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.node_constraints AS item
  ON item.run_id = scan.run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;

-- One row per index of the latest scan of each project and environment, except indexes of constraints.
-- Key: run_id, unique_id, ordinal.
CREATE OR REPLACE VIEW recce_metadata.latest_indexes AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.ordinal,
  item.index_name,
  item.is_unique,
  item.definition
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.node_indexes AS item
  ON item.run_id = scan.run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;

-- One row per project, environment and node of its latest run: the last result of the node in dbt, and its run.
-- Key: project_name, environment, unique_id. An earlier run counts if it has the target of the latest run and a
-- command; without one, its results are those of another invocation.
-- `is_current` is true if neither the code of the node nor that of an ancestor has changed since the result until the
-- latest run, and NULL if this is unknown.
CREATE OR REPLACE VIEW recce_metadata.latest_results AS
SELECT
  run.project_name,
  run.environment,
  result.unique_id,
  result.status,
  result.seconds,
  result.rows_affected,
  result.bytes_processed,
  result.failures,
  result.message,
  result.completed_at,
  run.run_id,
  run.run_at,
  run.git_sha,
  CASE
    WHEN latest.extractor <> 'dbt'
    THEN CASE WHEN run.run_id = latest.run_id THEN TRUE END
    WHEN run.command LIKE '%--empty%' OR run.command LIKE '%--sample%'
    THEN FALSE
    WHEN run.run_id = latest.run_id
    THEN TRUE
    WHEN run.graph_id = latest.graph_id AND run.macro_set_id = latest.macro_set_id
    THEN TRUE
    WHEN step.step_id IS NULL
    THEN NULL
    WHEN change.unique_id IS NULL
    THEN TRUE
    WHEN change.is_certain
    THEN FALSE
  END AS is_current
FROM (
  SELECT
    aged.latest_run_id,
    measured.unique_id,
    MIN(aged.age) AS age
  FROM (
    SELECT
      latest.run_id AS latest_run_id,
      latest.graph_id AS latest_graph_id,
      runs.run_id,
      runs.run_at,
      runs.project_name,
      runs.environment,
      runs.git_sha,
      runs.command,
      runs.graph_id,
      runs.macro_set_id,
      ROW_NUMBER() OVER (
        PARTITION BY runs.project_name, runs.environment
        ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
      ) AS age
    FROM recce_metadata.latest_runs AS latest
    JOIN recce_metadata.store_runs AS runs
      ON runs.project_name = latest.project_name AND runs.environment = latest.environment
    WHERE
      runs.run_id = latest.run_id
      OR (
        runs.command IS NOT NULL
        AND latest.extractor = 'dbt'
        AND runs.extractor = 'dbt'
        AND runs.target_database IS NOT DISTINCT FROM latest.target_database
        AND runs.target_schema IS NOT DISTINCT FROM latest.target_schema
      )
  ) AS aged
  JOIN recce_metadata.store_run_results AS measured
    ON measured.run_id = aged.run_id
  GROUP BY
    aged.latest_run_id,
    measured.unique_id
) AS last_result
JOIN (
  SELECT
    latest.run_id AS latest_run_id,
    latest.graph_id AS latest_graph_id,
    runs.run_id,
    runs.run_at,
    runs.project_name,
    runs.environment,
    runs.git_sha,
    runs.command,
    runs.graph_id,
    runs.macro_set_id,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, runs.environment
      ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM recce_metadata.latest_runs AS latest
  JOIN recce_metadata.store_runs AS runs
    ON runs.project_name = latest.project_name AND runs.environment = latest.environment
  WHERE
    runs.run_id = latest.run_id
    OR (
      runs.command IS NOT NULL
      AND latest.extractor = 'dbt'
      AND runs.extractor = 'dbt'
      AND runs.target_database IS NOT DISTINCT FROM latest.target_database
      AND runs.target_schema IS NOT DISTINCT FROM latest.target_schema
    )
) AS run
  ON run.latest_run_id = last_result.latest_run_id AND run.age = last_result.age
JOIN recce_metadata.store_run_results AS result
  ON result.run_id = run.run_id AND result.unique_id = last_result.unique_id
JOIN recce_metadata.store_runs AS latest
  ON latest.run_id = run.latest_run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = latest.graph_id AND place.unique_id = result.unique_id
LEFT JOIN recce_metadata.store_code_steps AS step
  ON step.graph_id = latest.graph_id
  AND step.macro_set_id = latest.macro_set_id
  AND step.previous_graph_id = run.graph_id
  AND step.previous_macro_set_id = run.macro_set_id
LEFT JOIN recce_metadata.store_code_changes AS change
  ON change.step_id = step.step_id AND change.unique_id = result.unique_id;

-- One row per project, environment and node: the latest row count, its run, and the previous count.
-- Key: project_name, environment, unique_id.
-- `is_current` is true if neither the code of the node nor that of an ancestor has changed from the build of the counted
-- rows to the latest run of the environment, and NULL if this is unknown or if a later run built the node again. A run
-- that did not build the node counted the rows of the build before it. The count of a view that an earlier run than
-- the latest took is not known to be current: each read of a view has the rows of what it reads.
CREATE OR REPLACE VIEW recce_metadata.latest_row_counts AS
SELECT
  counted.project_name,
  counted.environment,
  counted.unique_id,
  counted.row_count,
  counted.counted_at,
  counted.run_id,
  counted.run_at,
  counted.git_sha,
  counted.previous_run_id,
  counted.previous_row_count,
  counted.row_delta,
  counted.row_change,
  CASE
    WHEN latest.extractor <> 'dbt'
    THEN CASE WHEN run.run_id = latest.run_id THEN TRUE END
    WHEN last_figure.is_node = 0
    THEN FALSE
    WHEN LOWER(result.status) IN ('error', 'runtime error', 'fail', 'partial success', 'skipped')
    THEN NULL
    WHEN result.run_id IS NULL
    THEN NULL
    WHEN builder.command LIKE '%--empty%' OR builder.command LIKE '%--sample%'
    THEN FALSE
    WHEN builder.run_id = latest.run_id
    THEN TRUE
    WHEN change.is_certain
    THEN FALSE
    WHEN last_figure.is_stored = 0 AND run.run_id <> latest.run_id
    THEN NULL
    WHEN builder.graph_id = latest.graph_id AND builder.macro_set_id = latest.macro_set_id
    THEN TRUE
    WHEN step.step_id IS NULL
    THEN NULL
    WHEN change.unique_id IS NULL
    THEN TRUE
  END AS is_current
FROM (
  SELECT
    project_name,
    environment,
    unique_id,
    MIN(count_age) AS count_age,
    MIN(result_age) AS result_age,
    MAX(is_node) AS is_node,
    MAX(is_stored) AS is_stored
  FROM (
    SELECT
      run.project_name,
      run.environment,
      figure.unique_id,
      run.age AS count_age,
      CAST(NULL AS BIGINT) AS result_age,
      0 AS is_node,
      0 AS is_stored
    FROM (
      SELECT
        run_id,
        project_name,
        environment,
        ROW_NUMBER() OVER (
          PARTITION BY project_name, environment
          ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
        ) AS age
      FROM recce_metadata.store_runs
    ) AS run
    JOIN recce_metadata.store_node_statistics AS figure
      ON figure.run_id = run.run_id
    WHERE
      figure.row_count IS NOT NULL
    UNION ALL
    SELECT
      run.project_name,
      run.environment,
      result.unique_id,
      CAST(NULL AS BIGINT) AS count_age,
      run.age AS result_age,
      0 AS is_node,
      0 AS is_stored
    FROM (
      SELECT
        run_id,
        project_name,
        environment,
        extractor,
        command,
        target_database,
        target_schema,
        ROW_NUMBER() OVER (
          PARTITION BY project_name, environment
          ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
        ) AS age
      FROM recce_metadata.store_runs
    ) AS run
    JOIN recce_metadata.latest_runs AS latest
      ON latest.project_name = run.project_name
      AND latest.environment = run.environment
      AND latest.extractor = run.extractor
      AND latest.target_database IS NOT DISTINCT FROM run.target_database
      AND latest.target_schema IS NOT DISTINCT FROM run.target_schema
    JOIN recce_metadata.store_run_results AS result
      ON result.run_id = run.run_id
    WHERE
      run.command IS NOT NULL OR run.run_id = latest.run_id
    UNION ALL
    SELECT
      latest.project_name,
      latest.environment,
      place.unique_id,
      CAST(NULL AS BIGINT) AS count_age,
      CAST(NULL AS BIGINT) AS result_age,
      1 AS is_node,
      CASE
        WHEN version.materialized IN ('incremental', 'seed', 'snapshot', 'table')
        THEN 1
        ELSE 0
      END AS is_stored
    FROM recce_metadata.latest_runs AS latest
    JOIN recce_metadata.store_graph_nodes AS place
      ON place.graph_id = latest.graph_id
    JOIN recce_metadata.store_node_versions AS version
      ON version.version_id = place.version_id
  ) AS figures
  GROUP BY
    project_name,
    environment,
    unique_id
) AS last_figure
JOIN (
  SELECT
    run_id,
    project_name,
    environment,
    target_database,
    target_schema,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM recce_metadata.store_runs
) AS run
  ON run.project_name = last_figure.project_name
  AND run.environment = last_figure.environment
  AND run.age = last_figure.count_age
JOIN recce_metadata.row_count_history AS counted
  ON counted.run_id = run.run_id AND counted.unique_id = last_figure.unique_id
LEFT JOIN recce_metadata.latest_runs AS latest
  ON latest.project_name = run.project_name AND latest.environment = run.environment
LEFT JOIN (
  SELECT
    run_id,
    project_name,
    environment,
    command,
    graph_id,
    macro_set_id,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM recce_metadata.store_runs
) AS builder
  ON builder.project_name = run.project_name
  AND builder.environment = run.environment
  AND builder.age = CASE
    WHEN run.target_database IS DISTINCT FROM latest.target_database
    THEN NULL
    WHEN run.target_schema IS DISTINCT FROM latest.target_schema
    THEN NULL
    WHEN last_figure.result_age >= run.age
    THEN last_figure.result_age
  END
LEFT JOIN recce_metadata.store_run_results AS result
  ON result.run_id = builder.run_id AND result.unique_id = last_figure.unique_id
LEFT JOIN recce_metadata.store_code_steps AS step
  ON step.graph_id = latest.graph_id
  AND step.macro_set_id = latest.macro_set_id
  AND step.previous_graph_id = builder.graph_id
  AND step.previous_macro_set_id = builder.macro_set_id
LEFT JOIN recce_metadata.store_code_changes AS change
  ON change.step_id = step.step_id AND change.unique_id = last_figure.unique_id;

-- One row per run and node that differs from the previous run of the same project and environment.
-- Key: run_id, unique_id. `status` is 'added', 'removed', 'modified' (different content), 'moved' (same content in
-- another database or schema or under another name) or 'rewritten' (the runs are of different dbt versions, which
-- serialise the same content differently).
-- The columns that end in `_changed` show what differs in nodes of both runs, ignoring whitespace in code. They are
-- NULL if a node was added or removed. `columns_changed` is also NULL if either run has no catalog.
--
-- Every dbt version writes different config keys, checksums and compiled SQL. Across versions, only the project's own
-- text is compared: code, columns, descriptions, parents, tags, and config keys that differ in both text and value.
-- Changes of the graph pairs in `graph_steps` are stored in `graph_changes`. Changes of other pairs are computed.
-- No common table expressions: PostgreSQL would not push conditions into them when the view is joined.
CREATE OR REPLACE VIEW recce_metadata.node_changes AS
SELECT
  step.run_id,
  step.previous_run_id,
  step.project_name,
  step.environment,
  step.run_at,
  change.unique_id,
  change.name,
  change.resource_type,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed,
  change.version_id,
  change.previous_version_id,
  change.relation_name,
  change.previous_relation_name
FROM recce_metadata.run_steps AS step
JOIN recce_metadata.store_graph_changes AS change
  ON change.previous_graph_id = step.previous_graph_id
  AND change.graph_id = step.graph_id
  AND change.same_dbt = (
    step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
  )
UNION ALL
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  name,
  resource_type,
  CASE
    WHEN previous_version_id IS NULL
    THEN 'added'
    WHEN version_id IS NULL
    THEN 'removed'
    WHEN code_changed
    OR config_changed
    OR columns_changed
    OR description_changed
    OR contract_changed
    OR rest_changed
    THEN 'modified'
    WHEN place_differs
    THEN 'moved'
    ELSE 'rewritten'
  END AS status,
  CASE WHEN both_there THEN code_changed END AS code_changed,
  CASE WHEN both_there THEN compiled_changed END AS compiled_changed,
  CASE WHEN both_there THEN config_changed END AS config_changed,
  CASE WHEN both_there THEN columns_changed END AS columns_changed,
  CASE WHEN both_there THEN description_changed END AS description_changed,
  CASE WHEN both_there THEN contract_changed END AS contract_changed,
  CASE WHEN both_there THEN place_differs END AS place_changed,
  version_id,
  previous_version_id,
  relation_name,
  previous_relation_name
FROM (
  SELECT
    pairs.*,
    COALESCE(node.name, previous.name) AS name,
    COALESCE(node.resource_type, previous.resource_type) AS resource_type,
    CASE
      WHEN pairs.same_dbt
      THEN node.code_hash IS DISTINCT FROM previous.code_hash
      ELSE node.properties ->> 'test_metadata' IS NULL
      AND COALESCE(node.code_hash <> previous.code_hash, FALSE)
    END AS code_changed,
    CASE
      WHEN (
        node.compiled_hash IS NULL
      ) = (
        previous.compiled_hash IS NULL
      )
      THEN node.compiled_hash IS DISTINCT FROM previous.compiled_hash
    END AS compiled_changed, /* dbt compiles only what an invocation selects. */
    CASE
      WHEN pairs.same_dbt
      THEN CAST(node.config AS TEXT) IS DISTINCT FROM CAST(previous.config AS TEXT)
      WHEN node.resource_type IN ('analysis', 'operation', 'source')
      THEN FALSE /* dbt does not build these */
      ELSE EXISTS(
        SELECT
          1
        FROM JSON_EACH_TEXT(CAST(node.unrendered_config AS JSON)) AS now
        FULL JOIN JSON_EACH_TEXT(CAST(previous.unrendered_config AS JSON)) AS before
          ON before.key = now.key
        CROSS JOIN LATERAL (
          SELECT
            REPLACE(COALESCE(now.key, before.key), '_hook', '-hook') AS key
        ) AS written
        WHERE
          NOT written.key IN (
            'database',
            'schema',
            'alias',
            'tags',
            'meta',
            'group',
            'access',
            'contract',
            'enabled',
            'quoting'
          )
          AND now.value IS DISTINCT FROM before.value
          AND LOWER(node.config ->> written.key) IS DISTINCT FROM LOWER(previous.config ->> written.key)
      )
    END AS config_changed,
    CASE
      WHEN node.columns_from IS DISTINCT FROM previous.columns_from
      THEN NULL
      WHEN pairs.same_dbt
      THEN CAST(node.columns AS TEXT) IS DISTINCT FROM CAST(previous.columns AS TEXT)
      ELSE (
        SELECT
          JSONB_AGG(
            JSONB_BUILD_ARRAY(
              LOWER(item.content ->> 'name'),
              LOWER(item.content ->> 'type'),
              item.content ->> 'description'
            ) ORDER BY item.ordinal
          )
        FROM JSON_ARRAY_ELEMENTS(CAST(node.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal)
      ) IS DISTINCT FROM (
        SELECT
          JSONB_AGG(
            JSONB_BUILD_ARRAY(
              LOWER(item.content ->> 'name'),
              LOWER(item.content ->> 'type'),
              item.content ->> 'description'
            ) ORDER BY item.ordinal
          )
        FROM JSON_ARRAY_ELEMENTS(CAST(previous.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal)
      )
    END AS columns_changed,
    node.description IS DISTINCT FROM previous.description AS description_changed,
    CASE
      WHEN pairs.same_dbt
      THEN CAST(node.contract AS TEXT) IS DISTINCT FROM CAST(previous.contract AS TEXT)
      ELSE (
        node.contract IS NULL
      ) <> (
        previous.contract IS NULL
      )
    END AS contract_changed,
    CASE
      WHEN pairs.same_dbt
      AND (
        node.compiled_hash IS NULL
      ) = (
        previous.compiled_hash IS NULL
      )
      AND COALESCE(node.columns_from, '') = COALESCE(previous.columns_from, '')
      THEN pairs.version_id <> pairs.previous_version_id
      ELSE node.materialized IS DISTINCT FROM previous.materialized
      OR COALESCE(node.access, 'protected') <> COALESCE(previous.access, 'protected')
      OR (
        node.resource_type <> 'test'
        AND node.group_name IS DISTINCT FROM previous.group_name
      )
      OR (
        node.resource_type <> 'operation'
        AND NOT (
          CAST(node.tags AS JSONB) @> CAST(previous.tags AS JSONB)
          AND CAST(previous.tags AS JSONB) @> CAST(node.tags AS JSONB)
        )
      )
      OR node.properties ->> 'source_description' IS DISTINCT FROM previous.properties ->> 'source_description'
      OR node.properties ->> 'owner' IS DISTINCT FROM previous.properties ->> 'owner'
      OR (
        node.resource_type = 'seed'
        AND node.checksum_rule = previous.checksum_rule
        AND node.checksum_rule <> 'path'
        AND node.checksum <> previous.checksum
      )
      OR (
        SELECT
          STRING_AGG(edge.parent_id, ' '
          ORDER BY
            edge.parent_id)
        FROM recce_metadata.store_version_parents AS edge
        WHERE
          edge.version_id = pairs.version_id AND NOT pairs.same_dbt
      ) IS DISTINCT FROM (
        SELECT
          STRING_AGG(edge.parent_id, ' '
          ORDER BY
            edge.parent_id)
        FROM recce_metadata.store_version_parents AS edge
        WHERE
          edge.version_id = pairs.previous_version_id AND NOT pairs.same_dbt
      )
    END AS rest_changed
  FROM (
    SELECT
      pairs.*,
      version_id IS NOT NULL AND previous_version_id IS NOT NULL AS both_there
    FROM (
      SELECT
        step.run_id,
        step.previous_run_id,
        step.project_name,
        step.environment,
        step.run_at,
        step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version AS same_dbt,
        pair.*
      FROM recce_metadata.run_steps AS step
      /* LATERAL: a join with some runs then reads only the graphs of these runs. */
      CROSS JOIN LATERAL (
        SELECT
          place.unique_id,
          MAX(CASE WHEN is_current THEN version_id END) AS version_id,
          MAX(CASE WHEN NOT is_current THEN version_id END) AS previous_version_id,
          MAX(CASE WHEN is_current THEN relation_name END) AS relation_name,
          MAX(CASE WHEN NOT is_current THEN relation_name END) AS previous_relation_name,
          (
            MAX(CASE WHEN is_current THEN database_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN database_name END)
            OR MAX(CASE WHEN is_current THEN schema_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN schema_name END)
            OR MAX(CASE WHEN is_current THEN identifier END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN identifier END)
            OR MAX(CASE WHEN is_current THEN relation_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN relation_name END)
          ) AS place_differs
        FROM (
          /* Parts that only one of the two graphs has; shared parts cannot differ. */
          SELECT
            part.part_id,
            BOOL_OR(part.graph_id = step.graph_id) AS is_current
          FROM recce_metadata.store_graph_parts AS part
          WHERE
            part.graph_id IN (step.graph_id, step.previous_graph_id)
          GROUP BY
            part.part_id
          HAVING
            COUNT(*) = 1
        ) AS parts
        JOIN recce_metadata.store_part_nodes AS place
          ON place.part_id = parts.part_id
        GROUP BY
          place.unique_id
      ) AS pair
      WHERE
        step.graph_id <> step.previous_graph_id
        AND /* Always true: the planner then expects few steps, and does not compile the query. */ step.graph_id || '' = step.graph_id
        AND NOT EXISTS(
          SELECT
            1
          FROM recce_metadata.store_graph_steps AS stored
          WHERE
            stored.previous_graph_id = step.previous_graph_id
            AND stored.graph_id = step.graph_id
            AND stored.same_dbt = (
              step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
            )
        )
    ) AS pairs
    WHERE
      version_id IS DISTINCT FROM previous_version_id OR place_differs
  ) AS pairs
  LEFT JOIN recce_metadata.store_node_versions AS node
    ON node.version_id = pairs.version_id
  LEFT JOIN recce_metadata.store_node_versions AS previous
    ON previous.version_id = pairs.previous_version_id
) AS compared
WHERE
  resource_type <> 'group'
  AND /* Versions also differ if only one side was compiled, or has a catalog. */ (
    NOT both_there
    OR NOT same_dbt
    OR code_changed
    OR compiled_changed
    OR config_changed
    OR columns_changed
    OR description_changed
    OR contract_changed
    OR rest_changed
    OR place_differs
  );

-- One row per run, node and column that differs from the previous run of the same project and environment. Key: run_id,
-- unique_id, column_name.
-- `status` is 'added', 'removed', 'retyped', 'altered' or 'reordered'. `node_status` shows if a column was removed
-- alone or with its node.
-- Column names are compared case-insensitively, and only if both runs have them from the same source.
-- Columns of scanned relations are compared by exact name. They are 'altered' if a catalog property other than the type
-- differs: nullability, default, generation, identity, collation or comment.
CREATE OR REPLACE VIEW recce_metadata.column_changes AS
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  name,
  column_name,
  CASE
    WHEN previous_ordinal IS NULL
    THEN 'added'
    WHEN ordinal IS NULL
    THEN 'removed'
    WHEN column_type IS DISTINCT FROM previous_column_type
    THEN 'retyped'
    WHEN definition IS DISTINCT FROM previous_definition
    THEN 'altered'
    ELSE 'reordered'
  END AS status,
  column_type,
  previous_column_type,
  ordinal,
  previous_ordinal,
  node_status
FROM (
  SELECT
    change.run_id,
    change.previous_run_id,
    change.project_name,
    change.environment,
    change.run_at,
    change.unique_id,
    change.name,
    change.status AS node_status,
    pair.*
  FROM recce_metadata.node_changes AS change
  CROSS JOIN LATERAL (
    SELECT
      COALESCE(
        MAX(CASE WHEN is_current THEN column_name END),
        MAX(CASE WHEN NOT is_current THEN column_name END)
      ) AS column_name,
      MAX(CASE WHEN is_current THEN column_type END) AS column_type,
      MAX(CASE WHEN NOT is_current THEN column_type END) AS previous_column_type,
      MAX(CASE WHEN is_current THEN definition END) AS definition,
      MAX(CASE WHEN NOT is_current THEN definition END) AS previous_definition,
      MAX(CASE WHEN is_current THEN ordinal END) AS ordinal,
      MAX(CASE WHEN NOT is_current THEN ordinal END) AS previous_ordinal
    FROM (
      SELECT
        side.is_current,
        item.content ->> 'name' AS column_name,
        item.content ->> 'type' AS column_type,
        CASE
          WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table')
          THEN item.content ->> 'name'
          ELSE LOWER(item.content ->> 'name')
        END AS column_key,
        CASE
          WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table')
          THEN CAST(item.content AS TEXT)
        END AS definition,
        item.ordinal
      FROM (VALUES
        (TRUE),
        (FALSE)) AS side(is_current)
      JOIN recce_metadata.store_node_versions AS node
        ON node.version_id = CASE WHEN side.is_current THEN change.version_id ELSE change.previous_version_id END
      CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal)
    ) AS sides
    GROUP BY
      column_key
  ) AS pair
  WHERE
    change.status IN ('added', 'removed') OR change.columns_changed
) AS pairs
WHERE
  ordinal IS DISTINCT FROM previous_ordinal
  OR column_type IS DISTINCT FROM previous_column_type
  OR definition IS DISTINCT FROM previous_definition;

-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes, so cycles terminate.
-- Impacts of the graph pairs with an `impacts_id` in `graph_steps` are stored in `graph_impacts`. One recursion computes
-- those of all other pairs: PostgreSQL would compile a lateral one for each query, even if it reads no run.
CREATE OR REPLACE VIEW recce_metadata.impacted_nodes AS
SELECT
  step.run_id,
  step.previous_run_id,
  step.project_name,
  step.environment,
  step.run_at,
  impact.changed_id,
  impact.changed_status,
  impact.unique_id,
  impact.distance
FROM recce_metadata.run_steps AS step
JOIN recce_metadata.store_graph_steps AS stored
  ON stored.previous_graph_id = step.previous_graph_id
  AND stored.graph_id = step.graph_id
  AND stored.same_dbt = (
    step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
  )
JOIN recce_metadata.store_graph_impacts AS impact
  ON impact.impacts_id = stored.impacts_id
UNION ALL
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  changed_id,
  changed_status,
  unique_id,
  distance
FROM (
  WITH RECURSIVE steps AS MATERIALIZED (
    SELECT
      step.*
    FROM recce_metadata.run_steps AS step
    WHERE
      step.graph_id <> step.previous_graph_id
      AND /* Always true, as below: PostgreSQL then expects few runs, and does not compile the query. */ step.graph_id || '' = step.graph_id
      AND NOT EXISTS(
        SELECT
          1
        FROM recce_metadata.store_graph_steps AS stored
        WHERE
          stored.previous_graph_id = step.previous_graph_id
          AND stored.graph_id = step.graph_id
          AND stored.same_dbt = (
            step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
          )
          AND stored.impacts_id <> ''
      )
  ), changes AS MATERIALIZED (
    SELECT
      change.run_id,
      change.unique_id,
      change.status
    FROM steps
    JOIN recce_metadata.node_changes AS change
      ON change.run_id = steps.run_id
    WHERE
      NOT change.status IN ('moved', 'rewritten')
      AND change.run_id || '' = change.run_id
  ), edges AS MATERIALIZED (
    SELECT
      steps.run_id,
      place.unique_id AS node_id,
      edge.parent_id
    FROM steps
    JOIN recce_metadata.store_graph_nodes AS place
      ON place.graph_id = steps.graph_id
    JOIN recce_metadata.store_version_parents AS edge
      ON edge.version_id = place.version_id
    UNION ALL
    SELECT
      steps.run_id,
      place.unique_id AS node_id,
      edge.parent_id
    FROM steps
    JOIN recce_metadata.store_graph_nodes AS place
      ON place.graph_id = steps.previous_graph_id
    JOIN recce_metadata.store_version_parents AS edge
      ON edge.version_id = place.version_id
    JOIN changes
      ON changes.run_id = steps.run_id
      AND changes.unique_id = edge.parent_id
      AND changes.status = 'removed'
  ), reached AS (
    SELECT
      changes.run_id,
      changes.unique_id AS changed_id,
      changes.status AS changed_status,
      changes.unique_id,
      0 AS distance,
      limits.most
    FROM changes
    JOIN (
      /* Paths may pass removed nodes as well. */
      SELECT
        steps.run_id,
        MAX(steps.node_count) + COUNT(changes.unique_id) AS most
      FROM steps
      JOIN changes
        ON changes.run_id = steps.run_id
      GROUP BY
        steps.run_id
    ) AS limits
      ON limits.run_id = changes.run_id
    UNION
    SELECT
      reached.run_id,
      reached.changed_id,
      reached.changed_status,
      edges.node_id,
      reached.distance + 1,
      reached.most
    FROM reached
    JOIN edges
      ON edges.run_id = reached.run_id AND edges.parent_id = reached.unique_id
    WHERE
      edges.node_id <> reached.changed_id AND reached.distance < reached.most
  )
  SELECT
    steps.run_id,
    steps.previous_run_id,
    steps.project_name,
    steps.environment,
    steps.run_at,
    nearest.changed_id,
    nearest.changed_status,
    nearest.unique_id,
    nearest.distance
  FROM (
    SELECT
      run_id,
      changed_id,
      changed_status,
      unique_id,
      MIN(distance) AS distance
    FROM reached
    WHERE
      distance > 0
    GROUP BY
      run_id,
      changed_id,
      changed_status,
      unique_id
  ) AS nearest
  JOIN steps
    ON steps.run_id = nearest.run_id
) AS computed;

-- One row per table and view of the latest scan of each project and environment. Key: run_id, unique_id.
-- `resource_type` is table, view, materialized_view or external_table; `definition` is a view's SQL. Values
-- missing in the catalog are NULL; `row_estimate` is the warehouse's own estimate.
CREATE OR REPLACE VIEW recce_metadata.latest_tables AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  place.unique_id,
  place.database_name,
  place.schema_name,
  node.name,
  node.resource_type,
  place.relation_name,
  node.properties ->> 'owner' AS owner,
  node.description,
  COALESCE(described.column_count, 0) AS column_count,
  COALESCE(constrained.primary_keys, 0) > 0 AS has_primary_key,
  COALESCE(constrained.foreign_keys, 0) AS foreign_key_count,
  COALESCE(indexed.index_count, 0) AS index_count,
  fact.row_estimate,
  fact.bytes,
  fact.created_at,
  fact.altered_at,
  node.properties ->> 'partition_key' AS partition_key,
  node.properties ->> 'partition_of' AS partition_of,
  node.raw_code AS definition,
  place.version_id
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(*) AS column_count
  FROM recce_metadata.latest_columns
  GROUP BY
    run_id,
    unique_id
) AS described
  ON described.run_id = scan.run_id AND described.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(CASE WHEN constraint_type = 'primary_key' THEN 1 END) AS primary_keys,
    COUNT(CASE WHEN constraint_type = 'foreign_key' THEN 1 END) AS foreign_keys
  FROM recce_metadata.latest_constraints
  GROUP BY
    run_id,
    unique_id
) AS constrained
  ON constrained.run_id = scan.run_id AND constrained.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(*) AS index_count
  FROM recce_metadata.latest_indexes
  GROUP BY
    run_id,
    unique_id
) AS indexed
  ON indexed.run_id = scan.run_id AND indexed.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    part.run_id,
    known.unique_id,
    known.row_estimate,
    known.bytes,
    known.created_at,
    known.altered_at
  FROM recce_metadata.store_fact_parts AS part
  JOIN recce_metadata.store_relation_facts AS known
    ON known.part_id = part.part_id
) AS fact
  ON fact.run_id = scan.run_id AND fact.unique_id = place.unique_id
WHERE
  node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');

-- hand-written: LATERAL, so a join with some runs reads only the nodes of these runs
-- One row per run and edge that differs from the previous run: 'added' if only this run has it, 'removed' if only the
-- previous run has it. Key: run_id, node_id, parent_id.
-- Edges belong to the version of their child: only nodes with a changed version are compared; `node_status` is the
-- child's status.
CREATE OR REPLACE VIEW recce_metadata.lineage_changes AS
SELECT
  change.run_id,
  change.previous_run_id,
  change.project_name,
  change.environment,
  change.run_at,
  change.unique_id AS node_id,
  step.parent_id,
  step.status,
  change.status AS node_status
FROM recce_metadata.node_changes AS change
CROSS JOIN LATERAL (
  SELECT
    edge.parent_id,
    CASE WHEN BOOL_OR(edge.version_id = change.version_id) THEN 'added' ELSE 'removed' END AS status
  FROM recce_metadata.store_version_parents AS edge
  WHERE
    edge.version_id IN (change.version_id, change.previous_version_id)
    AND change.version_id IS DISTINCT FROM change.previous_version_id
  GROUP BY edge.parent_id
  HAVING COUNT(*) = 1
) AS step;

-- One row per schema of the latest scan of each project and environment. Key: run_id, unique_id.
-- `table_count` counts tables and external tables, `view_count` views and materialized views. `row_estimate` and
-- `bytes` are sums of the relations that have these values in the catalog.
CREATE OR REPLACE VIEW recce_metadata.latest_schemas AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  place.unique_id,
  place.database_name,
  place.schema_name,
  node.properties ->> 'owner' AS owner,
  node.description,
  COALESCE(held.table_count, 0) AS table_count,
  COALESCE(held.view_count, 0) AS view_count,
  COALESCE(held.column_count, 0) AS column_count,
  held.row_estimate,
  held.bytes
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    run_id,
    schema_name,
    COUNT(CASE WHEN resource_type IN ('table', 'external_table') THEN 1 END) AS table_count,
    COUNT(CASE WHEN resource_type IN ('view', 'materialized_view') THEN 1 END) AS view_count,
    CAST(SUM(column_count) AS BIGINT) AS column_count,
    CAST(SUM(row_estimate) AS BIGINT) AS row_estimate,
    CAST(SUM(bytes) AS BIGINT) AS bytes
  FROM recce_metadata.latest_tables
  GROUP BY
    run_id,
    schema_name
) AS held
  ON held.run_id = scan.run_id AND held.schema_name = place.schema_name
WHERE
  node.resource_type = 'schema';

-- Four rows per scan with a previous scan of the same scope, project and environment: the number of schemas, tables,
-- views and columns that were added, removed, modified and unchanged since.
-- Key: run_id, object_type. `object_type` is 'schema', 'table' (including external tables), 'view' (including
-- materialized views) or 'column'.
-- A table that became a view is a modified view. A table is modified if its columns, constraints, indexes, owner,
-- comment or options differ. A view is modified if one of these or its SQL differs.
-- Columns of added and removed relations count as added and removed. A column with only a changed position is
-- unchanged.
CREATE OR REPLACE VIEW recce_metadata.schema_diff_summary AS
WITH steps AS (
  SELECT
    run_id,
    previous_run_id,
    project_name,
    environment,
    run_at,
    graph_id
  FROM recce_metadata.run_steps
  WHERE
    extractor = 'database'
), present AS (
  SELECT
    steps.run_id,
    CASE
      WHEN node.resource_type = 'schema'
      THEN 'schema'
      WHEN node.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END AS object_type,
    COUNT(*) AS there
  FROM steps
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = steps.graph_id
  JOIN recce_metadata.store_node_versions AS node
    ON node.version_id = place.version_id
  GROUP BY
    steps.run_id,
    CASE
      WHEN node.resource_type = 'schema'
      THEN 'schema'
      WHEN node.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END
  UNION ALL
  SELECT
    steps.run_id,
    'column' AS object_type,
    COUNT(*) AS there
  FROM steps
  JOIN recce_metadata.node_columns AS item
    ON item.run_id = steps.run_id
  GROUP BY
    steps.run_id
), changes AS (
  SELECT
    change.run_id,
    CASE
      WHEN change.resource_type = 'schema'
      THEN 'schema'
      WHEN change.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END AS object_type,
    change.status
  FROM steps
  JOIN recce_metadata.node_changes AS change
    ON change.run_id = steps.run_id
  UNION ALL
  SELECT
    change.run_id,
    'column' AS object_type,
    CASE
      WHEN change.status IN ('retyped', 'altered')
      THEN 'modified'
      WHEN change.status = 'reordered'
      THEN 'moved'
      ELSE change.status
    END AS status
  FROM steps
  JOIN recce_metadata.column_changes AS change
    ON change.run_id = steps.run_id
), counted AS (
  SELECT
    run_id,
    object_type,
    COUNT(CASE WHEN status = 'added' THEN 1 END) AS added,
    COUNT(CASE WHEN status = 'removed' THEN 1 END) AS removed,
    COUNT(CASE WHEN status = 'modified' THEN 1 END) AS modified
  FROM changes
  GROUP BY
    run_id,
    object_type
)
SELECT
  steps.run_id,
  steps.previous_run_id,
  steps.project_name,
  steps.environment,
  steps.run_at,
  object.object_type,
  COALESCE(counted.added, 0) AS added,
  COALESCE(counted.removed, 0) AS removed,
  COALESCE(counted.modified, 0) AS modified,
  COALESCE(present.there, 0) - COALESCE(counted.added, 0) - COALESCE(counted.modified, 0) AS unchanged
FROM steps
CROSS JOIN (
  SELECT
    'schema' AS object_type
  UNION ALL
  SELECT
    'table' AS object_type
  UNION ALL
  SELECT
    'view' AS object_type
  UNION ALL
  SELECT
    'column' AS object_type
) AS object
LEFT JOIN present
  ON present.run_id = steps.run_id AND present.object_type = object.object_type
LEFT JOIN counted
  ON counted.run_id = steps.run_id AND counted.object_type = object.object_type;

INSERT INTO recce_metadata.store (schema_version, migrated_at, written_at, read_version, migrated_by) VALUES
  (16, '2026-11-22T16:53:48.955138+00:00', '2026-01-05T10:00:00+00:00', 9, '0.1.0');
INSERT INTO recce_metadata.store_runs (run_id, run_at, project_name, environment, invocation_id, extractor, dbt_version, adapter_type, manifest_version, target_name, target_database, target_schema, git_sha, branch, git_dirty, pull_request, command, node_count, edge_count, recorded_at, recorder_version, graph_id, macro_set_id, column_graph_id, git_proven, status, reason, build_status, build_errors, build_failures, build_warnings, build_skipped, warnings, extraction) VALUES
  ('run-1', '2026-01-01T10:00:00+00:00', 'shop', 'base', NULL, 'dbt', '1.10.0', 'duckdb', 'v12', 'prod', 'db', 'prod', 'abcdef0123', 'main', FALSE, NULL, 'build', 2, 1, '2026-01-01T10:05:00+00:00', '0.1.0', '93d9e49679a5b0466804f8a7a21e93c4', '2a8c28b988d59804c9d91d990d62b912', 'bb0ab0e6611c71622042e8e476c9b2be', NULL, 'complete', NULL, 'success', 0, 0, 0, 0, NULL, NULL),
  ('run-2', '2026-01-02T10:00:00+00:00', 'shop', 'current', NULL, 'dbt', '1.10.0', 'duckdb', 'v12', 'pr_7', 'db', 'pr_7', '0123abcdef', 'tidy', FALSE, '7', 'build', 2, 1, '2026-01-02T10:05:00+00:00', '0.1.0', '4370c019f11667fe47e5f01a25ed6f40', '2a8c28b988d59804c9d91d990d62b912', NULL, NULL, 'complete', NULL, 'success', 0, 0, 0, 0, NULL, NULL);
INSERT INTO recce_metadata.store_graph_parts (graph_id, part_id) VALUES
  ('4370c019f11667fe47e5f01a25ed6f40', '58b33e0850dc0f44e90701b407650982'),
  ('4370c019f11667fe47e5f01a25ed6f40', 'b901d74c58b6cd4afc15dfa9c53778cd'),
  ('4370c019f11667fe47e5f01a25ed6f40', 'c4e0f1543e5ba38e5f7ef13b4ced0ab2'),
  ('93d9e49679a5b0466804f8a7a21e93c4', '16a92f583ce160983069a29032e3e9ad'),
  ('93d9e49679a5b0466804f8a7a21e93c4', '58b33e0850dc0f44e90701b407650982'),
  ('93d9e49679a5b0466804f8a7a21e93c4', '6ab4620198b456bc7ac10a87b281cb2a');
INSERT INTO recce_metadata.store_part_nodes (part_id, unique_id, version_id, database_name, schema_name, identifier, relation_name) VALUES
  ('16a92f583ce160983069a29032e3e9ad', 'model.shop.orders', '215000b135b315333d1e32106aafe658', 'db', 'prod', 'orders', '"db"."prod"."orders"'),
  ('58b33e0850dc0f44e90701b407650982', 'group.shop.finance', '6ef8b3eb19e508ad4e3981c4899f55a9', NULL, NULL, NULL, NULL),
  ('6ab4620198b456bc7ac10a87b281cb2a', 'seed.shop.raw', '676e05fbb2e283a0869c2c8d5de8d6ed', 'db', 'prod', 'raw', '"db"."prod"."raw"'),
  ('b901d74c58b6cd4afc15dfa9c53778cd', 'seed.shop.raw', '676e05fbb2e283a0869c2c8d5de8d6ed', 'db', 'pr_7', 'raw', '"db"."pr_7"."raw"'),
  ('c4e0f1543e5ba38e5f7ef13b4ced0ab2', 'model.shop.orders', '8bae27adc856f07a6836715ec2b7653f', 'db', 'pr_7', 'orders', '"db"."pr_7"."orders"');
INSERT INTO recce_metadata.store_node_versions (version_id, unique_id, name, resource_type, package_name, path, fqn, materialized, language, raw_code, compiled_code, checksum, checksum_rule, code_hash, compiled_hash, config, unrendered_config, columns, columns_from, description, tags, meta, access, group_name, version, source_name, contract, macros, properties) VALUES
  ('215000b135b315333d1e32106aafe658', 'model.shop.orders', 'orders', 'model', 'shop', 'models/orders', '["shop", "orders"]', 'table', 'sql', 'select id, amount from {{ ref(''raw'') }} -- ünï', 'select id, amount from ⟦seed.shop.raw⟧ -- ünï', 'abc', 'stripped', 'hash-amount', '86edeaaf7e1e318451b954a8a1fd053969563c58e1283c3c4609b7faba47eda4', '{"materialized": "table", "n": 1.0}', '{}', '[{"name": "id", "type": "INTEGER"}, {"name": "amount"}]', 'catalog', 'All orders', '["daily"]', '{}', 'protected', NULL, NULL, NULL, '{"enforced": false}', '["macro.shop.cents"]', '{}'),
  ('676e05fbb2e283a0869c2c8d5de8d6ed', 'seed.shop.raw', 'raw', 'seed', 'shop', 'seeds/raw', '["shop", "raw"]', 'seed', 'sql', '', NULL, 'def', 'file', 'hash-raw', NULL, '{}', '{}', '[]', NULL, '', '[]', '{}', NULL, NULL, NULL, NULL, NULL, '[]', '{}'),
  ('6ef8b3eb19e508ad4e3981c4899f55a9', 'group.shop.finance', 'finance', 'group', 'shop', 'models/groups.yml', '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', '[]', NULL, '', '[]', '{}', NULL, NULL, NULL, NULL, NULL, '[]', '{"owner": {"name": "Ada"}}'),
  ('8bae27adc856f07a6836715ec2b7653f', 'model.shop.orders', 'orders', 'model', 'shop', 'models/orders', '["shop", "orders"]', 'table', 'sql', 'select id, amount * 2 from {{ ref(''raw'') }} -- ünï', 'select id, amount * 2 from ⟦seed.shop.raw⟧ -- ünï', 'abc', 'stripped', 'hash-amount * 2', '9ef08ed79a07c89f038b4f252e0d9bd1bc1b6414b68f2a20176a7c052f8576d5', '{"materialized": "table", "n": 1.0}', '{}', '[{"name": "id", "type": "INTEGER"}, {"name": "amount"}]', 'catalog', 'All orders', '["daily"]', '{}', 'protected', NULL, NULL, NULL, '{"enforced": false}', '["macro.shop.cents"]', '{}');
INSERT INTO recce_metadata.store_version_parents (version_id, parent_id, kind, confidence) VALUES
  ('215000b135b315333d1e32106aafe658', 'seed.shop.raw', 'ref', 1.0),
  ('8bae27adc856f07a6836715ec2b7653f', 'seed.shop.raw', 'ref', 1.0);
INSERT INTO recce_metadata.store_macros (version_id, unique_id, name, package_name, path, macro_sql, code_hash, macros) VALUES
  ('3a67483a4cf5adef60e198630cf5011c', 'macro.shop.cents', 'cents', 'shop', 'macros/cents.sql', '{% macro cents() %}1{% endmacro %}', 'hash-cents', '[]');
INSERT INTO recce_metadata.store_macro_sets (macro_set_id, version_id) VALUES
  ('2a8c28b988d59804c9d91d990d62b912', '3a67483a4cf5adef60e198630cf5011c');
INSERT INTO recce_metadata.store_run_results (run_id, unique_id, status, seconds, rows_affected, bytes_processed, failures, message, completed_at) VALUES
  ('run-1', 'model.shop.orders', 'success', 1.5, 10, NULL, NULL, 'OK', '2026-01-01T10:00:01.250000Z'),
  ('run-2', 'model.shop.orders', 'success', 1.5, 10, NULL, NULL, 'OK', '2026-01-01T10:00:01.250000Z');
INSERT INTO recce_metadata.store_node_statistics (run_id, unique_id, row_count, counted_at, reason, profile_reason) VALUES
  ('run-1', 'model.shop.orders', 10, '2026-01-01T10:05:00+00:00', NULL, NULL);
INSERT INTO recce_metadata.store_column_statistics (run_id, unique_id, ordinal, column_name, column_type, profiled_at, row_count, not_null_count, distinct_count, is_approximate, min_value, max_value, average_value, median_value, min_number, max_number, average_number, median_number, value_kinds, true_count, min_length, max_length, average_length) VALUES
  ('run-1', 'model.shop.orders', 1, 'id', 'INTEGER', '2026-01-01T10:05:00+00:00', 10, 9, 9, FALSE, '1', '10', '5.5', '5', 1.0, 10.0, 5.5, 5.0, '{"min": "int", "max": "int", "average": "decimal", "median": "int"}', NULL, NULL, NULL, NULL);
INSERT INTO recce_metadata.store_column_parts (column_graph_id, part_id) VALUES
  ('bb0ab0e6611c71622042e8e476c9b2be', 'b1c93bdde4fc5e817753e28ecce78a22'),
  ('bb0ab0e6611c71622042e8e476c9b2be', 'f9092a5e035edc2c0c5b7509286d57ee');
INSERT INTO recce_metadata.store_column_part_nodes (part_id, unique_id, lineage_id) VALUES
  ('b1c93bdde4fc5e817753e28ecce78a22', 'seed.shop.raw', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
  ('f9092a5e035edc2c0c5b7509286d57ee', 'model.shop.orders', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
INSERT INTO recce_metadata.store_column_analyses (lineage_id, tier, reason) VALUES
  ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'gold', NULL),
  ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'gold', NULL);
INSERT INTO recce_metadata.store_column_edges (lineage_id, ordinal, column_name, parent_id, parent_column, kind, expression, confidence) VALUES
  ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'id', NULL, NULL, 'source', NULL, NULL),
  ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 2, 'amount', NULL, NULL, 'source', NULL, NULL),
  ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1, 'id', 'seed.shop.raw', 'id', 'passthrough', NULL, 1.0),
  ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 2, 'amount', 'seed.shop.raw', 'amount', 'derived', 'amount * 2', 0.9),
  ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 3, NULL, 'seed.shop.raw', 'id', 'filter', NULL, 1.0);
INSERT INTO recce_metadata.store_quality_runs (quality_run_id, run_id, project_name, environment, started_at, finished_at, target_name, sample_percent, sample_rows, sample_seed, keeps_values, table_count, failed_count, score, recorder_version, status, reason) VALUES
  ('quality-1', 'run-1', 'shop', 'base', '2026-01-03T10:00:00+00:00', '2026-01-03T10:00:00+00:00', 'prod', NULL, NULL, NULL, TRUE, 1, 0, 90.0, '0.1.0', 'complete', NULL);
INSERT INTO recce_metadata.store_table_quality (quality_run_id, unique_id, name, relation, measured_at, row_count, sampled_rows, column_count, score, reason, notes) VALUES
  ('quality-1', 'model.shop.orders', 'orders', '"db"."prod"."orders"', '2026-01-03T10:00:00+00:00', 10, NULL, 1, 90.0, NULL, '["ünï"]');
INSERT INTO recce_metadata.store_column_quality (quality_run_id, unique_id, ordinal, column_name, column_type, row_count, not_null_count, distinct_count, is_approximate, min_value, max_value, average_value, median_value, min_number, max_number, average_number, median_number, value_kinds, true_count, min_length, max_length, average_length, blank_count, is_declared_unique, is_private, score, reason) VALUES
  ('quality-1', 'model.shop.orders', 1, 'id', 'INTEGER', 10, 9, 9, FALSE, '1', '9', NULL, NULL, 1.0, 9.0, NULL, NULL, '{"min": "int", "max": "int"}', NULL, NULL, NULL, NULL, NULL, TRUE, FALSE, 90.0, NULL);
INSERT INTO recce_metadata.store_column_top_values (quality_run_id, unique_id, ordinal, place, column_name, value, value_kind, value_count) VALUES
  ('quality-1', 'model.shop.orders', 1, 1, 'id', '1', 'int', 1);
INSERT INTO recce_metadata.store_quality_metrics (quality_run_id, unique_id, ordinal, place, column_name, metric_name, value, value_kind, value_number, threshold, holds, reason) VALUES
  ('quality-1', 'model.shop.orders', 1, 1, 'id', 'm', '3', 'int', 3.0, '> 1', TRUE, NULL);
INSERT INTO recce_metadata.store_check_results (check_result_id, checked_at, base_run_id, current_run_id, origin, file_name, ordinal, check_name, check_type, description, status, has_expectations, is_optional, node_count, differing_nodes, uncompared_nodes, message, violations, findings, seconds, parameters, recorder_version) VALUES
  ('check-1', '2026-01-04T10:00:00+00:00', 'run-1', 'run-2', 'recce_meta', 'checks.yml', 1, 'rows', 'row_count', '', 'failed', FALSE, FALSE, 2, 1, 0, 'differs', '[]', '["ünï"]', 0.5, '{}', '0.1.0');
INSERT INTO recce_metadata.store_reviews (review_id, reviewed_at, project_name, base_run_id, current_run_id, unique_id, check_name, status, comment, reviewer, fingerprint, recorder_version) VALUES
  ('review-1', '2026-01-05T10:00:00+00:00', 'shop', 'run-1', 'run-2', 'model.shop.orders', NULL, 'approved', 'ünï', 'ada', 'f', '0.1.0');
INSERT INTO recce_metadata.store_annotation_events (event_id, project_name, unique_id, column_name, parent_id, parent_column, field, item, value, author, wall_ms, counter, writer_id, recorder_version) VALUES
  ('ac40057aa27ba762a7f037f05b41263c', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'note', '', 'first', 'ada', 1767600000000, 0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0'),
  ('360643beb72ee8224f6ae2cbbd589990', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'note', '', 'by a clock ten years ahead — ünï', 'ada', 2082960000000, 0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0'),
  ('3e838c3557d59c27c85d2f0158f48974', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'note', '', 'the last one', 'ada', 2082960000000, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0'),
  ('42c99990b0e637fb9d576a5f63e57be8', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'tag', 'pii', 'true', 'ada', 1767600000001, 0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0'),
  ('4714302f90faa77064b6faa93bfb1fbf', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'tag', 'pii', NULL, 'ada', 1767600000002, 0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0'),
  ('08dc36b1c92d42d5ccf9118903af5ae3', 'shop', 'model.shop.orders', NULL, NULL, NULL, 'owner', 'finance', 'true', 'ada', 1767600000003, 0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0.1.0');
INSERT INTO recce_metadata.store_tombstones (run_id, project_name, deleted_at, deleted_by, reason, recorder_version) VALUES
  ('run-0', 'shop', '2016-01-05T10:00:00+00:00', 'ada', 'prune --keep-last 2', '0.1.0');
