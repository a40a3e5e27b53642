-- hand-written: Redshift maintains its statistics itself

