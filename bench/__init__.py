"""Measurements of speed: `make bench`. Never part of the tests, since the time of day is not a property of code."""
