"""What a DAG author writes to run things on Flyte.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from airflow_flyte_provider.operators.activation import FlyteActivateLaunchPlanOperator
from airflow_flyte_provider.operators.approval import FlyteApprovalOperator
from airflow_flyte_provider.operators.backfill import BACKFILL_KEY, FlyteBackfillOperator
from airflow_flyte_provider.operators.execute import FlyteExecuteOperator
from airflow_flyte_provider.operators.launching import EXECUTION_NAME_KEY
from airflow_flyte_provider.operators.register import FlyteRegisterOperator
from airflow_flyte_provider.operators.rerun import FlyteRecoverOperator, FlyteRelaunchOperator
from airflow_flyte_provider.operators.signals import (
    FlyteApproveOperator,
    FlyteRejectOperator,
    FlyteSetSignalOperator,
)
from airflow_flyte_provider.operators.terminate import FlyteTerminateOperator
from airflow_flyte_provider.triggers.events import EXECUTION_ID_KEY

__all__ = [
    "BACKFILL_KEY",
    "EXECUTION_ID_KEY",
    "EXECUTION_NAME_KEY",
    "FlyteActivateLaunchPlanOperator",
    "FlyteApprovalOperator",
    "FlyteApproveOperator",
    "FlyteBackfillOperator",
    "FlyteExecuteOperator",
    "FlyteRecoverOperator",
    "FlyteRegisterOperator",
    "FlyteRejectOperator",
    "FlyteRelaunchOperator",
    "FlyteSetSignalOperator",
    "FlyteTerminateOperator",
]
