-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per measurement, table and metric of the users' own: of a column, whose place is `ordinal`, or of the
-- table, where that is 0 and there is no `column_name`. `holds` is NULL where the metric has no threshold, or
-- could not be measured, which `reason` says.
CREATE TABLE IF NOT EXISTS recce_metadata.quality_metrics (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT,
  metric_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_number DOUBLE,
  threshold TEXT,
  holds BOOLEAN,
  reason TEXT
);
