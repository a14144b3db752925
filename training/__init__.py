# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the networks are trained and measured; installed as `smern_ros.training`. Needs no ROS."""
