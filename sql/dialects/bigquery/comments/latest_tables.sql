CREATE OR REPLACE VIEW recce_metadata.latest_tables (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  database_name OPTIONS (description = 'Database of the relation'),
  schema_name OPTIONS (description = 'Schema of the relation'),
  name OPTIONS (description = 'Name of the relation'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  relation_name OPTIONS (description = 'Relation as named in SQL'),
  owner OPTIONS (description = 'Owner in the catalog'),
  description OPTIONS (description = 'Comment on the relation in the catalog'),
  column_count OPTIONS (description = 'Number of columns'),
  has_primary_key OPTIONS (description = 'True if the table has a primary key'),
  foreign_key_count OPTIONS (description = 'Number of foreign keys'),
  index_count OPTIONS (description = 'Number of indexes, without those of constraints'),
  row_estimate OPTIONS (description = 'Rows in the catalog, possibly an estimate; NULL if the catalog has none'),
  bytes OPTIONS (description = 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none'),
  created_at OPTIONS (description = 'Time of creation in the catalog'),
  altered_at OPTIONS (description = 'Time of the last change of the definition, or of the data if the warehouse has only that'),
  partition_key OPTIONS (description = 'Partition key as the catalog writes it'),
  partition_of OPTIONS (description = 'Unique id of the table that the partition belongs to'),
  definition OPTIONS (description = 'SQL of a view as the catalog writes it'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run')
)
OPTIONS (description = 'One row per table and view of the latest scan of each project and environment')
AS
