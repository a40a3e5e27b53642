-- Columns that an analysis found, in order. An output column has a row per source column, or one row with a NULL parent
-- if it has no source column. A column that affects rows has no output column; `kind` is its use.
CREATE TABLE IF NOT EXISTS store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  kind TEXT NOT NULL,
  expression TEXT,
  confidence DOUBLE PRECISION,
  PRIMARY KEY (lineage_id, ordinal)
);
