# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`make setup` installs what changed and nothing else. pip is a stand-in here that notes how it was called."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n'
SOURCED = {'AMENT_PREFIX_PATH': '/opt/ros/jazzy', 'ROS_DISTRO': 'jazzy'}


@pytest.fixture
def tree(tmp_path):
    """What the script reads, and a .venv whose Python is the stand-in."""
    top = ('setup.py', 'pyproject.toml', 'package.xml', 'CMakeLists.txt')
    for name in (*top, 'smern_ros/deploy/graph.py', 'scripts/setup.sh'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    for folder in ('msg', 'srv', 'requirements'):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    python = tmp_path / '.venv/bin/python'
    python.parent.mkdir(parents=True)
    python.write_text(STAND_IN)
    python.chmod(0o755)
    return tmp_path


def setup(tree, *extras, sourced=False, **variables) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if k not in SOURCED}
    env |= (SOURCED if sourced else {}) | variables
    return subprocess.run([tree / 'scripts/setup.sh', *extras], env=env, capture_output=True, text=True, check=False)


def installed(tree, *extras, **options) -> list[str]:
    """The calls of `pip install` in one run."""
    calls = tree / '.venv/bin/calls'
    calls.unlink(missing_ok=True)
    ran = setup(tree, *extras, **options)
    assert ran.returncode == 0, ran.stderr
    return [c for c in (calls.read_text().splitlines() if calls.exists() else []) if 'pip install' in c]


def test_the_first_run_installs_requirements_then_the_package(tree):
    requirements, package = installed(tree)
    assert 'requirements/graph.txt' in requirements
    assert 'requirements/ros.txt' in requirements
    assert package.endswith('--no-build-isolation --no-deps -e .')


def test_a_second_run_installs_nothing(tree):
    assert installed(tree, 'test')
    assert installed(tree, 'test') == []


def test_beside_a_sourced_ros_no_wheel_of_ros_is_asked_for(tree):
    assert not any('ros.txt' in call for call in installed(tree, 'test', sourced=True))


@pytest.mark.parametrize('name', ['msg/Word.msg', 'srv/ForgetPerson.srv', 'CMakeLists.txt', 'setup.py'])
def test_what_the_messages_are_built_from_builds_them_again_and_no_more(tree, name):
    installed(tree)
    with open(tree / name, 'a') as file:
        file.write('\n')
    (package,) = installed(tree)
    assert package.endswith('-e .')


def test_a_new_pin_installs_the_requirements_again(tree):
    installed(tree)
    with open(tree / 'requirements/graph.txt', 'a') as file:
        file.write('# new\n')
    assert any('requirements/graph.txt' in call for call in installed(tree))


def test_every_installation_names_the_pinned_torch_and_the_constraints(tree):
    for call in installed(tree, 'test', 'training', 'transformers', 'opensmile', 'mmpose'):
        assert '-c requirements/constraints.txt' in call
        assert 'graph.txt' in call or '--no-deps' in call or 'xtcocotools' in call


def test_mmpose_comes_after_what_it_is_built_with(tree):
    *_, wheels, compiled, last = installed(tree, 'mmpose')
    assert 'requirements/mmpose.txt' in wheels
    assert '--no-build-isolation --no-binary xtcocotools' in compiled
    assert '--no-deps mmpose==' in last


@pytest.mark.parametrize(('script', 'said'), [
    ('case "$*" in *"(3, 10) <="*) exit 1;; -V) echo Python 3.8.1;; esac', 'Python 3.10 or newer; .* is Python 3.8.1'),
    ('case "$*" in *"(3, 11) <="*) exit 1;; -V) echo Python 3.14.0;; esac', 'Python 3.11 to 3.13; .* is Python 3.14'),
    ('case "$*" in *ensurepip*) exit 1;; esac', 'apt install python3-venv'),
])
def test_a_python_that_will_not_do_is_refused_with_what_to_do(tree, script, said):
    python = tree / 'python'
    python.write_text(f'#!/bin/sh\n{script}\n')
    python.chmod(0o755)
    ran = setup(tree, PYTHON=str(python))
    assert ran.returncode == 1
    assert re.search(said, ran.stderr), ran.stderr


def test_the_same_version_is_in_package_xml_and_changelog():
    version = (ROOT / 'package.xml').read_text().partition('<version>')[2].partition('<')[0]
    assert f'## [{version}]' in (ROOT / 'CHANGELOG.md').read_text()
