"""PostgreSQL or SQLite through SQLAlchemy Core."""
