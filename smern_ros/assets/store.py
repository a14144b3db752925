# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Folder of fetched assets: verified at each use, filled atomically, safe between processes."""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from smern_ros.assets import manifest, sources
from smern_ros.assets.errors import AssetError, FetchFailed, MissingAsset, WrongAsset
from smern_ros.assets.manifest import Asset
from smern_ros.assets.sources import Progress, sha256, silent
from smern_ros.utils import atomic_folder
from smern_ros.utils.paths import expand


def default_folder() -> Path:
    """`$SMERN_ASSETS`, else smern_ros in the user's cache."""
    if chosen := os.environ.get('SMERN_ASSETS'):
        return expand(chosen)
    return expand(os.environ.get('XDG_CACHE_HOME') or '~/.cache') / 'smern_ros'


class Store:
    """Assets in one folder, `folder/NAME/FILE`.

    A receipt beside them stores size and times of verified files, so that using them needs a stat instead of hashing
    80 MB. Files modified since, and those without a receipt (the user's own), are hashed again.
    """

    def __init__(self, folder: Path | None = None, assets: Mapping[str, Asset] | None = None) -> None:
        """:param assets: default: those of the manifest."""
        self.folder = folder or default_folder()
        self._assets = manifest.load() if assets is None else assets

    def path(self, name: str) -> Path:
        """See `smern_ros.assets.path`."""
        asset = self._asset(name)
        self._check(asset, trust_receipt=True)
        return self._location(asset)

    def verify(self, name: str) -> Path:
        """See `smern_ros.assets.verify`."""
        asset = self._asset(name)
        self._check(asset, trust_receipt=False)
        return self._location(asset)

    def fetch(self, name: str, progress: Progress = silent) -> Path:
        """See `smern_ros.assets.fetch`."""
        asset = self._asset(name)
        with contextlib.suppress(AssetError):
            return self.path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked(asset, progress):
                self._fill(asset, progress)
        except OSError as error:
            raise FetchFailed(f'cannot fetch {name} into {self.folder}: {error}') from error
        return self._location(asset)

    def _asset(self, name: str) -> Asset:
        if name not in self._assets:
            raise ValueError(f'unknown asset {name!r}; expected one of {", ".join(self._assets)}')
        return self._assets[name]

    # --- checking ---------------------------------------------------------------------------------------------

    def _location(self, asset: Asset) -> Path:
        folder = self.folder / asset.name
        return folder if asset.is_folder else folder / asset.files[0].path

    def _check(self, asset: Asset, *, trust_receipt: bool) -> None:
        """:raises MissingAsset, WrongAsset: unless every file is there and right."""
        folder = self.folder / asset.name
        absent = [file.path for file in asset.files if not (folder / file.path).is_file()]
        if len(absent) == len(asset.files):
            raise MissingAsset(
                f'{asset.name} ({asset.purpose}) is not in {self.folder}. Fetch it: smern assets fetch {asset.name}'
            )
        if absent:
            raise WrongAsset(f'{folder} lacks {", ".join(absent)}. {self._remedy(asset)}')
        receipt = self._receipt(asset) if trust_receipt else {}
        found = {}
        for file in asset.files:
            found[file.path] = self._identity(asset, file.path, receipt.get(file.path))
        if found != receipt:
            self._write_receipt(asset, found)

    def _identity(self, asset: Asset, path: str, known: list | None) -> list:
        """Size, times and hash of a file, after verification."""
        file = self.folder / asset.name / path
        stat = file.stat()
        versions = asset.versions(path)
        seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]  # programs cannot set the last one
        if known in [[*seen, version.sha256] for version in versions]:
            return known
        if stat.st_size not in {version.size for version in versions}:
            sizes = ' or '.join(str(version.size) for version in versions)
            raise WrongAsset(f'{file} has {stat.st_size} bytes; expected {sizes}. {self._remedy(asset)}')
        digest = sha256(file)
        if (stat.st_size, digest) not in {(version.size, version.sha256) for version in versions}:
            wanted = ' or '.join(version.sha256 for version in versions)
            raise WrongAsset(f'{file} has sha256 {digest}; expected {wanted}. {self._remedy(asset)}')
        return [*seen, digest]

    def _remedy(self, asset: Asset) -> str:
        if self._receipt(asset):
            return f'It was modified after it was fetched; fetch it again: smern assets fetch {asset.name}'
        return (
            f'It is not the {asset.name} that smern_ros is tested with. To use your own model, set its path as a '
            f'parameter of the node; to use the tested one, move {self.folder / asset.name} away and run: '
            f'smern assets fetch {asset.name}'
        )

    def _receipt_path(self, asset: Asset) -> Path:
        return self.folder / f'.{asset.name}.verified.json'

    def _receipt(self, asset: Asset) -> dict[str, list]:
        try:
            receipt = json.loads(self._receipt_path(asset).read_text('utf-8'))
        except (OSError, ValueError, RecursionError):
            return {}
        return receipt if isinstance(receipt, dict) else {}

    def _write_receipt(self, asset: Asset, found: dict[str, list]) -> None:
        with contextlib.suppress(OSError):  # with a read-only folder files are hashed at each use
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=f'.{asset.name}.')
            with os.fdopen(handle, 'w', encoding='utf-8') as stream:
                json.dump(found, stream)
            os.chmod(name, 0o644)  # the folder may be shared
            os.replace(name, self._receipt_path(asset))

    # --- filling ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self, asset: Asset, progress: Progress) -> Iterator[None]:
        """Lock of the asset between processes; the kernel releases it if the process dies."""
        with (self.folder / f'.{asset.name}.lock').open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress(asset.name, 'wait for another process that fetches it', 0, 0)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _fill(self, asset: Asset, progress: Progress) -> None:
        atomic_folder.restore(self.folder / asset.name)
        try:
            self._check(asset, trust_receipt=True)
            return  # another process fetched it
        except MissingAsset:
            pass
        except WrongAsset:
            if not self._receipt(asset):
                raise  # never replace the user's own files
        staging_prefix = f'.{asset.name}.fetch-'
        for left in self.folder.glob(f'{staging_prefix}*'):  # of killed processes
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=staging_prefix) as staging:
            ready = self._from_first_source(asset, Path(staging), progress)
            atomic_folder.put(ready, self.folder / asset.name)
        self._check(asset, trust_receipt=False)

    def _from_first_source(self, asset: Asset, staging: Path, progress: Progress) -> Path:
        failures = []
        for number, source in enumerate(asset.sources):
            scratch, ready = staging / f'scratch{number}', staging / f'ready{number}'
            scratch.mkdir()
            ready.mkdir()
            try:
                sources.download(source, asset, ready, scratch, progress)
                progress(asset.name, 'verify', 0, 0)
                for file in asset.files:
                    self._require(asset, file.path, ready / file.path)
                return ready
            except FetchFailed as error:
                failures.append(f'{source.label}: {error}')
        tried = '\n  '.join(failures)
        raise FetchFailed(
            f'cannot fetch {asset.name}:\n  {tried}\n'
            f'Check the network, or run the same command on another machine and copy {self.folder / asset.name} here.'
        )

    def _require(self, asset: Asset, path: str, file: Path) -> None:
        if not file.is_file():
            raise FetchFailed(f'{path} is missing')
        found = (file.stat().st_size, sha256(file))
        if found not in {(version.size, version.sha256) for version in asset.versions(path)}:
            wanted = asset.versions(path)[0]
            raise FetchFailed(
                f'{path} has {found[0]} bytes with sha256 {found[1]}; expected {wanted.size} with {wanted.sha256}'
            )
