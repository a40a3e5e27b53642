SELECT unique_id, flips, failed_results, results, outcome
FROM recce_metadata.test_history
WHERE environment = 'base' AND flips > 0
ORDER BY flips DESC
LIMIT 20
