CREATE OR REPLACE VIEW recce_metadata.latest_tables (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  database_name COMMENT 'Database of the relation',
  schema_name COMMENT 'Schema of the relation',
  name COMMENT 'Name of the relation',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  relation_name COMMENT 'Relation as named in SQL',
  owner COMMENT 'Owner in the catalog',
  description COMMENT 'Comment on the relation in the catalog',
  column_count COMMENT 'Number of columns',
  has_primary_key COMMENT 'True if the table has a primary key',
  foreign_key_count COMMENT 'Number of foreign keys',
  index_count COMMENT 'Number of indexes, without those of constraints',
  row_estimate COMMENT 'Rows in the catalog, possibly an estimate; NULL if the catalog has none',
  bytes COMMENT 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none',
  created_at COMMENT 'Time of creation in the catalog',
  altered_at COMMENT 'Time of the last change of the definition, or of the data if the warehouse has only that',
  partition_key COMMENT 'Partition key as the catalog writes it',
  partition_of COMMENT 'Unique id of the table that the partition belongs to',
  definition COMMENT 'SQL of a view as the catalog writes it',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run'
)
COMMENT = 'One row per table and view of the latest scan of each project and environment'
AS
