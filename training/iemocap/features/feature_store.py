# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features of a corpus on disk: one folder, an index in JSON and one NumPy file a quantity. Nothing is pickled.

The features are as the robot computes them, not normalised: that needs the training part of a split. Words are text:
their vocabulary needs it, too.
"""
from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.skeleton.lowpass import causal, zero_phase
from smern_ros.spec import LABELS, PROSODY, SPEC, FeatureSpec, SpecMismatch
from smern_ros.utils.file_size import require_size

FORMAT = 2
_WITHOUT_CHOICE = 1
"""The format of version 0.1.0, whose skeletons all are as the robot's."""
INDEX = 'index.json'
MOCAP_SHAPE = (200, 189)
"""Frames of an utterance, whatever its length, and values (the input of [49])."""
_LARGEST_INDEX = 256 << 20  # bytes
_SKELETON = 3 * len(SPEC.joints)

_ARRAYS: dict[str, tuple[type, tuple[int | None, ...]]] = {
    'mfcc': (np.float32, (None, SPEC.mfcc)),
    'mfcc_offsets': (np.int64, (None,)),
    'prosody': (np.float32, (None, len(PROSODY))),
    'skeleton': (np.float32, (None, _SKELETON)),
    'skeleton_unfiltered': (np.float32, (None, _SKELETON)),
    'visible': (np.bool_, (None, len(SPEC.joints))),
    'skeleton_offsets': (np.int64, (None,)),
    'mocap': (np.float32, (None, *MOCAP_SHAPE)),
    'mocap_offsets': (np.int64, (None,)),
    'speech': (np.float32, (None, SPEC.speech)),
    'speech_offsets': (np.int64, (None,)),
    'word_vectors': (np.float16, (None, SPEC.word_vector)),
    'word_vectors_offsets': (np.int64, (None,)),
}
"""Files, their types and shapes. Row i of a quantity with offsets lies from offsets[i] to offsets[i + 1]."""
EXTRA = ('speech', 'speech_offsets', 'word_vectors', 'word_vectors_offsets')
"""Of these what pretrained encoders make of an utterance. The paper's networks take nothing of it, and most sets have
none."""


class FeatureError(Exception):
    """A folder that holds no features, or damaged ones: which, what is wrong and what to do."""


FILTERS = {'zero-phase': zero_phase, 'causal': causal}


@dataclass(frozen=True)
class SkeletonChoice:
    """What of an actor's movement the network gets: as the robot computes it, or nearer to the paper."""

    raw: bool = False           # positions from the estimator's origin, in metres; else without place, size and heading
    filter: str = 'zero-phase'  # of FILTERS

    def __post_init__(self) -> None:
        """:raises ValueError: for anything else."""
        if not isinstance(self.raw, bool) or self.filter not in FILTERS:
            raise ValueError(f'skeletons are {self}; wanted raw true or false and a filter of {", ".join(FILTERS)}')

    @property
    def differs(self) -> str:
        """What a robot does otherwise, in words; empty if nothing."""
        parts = (('raw positions', self.raw), ('a causal filter', self.filter == 'causal'))
        return ' and '.join(what for what, so in parts if so)


AS_THE_ROBOT = SkeletonChoice()


