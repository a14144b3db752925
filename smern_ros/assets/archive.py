# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Extracts members of a wheel or source distribution."""
from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from smern_ros.assets.errors import FetchFailed

MEMBER_LIMIT = 512 * 2**20
"""Most bytes of a member, so that a hostile archive cannot fill the disk."""


_Find = Callable[[str], tuple[int, IO[bytes] | None]]


def extract(archive: Path, members: Mapping[str, str], folder: Path, limit: int = MEMBER_LIMIT) -> None:
    """Write each named member under its new name in `folder`.

    :param members: path in `folder` -> path in the archive.
    :raises FetchFailed: if a member is missing, no regular file or too large, or a new name is outside of `folder`.
    """
    root = folder.resolve()
    for name in members:
        target = (folder / name).resolve()
        if not target.is_relative_to(root) or target == root:
            raise FetchFailed(f'{name!r} is outside of {folder}')
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                _each(members, folder, limit, lambda member: _zip_member(file, member), archive)
        else:
            with tarfile.open(archive) as file:
                _each(members, folder, limit, lambda member: _tar_member(file, member), archive)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FetchFailed(f'cannot read {archive.name}: {error}') from error


def _each(members: Mapping[str, str], folder: Path, limit: int, find: _Find, archive: Path) -> None:
    for name, member in members.items():
        size, stream = find(member)
        if stream is None:
            raise FetchFailed(f'{archive.name} has no regular file {member}')
        if size > limit:
            raise FetchFailed(f'{member} in {archive.name} has {size} bytes; the maximum is {limit}')
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with stream, target.open('wb') as out:
            shutil.copyfileobj(stream, out)


def _zip_member(file: zipfile.ZipFile, member: str) -> tuple[int, IO[bytes] | None]:
    try:
        info = file.getinfo(member)
    except KeyError:
        return 0, None
    return (0, None) if info.is_dir() else (info.file_size, file.open(info))


def _tar_member(file: tarfile.TarFile, member: str) -> tuple[int, IO[bytes] | None]:
    try:
        info = file.getmember(member)
    except KeyError:
        return 0, None
    return (info.size, file.extractfile(info)) if info.isreg() else (0, None)
