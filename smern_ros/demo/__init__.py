# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo: plays media through the graph, records its output and writes a report."""
