-- The columns that an analysis found, in order. An output column has a row for each column that its value comes
-- from, or one without a parent where it comes from none; a column that decides over rows has a row without an
-- output column, and `kind` says what it is read for.
CREATE TABLE IF NOT EXISTS recce_metadata.column_edges (
  lineage_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING,
  parent_id STRING,
  parent_column STRING,
  kind STRING NOT NULL,
  expression STRING,
  confidence FLOAT64,
  PRIMARY KEY (lineage_id, ordinal) NOT ENFORCED
)
CLUSTER BY lineage_id;
