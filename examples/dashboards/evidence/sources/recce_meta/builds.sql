SELECT run_at, duration, critical_path, waiting, node_seconds
FROM recce_metadata.build_history
WHERE environment = 'base'
ORDER BY run_at
