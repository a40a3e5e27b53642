-- The object of a conflict that arrived: a bundle in base64, cut into pieces, because some warehouses limit the length of
-- a text.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  content VARCHAR NOT NULL,
  PRIMARY KEY (conflict_id, ordinal)
);
