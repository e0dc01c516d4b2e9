from airflow_flyte_provider.model.suggestions import nearest


def test_nearest_ignores_case_and_gives_the_best_first():
    assert nearest("Ammount", ["amount", "account", "day"]) == ["amount", "account"]
    assert nearest("TABLE", ["Table"]) == ["Table"]
    assert nearest("x", []) == []
