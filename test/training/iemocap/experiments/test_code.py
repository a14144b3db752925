# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The digest of a run's code covers all by which it is made, and of the networks its own alone."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from smern_ros import models
from smern_ros.training.iemocap.experiments import code
from smern_ros.training.iemocap.experiments.network_samples import fields

LOADED = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([m.__file__ for name, m in sys.modules.items() if name.startswith('smern_ros') and m.__file__]))
"""


def sources(name: str) -> set[Path]:
    module = models.NETWORKS[name].partition(':')[0]
    return code._imported(module) | code._imported(code._RUNS)


@pytest.mark.parametrize('name', ['are', 'smern_ga_whole', 'xu'])
def test_whatever_is_loaded_to_make_a_run_is_in_it(name):
    modules = (models.NETWORKS[name].partition(':')[0], code._RUNS)
    loaded = subprocess.run([sys.executable, '-c', LOADED, *modules], capture_output=True, text=True, check=True).stdout
    assert {Path(path) for path in json.loads(loaded)} <= sources(name)


def test_each_network_has_a_code_of_its_own():
    names = [name for name in models.NETWORKS if name not in models.OF_CHECKPOINTS]
    assert all(fields(name) for name in names)
    assert len({code.code_of(name) for name in names}) == len(names)
    folder = Path(models.__file__).parent
    assert folder / 'cma.py' in sources('cma') and folder / 'cma.py' not in sources('are')
    assert folder / 'smacn.py' in sources('smern_ga_whole')  # by what it imports


@pytest.mark.parametrize(('changed', 'name', 'another'), [
    ('smern_ros.models.smacn', 'smern', True), ('smern_ros.models.smacn', 'are', False),
    ('smern_ros.training.common.trainer', 'are', True), ('smern_ros.models.inputs', 'tre', True),
])
def test_one_line_in_a_module_makes_it_the_code_of_another_run(tmp_path, monkeypatch, changed, name, another):
    before, found = code.code_of(name), code._file
    edited = tmp_path / 'edited.py'
    edited.write_bytes(found(changed).read_bytes() + b'\n# another line\n')
    monkeypatch.setattr(code, '_file', lambda module: edited if module == changed else found(module))
    assert (code.code_of.__wrapped__(name) != before) == another
