-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per part and relation: what the catalog knew of its data when it was scanned, NULL where it does
-- not tell. A part is written once, by the first scan that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.relation_facts (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMPTZ,
  altered_at TIMESTAMPTZ
);
