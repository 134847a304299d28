"""One module a layout, made by ``tools/migration.py`` and then read by a person."""
