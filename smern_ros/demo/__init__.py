# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo: plays a clip through the real graph, records what it says and writes a report that a person can read."""
