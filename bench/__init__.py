# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measurements of speed: `make bench`. Never part of the tests, since the time of day is not a property of code."""
