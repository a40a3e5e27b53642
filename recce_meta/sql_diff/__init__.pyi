from recce_meta.sql_diff.bound import Reading as Reading
from recce_meta.sql_diff.bound import bound_fault as bound_fault
from recce_meta.sql_diff.bound import is_about_arguments as is_about_arguments
from recce_meta.sql_diff.bound import is_about_names as is_about_names
from recce_meta.sql_diff.bound import lacking_column as lacking_column
from recce_meta.sql_diff.bound import lacking_function as lacking_function
from recce_meta.sql_diff.bound import needs_types as needs_types
from recce_meta.sql_diff.compare import FINAL_ORDER as FINAL_ORDER
from recce_meta.sql_diff.compare import alias_of as alias_of
from recce_meta.sql_diff.compare import classify_change as classify_change
from recce_meta.sql_diff.compare import compare_queries as compare_queries
from recce_meta.sql_diff.compare import compare_sql as compare_sql
from recce_meta.sql_diff.identifiers import names_of as names_of
from recce_meta.sql_diff.positions import Fault as Fault
from recce_meta.sql_diff.positions import faults as faults
from recce_meta.sql_diff.positions import reads_by_position as reads_by_position
from recce_meta.sql_diff.positions import reads_star as reads_star
from recce_meta.sql_diff.types import has_other_family as has_other_family
from recce_meta.sql_diff.types import may_leave_type as may_leave_type
from recce_meta.sql_diff.unknown_names import has_fixed_columns as has_fixed_columns
from recce_meta.sql_diff.unknown_names import missing_names as missing_names
from recce_meta.sql_diff.unknown_names import names_by_table as names_by_table
from recce_meta.sql_diff.unknown_names import names_rows as names_rows

__all__: list[str]
