-- hand-written: dbt has no adapter for SQLite, so the dbt package never asks

