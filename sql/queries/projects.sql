-- The projects that have runs.
SELECT DISTINCT project_name FROM runs ORDER BY project_name;
