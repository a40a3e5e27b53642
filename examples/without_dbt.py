"""What changed between two recorded runs, and in how many rows: without dbt."""

import sys

from recce_meta import (
    SimpleTemplateRenderer,
    UnifiedSqlAdapter,
    build_lineage_graph,
    detect_changes,
    generate_diff_sql,
    load_nodes_from_warehouse,
)

profiles, base_run, current_run = sys.argv[1:] or ("~/.dbt/profiles.yml", "base", "current")

with UnifiedSqlAdapter.from_dbt_profile(profiles, "jaffle_shop", "dev") as adapter:
    base_nodes = load_nodes_from_warehouse(adapter, run_id=base_run)
    current_nodes = load_nodes_from_warehouse(adapter, run_id=current_run)
    base_graph, current_graph = build_lineage_graph(base_nodes), build_lineage_graph(current_nodes)
    renderer = SimpleTemplateRenderer(adapter, current_nodes)
    for node_id, change in detect_changes(base_nodes, current_nodes).items():
        if change.status == "unchanged":  # in formatting, or in the environment alone
            continue
        graph = base_graph if change.status == "removed" else current_graph
        print(f"{node_id}: {change.status.value}, {len(graph.descendants(node_id))} nodes downstream")
        if change.status == "modified" and change.resource_type in ("model", "seed", "snapshot"):
            columns, rows = adapter.execute(generate_diff_sql(node_id, renderer, base_nodes))
            print("  " + ", ".join(f"{name} {value}" for name, value in zip(columns, rows[0], strict=True)))
