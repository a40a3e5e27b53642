-- Nodes of the latest run of each project and environment, for completion in a shell.
SELECT
  nodes.name,
  nodes.resource_type,
  nodes.source_name,
  nodes.package_name,
  nodes.path,
  nodes.tags,
  nodes.materialized,
  nodes.group_name
FROM recce_metadata.nodes
JOIN recce_metadata.latest_runs
  ON latest_runs.run_id = nodes.run_id
ORDER BY
  nodes.name;
