"""Pages of a node and of its columns, and of the databases and tables that nodes are in."""
