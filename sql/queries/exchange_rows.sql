-- Rows of the objects or pieces whose ids are in a newline-separated list: one query per table of an exchange.
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
  CAST(warnings AS TEXT) AS warnings,
  CAST(extraction AS TEXT) AS extraction,
  CAST(variables AS TEXT) AS variables,
  run_started_at,
  run_completed_at,
  elapsed_time,
  full_refresh,
  CAST(args AS TEXT) AS args,
  CAST(job AS TEXT) AS job,
  commit_url,
  critical_path
FROM store_runs
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  content_hash
FROM store_run_hashes
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  completed_at,
  compile_started_at,
  compile_completed_at,
  execute_started_at,
  execute_completed_at,
  thread_id,
  query_id,
  CAST(adapter_response AS TEXT) AS adapter_response,
  CAST(failed_rows AS TEXT) AS failed_rows
FROM store_run_results
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  unique_id,
  status,
  max_loaded_at,
  snapshotted_at,
  max_loaded_at_time_ago_in_s,
  CAST(criteria AS TEXT) AS criteria,
  error
FROM store_source_freshness
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  part_id
FROM store_fact_parts
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  unique_id,
  row_count,
  counted_at,
  reason,
  profile_reason
FROM store_node_statistics
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
  CAST(value_kinds AS TEXT) AS value_kinds,
  true_count,
  min_length,
  max_length,
  average_length
FROM store_column_statistics
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
FROM store_quality_runs
WHERE quality_run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
  CAST(notes AS TEXT) AS notes
FROM store_table_quality
WHERE quality_run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
  CAST(value_kinds AS TEXT) AS value_kinds,
  true_count,
  min_length,
  max_length,
  average_length,
  blank_count,
  is_declared_unique,
  is_private,
  score,
  reason
FROM store_column_quality
WHERE quality_run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  quality_run_id,
  unique_id,
  ordinal,
  place,
  column_name,
  value,
  value_kind,
  value_count
FROM store_column_top_values
WHERE quality_run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
FROM store_quality_metrics
WHERE quality_run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  diff_id,
  taken_at,
  base_run_id,
  current_run_id,
  unique_id,
  subject_name,
  base_relation,
  current_relation,
  diff_type,
  is_equal,
  base_rows,
  current_rows,
  added_rows,
  removed_rows,
  common_rows,
  changed_rows,
  differing_columns,
  error,
  CAST(parameters AS TEXT) AS parameters,
  CAST(result AS TEXT) AS result,
  recorder_version
FROM store_data_diffs
WHERE diff_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  diff_id,
  ordinal,
  column_name,
  status,
  base_type,
  current_type,
  compared_as,
  matched,
  mismatched,
  null_to_value,
  value_to_null,
  mean_difference,
  largest_difference,
  reason
FROM store_column_diffs
WHERE diff_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  check_result_id,
  checked_at,
  base_run_id,
  current_run_id,
  origin,
  file_name,
  ordinal,
  check_name,
  check_type,
  description,
  status,
  has_expectations,
  is_optional,
  node_count,
  differing_nodes,
  uncompared_nodes,
  message,
  CAST(violations AS TEXT) AS violations,
  CAST(findings AS TEXT) AS findings,
  seconds,
  CAST(parameters AS TEXT) AS parameters,
  recorder_version
FROM store_check_results
WHERE check_result_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
  recorder_version
FROM store_reviews
WHERE review_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

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
  replaces
FROM store_annotation_events
WHERE event_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  run_id,
  project_name,
  deleted_at,
  deleted_by,
  reason,
  recorder_version
FROM store_tombstones
WHERE run_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  graph_id,
  part_id
FROM store_graph_parts
WHERE graph_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  part_id,
  unique_id,
  version_id,
  database_name,
  schema_name,
  identifier,
  relation_name
FROM store_part_nodes
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  version_id,
  unique_id,
  name,
  resource_type,
  package_name,
  path,
  CAST(fqn AS TEXT) AS fqn,
  materialized,
  language,
  raw_code,
  compiled_code,
  checksum,
  checksum_rule,
  code_hash,
  compiled_hash,
  CAST(config AS TEXT) AS config,
  CAST(unrendered_config AS TEXT) AS unrendered_config,
  CAST(columns AS TEXT) AS columns,
  columns_from,
  description,
  CAST(tags AS TEXT) AS tags,
  CAST(meta AS TEXT) AS meta,
  access,
  group_name,
  version,
  source_name,
  CAST(contract AS TEXT) AS contract,
  CAST(macros AS TEXT) AS macros,
  CAST(properties AS TEXT) AS properties
FROM store_node_versions
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  version_id,
  parent_id,
  kind,
  confidence
FROM store_version_parents
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  version_id,
  ordinal,
  name,
  parent_id,
  CAST(columns AS TEXT) AS columns,
  CAST(parent_columns AS TEXT) AS parent_columns,
  on_update,
  on_delete
FROM store_version_references
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  macro_set_id,
  version_id
FROM store_macro_sets
WHERE macro_set_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  version_id,
  unique_id,
  name,
  package_name,
  path,
  macro_sql,
  code_hash,
  CAST(macros AS TEXT) AS macros
FROM store_macros
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  column_graph_id,
  part_id
FROM store_column_parts
WHERE column_graph_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  part_id,
  unique_id,
  lineage_id
FROM store_column_part_nodes
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  lineage_id,
  tier,
  reason
FROM store_column_analyses
WHERE lineage_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  lineage_id,
  ordinal,
  column_name,
  parent_id,
  parent_column,
  kind,
  expression,
  confidence
FROM store_column_edges
WHERE lineage_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT
  part_id,
  unique_id,
  row_estimate,
  bytes,
  created_at,
  altered_at
FROM store_relation_facts
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));
