-- One row per change of an annotation: a note, a tag or an owner of a node, a column or an edge. Rows are only added, and
-- `event_id` hashes their contents. `replaces` has the sorted ids of the rows that it replaces, separated by spaces; NULL
-- in rows from before version 13. The view annotation_events says which row is the present value; without a value it is
-- deleted. Belongs to a project and not to a run, so it stays when runs are pruned.
CREATE TABLE IF NOT EXISTS store_annotation_events (
  event_id VARCHAR(64) NOT NULL PRIMARY KEY,
  project_name TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  field TEXT NOT NULL,
  item TEXT NOT NULL,
  value TEXT,
  author TEXT NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL,
  replaces TEXT
);
