# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the folder IEMOCAP_full_release to utterances with a label, words, sound, video and motion capture."""
from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smern_ros.training.iemocap.corpus_reader import evaluation, published, transcription
from smern_ros.training.iemocap.corpus_reader.corpus_report import (
    NO_AGREEMENT,
    NO_EVALUATION,
    NO_SOUND,
    NO_WORDS,
    OTHER_EMOTION,
    CorpusError,
    CorpusReport,
    LeftOut,
    Problem,
)
from smern_ros.training.iemocap.corpus_reader.evaluation import Evaluation, Unreadable
from smern_ros.training.iemocap.corpus_reader.folders import SessionFiles
from smern_ros.training.iemocap.corpus_reader.motion_capture import MocapFiles
from smern_ros.training.iemocap.corpus_reader.names import Dialog, Side
from smern_ros.training.iemocap.corpus_reader.transcription import Skipped, TranscribedUtterance

NAMED = 5
"""At most so many utterances are named in one problem."""


@dataclass(frozen=True)
class IemocapUtterance:
    """One utterance of the four emotions, and where all of it lies."""

    id: str
    dialog: str
    session: int              # 1..5
    speaker: str              # one of ten, such as Ses01F
    start_ns: int             # on the time line of the dialog, its video and motion capture
    end_ns: int
    label: str                # one of `smern_ros.spec.LABELS`
    annotation: str           # ang, hap, exc, sad or neu
    text: str
    wav: Path                 # only this utterance
    video: Path | None        # of the dialog
    side: Side                # the half of the video that shows the speaker
    mocap: MocapFiles | None  # of the dialog, if the speaker wears the markers


@dataclass(frozen=True)
class Corpus:
    utterances: tuple[IemocapUtterance, ...]  # by session, dialog and time
    report: CorpusReport

    def without(self, left_out: Iterable[LeftOut]) -> Corpus:
        """The same less some utterances, which the report then counts among those left out."""
        left_out = tuple(left_out)
        gone = {utterance.id for utterance in left_out}
        kept = tuple(utterance for utterance in self.utterances if utterance.id not in gone)
        report = dataclasses.replace(
            self.report, used=_used(kept), left_out=self.report.left_out + left_out
        )
        return Corpus(kept, report)


def read(root: str | Path, *, subset: bool = False, seen: bool = True) -> Corpus:
    """All utterances of the four emotions. Whatever else is wrong is in the report.

    :param root: the folder IEMOCAP_full_release, which holds Session1 to Session5.
    :param subset: this is known to be a part of the corpus: absent sessions and other counts are no problems.
    :param seen: whether videos are wanted. If not, none is looked for, and a session without motion capture is whole.
    :raises CorpusError: if it is no such folder.
    """
    root = Path(root)
    _require(root)
    reading = _Reading(root, seen)
    for session in published.SESSIONS:
        folder = root / f'Session{session}'
        if folder.is_dir():
            reading.session(session, folder)
        elif not subset:
            reading.problems.append(Problem(folder, 'this session is missing'))
    if not subset:
        reading.compare()
    return reading.corpus()


def _require(root: Path) -> None:
    wanted = 'wanted the folder IEMOCAP_full_release, which holds Session1 to Session5'
    try:
        if any((root / f'Session{session}').is_dir() for session in published.SESSIONS):
            return
    except OSError as error:  # such as for want of permission
        raise CorpusError(f'{root} cannot be read: {error.strerror}; {wanted}') from None
    if not root.is_dir():
        raise CorpusError(f'there is no folder {root}; {wanted}')
    for place in (root / 'IEMOCAP_full_release', root.parent):
        if (place / 'Session1').is_dir():
            raise CorpusError(f'{root} is not the root of IEMOCAP, but {place} seems to be; {wanted}')
    raise CorpusError(f'{root} is no IEMOCAP; {wanted}')


def _used(utterances: Iterable[IemocapUtterance]) -> dict[tuple[int, str], int]:
    return dict(Counter((utterance.session, utterance.label) for utterance in utterances))


