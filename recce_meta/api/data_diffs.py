"""The data diffs as functions: each compares two relations, nodes or queries, and returns one result.

*base* and *current* are nodes of a run, or relations as the warehouse's SQL names them (`prod.orders`), or
None where a side has none. *base_adapter* is the connection to base where that is another one. Errors are
raised: WarehouseError with the statement, UsageError and UnknownNameError for what cannot be compared so.
"""

from __future__ import annotations
