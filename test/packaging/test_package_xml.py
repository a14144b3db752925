# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""package.xml tells whoever builds with colcon what rosdep cannot install."""
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROSDEP = {'numpy': 'python3-numpy', 'scipy': 'python3-scipy', 'PyYAML': 'python3-yaml',
          'Jinja2': 'python3-jinja2', 'opencv-python': 'python3-opencv', 'opencv-contrib-python': 'python3-opencv'}
BUILD = {'setuptools'}


def test_every_library_of_the_graph_has_a_rosdep_key_or_is_named_for_pip():
    xml = (ROOT / 'package.xml').read_text()
    wanted = set(re.findall(r'^([\w-]+)==', (ROOT / 'requirements/graph.txt').read_text(), re.MULTILINE)) - BUILD
    named = re.search(r'No rosdep key.*?needed:(.*?)\. Install', xml, re.DOTALL)[1]
    assert {part.strip() for part in named.split(',')} == wanted - set(ROSDEP)
    for key in {ROSDEP[name] for name in wanted & set(ROSDEP)}:
        assert f'<exec_depend>{key}</exec_depend>' in xml
