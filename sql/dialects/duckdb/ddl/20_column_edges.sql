-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- The columns that an analysis found, in order. An output column has a row for each column that its value comes
-- from, or one without a parent where it comes from none; a column that decides over rows has a row without an
-- output column, and `kind` says what it is read for.
CREATE TABLE IF NOT EXISTS recce_metadata.column_edges (
  lineage_id TEXT(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  kind TEXT NOT NULL,
  expression TEXT,
  confidence DOUBLE
);
