# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recording of the graph's topics into bags in the format of `ros2 bag`, and replay of bags."""
