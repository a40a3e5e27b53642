COMMENT ON VIEW recce_metadata.column_top_values IS 'One row per measurement, table, column and frequent value, the most frequent first';
COMMENT ON COLUMN recce_metadata.column_top_values.quality_run_id IS 'Id of the measurement';
COMMENT ON COLUMN recce_metadata.column_top_values.unique_id IS 'Unique id of the node';
COMMENT ON COLUMN recce_metadata.column_top_values.ordinal IS 'Position, starting at 1';
COMMENT ON COLUMN recce_metadata.column_top_values.place IS 'Rank, starting at 1';
COMMENT ON COLUMN recce_metadata.column_top_values.column_name IS 'Name of the column';
COMMENT ON COLUMN recce_metadata.column_top_values.value IS 'Value as a lossless text; NULL for NULL';
COMMENT ON COLUMN recce_metadata.column_top_values.value_kind IS 'Type of the text in value';
COMMENT ON COLUMN recce_metadata.column_top_values.value_count IS 'Rows with the value';