class _Reading:
    """Collects while it reads, session by session and dialog by dialog."""

    def __init__(self, root: Path, seen: bool):
        self.root = root
        self.seen = seen
        self.utterances: list[IemocapUtterance] = []
        self.evaluated: Counter[tuple[int, str]] = Counter()
        self.left_out: list[LeftOut] = []
        self.problems: list[Problem] = []
        self.tolerated: list[Problem] = []
        self.skipped: Counter[str] = Counter()

    def corpus(self) -> Corpus:
        report = CorpusReport(
            self.root, dict(self.evaluated), _used(self.utterances), tuple(self.left_out), tuple(self.problems),
            tuple(self.tolerated), dict(self.skipped),
        )
        return Corpus(tuple(self.utterances), report)

    def session(self, session: int, folder: Path) -> None:
        files = SessionFiles(session, folder, seen=self.seen)
        for dialog in files.dialogs():
            self._dialog(dialog, files)
        self.problems += files.problems
        self.tolerated += files.tolerated
        self.skipped.update(files.skipped)

    def _dialog(self, dialog: Dialog, files: SessionFiles) -> None:
        path = files.evaluation(dialog)
        evaluations = self._evaluations(path, dialog) if path else []
        words = self._words(files.transcription(dialog), dialog)
        sounds = files.sounds(dialog)
        video = files.video(dialog)
        mocap = files.mocap(dialog)
        for one in evaluations:
            self.evaluated[dialog.session, one.annotation] += 1
            why = self._why_not(one, words, sounds, files)
            if why is not None:
                self.left_out.append(LeftOut(one.id.text, why))
                continue
            self.utterances.append(IemocapUtterance(
                id=one.id.text, dialog=dialog.name, session=dialog.session, speaker=one.id.speaker,
                start_ns=one.start_ns, end_ns=one.end_ns,
                label=published.LABEL_OF[one.annotation], annotation=one.annotation,
                text=words[one.id.text], wav=sounds[one.id.text], video=video, side=Side.of(one.id),
                mocap=mocap if one.id.wears_markers else None,
            ))
        unseen = sorted(set(sounds) - {one.id.text for one in evaluations})
        if path and unseen:
            what = f'no evaluation of {_named(unseen)}, whose sound is there; is this file cut off?'
            self.problems.append(Problem(path, what))

    def _evaluations(self, path: Path, dialog: Dialog) -> list[Evaluation]:
        evaluations: list[Evaluation] = []
        try:
            for item in evaluation.read(path, dialog):
                if isinstance(item, Unreadable):
                    self.problems.append(item.problem)
                    if item.id is not None and all(item.id != one.id.text for one in evaluations):
                        self.left_out.append(LeftOut(item.id, NO_EVALUATION))
                else:
                    evaluations.append(item)
        except OSError as error:
            self.problems.append(Problem(path, f'cannot be read: {error.strerror}'))
        return sorted(evaluations, key=lambda one: (one.start_ns, one.id.text))

    def _words(self, path: Path | None, dialog: Dialog) -> dict[str, str]:
        words: dict[str, str] = {}
        if path is None:
            return words
        try:
            for item in transcription.read(path):
                if isinstance(item, TranscribedUtterance):
                    words.setdefault(item.id, item.text)
                elif isinstance(item, Skipped):
                    self.skipped[item.why] += 1
                else:
                    self.tolerated.append(item)
        except OSError as error:
            self.problems.append(Problem(path, f'cannot be read: {error.strerror}'))
        return words

    def _why_not(
        self, one: Evaluation, words: Mapping[str, str], sounds: Mapping[str, Path], files: SessionFiles
    ) -> str | None:
        """Why an utterance is left out; None if it is used."""
        if one.annotation not in published.LABEL_OF:
            return NO_AGREEMENT if one.annotation == published.NO_MAJORITY else OTHER_EMOTION
        if one.id.text not in sounds:
            self.problems.append(Problem(files.sound_path(one.id), 'this sound file is missing'))
            return NO_SOUND
        if one.id.text not in words:
            self.problems.append(Problem(files.transcription_path(one.id.dialog), f'no words of {one.id.text}'))
            return NO_WORDS
        return None

    def compare(self) -> None:
        """Counts that are not those published are problems."""
        before = len(self.problems)
        for session, wanted in published.UTTERANCES.items():
            found = sum(count for (number, _), count in self.evaluated.items() if number == session)
            folder = self.root / f'Session{session}'
            if found != wanted and folder.is_dir():
                self.problems.append(Problem(folder, f'{found} evaluated utterances; {wanted} were published'))
        if len(self.problems) > before or len({session for session, _ in self.evaluated}) < len(published.SESSIONS):
            return
        for annotation, wanted in published.ANNOTATIONS.items():
            found = sum(count for (_, name), count in self.evaluated.items() if name == annotation)
            if found != wanted:
                what = f'{found} utterances are {annotation}; {wanted} were published'
                self.problems.append(Problem(self.root, what))


def _named(ids: list[str]) -> str:
    more = f' and {len(ids) - NAMED} more' if len(ids) > NAMED else ''
    return ', '.join(ids[:NAMED]) + more
