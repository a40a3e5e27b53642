"""Resource types of nodes, each set under the question that it answers.

`catalog` has the types that a scan of a database finds, `graph.selection` all that dbt's grammar knows.
"""

from __future__ import annotations

from recce_meta.models.catalog import RELATIONS, VIEWS

BUILT = frozenset(["model", "seed", "snapshot"])
"""Types of which dbt builds a relation, unless a model is ephemeral. `ref` names them."""
WITH_RELATION = BUILT | RELATIONS
"""Types whose relation a run builds or a scan finds."""
WITH_ROWS = WITH_RELATION | {"source"}
"""Types whose relation has rows that a query can read."""
TESTED = BUILT | {"source"}
"""Types whose rows tests of a project read."""
SELECTED = frozenset(["model", "snapshot"])
"""Types that dbt builds from a query of the project."""
WITH_QUERY = SELECTED | {"analysis"} | VIEWS
"""Types with a query that has output columns."""
WITH_TEMPLATE = SELECTED | {"analysis", "test"}
"""Types whose file has the template of a query."""
RENDERED = SELECTED | {"test", "function", "operation"}
"""Types whose templates dbt renders in a build."""
