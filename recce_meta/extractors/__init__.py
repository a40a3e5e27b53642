"""Readers of dbt artifacts, SQL projects, databases and YAML files, into `recce_meta.models` values."""
