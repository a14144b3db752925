# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One dialog of the corpus: its utterances' features, made once and then found again."""
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from smern_ros.media.reader import MediaError
from smern_ros.spec import SPEC
from smern_ros.training.common.cache import code, file_state, key
from smern_ros.training.iemocap.corpus_reader import CorpusError, IemocapUtterance, Problem, motion_capture
from smern_ros.training.iemocap.corpus_reader.corpus_report import NO_ACTOR
from smern_ros.training.iemocap.corpus_reader.motion_capture import VALUES, MocapRecording
from smern_ros.training.iemocap.corpus_reader.names import Side
from smern_ros.training.iemocap.features import smile, speech
from smern_ros.training.iemocap.features.actors import Actors, PoseChoice, watch
from smern_ros.training.iemocap.features.feature_store import (
    AS_THE_ROBOT,
    MOCAP_SHAPE,
    FeatureError,
    FeatureRow,
    FeatureSet,
    SampleArrays,
    SkeletonChoice,
)
from smern_ros.values import SECOND

CORPUS = 'iemocap'
UNREADABLE_SOUND = 'its sound file cannot be read'
UNREADABLE_VIDEO = 'its video is missing or cannot be read'
_PROBLEMS = 'problems.json'
_FRAME = SECOND // 15
"""ns, two frames; an utterance that ends later than a damaged video by more is not shown whole."""
_CUT_SOUND = SECOND // 2
"""ns by which a sound file may be shorter than its utterance; by more, a part of it is missing."""
_SHORTER = SECOND
"""ns by which an undamaged video may end before an utterance in which nobody is seen; by more, it is to blame."""


@dataclass(frozen=True)
class Unit:
    """The utterances of one dialog, at least one, and how to look at its video and to listen."""

    utterances: tuple[IemocapUtterance, ...]
    pose: PoseChoice | None  # None: nobody looks
    opensmile: bool = False  # see `smile`
    skeletons: SkeletonChoice = AS_THE_ROBOT
    extra: bool = False      # see `speech.pretrained_state`

    @property
    def dialog(self) -> str:
        return self.utterances[0].dialog

    @property
    def size(self) -> int:
        """About how much work it is: bytes to be read."""
        paths = [u.wav for u in self.utterances]
        if self.pose is not None and self.utterances[0].video is not None:
            paths.append(self.utterances[0].video)
        return sum(known[1] for path in paths if (known := file_state(path)) is not None) or 1

    def folder(self, cache: Path) -> Path:
        """Where its features are kept. The name tells all that they depend on."""
        first = self.utterances[0]
        recordings = [u.mocap for u in self.utterances if u.mocap is not None][:1]
        name = key(
            utterances=[
                [u.id, u.speaker, u.session, u.start_ns, u.end_ns, u.label, u.text, u.side.value, file_state(u.wav)]
                for u in self.utterances
            ],
            video=file_state(first.video), pose=None if self.pose is None else self.pose.key(),
            mocap=[file_state(path) for files in recordings for path in (files.rotated, files.head, files.hand)],
            opensmile=[smile.require(), smile.CONFIGURATION.read_text()] if self.opensmile else None,
            skeletons=vars(self.skeletons),
            extra=speech.pretrained_state() if self.extra else None,
            spec=SPEC.to_dict(),
            code=code([
                'smern_ros.audio', 'smern_ros.media', 'smern_ros.skeleton', __package__, motion_capture.__name__,
            ]),
        )
        return cache / 'dialogs' / f'{self.dialog}-{name}'

    def extract(self, cache: Path) -> None:
        """Make its features and keep them. What cannot be read is kept as a problem.

        :raises OSError: if they cannot be written.
        """
        features, problems = _Extraction(self, cache).run()
        folder = self.folder(cache)
        folder.mkdir(parents=True, exist_ok=True)
        stored = [{'path': str(p.path), 'what': p.what} for p in problems]
        (folder / _PROBLEMS).write_text(json.dumps(stored, indent=1), encoding='utf-8')
        features.save(folder)  # its index comes last: with it, all is there

    def found(self, cache: Path) -> tuple[FeatureSet, list[Problem]] | None:
        """Its features, mapped into memory, and what was wrong; None if they have to be made."""
        folder = self.folder(cache)
        try:
            features = FeatureSet.load(folder, memory_mapped=True)
            stored = json.loads((folder / _PROBLEMS).read_text(encoding='utf-8'))
            return features, [Problem(Path(problem['path']), problem['what']) for problem in stored]
        except (FeatureError, OSError, ValueError, KeyError, TypeError):  # never made whole
            return None


def units(
    utterances: Iterable[IemocapUtterance], pose: PoseChoice | None, opensmile: bool, skeletons: SkeletonChoice,
    extra: bool = False,
) -> Iterator[Unit]:
    """:param utterances: in order of their dialogs."""
    for _, together in groupby(utterances, key=lambda utterance: utterance.dialog):
        yield Unit(tuple(together), pose, opensmile, skeletons, extra)