@dataclass(frozen=True)
class FeatureRow:
    """One utterance."""

    id: str
    speaker: str  # who must not be both learnt from and tested on, where speakers are held out
    session: int
    label: str    # one of `smern_ros.spec.LABELS`
    text: str


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleArrays:
    """What is known of one utterance, not normalised; what is missing is None."""

    mfcc: np.ndarray | None = None                 # (T, 39) float32, T >= 1
    prosody: np.ndarray | None = None              # (35,) float32
    skeleton: np.ndarray | None = None             # (S, 30) float32, as `SkeletonChoice` says, S >= 1
    skeleton_unfiltered: np.ndarray | None = None  # (S, 30) float32, the same without the low-pass
    visible: np.ndarray | None = None              # (S, 10) bool
    mocap: np.ndarray | None = None                # (200, 189) float32, NaN for a value never seen in the utterance
    speech: np.ndarray | None = None               # (768,) float32, of the speech encoder
    word_vectors: np.ndarray | None = None         # (W, 1152) float16, of the sentence encoder, W >= 1


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of many utterances. Nobody writes to the arrays."""

    corpus: str
    utterances: tuple[FeatureRow, ...]
    mfcc: np.ndarray                 # (sum T, 39) float32
    mfcc_offsets: np.ndarray         # (N + 1,) int64
    prosody: np.ndarray              # (N, 35) float32, NaN where there is no sound
    skeleton: np.ndarray             # (sum S, 30) float32
    skeleton_unfiltered: np.ndarray  # (sum S, 30) float32
    visible: np.ndarray              # (sum S, 10) bool
    skeleton_offsets: np.ndarray     # (N + 1,) int64
    mocap: np.ndarray                # (M, 200, 189) float32, of the M utterances that have it
    mocap_offsets: np.ndarray        # (N + 1,) int64, rising by 1 where there is one
    speech: np.ndarray               # (P, 768) float32, of the P utterances that have it
    speech_offsets: np.ndarray       # (N + 1,) int64, rising by 1 where there is one
    word_vectors: np.ndarray         # (sum W, 1152) float16
    word_vectors_offsets: np.ndarray  # (N + 1,) int64
    left_out: Mapping[str, str] = field(default_factory=dict)  # utterances that are not here: id, why
    spec: FeatureSpec = SPEC
    skeletons: SkeletonChoice = AS_THE_ROBOT

    def __post_init__(self) -> None:
        """:raises FeatureError: if the arrays do not fit each other."""
        _check(self)

    @property
    def has_extra(self) -> bool:
        """Whether pretrained encoders were asked."""
        return len(self.speech) > 0

    def __len__(self) -> int:
        return len(self.utterances)

    @classmethod
    def of(
        cls, corpus: str, utterances: Sequence[FeatureRow], samples: Iterable[SampleArrays],
        left_out: Mapping[str, str] | None = None, skeletons: SkeletonChoice = AS_THE_ROBOT,
    ) -> FeatureSet:
        """:param samples: of each utterance, in their order.
        :raises FeatureError: if a shape or type is wrong.
        """
        samples = list(samples)
        silent = np.full(len(PROSODY), np.nan, np.float32)
        moving = [s for s in samples if s.skeleton is not None]
        return cls(
            corpus, tuple(utterances),
            mfcc=_stacked('mfcc', [s.mfcc for s in samples if s.mfcc is not None]),
            mfcc_offsets=_offsets(s.mfcc for s in samples),
            prosody=_stacked('prosody', [(silent if s.prosody is None else s.prosody)[None] for s in samples]),
            skeleton=_stacked('skeleton', [s.skeleton for s in moving]),
            skeleton_unfiltered=_stacked('skeleton_unfiltered', [s.skeleton_unfiltered for s in moving]),
            visible=_stacked('visible', [s.visible for s in moving]),
            skeleton_offsets=_offsets(s.skeleton for s in samples),
            mocap=_stacked('mocap', [s.mocap[None] for s in samples if s.mocap is not None]),
            mocap_offsets=_offsets(None if s.mocap is None else s.mocap[None] for s in samples),
            left_out=dict(left_out or {}),
            skeletons=skeletons,
            speech=_stacked('speech', [s.speech[None] for s in samples if s.speech is not None]),
            speech_offsets=_offsets(None if s.speech is None else s.speech[None] for s in samples),
            word_vectors=_stacked('word_vectors', [s.word_vectors for s in samples if s.word_vectors is not None]),
            word_vectors_offsets=_offsets(s.word_vectors for s in samples),
        )

    def sample_arrays(self, i: int) -> SampleArrays:
        """What is known of utterance `i`."""
        def part(name: str, offsets: np.ndarray) -> np.ndarray | None:
            first, last = offsets[i], offsets[i + 1]
            return None if first == last else getattr(self, name)[first:last]

        mocap, speech = part('mocap', self.mocap_offsets), part('speech', self.speech_offsets)
        return SampleArrays(
            mfcc=part('mfcc', self.mfcc_offsets),
            prosody=None if np.isnan(self.prosody[i]).any() else self.prosody[i],
            skeleton=part('skeleton', self.skeleton_offsets),
            skeleton_unfiltered=part('skeleton_unfiltered', self.skeleton_offsets),
            visible=part('visible', self.skeleton_offsets),
            mocap=None if mocap is None else mocap[0],
            speech=None if speech is None else speech[0],
            word_vectors=part('word_vectors', self.word_vectors_offsets),
        )

    def save(self, folder: str | Path) -> None:
        """Write to a folder, over what was there. A write that was cut short leaves no index, so nothing to load.

        :raises OSError: if it cannot be written.
        """
        save([self], folder)

    @classmethod
    def load(cls, folder: str | Path, *, memory_mapped: bool = False) -> FeatureSet:
        """
        :param memory_mapped: leave the arrays on disk and read what is used.
        :raises FeatureError: if there are none, or they are damaged or of another format or specification.
        """
        folder = Path(folder)
        index = _read_index(folder)
        try:
            spec = FeatureSpec.from_dict(index['spec'])
            SPEC.require(spec, 'the feature set')
            count = len(index['utterances'])
            return cls(
                str(index['corpus']), tuple(_row(fields) for fields in index['utterances']),
                **{name: _nothing(name, count) if name in EXTRA and not index.get('extra')
                   else _read_array(folder, name, memory_mapped) for name in _ARRAYS},
                left_out={str(name): str(why) for name, why in index['left_out'].items()},
                spec=spec,
                skeletons=SkeletonChoice(raw=index['skeletons']['raw'], filter=index['skeletons']['filter']),
            )
        except SpecMismatch as error:
            raise FeatureError(f'{folder}: {error}; extract the features anew: smern features') from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise FeatureError(f'{folder / INDEX} is no index of features ({error!r}); extract them anew') from None
        except FeatureError as error:
            raise FeatureError(f'{folder}: {error}') from None


def save(parts: Iterable[FeatureSet], folder: str | Path) -> None:
    """Write several sets as one. Each part is asked for when the one before is written, and then forgotten.

    :param parts: at least one, of one corpus and with the same choice of skeletons.
    :raises OSError: if it cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    index: dict[str, Any] = {'format': FORMAT, 'corpus': '', 'spec': SPEC.to_dict(), 'utterances': [], 'left_out': {}}
    with ExitStack() as files:
        columns = {name: files.enter_context(_Column(folder / f'{name}.npy', name)) for name in _ARRAYS}
        for part in parts:
            for name, column in columns.items():
                column.append(getattr(part, name))
            index['corpus'] = part.corpus
            index['skeletons'] = dataclasses.asdict(part.skeletons)
            if part.has_extra:
                index['extra'] = True
            index['utterances'] += [dataclasses.asdict(row) for row in part.utterances]
            index['left_out'] |= part.left_out
    if not index.get('extra'):
        for name in EXTRA:
            (folder / f'{name}.npy').unlink()
    unfinished = folder / f'{INDEX}.part'
    unfinished.write_text(json.dumps(index, indent=1, ensure_ascii=False), encoding='utf-8')
    os.replace(unfinished, folder / INDEX)


