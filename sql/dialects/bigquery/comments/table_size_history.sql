CREATE OR REPLACE VIEW recce_metadata.table_size_history (
  run_id OPTIONS (description = 'Id of the scan'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  row_estimate OPTIONS (description = 'Rows in the catalog, possibly an estimate; NULL if the catalog has none'),
  previous_row_estimate OPTIONS (description = 'Estimated rows in the previous scan'),
  row_delta OPTIONS (description = 'Difference of row_estimate from the previous scan'),
  bytes OPTIONS (description = 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none'),
  previous_bytes OPTIONS (description = 'Bytes in the previous scan'),
  byte_delta OPTIONS (description = 'Difference of bytes from the previous scan'),
  created_at OPTIONS (description = 'Time of creation in the catalog'),
  altered_at OPTIONS (description = 'Time of the last change of the definition, or of the data if the warehouse has only that'),
  previous_run_id OPTIONS (description = 'Id of the previous scan of the relation'),
  next_run_id OPTIONS (description = 'Id of the next run with such a figure; NULL for the newest')
)
OPTIONS (description = 'One row per scan and relation with sizes or times in the catalog, with those of the previous scan in the same project and environment')
AS
