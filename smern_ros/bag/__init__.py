# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags: what went through the graph, kept on disk as `ros2 bag` keeps it, and played into a graph again."""
