"""The gate: whether a release may serve, judged by k6's word and by Prometheus's of the same minute.

It runs inside the release image and needs nothing but the standard library, `alerts.targets` and `alerts.metrics`.
"""
