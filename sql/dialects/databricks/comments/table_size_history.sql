CREATE OR REPLACE VIEW recce_metadata.table_size_history (
  run_id COMMENT 'Id of the scan',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  row_estimate COMMENT 'Rows in the catalog, possibly an estimate; NULL if the catalog has none',
  previous_row_estimate COMMENT 'Estimated rows in the previous scan',
  row_delta COMMENT 'Difference of row_estimate from the previous scan',
  bytes COMMENT 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none',
  previous_bytes COMMENT 'Bytes in the previous scan',
  byte_delta COMMENT 'Difference of bytes from the previous scan',
  created_at COMMENT 'Time of creation in the catalog',
  altered_at COMMENT 'Time of the last change of the definition, or of the data if the warehouse has only that',
  previous_run_id COMMENT 'Id of the previous scan of the relation',
  next_run_id COMMENT 'Id of the next run with such a figure; NULL for the newest'
)
COMMENT 'One row per scan and relation with sizes or times in the catalog, with those of the previous scan in the same project and environment'
AS
