-- One row per project, environment and node of the latest run that has an owner. Key: project_name, environment,
-- unique_id.
-- `owner_source` is the first of these that names an owner: 'annotation' (owners that people noted, joined by commas),
-- 'owner' (an exposure, or the owner of a scanned relation in its database), 'meta' (`meta.owner`) or 'group' (the owner
-- of the group, or its name).
-- Example: which nodes does a team own? SELECT unique_id FROM node_owners WHERE owner = 'growth'
CREATE OR REPLACE VIEW node_owners AS
SELECT
  project_name,
  environment,
  unique_id,
  run_id,
  name,
  resource_type,
  COALESCE(annotated, own, meta_owner, group_owner, group_email, group_name) AS owner,
  CASE
    WHEN annotated IS NOT NULL THEN NULL
    WHEN own IS NOT NULL THEN own_email
    WHEN meta_owner IS NULL THEN group_email
  END AS owner_email,
  CASE
    WHEN annotated IS NOT NULL THEN 'annotation'
    WHEN own IS NOT NULL THEN 'owner'
    WHEN meta_owner IS NOT NULL THEN 'meta'
    ELSE 'group'
  END AS owner_source
FROM (
  SELECT
    latest.project_name,
    latest.environment,
    place.unique_id,
    latest.run_id,
    node.name,
    node.resource_type,
    node.group_name,
    noted.owners AS annotated,
    COALESCE(
      node.properties -> 'owner' ->> 'name', node.properties -> 'owner' ->> 'email', node.properties ->> 'owner'
    ) AS own,
    node.properties -> 'owner' ->> 'email' AS own_email,
    node.meta ->> 'owner' AS meta_owner,
    team.name AS group_owner,
    team.email AS group_email
  FROM latest_runs AS latest
  JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
  JOIN store_node_versions AS node ON node.version_id = place.version_id
  LEFT JOIN (
    SELECT project_name, unique_id, STRING_AGG(item, ', ' ORDER BY item) AS owners
    FROM annotations
    WHERE field = 'owner' AND column_name IS NULL AND parent_id IS NULL
    GROUP BY project_name, unique_id
  ) AS noted ON noted.project_name = latest.project_name AND noted.unique_id = place.unique_id
  LEFT JOIN (
    SELECT
      latest.run_id,
      place.unique_id,
      MAX(node.properties -> 'owner' ->> 'name') AS name,
      MAX(node.properties -> 'owner' ->> 'email') AS email
    FROM latest_runs AS latest
    JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
    JOIN store_node_versions AS node ON node.version_id = place.version_id
    WHERE node.resource_type = 'group'
    GROUP BY latest.run_id, place.unique_id
  ) AS team
    ON team.run_id = latest.run_id AND team.unique_id = 'group.' || node.package_name || '.' || node.group_name
  WHERE node.resource_type NOT IN ('group', 'disabled')
) AS named
WHERE COALESCE(annotated, own, meta_owner, group_name) IS NOT NULL;