class _Column:
    """An array's file that grows. Its header tells the length, so it is written again at the end."""

    def __init__(self, path: Path, name: str):
        self._path = path
        self._dtype, (_, *self._rest) = _ARRAYS[name]
        self._counts = name.endswith('_offsets')
        self._rows = self._total = 0

    def __enter__(self) -> _Column:
        self._file = self._path.open('wb')
        self._write_header()
        self._begin = self._file.tell()
        if self._counts:
            self._write(np.zeros(1, np.int64))
        return self

    def append(self, rows: np.ndarray) -> None:
        if self._counts:
            rows = rows[1:] + self._total
            self._total = int(rows[-1]) if len(rows) else self._total
        self._write(rows)

    def __exit__(self, kind: type | None, *_: object) -> None:
        with self._file as file:
            if kind is None:
                file.seek(0)
                self._write_header()
                if file.tell() != self._begin:
                    raise OSError(f'{self._path}: NumPy left no room for the length in the header')

    def _write(self, rows: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._rows += len(rows)

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(self._file, {
            'descr': np.lib.format.dtype_to_descr(np.dtype(self._dtype)), 'fortran_order': False,
            'shape': (self._rows, *self._rest),
        })


def _read_array(folder: Path, name: str, memory_mapped: bool) -> np.ndarray:
    path = folder / f'{name}.npy'
    try:
        array = np.load(path, mmap_mode='r', allow_pickle=False)  # checks that the file is as long as it tells
        return array if memory_mapped else np.array(array)
    except (OSError, ValueError, EOFError) as error:
        raise FeatureError(f'{path.name} cannot be read ({error}); extract the features anew') from None


def _nothing(name: str, utterances: int) -> np.ndarray:
    """What an array is of a set none of whose utterances has it."""
    dtype, (_, *rest) = _ARRAYS[name]
    return np.zeros((utterances + 1 if name.endswith('_offsets') else 0, *(size or 0 for size in rest)), dtype)


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        require_size(path, _LARGEST_INDEX)
        index = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FeatureError(
            f'{folder} holds no features (no {INDEX}); make them, or end what was begun: '
            f'smern features --corpus iemocap ROOT --out {folder}'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise FeatureError(f'{path} cannot be read ({error}); extract the features anew') from None
    if isinstance(index, dict) and index.get('format') == _WITHOUT_CHOICE:
        index |= {'format': FORMAT, 'skeletons': dataclasses.asdict(AS_THE_ROBOT)}
    if not isinstance(index, dict) or index.get('format') != FORMAT:
        found = index.get('format') if isinstance(index, dict) else None
        raise FeatureError(f'{path} has the format {found!r}; this version reads {FORMAT}: extract the features anew')
    return index


def _row(fields: dict[str, Any]) -> FeatureRow:
    row = FeatureRow(**fields)
    wanted = (str, str, int, str, str)
    if any(type(v) is not kind for v, kind in zip(dataclasses.astuple(row), wanted, strict=True)):
        raise FeatureError(f'the index has an utterance of wrong types: {row}')
    return row


def _check(features: FeatureSet) -> None:
    for name, (dtype, shape) in _ARRAYS.items():
        array = getattr(features, name)
        fits = array.ndim == len(shape) and all(w in (None, s) for w, s in zip(shape, array.shape, strict=True))
        if array.dtype != dtype or not fits:
            wanted = ' x '.join('any' if size is None else str(size) for size in shape)
            raise FeatureError(f'{name} is {array.dtype} {array.shape}; wanted {np.dtype(dtype)} {wanted}')
    ids = {row.id for row in features.utterances}
    count = len(features.utterances)
    if len(ids) != count:
        raise FeatureError(f'{count} utterances have only {len(ids)} ids; each needs its own')
    wrong = next((row for row in features.utterances if row.label not in LABELS), None)
    if wrong is not None:
        raise FeatureError(f'{wrong.id} has the label {wrong.label!r}; wanted one of {", ".join(LABELS)}')
    if len(features.prosody) != count:
        raise FeatureError(f'prosody has {len(features.prosody)} rows for {count} utterances')
    for name, of in (('mfcc', 'mfcc'), ('skeleton', 'skeleton'), ('skeleton', 'skeleton_unfiltered'),
                     ('skeleton', 'visible'), ('mocap', 'mocap'), ('speech', 'speech'),
                     ('word_vectors', 'word_vectors')):
        offsets, rows = getattr(features, f'{name}_offsets'), len(getattr(features, of))
        if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != rows or (np.diff(offsets) < 0).any():
            raise FeatureError(f'{name}_offsets do not part the {rows} rows of {of} among {count} utterances')
    for name in ('mocap', 'speech'):
        if (np.diff(getattr(features, f'{name}_offsets')) > 1).any():
            raise FeatureError(f'an utterance has more than one row of {name}')


def _offsets(arrays: Iterable[np.ndarray | None]) -> np.ndarray:
    return np.cumsum([0, *(0 if array is None else len(array) for array in arrays)], dtype=np.int64)


def _stacked(name: str, arrays: Sequence[np.ndarray | None]) -> np.ndarray:
    dtype, (_, *sizes) = _ARRAYS[name]
    rest = tuple(size for size in sizes if size is not None)
    if any(array is None for array in arrays):
        raise FeatureError(f'an utterance with a skeleton lacks {name}')
    try:
        return np.concatenate([np.empty((0, *rest), dtype), *(a for a in arrays if a is not None)])
    except ValueError as error:
        raise FeatureError(f'{name} of the utterances do not fit together: {error}') from None
