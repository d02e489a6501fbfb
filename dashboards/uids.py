"""The identifiers by which dashboards and data sources are found: links and alerts hold on to them."""

OVERVIEW = "janua-overview"
CACHE = "janua-cache"
DATABASE = "janua-database"
HOSTS = "janua-hosts"
DEPLOYMENTS = "janua-deployments"
LOAD = "janua-load"

FOLDER = "janua"
PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
ZIPKIN = "zipkin"
