-- Which models have no column lineage, and why?
-- Asked by: a user of column lineage; models with the most readers come first.
-- Answer: shop | model.shop.forecast | Python models have no column lineage | 14 readers
-- Topic: Columns and lineage
SELECT
  run.project_name,
  analysis.node_id,
  analysis.reason,
  COUNT(edge.node_id) AS readers
FROM latest_runs AS run
JOIN column_analysis AS analysis ON analysis.run_id = run.run_id
LEFT JOIN lineage AS edge ON edge.run_id = analysis.run_id AND edge.parent_id = analysis.node_id
WHERE
  run.environment = 'base' -- edit: the environment
  AND STARTS_WITH(analysis.node_id, 'model.')
  AND analysis.reason IS NOT NULL
GROUP BY run.project_name, analysis.node_id, analysis.reason
ORDER BY readers DESC, run.project_name, analysis.node_id;
