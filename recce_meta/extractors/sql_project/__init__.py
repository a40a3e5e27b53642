"""Readers of SQL projects without dbt: the source files of a dbt project (SILVER), or plain SQL (BRONZE)."""
