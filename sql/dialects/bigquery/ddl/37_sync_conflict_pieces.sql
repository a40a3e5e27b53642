-- The object of a conflict that arrived: a bundle in base64, cut into pieces, because some warehouses limit the length of
-- a text.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  content STRING NOT NULL,
  PRIMARY KEY (conflict_id, ordinal) NOT ENFORCED
)
CLUSTER BY conflict_id;
