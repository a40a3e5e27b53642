CREATE OR REPLACE VIEW recce_metadata.reviews (
  review_id OPTIONS (description = 'Id of the mark'),
  reviewed_at OPTIONS (description = 'Time of the mark'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  branch OPTIONS (description = 'Branch of the run'),
  pull_request OPTIONS (description = 'Pull request of the run'),
  git_sha OPTIONS (description = 'Commit of the run'),
  base_run_id OPTIONS (description = 'Id of the base run'),
  current_run_id OPTIONS (description = 'Id of the current run'),
  unique_id OPTIONS (description = 'Unique id of the reviewed node; NULL for a check'),
  check_name OPTIONS (description = 'Name of the reviewed check; NULL for a node'),
  status OPTIONS (description = 'seen or approved'),
  comment OPTIONS (description = 'Sentence of the reviewer; may be empty'),
  reviewer OPTIONS (description = 'Name that the reviewer gave; it is not verified'),
  fingerprint OPTIONS (description = 'Hash of what was reviewed, on both sides; the mark holds only for the same hash')
)
OPTIONS (description = 'One row per reviewer and reviewed node or check, in the version that was reviewed: the last mark, unless it was withdrawn')
AS
