-- The columns that an analysis found, in order. An output column has a row for each column that its value comes
-- from, or one without a parent where it comes from none; a column that decides over rows has a row without an
-- output column, and `kind` says what it is read for.
CREATE TABLE IF NOT EXISTS recce_metadata.column_edges (
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
