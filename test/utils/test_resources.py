# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files beside the code are found where the code was installed."""
import importlib.util
import shutil

import pytest

from smern_ros.utils import resources as module
from smern_ros.utils.resources import share


def installed_at(folder):
    """The module as if it were installed in that folder."""
    folder.mkdir(parents=True)
    path = shutil.copy(module.__file__, folder / 'share.py')
    spec = importlib.util.spec_from_file_location('installed_share', path)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy.share


def test_in_a_source_tree_the_files_there_are_used():
    assert share('config', 'emotion.yaml') == share('package.xml').parent / 'config/emotion.yaml'


@pytest.mark.parametrize('packages', ['lib/python3.12/site-packages', 'local/lib/python3.10/dist-packages'])
def test_in_a_prefix_the_files_under_its_share_folder_are_used(tmp_path, packages):
    (tmp_path / 'share/smern_ros/config').mkdir(parents=True)
    (tmp_path / 'share/smern_ros/config/emotion.yaml').write_text('mine')
    assert installed_at(tmp_path / packages / 'smern_ros')('config', 'emotion.yaml').read_text() == 'mine'


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'config/nothing\.yaml.*make setup'):
        installed_at(tmp_path / 'smern_ros')('config', 'nothing.yaml')
