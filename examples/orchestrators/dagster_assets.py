"""A dbt project as Dagster assets. Each materialization is recorded as a run, failed ones included."""

import subprocess
from pathlib import Path

from dagster import AssetExecutionContext, Definitions
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

shop = DbtProject(project_dir=Path(__file__).parent / "shop")
shop.prepare_if_dev()


@dbt_assets(manifest=shop.manifest_path)
def shop_models(context: AssetExecutionContext, dbt: DbtCliResource):
    build = dbt.cli(["build"], context=context)
    try:
        yield from build.stream()
    finally:
        # Dagster gives each build a target folder of its own.
        record = ["recce-meta", "record", "--environment", "base", "--target-path", str(build.target_path)]
        subprocess.run(record, cwd=shop.project_dir, check=True)


definitions = Definitions(assets=[shop_models], resources={"dbt": DbtCliResource(project_dir=shop)})
