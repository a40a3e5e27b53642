CREATE OR REPLACE VIEW recce_metadata.node_changes (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the node'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  status OPTIONS (description = 'added, removed, modified, moved (another location) or rewritten (another version of dbt)'),
  code_changed OPTIONS (description = 'True if the code differs, apart from whitespace'),
  compiled_changed OPTIONS (description = 'True if the compiled SQL differs, apart from whitespace; NULL if only one run compiled the node'),
  config_changed OPTIONS (description = 'True if the configuration differs'),
  columns_changed OPTIONS (description = 'True if the columns differ; NULL if either run has no catalog'),
  description_changed OPTIONS (description = 'True if the description differs'),
  contract_changed OPTIONS (description = 'True if the contract differs'),
  place_changed OPTIONS (description = 'True if the database, schema or name of the relation differs'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run'),
  previous_version_id OPTIONS (description = 'Id of the content of the node in the previous run'),
  relation_name OPTIONS (description = 'Relation of the node exactly as dbt wrote it'),
  previous_relation_name OPTIONS (description = 'Relation of the node in the previous run')
)
OPTIONS (description = 'One row per run and node that differs from the previous run of the same project and environment')
AS
