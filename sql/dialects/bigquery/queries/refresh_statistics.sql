-- hand-written: BigQuery maintains its statistics itself

