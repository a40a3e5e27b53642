-- hand-written: strings in Redshift have at most 65,535 bytes
-- One row per part of a text that is too long for its column. The column has the beginning of the text, followed by ⟦…
-- the text's id⟧. All parts in order are the complete text. `row_name` is the value of the first column of the row with
-- the text: the parts are deleted with that row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_long_texts (
  table_name VARCHAR(127) NOT NULL,
  row_name VARCHAR(65535) NOT NULL,
  text_id VARCHAR(64) NOT NULL,
  number BIGINT NOT NULL,
  part VARCHAR(65535) NOT NULL
);
