"""Connection fields in, settings or a named fault out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_flyte_provider.admin.settings import Settings, unknown_extras
from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.identifiers import ExecutionId


def read(host="flyte.example.com", port=None, **extra):
    return Settings.from_fields(conn_id="my_flyte", host=host, port=port, extra=extra)


@pytest.mark.parametrize(
    ("host", "port", "insecure", "endpoint"),
    [
        ("flyte.example.com", None, False, "flyte.example.com:443"),
        ("flyte.example.com", None, True, "flyte.example.com:80"),
        ("flyte.example.com", 8089, True, "flyte.example.com:8089"),
        ("dns:///flyte.example.com:81", None, False, "flyte.example.com:81"),
        ("https://flyte.example.com/", None, False, "flyte.example.com:443"),
        ("127.0.0.1:30080", None, True, "127.0.0.1:30080"),
        ("::1", 30080, True, "[::1]:30080"),
        ("[::1]:30080", None, True, "[::1]:30080"),
    ],
)
def test_endpoint(host, port, insecure, endpoint):
    assert read(host, port, insecure=insecure).endpoint == endpoint


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"host": None}, "no host"),
        ({"host": "flyte.example.com/console"}, "the host 'flyte.example.com/console'"),
        ({"host": "flyte.example.com:http"}, "the host 'flyte.example.com:http'"),
        ({"insecure": "maybe"}, "'insecure' is 'maybe'; it takes true or false"),
        ({"call_timeout": "soon"}, "'call_timeout' is 'soon'; it takes a number of seconds above 0"),
        ({"call_timeout": -1}, "'call_timeout' is -1"),
        ({"project": 5}, "'project' is 5; it takes a text"),
        ({"ca_cert_file": "/does/not/exist.pem"}, "a file that this worker can read"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_the_connection(fields, told):
    with pytest.raises(FlyteConfigError, match="my_flyte") as caught:
        read(**fields)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc",
            "https://",
            "//evil",
        ),
        *("https://user:hunter22@console", "https://a\\b", "https://a b"),
    ],
)
def test_the_console_is_a_page_and_no_script(url):
    with pytest.raises(FlyteConfigError, match=r"my_flyte.*'console_url'") as caught:
        read(console_url=url)
    assert "hunter22" not in str(caught.value)


def test_the_console_of_a_configuration_file_may_lack_its_scheme():
    assert read(console_url="console.example").console_url == "https://console.example"
    assert read(console_url="localhost:30080", insecure=True).console_url == "http://localhost:30080"


def test_text_from_a_connection_uri_is_understood():
    settings = read(insecure="True", call_timeout="2.5", project=" flytesnacks ", console_url="")
    assert settings == Settings(
        "flyte.example.com:80", insecure=True, call_timeout=2.5, project="flytesnacks", console_url=None
    )


def test_unknown_extras_are_told_with_the_nearest_known_one():
    assert unknown_extras({"projekt": "x", "insecure": True, "qqq": 1}) == {"projekt": ["project"], "qqq": []}


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings("f.example:443"), "https://f.example:443/console/projects/p/domains/d/executions/n"),
        (Settings("h:30080", insecure=True), "http://h:30080/console/projects/p/domains/d/executions/n"),
        (
            Settings("f:1", console_url="https://console.example/"),
            "https://console.example/console/projects/p/domains/d/executions/n",
        ),
    ],
)
def test_console_url(settings, url):
    assert settings.execution_url(ExecutionId("p", "d", "n")) == url


@given(
    host=st.none() | st.text(alphabet="ab.:[]/ 1\u00fc", max_size=12), port=st.none() | st.integers(1, 65535)
)
def test_any_host_is_read_or_named(host, port):
    refused = endpoint = ""
    try:
        endpoint = read(host, port).endpoint
    except FlyteConfigError as fault:
        refused = str(fault)
    if refused:
        assert "my_flyte" in refused
    else:
        name, _, number = endpoint.rpartition(":")
        assert name.strip("[]:")
        assert 0 < int(number) < 65536
