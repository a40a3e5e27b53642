-- Columns that an analysis found, in order. An output column has a row per source column, or one row with a NULL parent
-- if it has no source column. A column that affects rows has no output column; `kind` is its use.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
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
