-- hand-written: the view `column_impact` walks over arrays, from the one selected column
-- What does a column feed, down to the last node, and what would a change of it reach?
-- Asked by: an engineer, when a column or a source is about to change.
-- Answer: model.shop.orders | amount | model.shop.report | total | value | distance 1 | confidence 0.9
-- Topic: Columns and lineage
-- A change affects values of columns ('columns'), which rows a node has ('rows', if the column is used in a filter,
-- join or group), or a node with unknown columns ('unknown').
WITH reads AS (
  SELECT edge.run_id, edge.parent_id, edge.parent_column
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.column_lineage AS edge ON edge.run_id = run.run_id AND edge.parent_id IS NOT NULL
  WHERE run.environment = 'base' -- edit: the environment
  UNION
  SELECT edge.run_id, edge.parent_id, edge.parent_column
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.column_usage AS edge ON edge.run_id = run.run_id AND edge.usage <> 'referenced'
  WHERE run.environment = 'base' -- edit: the environment
), params AS (
  SELECT run_id, parent_id AS node_id, parent_column AS column_name
  FROM (
    SELECT reads.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY parent_id, parent_column) AS place
    FROM reads
  ) AS by_name
  WHERE place = 1 -- edit: parent_id = 'model.shop.orders' AND parent_column = 'amount'; default: the first by name
)
SELECT
  impact.node_id,
  impact.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM params
JOIN recce_metadata.column_impact AS impact
  ON impact.run_id = params.run_id
  AND impact.node_id = params.node_id
  AND impact.column_name = params.column_name
ORDER BY impact.node_id, impact.distance, impact.impacted_id, impact.reach, impact.impacted_column;
