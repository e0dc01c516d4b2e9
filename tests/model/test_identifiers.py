import json
import subprocess
import sys

import pytest

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId

ENTITY = EntityId(EntityKind.LAUNCH_PLAN, "flytesnacks", "development", "demo.add_one", "v1")


def test_ids_read_as_a_person_would_say_them():
    assert str(ENTITY) == "launch plan flytesnacks/development/demo.add_one version v1"
    assert str(EntityId(EntityKind.TASK, "p", "d", "n")) == "task p/d/n"
    assert str(ExecutionId("p", "d", "n")) == "p/d/n"


@pytest.mark.parametrize("kind", EntityKind)
def test_an_entity_comes_back_from_json(kind):
    entity = EntityId(kind, "p", "d", "n", "v")
    assert EntityId.from_dict(json.loads(json.dumps(entity.to_dict()))) == entity


def test_an_execution_comes_back_from_json_and_from_its_text():
    execution = ExecutionId("p", "d", "n")
    assert ExecutionId.from_dict(json.loads(json.dumps(execution.to_dict()))) == execution
    assert ExecutionId.parse(str(execution)) == execution


@pytest.mark.parametrize("text", ["", "n", "p/d", "p/d/", "p//n", "p/d/n/x"])
def test_a_text_that_names_no_execution_is_refused(text):
    with pytest.raises(ValueError, match="project/domain/name"):
        ExecutionId.parse(text)


def test_what_a_dag_file_imports_is_light():
    modules = ("identifiers", "tries.names", "phases", "suggestions", "faults", "views.executions")
    imports = "; ".join(f"import airflow_flyte_provider.model.{module}" for module in modules)
    heavy = "[m for m in ('google.protobuf', 'flyteidl', 'grpc', 'msgpack', 'pendulum') if m in sys.modules]"
    code = f"import sys; {imports}; print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
