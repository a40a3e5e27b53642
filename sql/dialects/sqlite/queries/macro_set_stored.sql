-- One row if a recorded run has this set of macros: it is then stored completely.
SELECT
  1
FROM store_runs
WHERE
  macro_set_id = :macro_set_id
LIMIT 1;
