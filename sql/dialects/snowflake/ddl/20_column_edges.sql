-- Columns that an analysis found, in order. An output column has a row per source column, or one row with a NULL parent
-- if it has no source column. A column that affects rows has no output column; `kind` is its use.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR,
  parent_id VARCHAR,
  parent_column VARCHAR,
  kind VARCHAR NOT NULL,
  expression VARCHAR,
  confidence DOUBLE,
  PRIMARY KEY (lineage_id, ordinal)
);
