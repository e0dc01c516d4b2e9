import pytest

from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.values.flyte_urls import output_url


@pytest.mark.parametrize(
    ("name", "url"), [("o0", "flyte://v1/p/d/e/end-node/i/o0"), ("größe", ""), ("a.b", ""), ("", "")]
)
def test_an_output_has_an_address_when_flyte_could_read_it(name, url):
    assert output_url(ExecutionId("p", "d", "e"), name) == url
