-- One row per change of an annotation: a note, a tag or an owner of a node, a column or an edge. Rows are only added, and
-- `event_id` hashes their contents. `replaces` has the sorted ids of the rows that it replaces, separated by spaces; NULL
-- in rows from before version 13. The view annotation_events says which row is the present value; without a value it is
-- deleted. Belongs to a project and not to a run, so it stays when runs are pruned.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  column_name VARCHAR(65535),
  parent_id VARCHAR(65535),
  parent_column VARCHAR(65535),
  field VARCHAR(65535) NOT NULL,
  item VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  author VARCHAR(65535) NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id VARCHAR(64) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL,
  replaces VARCHAR(65535)
);
