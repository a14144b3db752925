# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small IEMOCAP and a cache of features that all tests of training share. Nobody may change the corpus: `copy_of`
gives a test its own."""
import dataclasses
import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def mini(shared_data, tmp_path_factory):
    """A `MiniCorpus`: a dialog of 4 utterances a session, and the odd ones."""
    from smern_ros.training.iemocap import mini_corpus

    root = tmp_path_factory.mktemp('mini') / 'IEMOCAP_full_release'
    return mini_corpus.build(root, shared_data, dialogs=1, utterances=4)


@pytest.fixture(scope='session')
def cache(tmp_path_factory):
    """Features and trained encoders by all that they depend on, as the commands keep them."""
    return tmp_path_factory.mktemp('cache')


@pytest.fixture(scope='session')
def trial():
    """The size of a trial, with fewer comments: the sentence encoder reads 150 a second."""
    from smern_ros.training.open_model.samples import TRIAL

    return dataclasses.replace(TRIAL, comments=80)


@pytest.fixture
def copy_of(tmp_path):
    """copy_of(root) links all files of a corpus; a file is changed by unlinking it and writing it anew."""
    def copy(root: Path) -> Path:
        return Path(shutil.copytree(root, tmp_path / root.name, copy_function=os.link))

    return copy
