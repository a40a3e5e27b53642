SELECT unique_id, failures, since_run_at, since_git_sha
FROM recce_metadata.test_history
WHERE environment = 'base' AND outcome = 'fail'
ORDER BY since_run_at
