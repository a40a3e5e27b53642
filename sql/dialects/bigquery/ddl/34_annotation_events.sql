-- One row per change of an annotation: a note, a tag or an owner of a node, a column or an edge. Rows are only added, and
-- `event_id` hashes their contents. `replaces` has the sorted ids of the rows that it replaces, separated by spaces; NULL
-- in rows from before version 13. The view annotation_events says which row is the present value; without a value it is
-- deleted. Belongs to a project and not to a run, so it stays when runs are pruned.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id STRING NOT NULL,
  project_name STRING NOT NULL,
  unique_id STRING NOT NULL,
  column_name STRING,
  parent_id STRING,
  parent_column STRING,
  field STRING NOT NULL,
  item STRING NOT NULL,
  value STRING,
  author STRING NOT NULL,
  wall_ms INT64 NOT NULL,
  counter INT64 NOT NULL,
  writer_id STRING NOT NULL,
  recorder_version STRING NOT NULL,
  replaces STRING,
  PRIMARY KEY (event_id) NOT ENFORCED
)
CLUSTER BY event_id;
