-- Who owns what a change of a column reaches?
-- Asked by: an author who is about to change the column.
-- Answer: model.shop.orders | amount | growth | growth@shop.example | 2 steps away
-- Topic: Columns and lineage
SELECT
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  owners.owner,
  owners.owner_email
FROM latest_column_impact AS impact
LEFT JOIN node_owners AS owners
  ON owners.project_name = impact.project_name
  AND owners.environment = impact.environment
  AND owners.unique_id = impact.impacted_id
WHERE
  impact.environment = 'base' -- edit: the environment
  AND impact.node_id = 'model.shop.stg_orders' -- edit: the node
  AND impact.column_name = 'amount' -- edit: the column
ORDER BY impact.distance, impact.impacted_id, impact.impacted_column;
