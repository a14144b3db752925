# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""config/emotion.yaml lists every parameter of every node with its default, and nothing else."""
import runpy

import pytest
import yaml

from smern_ros.deploy import graph
from smern_ros.utils.resources import share

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def generator():
    return runpy.run_path(str(share('scripts', 'parameters_yaml.py')))


def test_the_file_is_what_the_tables_of_the_nodes_say(generator):
    assert share('config', 'emotion.yaml').read_text() == generator['text'](), (
        'write it again: python scripts/parameters_yaml.py > config/emotion.yaml'
    )


def test_each_parameter_is_read_back_with_the_type_and_value_of_its_default(generator):
    sections = yaml.safe_load(generator['text']())
    for node in graph.NODES:
        table = {p.name: p.default for p in generator['node_class'](node).PARAMETERS}
        written = sections.get(f'/**/{node.name}', {}).get('ros__parameters', {})
        assert written == table
        assert {name: type(value) for name, value in written.items()} == {n: type(v) for n, v in table.items()}
