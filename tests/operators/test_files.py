"""A file from a worker through a flytekit workflow and back, by real Airflow."""

import pytest

from tests.dag_runs import run_dag

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


@pytest.mark.usefixtures("example_workflows")
def test_a_file_goes_to_flyte_and_comes_back(tmp_path):
    source = tmp_path / "report-2026.txt"
    source.write_text("some content\n" * 1000)
    run = run_dag(f"""
    from airflow_flyte_provider.model.files import FlyteFile

    archived = FlyteExecuteOperator(
        task_id="archive",
        launch_plan="flyte_workflows.archive.archive",
        inputs={{"source": FlyteFile("{tmp_path}/report-{{{{ 2000 + 26 }}}}.txt")}},
        deferrable=True,
        poll_interval=0.2,
    )

    @task
    def unpack(outputs):
        import gzip
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        path = FlyteHook().download(outputs["o0"], to="{tmp_path}/got/")
        found = FlyteHook().get(outputs["o0"]["flyte_url"]).to_dict() == outputs["o0"]
        size = path.stat().st_size == outputs["o0"]["size"]
        return {{
            "name": path.name, "lines": len(gzip.open(path).readlines()), "found": found, "size": size
        }}

    unpack(archived.output)
    """)
    assert run.state("archive") == "success", run.log
    assert run.xcom("unpack") == {"name": "compressed.gz", "lines": 1000, "found": True, "size": True}, (
        run.log
    )
    assert run.xcom("archive")["o0"]["kind"] == "file"
    assert f"Uploaded {source} to /" in run.log
    for secret in ("signature=", "signed_url"):
        assert secret not in run.log


@pytest.mark.usefixtures("example_workflows")
def test_a_file_that_is_not_there_fails_the_task_at_once(tmp_path):
    run = run_dag(f"""
    from airflow_flyte_provider.model.files import FlyteFile

    FlyteExecuteOperator(
        task_id="archive",
        launch_plan="flyte_workflows.archive.archive",
        inputs={{"source": FlyteFile("{tmp_path}/gone.txt")}},
        retries=2,
    )
    """)
    assert run.state("archive") == "failed"
    assert "FlyteInvalidInputsError" in run.log
    assert "there is no such file on this worker" in run.log
