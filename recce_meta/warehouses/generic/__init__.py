"""Any other database that SQLAlchemy has a dialect for: connection, SQL dialect, catalog and driver."""
