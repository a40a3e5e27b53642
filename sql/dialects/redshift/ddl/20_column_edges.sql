-- Columns that an analysis found, in order. An output column has a row per source column, or one row with a NULL parent
-- if it has no source column. A column that affects rows has no output column; `kind` is its use.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535),
  parent_id VARCHAR(65535),
  parent_column VARCHAR(65535),
  kind VARCHAR(65535) NOT NULL,
  expression VARCHAR(65535),
  confidence DOUBLE PRECISION
);
