CREATE OR REPLACE VIEW recce_metadata.reviews (
  review_id COMMENT 'Id of the mark',
  reviewed_at COMMENT 'Time of the mark',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  branch COMMENT 'Branch of the run',
  pull_request COMMENT 'Pull request of the run',
  git_sha COMMENT 'Commit of the run',
  base_run_id COMMENT 'Id of the base run',
  current_run_id COMMENT 'Id of the current run',
  unique_id COMMENT 'Unique id of the reviewed node; NULL for a check',
  check_name COMMENT 'Name of the reviewed check; NULL for a node',
  status COMMENT 'seen or approved',
  comment COMMENT 'Sentence of the reviewer; may be empty',
  reviewer COMMENT 'Name that the reviewer gave; it is not verified',
  fingerprint COMMENT 'Hash of what was reviewed, on both sides; the mark holds only for the same hash'
)
COMMENT = 'One row per reviewer and reviewed node or check, in the version that was reviewed: the last mark, unless it was withdrawn'
AS
