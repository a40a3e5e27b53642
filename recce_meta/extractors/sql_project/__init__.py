"""Projects of SQL files, read without dbt: a dbt project's sources (SILVER), or plain SQL (BRONZE)."""
