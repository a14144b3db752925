# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""People as the ROS4HRI convention (REP-155) tells them, without ROS: names, matches, voices, and our values in its
terms. The node ros4hri_bridge is a thin shell around it."""
