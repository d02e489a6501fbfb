#!/bin/bash
# The roles beside the owner of the database, with least privilege: the application may use the owner's tables but owns
# none; the exporter reads statistics only. In the stack's own server it runs once, when the data directory is
# initialised; a server that others run gets them at every release, with the passwords that are the stack's now.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --quiet --username "${PGUSER:-$POSTGRES_USER}" --dbname "${PGDATABASE:-$POSTGRES_DB}" \
    -v app_password="$(cat /run/secrets/database_app_password)" \
    -v exporter_password="$(cat /run/secrets/database_exporter_password)" \
    -v database="${PGDATABASE:-$POSTGRES_DB}" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['janua_app', 'janua_exporter']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE janua_app PASSWORD :'app_password';
ALTER ROLE janua_exporter PASSWORD :'exporter_password';
GRANT pg_monitor TO janua_exporter;
-- An owner who is no superuser may send away whom a restore waits for only as a member of their roles.
SELECT format('GRANT %I TO CURRENT_USER', name) FROM unnest(ARRAY['janua_app', 'janua_exporter']) AS name
WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO janua_app, janua_exporter;
GRANT USAGE ON SCHEMA public TO janua_app, janua_exporter;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO janua_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO janua_app;
\set ON_ERROR_STOP 0
-- A server that does not have it serves as well; panels of the slowest statements stay empty.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
echo "roles: janua_app and janua_exporter are as this release wants them"
