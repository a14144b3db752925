# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""SMERN-GA on a robot: emotion from voice, words and body movement. Importing this needs no ROS."""
import os
import pkgutil
import sys

# The generated `smern_ros.msg` may lie in another prefix than these sources (colcon, a source tree).
__path__ = pkgutil.extend_path(__path__, __name__)

# Installed by pip, nothing sources a setup file: tell ament where share/smern_ros is.
_prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
if sys.prefix not in _prefixes and os.path.exists(
    os.path.join(sys.prefix, 'share/ament_index/resource_index/packages/rclpy')
):
    os.environ['AMENT_PREFIX_PATH'] = os.pathsep.join(p for p in [*_prefixes, sys.prefix] if p)
