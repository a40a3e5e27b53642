CREATE OR REPLACE VIEW recce_metadata.node_changes (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the node',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  status COMMENT 'added, removed, modified, moved (another location) or rewritten (another version of dbt)',
  code_changed COMMENT 'True if the code differs, apart from whitespace',
  compiled_changed COMMENT 'True if the compiled SQL differs, apart from whitespace; NULL if only one run compiled the node',
  config_changed COMMENT 'True if the configuration differs',
  columns_changed COMMENT 'True if the columns differ; NULL if either run has no catalog',
  description_changed COMMENT 'True if the description differs',
  contract_changed COMMENT 'True if the contract differs',
  place_changed COMMENT 'True if the database, schema or name of the relation differs',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run',
  previous_version_id COMMENT 'Id of the content of the node in the previous run',
  relation_name COMMENT 'Relation of the node exactly as dbt wrote it',
  previous_relation_name COMMENT 'Relation of the node in the previous run'
)
COMMENT 'One row per run and node that differs from the previous run of the same project and environment'
AS
