CREATE OR REPLACE VIEW recce_metadata.annotation_events (
  event_id COMMENT 'Hash of the change',
  project_name COMMENT 'Project of the run',
  unique_id COMMENT 'Unique id of the node',
  column_name COMMENT 'Name of the column',
  parent_id COMMENT 'Parent of an edge; NULL for a node or a column',
  parent_column COMMENT 'Column of the parent of an edge; NULL for an edge between nodes',
  field COMMENT 'Kind of annotation (note, tag or owner)',
  item COMMENT 'The tag or the owner; empty for a note',
  value COMMENT 'Text of a note, or true; NULL if it was deleted',
  author COMMENT 'Who made the change; the name is not verified',
  wall_ms COMMENT 'Time of the change in milliseconds since 1970 in UTC',
  counter COMMENT 'Order of changes with the same wall_ms',
  writer_id COMMENT 'Id of the process that made the change',
  is_latest COMMENT 'True for the present value; without a value, it is deleted',
  recorder_version COMMENT 'Version of recce_meta that wrote the row',
  replaces COMMENT 'Sorted ids of the changes that it replaces, separated by spaces; NULL before version 13 of the store',
  is_replaced COMMENT 'True if a later change replaced it',
  has_conflict COMMENT 'True if a change that neither replaces nor is replaced has another value'
)
COMMENT = 'One row per change of an annotation, also of earlier and deleted values'
AS
