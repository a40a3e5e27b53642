-- Delete a pair of compared codes; the next writer compares them again.
DELETE FROM recce_metadata.store_code_changes
WHERE
  step_id = :step_id;
DELETE FROM recce_metadata.store_code_steps
WHERE
  step_id = :step_id;
