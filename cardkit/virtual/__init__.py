"""Doubles of hardware, in software."""
