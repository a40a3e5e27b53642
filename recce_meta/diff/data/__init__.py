"""How the data of two relations or queries differ: plans that yield queries and receive rows."""
