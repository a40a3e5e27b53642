CREATE OR REPLACE VIEW recce_metadata.annotations (
  event_id COMMENT 'Hash of the change',
  project_name COMMENT 'Project of the run',
  unique_id COMMENT 'Unique id of the node',
  column_name COMMENT 'Name of the column',
  parent_id COMMENT 'Parent of an edge; NULL for a node or a column',
  parent_column COMMENT 'Column of the parent of an edge; NULL for an edge between nodes',
  field COMMENT 'Kind of annotation (note, tag or owner)',
  item COMMENT 'The tag or the owner; empty for a note',
  value COMMENT 'Text of a note, or true',
  author COMMENT 'Who made the change; the name is not verified',
  wall_ms COMMENT 'Time of the change in milliseconds since 1970 in UTC',
  has_conflict COMMENT 'True if a change that neither replaces nor is replaced has another value'
)
COMMENT = 'One row per present note, tag or owner of a node, a column or an edge'
AS
