CREATE OR REPLACE VIEW recce_metadata.annotation_events (
  event_id OPTIONS (description = 'Hash of the change'),
  project_name OPTIONS (description = 'Project of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  column_name OPTIONS (description = 'Name of the column'),
  parent_id OPTIONS (description = 'Parent of an edge; NULL for a node or a column'),
  parent_column OPTIONS (description = 'Column of the parent of an edge; NULL for an edge between nodes'),
  field OPTIONS (description = 'Kind of annotation (note, tag or owner)'),
  item OPTIONS (description = 'The tag or the owner; empty for a note'),
  value OPTIONS (description = 'Text of a note, or true; NULL if it was deleted'),
  author OPTIONS (description = 'Who made the change; the name is not verified'),
  wall_ms OPTIONS (description = 'Time of the change in milliseconds since 1970 in UTC'),
  counter OPTIONS (description = 'Order of changes with the same wall_ms'),
  writer_id OPTIONS (description = 'Id of the process that made the change'),
  is_latest OPTIONS (description = 'True for the present value; without a value, it is deleted'),
  recorder_version OPTIONS (description = 'Version of recce_meta that wrote the row'),
  replaces OPTIONS (description = 'Sorted ids of the changes that it replaces, separated by spaces; NULL before version 13 of the store'),
  is_replaced OPTIONS (description = 'True if a later change replaced it'),
  has_conflict OPTIONS (description = 'True if a change that neither replaces nor is replaced has another value')
)
OPTIONS (description = 'One row per change of an annotation, also of earlier and deleted values')
AS
