-- The columns that an analysis found, in order. An output column has a row for each column that its value comes
-- from, or one without a parent where it comes from none; a column that decides over rows has a row without an
-- output column, and `kind` says what it is read for.
CREATE TABLE IF NOT EXISTS recce_metadata.column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535),
  parent_id VARCHAR(65535),
  parent_column VARCHAR(65535),
  kind VARCHAR(65535) NOT NULL,
  expression VARCHAR(65535),
  confidence DOUBLE PRECISION
);
