# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The benchmark is no part of what is installed: it is run from the root of the repository."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
