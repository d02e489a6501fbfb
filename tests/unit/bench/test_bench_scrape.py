from bench.scrape import VALIDATE_PATH, Account

EXPOSITION = f"""
# TYPE janua_db_queries_total counter
janua_db_queries_total{{path="{VALIDATE_PATH}"}} 3
janua_db_queries_total{{path="/api/v1/auth/login"}} 4
janua_db_queries_total{{path="/readyz"}} 50
# TYPE janua_request_latency_milliseconds histogram
janua_request_latency_milliseconds_bucket{{method="GET",path="{VALIDATE_PATH}",status="200",le="+Inf"}} 90
janua_request_latency_milliseconds_count{{method="GET",path="{VALIDATE_PATH}",status="200"}} 90
janua_request_latency_milliseconds_count{{method="GET",path="{VALIDATE_PATH}",status="401"}} 10
janua_request_latency_milliseconds_sum{{method="GET",path="{VALIDATE_PATH}",status="200"}} 1
janua_request_latency_milliseconds_count{{method="GET",path="/readyz",status="200"}} 7
# TYPE janua_cache_requests_total counter
janua_cache_requests_total{{tier="memory",kind="validation",result="hit"}} 20
janua_cache_requests_total{{tier="redis",kind="validation",result="hit"}} 30
janua_cache_requests_total{{tier="redis",kind="validation",result="miss"}} 5
janua_cache_requests_total{{tier="redis",kind="user",result="hit"}} 9
"""


def test_sums_are_over_replicas_and_labels_and_leave_the_inside_out() -> None:
    account = Account([EXPOSITION, EXPOSITION])
    assert (account.queries(), account.queries(VALIDATE_PATH)) == (14, 6)
    assert (account.requests(), account.requests(VALIDATE_PATH)) == (200, 200)
    assert (account.hits(), account.redis_hits()) == (100, 60)
