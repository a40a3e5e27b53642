from recce_meta.sql_lineage.analyse import analyse_query as analyse_query
from recce_meta.sql_lineage.analyse import analyse_script as analyse_script
from recce_meta.sql_lineage.analyse import column_lineage as column_lineage
from recce_meta.sql_lineage.analyse import resolve_query as resolve_query
from recce_meta.sql_lineage.analyse import resolve_statements as resolve_statements
from recce_meta.sql_lineage.query import QueryColumns as QueryColumns

__all__: list[str]
