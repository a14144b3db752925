# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with bags, in words for whoever must act. Needs no ROS."""


class BagError(Exception):
    """A bag that cannot be read or written: which one, what is wrong and what to do."""


class DiskFull(BagError):
    """Nothing more could be written; what the bag holds by then can be read."""
