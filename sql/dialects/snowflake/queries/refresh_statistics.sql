-- hand-written: Snowflake maintains its statistics itself

