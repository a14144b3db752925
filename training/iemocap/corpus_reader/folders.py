# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the files of a session lie, and which are missing."""
from __future__ import annotations

from collections import Counter
from pathlib import Path

from smern_ros.training.iemocap.corpus_reader.corpus_report import Problem
from smern_ros.training.iemocap.corpus_reader.motion_capture import WIDTHS, MocapFiles
from smern_ros.training.iemocap.corpus_reader.names import Dialog, UtteranceId
from smern_ros.training.iemocap.corpus_reader.published import WITHOUT_MOCAP

HIDDEN = 'hidden files (._*)'
EVALUATIONS = 'dialog/EmoEvaluation'
TRANSCRIPTIONS = 'dialog/transcriptions'
VIDEOS = 'dialog/avi/DivX'
SOUNDS = 'sentences/wav'
_MOTIONS = tuple(f'dialog/{name}' for name in WIDTHS)


class SessionFiles:
    """Each folder is listed once. What is asked for and missing becomes a problem; so does an absent folder, once.

    :param seen: whether videos are wanted. If not, they are not looked for, and no motion capture at all is no problem.
    """

    def __init__(self, session: int, folder: Path, *, seen: bool = True):
        self.session = session
        self.folder = folder
        self.problems: list[Problem] = []
        self.tolerated: list[Problem] = []
        self.skipped: Counter[str] = Counter()
        self._evaluations = self._list(EVALUATIONS, '.txt')
        self._transcriptions = self._list(TRANSCRIPTIONS, '.txt')
        self._videos = self._list(VIDEOS, '.avi') if seen else None
        captured = seen or any(path for name in _MOTIONS for path in (folder / name).glob('[!.]*.txt'))
        self._motions = [self._list(name, '.txt') if captured else None for name in _MOTIONS]
        self._sounds = self._list(SOUNDS, '')

    def dialogs(self) -> list[Dialog]:
        """All that have an evaluation, a transcription or sound, by name."""
        names = {name: path for paths in (self._sounds, self._transcriptions, self._evaluations)
                 for name, path in (paths or {}).items()}
        found = []
        for name, path in sorted(names.items()):
            try:
                dialog = Dialog.parse(name)
                if dialog.session != self.session:
                    raise ValueError(f'a dialog of session {dialog.session}')
                found.append(dialog)
            except ValueError as error:
                self.tolerated.append(Problem(path, f'{error}; left aside'))
        return found

    def evaluation(self, dialog: Dialog) -> Path | None:
        return self._find(self._evaluations, EVALUATIONS, dialog, '.txt')

    def transcription(self, dialog: Dialog) -> Path | None:
        return self._find(self._transcriptions, TRANSCRIPTIONS, dialog, '.txt')

    def transcription_path(self, dialog: Dialog) -> Path:
        return self.folder / TRANSCRIPTIONS / f'{dialog.name}.txt'

    def video(self, dialog: Dialog) -> Path | None:
        return self._find(self._videos, VIDEOS, dialog, '.avi')

    def sounds(self, dialog: Dialog) -> dict[str, Path]:
        """The sound files of the dialog's utterances by id."""
        folder = self._find(self._sounds, SOUNDS, dialog, '')
        if folder is None:
            return {}
        return self._list(f'{SOUNDS}/{dialog.name}', '.wav') or {}

    def sound_path(self, utterance: UtteranceId) -> Path:
        return self.folder / SOUNDS / utterance.dialog.name / f'{utterance.text}.wav'

    def mocap(self, dialog: Dialog) -> MocapFiles | None:
        """The three files of the dialog's motion capture, or None unless all are there."""
        listings = list(zip(self._motions, _MOTIONS, strict=True))
        if dialog.name in WITHOUT_MOCAP and not any(dialog.name in (listed or {}) for listed, _ in listings):
            return None
        rotated, head, hand = (self._find(listed, folder, dialog, '.txt') for listed, folder in listings)
        return MocapFiles(rotated, head, hand) if rotated and head and hand else None

    def _list(self, where: str, suffix: str) -> dict[str, Path] | None:
        """Files with this suffix by name; without a suffix, folders. None if there is no such folder."""
        folder = self.folder / where
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.problems.append(Problem(folder, f'this folder cannot be read: {error.strerror}'))
            return None
        self.skipped[HIDDEN] += sum(path.name.startswith('._') for path in entries)
        return {
            path.stem if suffix else path.name: path
            for path in entries
            if not path.name.startswith('.') and (path.suffix == suffix if suffix else path.is_dir())
        }

    def _find(self, listed: dict[str, Path] | None, where: str, dialog: Dialog, suffix: str) -> Path | None:
        if listed is None:
            return None
        path = listed.get(dialog.name)
        if path is None:
            missing = 'file' if suffix else 'folder'
            self.problems.append(Problem(self.folder / where / f'{dialog.name}{suffix}', f'this {missing} is missing'))
        return path
