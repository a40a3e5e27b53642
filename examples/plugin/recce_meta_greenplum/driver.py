"""What of PostgreSQL's driver is otherwise."""

from sqlalchemy import Connection

from recce_meta.adapter.drivers.postgres import Driver as PostgresDriver


class Driver(PostgresDriver):
    """psycopg, to a server whose monitor shows who asks."""

    def configure(self, connection: Connection) -> None:
        """Tell whose statements these are."""
        super().configure(connection)
        connection.exec_driver_sql("SET application_name = 'recce_meta on Greenplum'")
