"""All the set-up of a machine: `python3 -m infra.setup`. Standard library only, since it makes the rest."""
