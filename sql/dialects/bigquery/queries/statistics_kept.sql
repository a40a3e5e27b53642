-- Number of statistics stored with a run, and their time: nodes counted, nodes not counted, nodes and columns profiled.
SELECT
  (
    SELECT
      COUNT(row_count)
    FROM recce_metadata.store_node_statistics
    WHERE
      run_id = :run_id
  ) AS nodes_counted,
  (
    SELECT
      COUNT(*) - COUNT(row_count)
    FROM recce_metadata.store_node_statistics
    WHERE
      run_id = :run_id
  ) AS nodes_not_counted,
  (
    SELECT
      COUNT(DISTINCT unique_id)
    FROM recce_metadata.store_column_statistics
    WHERE
      run_id = :run_id
  ) AS nodes_profiled,
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.store_column_statistics
    WHERE
      run_id = :run_id
  ) AS columns_profiled,
  (
    SELECT
      MIN(counted_at)
    FROM recce_metadata.store_node_statistics
    WHERE
      run_id = :run_id AND row_count IS NOT NULL
  ) AS first_counted_at,
  (
    SELECT
      MAX(counted_at)
    FROM recce_metadata.store_node_statistics
    WHERE
      run_id = :run_id AND row_count IS NOT NULL
  ) AS last_counted_at;
