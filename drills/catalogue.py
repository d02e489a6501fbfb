"""Every drill, in the order of `all`: those with the same alert apart, so that the first's window is over."""

from functools import partial

from drills import faults
from drills.drill import Drill, Load
from infra.serving import REPLICA

# Were all logins slow without a fault, the alert would fire after 36 s (alerts/burn.py): it must not.
LOGINS = Load(logins=4, validations=1, users=5, warm_up_seconds=45)

DRILLS = (
    Drill(
        "database-slow",
        "AuthLatencyBudgetBurn",
        faults.slow_database,
        "each new session takes 120 ms more",
        load=LOGINS,
    ),
    Drill("redis-dead", "RedisDown", partial(faults.dead, part="redis"), "Redis is killed"),
    Drill("replica-dead", "ReplicaMissing", partial(faults.dead, part=REPLICA), "one replica is killed"),
    Drill(
        "error-burst",
        "ErrorBudgetBurn",
        faults.failing_logins,
        "PostgreSQL refuses new sessions",
        # Half of the requests fail, 14.4 % are enough.
        load=Load(logins=2, validations=2, users=5),
    ),
    Drill(
        "cache-stampede",
        "CacheHitRateCollapsed",
        faults.emptied_caches,
        "both tiers of the cache are emptied twice a second",
        load=Load(logins=1, validations=60, users=60),
    ),
    Drill("scrape-dead", "TargetDown", partial(faults.dead, part="redis-exporter"), "the exporter of Redis is killed"),
    Drill(
        "latency-regression",
        "AuthLatencyBudgetBurn",
        faults.throttled_replicas,
        "each replica has a fifth of a processor, as if a release needed several times the CPU",
        load=LOGINS,
    ),
)
BY_NAME = {drill.name: drill for drill in DRILLS}
