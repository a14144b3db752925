# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Third-party weights and clips, downloaded once into the user's cache, verified, and used offline.

    from smern_ros import assets
    model = assets.path('pose-landmarker-full')   # raises MissingAsset with the command to fetch it

`manifest.json` lists them. `SMERN_ASSETS` selects another folder than the user's cache.
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
    """Names of all assets of the manifest."""
    return tuple(load())


def path(name: str) -> Path:
    """Path of the verified file of an asset, or of the folder if it has several. Never downloads.

    :raises MissingAsset: if it is not fetched.
    :raises WrongAsset: if the files differ from the manifest.
    :raises ValueError: for an unknown asset.
    """
    return Store().path(name)


def fetch(name: str, progress: Progress = silent) -> Path:
    """Download, build and verify an asset, unless it is fetched already.

    :param progress: called as progress(asset name, action, bytes done, total bytes or 0).
    :raises FetchFailed: if all sources fail, with the error of each.
    :raises WrongAsset: if the user's own files are in its place.
    """
    return Store().fetch(name, progress)


def verify(name: str) -> Path:
    """Compute all hashes again; raises as `path`."""
    return Store().verify(name)


def where() -> Path:
    """Folder of the assets."""
    return Store().folder
