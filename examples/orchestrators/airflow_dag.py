"""A dbt build in Airflow 3, recorded as a run.

Airflow 2.11 imports DAG from `airflow`. It needs an older SQLAlchemy, so recce_meta and dbt are in another
environment: PROGRAMS = "/opt/dbt/bin/".
"""

from datetime import datetime
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

SHOP = Path(__file__).parent / "shop"
PROGRAMS = ""

with DAG("shop", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):
    BashOperator(
        task_id="build",
        bash_command=f"{PROGRAMS}recce-meta hook --environment base -- {PROGRAMS}dbt build",
        cwd=str(SHOP),
    )
