"""Airflow's `mask_secret`, wherever this version of it has it.

The newest common-compat for Python 3.10, which is 1.20, does not tell.
"""

try:
    from airflow.sdk.log import mask_secret
except ImportError:
    try:
        from airflow.sdk.execution_time.secrets_masker import mask_secret  # Airflow 3.0
    except ImportError:
        from airflow.utils.log.secrets_masker import mask_secret  # Airflow 2

__all__ = ["mask_secret"]
