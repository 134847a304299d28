"""Measurements, each a ratio within one run where it can be: ``make bench``.

``python -m benchmarks`` runs all of them, ``python -m benchmarks window readers`` some.
Nothing here is a test: machines are shared, and a time proves nothing about correctness.
"""
