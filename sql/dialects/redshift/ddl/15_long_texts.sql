-- hand-written: no text of Redshift's is longer than 65,535 bytes
-- One row per part of a text that a column could not hold. The column holds its beginning and, at its very end,
-- ⟦… the text's id⟧; the parts in order are the whole text. `row_name` is what the first column of the row says
-- that the text belongs to: the parts go when the row does.
CREATE TABLE IF NOT EXISTS recce_metadata.long_texts (
  table_name VARCHAR(127) NOT NULL,
  row_name VARCHAR(65535) NOT NULL,
  text_id VARCHAR(64) NOT NULL,
  number BIGINT NOT NULL,
  part VARCHAR(65535) NOT NULL
);
