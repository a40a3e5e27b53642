"""Everything between frozen values and the tables of `sql/ddl`."""
