# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small corpus in the folders, file formats and oddities of IEMOCAP, made of open data.

It proves that everything runs from a folder on disk to a report. It proves nothing about emotions: the sound is German
and Polish (EMO-DB, nEMO), the words are English comments of the same emotion (GoEmotions), the people in the videos
sign, and the motion capture is synthetic.
"""
from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.training.iemocap.corpus_reader.names import Dialog
from smern_ros.training.iemocap.corpus_reader.published import SESSIONS, WITHOUT_MOCAP
from smern_ros.training.iemocap.mini_corpus import files
from smern_ros.training.iemocap.mini_corpus.dialogs import EMPTY_HALF, PlannedDialog, PlannedUtterance, plan
from smern_ros.training.iemocap.mini_corpus.film import Films, Pair

MALFORMED = frozenset({'Ses01F_impro01', 'Ses04F_impro01'})
"""Dialogs whose transcription has a malformed line."""
_APPLE_DOUBLE = b'\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ' + bytes(range(64))
_MEN = 3
_README = """\
This is NOT IEMOCAP. It is a small imitation for tests, in its folders and formats, and shows nothing about emotions.
Sound: EMO-DB (CC0-1.0, German) in sessions 1 to 3, nEMO (CC BY-NC-SA 4.0, Polish) in sessions 4 and 5.
Words: GoEmotions (CC BY 4.0), comments of the same emotion; nobody speaks them. Some are offensive.
Videos: Intel sample videos (CC BY 4.0), people who sign, not those who are heard. Motion capture: synthetic.
"""


@dataclass(frozen=True)
class MiniCorpus:
    """What was written, so that a reader can be tried against it."""

    root: Path
    dialogs: tuple[PlannedDialog, ...]

    @property
    def utterances(self) -> tuple[PlannedUtterance, ...]:
        return tuple(utterance for dialog in self.dialogs for utterance in dialog.utterances)

    @property
    def unseen(self) -> frozenset[str]:
        """Ids of the utterances whose speaker the video does not show."""
        return frozenset(
            u.id.text for u in self.utterances if u.id.dialog.name == EMPTY_HALF and not u.id.wears_markers
        )


def build(
    root: Path, data: Path, *, sessions: Sequence[int] = SESSIONS, dialogs: int = 2, utterances: int = 6,
    shortest: int | None = None, seed: int = 0,
) -> MiniCorpus:
    """Write the corpus to `root`, which is made anew. The same arguments give the same files.

    :param data: holds emodb4, nemo4, text_goemotions and video_upperbody.
    :param sessions: of 1 to 5; the others are absent, as in a part of the corpus.
    :param dialogs: of each session, 1 to 28; sessions 3 and 5 have their oddly named ones, of 2 utterances, besides.
    :param utterances: of each dialog. A voice's clips are used again when they run out.
    :param shortest: use so many clips of each voice and emotion, the shortest ones; None: all of them.
    :raises FileExistsError: if `root` holds anything.
    :raises FileNotFoundError: if the data is not there.
    """
    if root.exists() and any(root.iterdir()):
        raise FileExistsError(f'{root} is not empty; remove it or name another folder')
    planned = plan(data, sessions=sessions, dialogs=dialogs, utterances=utterances, shortest=shortest, seed=seed)
    generator = np.random.default_rng([seed, 1])
    with tempfile.TemporaryDirectory() as scratch:
        films = Films(data, Path(scratch))
        root.mkdir(parents=True, exist_ok=True)
        for each in planned:
            _write(root, each, films, generator)
    for session in sessions:
        _clutter(root / f'Session{session}', next(p.dialog for p in planned if p.dialog.session == session))
    (root / 'README.txt').write_text(_README, encoding='ascii')
    return MiniCorpus(root, tuple(planned))


def _write(root: Path, planned: PlannedDialog, films: Films, generator: np.random.Generator) -> None:
    dialog = planned.dialog
    folder = root / f'Session{dialog.session}'
    _text(folder / 'dialog/EmoEvaluation' / f'{dialog.name}.txt', files.evaluation(planned))
    _text(
        folder / 'dialog/transcriptions' / f'{dialog.name}.txt',
        files.transcription(planned, malformed=dialog.name in MALFORMED),
    )
    files.write_sound(folder, planned)
    video = folder / 'dialog/avi/DivX' / f'{dialog.name}.avi'
    video.parent.mkdir(parents=True, exist_ok=True)
    pair = Pair((dialog.session - 1) % _MEN, dialog.wearer == 'F', right_is_empty=dialog.name == EMPTY_HALF)
    films.write(video, pair, planned.seconds, generator)
    if dialog.name not in WITHOUT_MOCAP:
        files.write_mocap(folder / 'dialog', dialog.name, planned.seconds, generator)


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='ascii')


def _clutter(folder: Path, dialog: Dialog) -> None:
    """What lies about in the release: a Mac's hidden files, and each annotator's own."""
    name = dialog.name
    for place in (
        f'dialog/EmoEvaluation/._{name}.txt', f'dialog/transcriptions/._{name}.txt', f'dialog/avi/DivX/._{name}.avi',
        f'sentences/wav/{name}/._{name}_F000.wav',
    ):
        (folder / place).write_bytes(_APPLE_DOUBLE)
    own = folder / 'dialog/EmoEvaluation/Categorical' / f'{name}_e2_cat.txt'
    _text(own, f'{name}_F000 :Neutral state; ()\n')
