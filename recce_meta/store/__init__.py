"""Store layer: reads and writes frozen values in the tables of `sql/ddl`."""
