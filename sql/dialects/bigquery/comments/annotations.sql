CREATE OR REPLACE VIEW recce_metadata.annotations (
  event_id OPTIONS (description = 'Hash of the change'),
  project_name OPTIONS (description = 'Project of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  column_name OPTIONS (description = 'Name of the column'),
  parent_id OPTIONS (description = 'Parent of an edge; NULL for a node or a column'),
  parent_column OPTIONS (description = 'Column of the parent of an edge; NULL for an edge between nodes'),
  field OPTIONS (description = 'Kind of annotation (note, tag or owner)'),
  item OPTIONS (description = 'The tag or the owner; empty for a note'),
  value OPTIONS (description = 'Text of a note, or true'),
  author OPTIONS (description = 'Who made the change; the name is not verified'),
  wall_ms OPTIONS (description = 'Time of the change in milliseconds since 1970 in UTC'),
  has_conflict OPTIONS (description = 'True if a change that neither replaces nor is replaced has another value')
)
OPTIONS (description = 'One row per present note, tag or owner of a node, a column or an edge')
AS
