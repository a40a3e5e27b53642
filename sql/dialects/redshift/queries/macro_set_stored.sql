-- One row where a recorded run has this set of macros: then all of it is stored.
SELECT
  1
FROM recce_metadata.runs
WHERE
  macro_set_id = :macro_set_id
LIMIT 1;
