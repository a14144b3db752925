#!/usr/bin/env python3
# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether two checkouts compute the same of recordings: features, words and probabilities.

    git worktree add build/before v0.1.0
    .venv/bin/python scripts/compare_versions.py build/before . clip.mp4 speech.wav

Both run with this Python and what is installed for it. Exit code 1 if a number differs by more than TOLERANCES.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TOLERANCES = {'mfcc': 2.5e-4, 'prosody': 1e-4, 'speech': 1e-4, 'skeleton': 1e-4, 'probabilities': 1e-3, 'alone': 1e-3}
"""Largest difference of a number."""

DUMP = """
import json, sys
import numpy as np
from smern_ros.cli import main
from smern_ros.cli import recordings

arrays, original = {}, recordings.utterances

def utterances(file, **options):
    for inputs in original(file, **options):
        key = f'{file.name}|{inputs.utterance_id}|{inputs.end_ns}'
        if inputs.audio is not None:
            arrays.update({f'{key}|{name}': getattr(inputs.audio, name) for name in ('mfcc', 'prosody', 'speech')})
        if inputs.skeleton is not None:
            arrays[f'{key}|skeleton'] = inputs.skeleton.positions
        yield inputs

recordings.utterances = utterances
code = main.main(['predict', *sys.argv[2:]])
np.savez(sys.argv[1], **arrays)
sys.exit(code)
"""
"""Runs `smern predict` and keeps what its networks read."""


def dump(checkout: Path, files: list[Path]) -> tuple[dict[str, np.ndarray], list[dict]]:
    """:return: the features by file, utterance and name; the lines of `smern predict`."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / 'arrays.npz'
        done = subprocess.run(
            [sys.executable, '-c', DUMP, str(arrays), *map(str, files)], stdout=subprocess.PIPE, text=True, check=True,
            env={**os.environ, 'PYTHONPATH': str(checkout.resolve())},
        )
        with np.load(arrays) as stored:
            return dict(stored), [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('before', type=Path, help='a checkout')
    parser.add_argument('after', type=Path, help='another')
    parser.add_argument('files', nargs='+', type=Path, metavar='FILE', help='film or sound file')
    args = parser.parse_args()
    (features, lines), (other_features, other_lines) = (dump(side, args.files) for side in (args.before, args.after))
    problems = [f'only one has {key}' for key in sorted(set(features) ^ set(other_features))]
    if len(lines) != len(other_lines):
        problems.append(f'{len(lines)} utterances before, {len(other_lines)} after')
    largest = dict.fromkeys(TOLERANCES, 0.0)
    compared = [(key.rpartition('|')[2], key, features[key], other_features[key])
                for key in sorted(set(features) & set(other_features))]
    for line, other in zip(lines, other_lines, strict=False):
        place = f'{line["file"]} at {line["end"]} s'
        for name in ('utterance_id', 'start', 'end', 'text', 'label', 'modalities'):
            if line.get(name) != other.get(name):
                problems.append(f'{place}: {name} {line.get(name)!r}, {other.get(name)!r}')
        compared += [(name, place, line[field], other[field])
                     for name, field in (('probabilities', 'probabilities'), ('alone', 'modality_probabilities'))
                     if field in line and field in other]
    for name, place, first, second in compared:
        one, two = np.asarray(first), np.asarray(second)
        if one.shape != two.shape:
            problems.append(f'{place}: {name} has shape {one.shape}, {two.shape}')
        elif one.size:
            difference = float(np.abs(one - two).max())
            largest[name] = max(largest[name], difference)
            if not difference <= TOLERANCES[name]:
                problems.append(f'{place}: {name} differs by {difference:.2e}')
    print(f'{len(lines)} utterances of {len(args.files)} files; largest differences:')
    for name, value in largest.items():
        print(f'  {name:14} {value:.2e} (allowed {TOLERANCES[name]:.1e})')
    print('\n'.join(problems))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
