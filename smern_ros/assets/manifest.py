# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Contents of `manifest.json`: files, licence and sources of each asset."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class FileHash:
    """Expected size and hash of a file of an asset."""

    path: str  # within the asset's folder
    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class PackageSource:
    """Members of a file in the Python package registry."""

    requirement: str              # name==version
    file: str                     # the file's name there: a wheel or a source distribution
    size: int                     # bytes
    sha256: str
    members: Mapping[str, str]    # path in the asset's folder -> path in the package file
    build: str = ''               # recipe that makes the file from the members, see `sources.build`
    platform: str = ''            # of a wheel for one platform
    python: str = ''              # of a wheel for one version of Python

    @property
    def label(self) -> str:
        return f'the package {self.requirement}'


@dataclass(frozen=True)
class PartedSource:
    """Several packages with the parts of a large file: members FILE.part1, FILE.part2, ..."""

    packages: tuple[PackageSource, ...]

    @property
    def label(self) -> str:
        return 'the packages ' + ', '.join(package.requirement for package in self.packages)


@dataclass(frozen=True)
class AddressSource:
    """Files at https addresses of their author."""

    addresses: Mapping[str, str]  # path in the asset's folder -> https address

    @property
    def label(self) -> str:
        return 'the address ' + next(iter(self.addresses.values()))


Source = PackageSource | PartedSource | AddressSource


@dataclass(frozen=True)
class Asset:
    name: str
    purpose: str
    licence: str
    origin: str                                    # author and training data
    files: tuple[FileHash, ...]
    sources: tuple[Source, ...]                    # tried in this order
    accepts: tuple[FileHash, ...] = ()             # other accepted contents of these files
    optional: bool = False                         # fetched only by its name

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def is_folder(self) -> bool:
        return len(self.files) > 1

    def versions(self, path: str) -> tuple[FileHash, ...]:
        """Accepted contents of the file at `path`."""
        return tuple(file for file in (*self.files, *self.accepts) if file.path == path)


@cache
def load() -> dict[str, Asset]:
    """All assets by name."""
    text = resources.files('smern_ros.assets').joinpath('manifest.json').read_text('utf-8')
    return {entry['name']: _asset(entry) for entry in json.loads(text)['assets']}


def _asset(entry: dict) -> Asset:
    return Asset(
        **{key: entry[key] for key in ('name', 'purpose', 'licence', 'origin')},
        files=tuple(FileHash(**file) for file in entry['files']),
        accepts=tuple(FileHash(**file) for file in entry.get('accepts', ())),
        sources=tuple(_source(source) for source in entry['sources']),
        optional=entry.get('optional', False),
    )


def _source(entry: dict) -> Source:
    if 'addresses' in entry:
        return AddressSource(**entry)
    if 'packages' in entry:
        return PartedSource(tuple(PackageSource(**package) for package in entry['packages']))
    return PackageSource(**entry)
