-- hand-written: Databricks maintains its statistics itself