def mocap_features(recording: MocapRecording, start_ns: int, end_ns: int) -> np.ndarray | None:
    """Motion capture as the network of [49] takes it: the mean of each of 200 equal parts of the utterance.

    A part without a frame, or in which a marker was lost, is interpolated from those around it.

    :return: (200, 189) float32, NaN for a value that was never seen; None if there is no frame.
    """
    first = np.searchsorted(recording.times_ns, start_ns, 'left')
    last = np.searchsorted(recording.times_ns, end_ns, 'right')
    if first == last:
        return None
    times, values = recording.times_ns[first:last], recording.values[first:last].astype(np.float64)
    count = MOCAP_SHAPE[0]
    part = np.minimum((times - start_ns) * count // max(end_ns - start_ns, 1), count - 1)
    seen = np.isfinite(values)
    frames, sums = np.zeros((count, VALUES)), np.zeros((count, VALUES))
    np.add.at(frames, part, seen)
    np.add.at(sums, part, np.where(seen, values, 0))
    out = np.full(MOCAP_SHAPE, np.nan, np.float32)
    everywhere = np.arange(count)
    for channel in np.flatnonzero(frames.any(axis=0)):
        known = np.flatnonzero(frames[:, channel])
        out[:, channel] = np.interp(everywhere, known, sums[known, channel] / frames[known, channel])
    return out


class _Extraction:
    """Reads a dialog's files one after the other and collects what is wrong with them."""

    def __init__(self, unit: Unit, cache: Path):
        self._unit = unit
        self._cache = cache
        self._problems: list[Problem] = []

    def run(self) -> tuple[FeatureSet, list[Problem]]:
        actors, recording = self._actors(), self._recording()
        rows, samples, left_out = [], [], {}
        for utterance in self._unit.utterances:
            found = self._sample(utterance, actors, recording)
            if isinstance(found, str):
                left_out[utterance.id] = found
                continue
            rows.append(FeatureRow(
                utterance.id, utterance.speaker, utterance.session, utterance.label, utterance.text
            ))
            samples.append(found)
        missed = sum(why == UNREADABLE_VIDEO for why in left_out.values())
        video = self._unit.utterances[0].video
        if missed and actors is not None and not actors.problem and video is not None:
            what = f'ends after {actors.end_ns / SECOND:.1f} s, too early for {missed} utterances'
            self._problems.append(Problem(video, what))
        return FeatureSet.of(CORPUS, rows, samples, left_out, self._unit.skeletons), self._problems

    def _sample(
        self, utterance: IemocapUtterance, actors: Actors | None, recording: MocapRecording | None
    ) -> SampleArrays | str:
        """Or why it is left out."""
        movement = None
        if self._unit.pose is not None:
            if actors is None or (actors.problem and utterance.end_ns > actors.end_ns + _FRAME):
                return UNREADABLE_VIDEO
            movement = actors.movement(
                utterance.side, utterance.start_ns, utterance.end_ns, self._unit.skeletons
            )
            if movement is None:
                return UNREADABLE_VIDEO if utterance.end_ns > actors.end_ns + _SHORTER else NO_ACTOR
        try:
            heard = speech.features(
                utterance.wav, opensmile=self._unit.opensmile,
                speech_encoder=speech.speech_encoder() if self._unit.extra else None,
            )
        except (MediaError, OSError, ValueError) as error:
            self._problems.append(Problem(utterance.wav, _without(utterance.wav, error)))
            return UNREADABLE_SOUND
        lasts, wanted = heard.end_ns - heard.start_ns, utterance.end_ns - utterance.start_ns
        if lasts < wanted - _CUT_SOUND:
            what = f'lasts {lasts / SECOND:.1f} s; its utterance lasts {wanted / SECOND:.1f} s'
            self._problems.append(Problem(utterance.wav, what))
            return UNREADABLE_SOUND
        captured = None
        if utterance.mocap is not None and recording is not None:
            captured = mocap_features(recording, utterance.start_ns, utterance.end_ns)
            if captured is None:
                self._problems.append(Problem(utterance.mocap.rotated, f'no frame of {utterance.id}'))
        filtered, unfiltered, visible = movement or (None, None, None)
        return SampleArrays(
            mfcc=heard.mfcc, prosody=heard.prosody, skeleton=filtered, skeleton_unfiltered=unfiltered,
            visible=visible, mocap=captured, speech=heard.speech,
            word_vectors=speech.word_vectors(utterance.text) if self._unit.extra else None,
        )

    def _actors(self) -> Actors | None:
        choice, video = self._unit.pose, self._unit.utterances[0].video
        if choice is None or video is None:  # a missing video is a problem of the corpus, which its reader tells
            return None
        spans = {side: [(u.start_ns, u.end_ns) for u in self._unit.utterances if u.side is side] for side in Side}
        made_of = key(video=file_state(video), pose=choice.key(), spans=spans)
        path = self._cache / 'poses' / f'{video.stem}-{made_of}.npz'
        actors = Actors.load(path)
        if actors is None:
            try:
                actors = watch(video, choice, spans)
            except MediaError as error:
                self._problems.append(Problem(video, _without(video, error)))
                return None
            actors.save(path)
        if actors.problem:
            self._problems.append(Problem(video, actors.problem))
        return actors

    def _recording(self) -> MocapRecording | None:
        files = next((u.mocap for u in self._unit.utterances if u.mocap is not None), None)
        if files is None:
            return None
        try:
            recording = motion_capture.read(files)
        except CorpusError as error:
            self._problems.append(Problem(files.rotated, _without(files.rotated, error)))
            return None
        if recording.unreadable:
            what = f'{recording.unreadable} malformed lines here or in the files of head and hand'
            self._problems.append(Problem(files.rotated, what))
        return recording


def _without(path: Path, error: Exception) -> str:
    """What an error says after the path, which the problem names itself."""
    return str(error).removeprefix(f'{path} ')
