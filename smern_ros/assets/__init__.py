# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Third-party weights and clips, fetched once into the user's cache, verified, and then used offline.

    from smern_ros import assets
    model = assets.path('pose-landmarker-full')   # raises MissingAsset naming the command that fetches it

What there is stands in `manifest.json`. `SMERN_ASSETS` names another folder than the user's cache.
"""
from __future__ import annotations

from pathlib import Path

from smern_ros.assets.errors import AssetError, FetchFailed, MissingAsset, WrongAsset
from smern_ros.assets.manifest import Asset, load
from smern_ros.assets.sources import Progress, silent
from smern_ros.assets.store import Store

__all__ = [
    'Asset', 'AssetError', 'FetchFailed', 'MissingAsset', 'Store', 'WrongAsset',
    'fetch', 'names', 'path', 'verify', 'where',
]


def names() -> tuple[str, ...]:
    """Every asset the manifest knows."""
    return tuple(load())


def path(name: str) -> Path:
    """The verified file of a one-file asset, else the folder of its files. Never downloads.

    :raises MissingAsset: if it was not fetched.
    :raises WrongAsset: if the files are not those of the manifest.
    :raises ValueError: if there is no such asset.
    """
    return Store().path(name)


def fetch(name: str, progress: Progress = silent) -> Path:
    """Downloads, builds and verifies what is not there yet.

    :param progress: called as progress(asset name, what is being done, bytes done, bytes in all or 0).
    :raises FetchFailed: if no source could give it: what each said.
    :raises WrongAsset: if other files of the user's own stand in its place.
    """
    return Store().fetch(name, progress)


def verify(name: str) -> Path:
    """Computes every hash again, whatever is remembered; raises as `path`."""
    return Store().verify(name)


def where() -> Path:
    """The folder that holds the assets."""
    return Store().folder
