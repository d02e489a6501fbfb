"""What an expression reads is found without a parser of PromQL."""

import pytest

from dashboards.selectors import metrics, selectors


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('sum by (path) (rate(a_total{job="x"}[5m])) / b', {'a_total{job="x"}', "b"}),
        ("a * on (instance) group_left (release) c", {"a", "c"}),
        ("x:y:5m >= 3 and z == 1e3 or vector(0)", {"x:y:5m", "z"}),
        ('label_replace(absent(up{job="a"}), "metric", "up", "", "")', {'up{job="a"}'}),
        ('a{path="/users/{id}",name="b(c)"} offset 5m', {'a{path="/users/{id}",name="b(c)"}'}),
        ("time() - max(timestamp(up))", {"up"}),
    ],
)
def test_series_are_found(expression: str, found: set[str]) -> None:
    assert selectors(expression) == found


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('histogram_quantile(0.95, sum by (le) (rate(h_bucket{path=~"/b/.*"}[1m])))', {"h"}),
        ("a * on (instance) group_left () c_count", {"a", "c"}),
        ("pg_locks_count", {"pg_locks_count"}),
    ],
)
def test_histograms_are_one_metric(expression: str, names: set[str]) -> None:
    assert metrics(expression) == names
