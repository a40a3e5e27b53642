"""Driver for Greenplum."""

from sqlalchemy import Connection

from recce_meta.warehouses.postgres.driver import Driver as PostgresDriver


class Driver(PostgresDriver):
    """psycopg with an application name."""

    def configure(self, connection: Connection) -> None:
        """Set the application name."""
        super().configure(connection)
        connection.exec_driver_sql("SET application_name = 'recce_meta on Greenplum'")
