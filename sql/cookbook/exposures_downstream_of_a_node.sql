-- Which dashboards depend on a node, and who owns them?
-- Asked by: an author who is about to change the node.
-- Answer: exposure.shop.margin | Growth | growth@shop.example | 3 steps away
-- Topic: Columns and lineage
SELECT impact.impacted_id, owners.owner, owners.owner_email, impact.distance
FROM latest_column_impact AS impact
LEFT JOIN node_owners AS owners
  ON owners.project_name = impact.project_name
  AND owners.environment = impact.environment
  AND owners.unique_id = impact.impacted_id
WHERE
  impact.environment = 'base' -- edit: the environment
  AND impact.node_id = 'model.shop.orders' -- edit: the node
  AND impact.column_name IS NULL
  AND STARTS_WITH(impact.impacted_id, 'exposure.')
ORDER BY impact.distance, impact.impacted_id;
