# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Taking members out of archives that may be hostile."""
import io
import tarfile
import zipfile

import pytest

from smern_ros.assets.archive import extract
from smern_ros.assets.errors import FetchFailed


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / 'package.whl'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('good.bin', b'good')
        file.writestr('../../evil.bin', b'evil')
        file.writestr('folder/', b'')
    return path


def test_a_member_whose_name_climbs_out_is_never_written_by_that_name(wheel, tmp_path):
    folder = tmp_path / 'a/b/c'
    folder.mkdir(parents=True)
    extract(wheel, {'good.bin': 'good.bin', 'renamed.bin': '../../evil.bin'}, folder)
    assert sorted(p.name for p in folder.iterdir()) == ['good.bin', 'renamed.bin']
    assert not (tmp_path / 'a/evil.bin').exists()


@pytest.mark.parametrize('name', ['../escaped', '/tmp/escaped', 'a/../../escaped', '.'])
def test_a_target_outside_of_the_folder_is_refused_before_anything_is_written(wheel, tmp_path, name):
    folder = tmp_path / 'out'
    folder.mkdir()
    with pytest.raises(FetchFailed, match='outside'):
        extract(wheel, {'good.bin': 'good.bin', name: 'good.bin'}, folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize('member', ['absent.bin', 'folder/'])
def test_what_is_no_file_is_said(wheel, tmp_path, member):
    with pytest.raises(FetchFailed, match=f'no regular file {member}'):
        extract(wheel, {'x': member}, tmp_path)


def test_a_member_larger_than_allowed_is_refused(wheel, tmp_path):
    with pytest.raises(FetchFailed, match='4 bytes; the maximum is 3'):
        extract(wheel, {'x': 'good.bin'}, tmp_path, limit=3)


def test_a_link_in_a_source_distribution_is_not_followed(tmp_path):
    path = tmp_path / 'package.tar.gz'
    with tarfile.open(path, 'w:gz') as file:
        link = tarfile.TarInfo('pkg/link')
        link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
        file.addfile(link)
        good = tarfile.TarInfo('pkg/good')
        good.size = 4
        file.addfile(good, io.BytesIO(b'good'))
    with pytest.raises(FetchFailed, match='no regular file pkg/link'):
        extract(path, {'x': 'pkg/link'}, tmp_path)
    extract(path, {'x': 'pkg/good'}, tmp_path)
    assert (tmp_path / 'x').read_bytes() == b'good'


def test_half_an_archive_is_said(wheel, tmp_path):
    wheel.write_bytes(wheel.read_bytes()[:40])
    with pytest.raises(FetchFailed, match=r'package\.whl'):
        extract(wheel, {'x': 'good.bin'}, tmp_path)
