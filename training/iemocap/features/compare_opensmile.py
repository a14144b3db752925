# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How near our MFCC and F0 are to openSMILE's, the paper's extractor, on real speech.

openSMILE is licensed for research only, so this package never uses it; install it beside (`pip install
opensmile==2.6.0`) to repeat the comparison:

    python -m smern_ros.training.iemocap.features.compare_opensmile FOLDER_OF_WAV
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.audio import pitch
from smern_ros.audio.mfcc import mfcc
from smern_ros.spec import SPEC
from smern_ros.utils.paths import expand

CONFIGURATION = Path(__file__).with_name('opensmile') / 'mfcc_pitch.conf'
GROSS = 0.2  # an F0 that differs by more than this fraction is a gross error
EDGE = 4     # frames at either end, where the extractors continue a signal differently


@dataclass(frozen=True, eq=False)
class Tracks:
    """One extractor's frames of all signals."""

    mfcc: np.ndarray  # (T, 39)
    f0: np.ndarray    # (T,) Hz, 0 where unvoiced


@dataclass(frozen=True, eq=False)
class Agreement:
    frames: int
    correlations: np.ndarray  # (39,) Pearson's, of each MFCC over all frames
    voicing: float            # fraction of frames that both call voiced or both unvoiced
    f0_correlation: float     # Pearson's, in Hz, on frames that both call voiced
    gross_error: float        # fraction of these on which F0 differs by more than 20 %
    fine_error: float         # semitones, median absolute difference on these


def compare(ours: Tracks, theirs: Tracks) -> Agreement:
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(ours.mfcc.T, theirs.mfcc.T, strict=True)]
    both = (ours.f0 > 0) & (theirs.f0 > 0)
    a, b = ours.f0[both], theirs.f0[both]
    return Agreement(
        frames=len(ours.f0),
        correlations=np.array(correlations),
        voicing=float(np.mean((ours.f0 > 0) == (theirs.f0 > 0))),
        f0_correlation=float(np.corrcoef(a, b)[0, 1]),
        gross_error=float(np.mean(np.abs(a / b - 1) > GROSS)),
        fine_error=float(np.median(np.abs(12 * np.log2(a / b)))),
    )


def extract(files: list[Path]) -> tuple[Tracks, Tracks]:
    """Run both extractors over 16 kHz recordings.

    :return: ours, openSMILE's; frame by frame at the same instants
    """
    import opensmile
    import soundfile

    smile = opensmile.Smile(str(CONFIGURATION), feature_level='lld')
    shift = round(SPEC.frame_shift * SPEC.sample_rate)
    ours: list[Tracks] = []
    theirs: list[Tracks] = []
    for file in files:
        samples, rate = soundfile.read(file, dtype='float32')
        if rate != SPEC.sample_rate or samples.ndim != 1:
            raise ValueError(f'{file} is {rate} Hz, shape {samples.shape}; wanted is mono at {SPEC.sample_rate} Hz')
        table = smile.process_signal(samples, rate)
        reference = Tracks(mfcc=table.iloc[:, : SPEC.mfcc].to_numpy(), f0=table['F0final'].to_numpy())
        mine = Tracks(mfcc=mfcc(samples), f0=pitch.track(samples, sample_rate=rate, shift=shift).f0)
        inner = slice(EDGE, min(len(mine.f0), len(reference.f0)) - EDGE)
        for tracks, found in ((ours, mine), (theirs, reference)):
            tracks.append(Tracks(mfcc=found.mfcc[inner], f0=found.f0[inner]))
    return _joined(ours), _joined(theirs)


def _joined(tracks: list[Tracks]) -> Tracks:
    return Tracks(mfcc=np.concatenate([t.mfcc for t in tracks]), f0=np.concatenate([t.f0 for t in tracks]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=expand, help='searched for *.wav, mono, 16 kHz')
    files = sorted(parser.parse_args().folder.rglob('*.wav'))
    if not files:
        parser.error('the folder has no *.wav')
    result = compare(*extract(files))
    print(f'{len(files)} recordings, {result.frames} frames')
    for name, start in (('coefficients', 0), ('first differences', 13), ('second differences', 26)):
        print(f'MFCC 0 to 12, {name}:', ' '.join(f'{c:.3f}' for c in result.correlations[start : start + 13]))
    print(f'voicing agrees on {result.voicing:.1%} of the frames')
    print(
        f'F0 where both are voiced: correlation {result.f0_correlation:.3f}, gross errors {result.gross_error:.1%}, '
        f'median difference {result.fine_error:.2f} semitones'
    )
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
