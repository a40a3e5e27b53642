"""A dbt project as Airflow tasks, by Cosmos. One task at the end records the project as a run."""

from datetime import datetime
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig
from cosmos.constants import InvocationMode

SHOP = Path(__file__).parent / "shop"

with DAG("shop_cosmos", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):
    models = DbtTaskGroup(
        project_config=ProjectConfig(SHOP),
        profile_config=ProfileConfig("shop", "prod", profiles_yml_filepath=SHOP / "profiles.yml"),
        execution_config=ExecutionConfig(invocation_mode=InvocationMode.SUBPROCESS),
    )
    record = BashOperator(
        task_id="record",
        bash_command="recce-meta hook --environment base -- dbt compile",
        cwd=str(SHOP),
        trigger_rule="all_done",
    )
    models >> record
