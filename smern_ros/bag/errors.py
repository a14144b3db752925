# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Errors of bags. Needs no ROS."""


class BagError(Exception):
    """A bag cannot be read or written; the message names the bag, what is wrong and what to do."""


class DiskFull(BagError):
    """Writing failed; what was written before can be read."""
