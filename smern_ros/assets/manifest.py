# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `manifest.json` says: each asset's files, licence and sources."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class FileHash:
    """A file of an asset, as it must be."""

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
    build: str = ''               # what makes the asset's file out of the members, see `build.py`
    platform: str = ''            # of a wheel that is not for any platform; its members are
    python: str = ''              # the same for the version of Python

    @property
    def label(self) -> str:
        return f'the package {self.requirement}'


@dataclass(frozen=True)
class PartedSource:
    """Packages that hold one asset together, a large file in parts: members called FILE.part1, FILE.part2, ..."""

    packages: tuple[PackageSource, ...]

    @property
    def label(self) -> str:
        return 'the packages ' + ', '.join(package.requirement for package in self.packages)


@dataclass(frozen=True)
class AddressSource:
    """Files at the maker's own address."""

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
    origin: str                                    # who made it, what it was made from
    files: tuple[FileHash, ...]
    sources: tuple[Source, ...]                    # tried in this order
    accepts: tuple[FileHash, ...] = ()             # other contents of these files that serve as well
    optional: bool = False                         # fetched only if it is named

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def is_folder(self) -> bool:
        return len(self.files) > 1

    def versions(self, path: str) -> tuple[FileHash, ...]:
        """The contents that the file at `path` may have."""
        return tuple(file for file in (*self.files, *self.accepts) if file.path == path)


@cache
def load() -> dict[str, Asset]:
    """Every asset by its name."""
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
