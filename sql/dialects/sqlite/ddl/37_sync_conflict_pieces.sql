-- The object of a conflict that arrived: a bundle in base64, cut into pieces, because some warehouses limit the length of
-- a text.
CREATE TABLE IF NOT EXISTS store_sync_conflict_pieces (
  conflict_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (conflict_id, ordinal)
);
