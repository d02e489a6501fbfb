#!/bin/bash
# Runs once, when the data directory is initialised: the roles beside the owner, with least privilege.
# The application may use the owner's tables but owns none; the exporter reads statistics only.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v app_password="$(cat /run/secrets/database_app_password)" \
    -v exporter_password="$(cat /run/secrets/database_exporter_password)" \
    -v database="$POSTGRES_DB" <<'SQL'
CREATE ROLE janua_app LOGIN PASSWORD :'app_password';
CREATE ROLE janua_exporter LOGIN PASSWORD :'exporter_password' IN ROLE pg_monitor;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO janua_app, janua_exporter;
GRANT USAGE ON SCHEMA public TO janua_app, janua_exporter;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO janua_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO janua_app;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
