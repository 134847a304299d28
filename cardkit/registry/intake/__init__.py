"""Intake: application, photo, identity check, duplicates, printed face (domain.md [D1]-[D10])."""
