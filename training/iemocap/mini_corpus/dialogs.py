# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which dialogs a small IEMOCAP has, and who says what in them, when and how."""
from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from smern_ros.spec import LABELS
from smern_ros.training.corpora import Clip, emodb, goemotions, nemo
from smern_ros.training.iemocap.corpus_reader.names import Dialog, UtteranceId
from smern_ros.training.iemocap.corpus_reader.published import LABEL_OF, SESSIONS

RATE = 16000
SCENES = (
    'impro01', 'script01_1', 'impro02', 'script01_2', 'impro03', 'script01_3', 'impro04', 'script02_1', 'impro06',
    'script02_2', 'impro07', 'script03_1', 'impro09', 'script03_2',
)
ODD_DIALOGS = {
    3: ('Ses03M_impro05a', 'Ses03M_impro05b', 'Ses03M_impro08a', 'Ses03M_impro08b'),
    5: ('Ses05M_script01_1b',),
}
ODD_UTTERANCES = 2
"""Of each odd dialog, so that those do not outweigh the others."""
EMPTY_HALF = 'Ses02F_impro01'
"""The dialog whose video lacks the actor on the right."""
HELD_BRACKET = 'Ses01F_impro01_F000'
"""The utterance whose words hold what else ends a transcription's head."""

ANNOTATED = (
    'neu', 'exc', 'ang', 'sad', 'fru', 'neu', 'hap', 'xxx', 'sad', 'ang',
    'exc', 'neu', 'fru', 'ang', 'neu', 'hap', 'sad', 'exc', 'xxx', 'sur',
)
"""What one speaker feels, utterance by utterance, over and over: about as often as in the corpus."""
SOUNDS_LIKE = {**LABEL_OF, 'fru': 'angry', 'xxx': 'neutral', 'sur': 'happy'}

_EMODB_VOICES = {'Ses01F': '08', 'Ses01M': '03', 'Ses02F': '16', 'Ses02M': '11', 'Ses03F': '14', 'Ses03M': '15'}
_PAUSES = (0.1, 0.5)   # s between utterances
_GRID = RATE // 2000   # samples; times in the files have four decimals
_MOST_WORDS = 14


@dataclass(frozen=True)
class PlannedUtterance:
    id: UtteranceId
    annotation: str
    text: str
    clip: Clip   # whose speech it is
    first: int   # sample of the dialog, 16 kHz
    length: int  # samples

    @property
    def start(self) -> float:
        """s."""
        return self.first / RATE

    @property
    def end(self) -> float:
        return (self.first + self.length) / RATE


@dataclass(frozen=True)
class PlannedDialog:
    dialog: Dialog
    utterances: tuple[PlannedUtterance, ...]

    @property
    def seconds(self) -> float:
        return self.utterances[-1].end + 0.5


def plan(
    data: Path, *, sessions: Sequence[int] = SESSIONS, dialogs: int, utterances: int, shortest: int | None = None,
    seed: int,
) -> list[PlannedDialog]:
    """See `mini_corpus.build`.

    :raises ValueError: if there are no such sessions, or more dialogs are wanted than there are names.
    :raises FileNotFoundError: if the data is not there.
    """
    if not sessions or not set(sessions) <= set(SESSIONS):
        raise ValueError(f'wanted some of the sessions {", ".join(map(str, SESSIONS))}, got {list(sessions)}')
    if not 1 <= dialogs <= 2 * len(SCENES) or utterances < 1:
        raise ValueError(
            f'wanted 1 to {2 * len(SCENES)} dialogs a session and at least 1 utterance a dialog, '
            f'got {dialogs} and {utterances}'
        )
    generator = np.random.default_rng(seed)
    casting = _Casting(data, generator, shortest)
    return [
        PlannedDialog(dialog, tuple(_utterances(dialog, count, casting, generator)))
        for dialog, count in _dialogs(sessions, dialogs, utterances)
    ]


def _dialogs(sessions: Sequence[int], dialogs: int, utterances: int) -> Iterator[tuple[Dialog, int]]:
    for session in sessions:
        names = [f'Ses0{session}{wearer}_{scene}' for scene in SCENES for wearer in 'FM'][:dialogs]
        yield from ((Dialog.parse(name), utterances) for name in names)
        yield from ((Dialog.parse(name), min(utterances, ODD_UTTERANCES)) for name in ODD_DIALOGS.get(session, ()))


def _utterances(
    dialog: Dialog, count: int, casting: _Casting, generator: np.random.Generator
) -> Iterator[PlannedUtterance]:
    """Both speak in turn."""
    end = RATE // 2
    for k in range(count):
        identity = UtteranceId.parse(f'{dialog.name}_{"FM"[k % 2]}{k // 2:03d}')
        annotation, clip, text = casting.next(identity.speaker)
        if identity.text == HELD_BRACKET:
            text = f'Well [LAUGHTER]: {text}'
        first = _on_grid(end + generator.uniform(*_PAUSES) * RATE)
        length = _on_grid(soundfile.info(clip.path).frames)
        end = first + length
        yield PlannedUtterance(identity, annotation, text, clip, first, length)


def _on_grid(samples: float) -> int:
    return int(samples) // _GRID * _GRID


@dataclass
class _Endless:
    """Items in a shuffled order, again from the first when they run out."""

    items: Sequence
    _next: int = field(default=0, init=False)

    def take(self):
        item = self.items[self._next % len(self.items)]
        self._next += 1
        return item


class _Casting:
    """Gives each of the ten speakers one real voice, and words of the same emotion."""

    def __init__(self, data: Path, generator: np.random.Generator, shortest: int | None):
        def shuffled(items: Sequence) -> _Endless:
            return _Endless([items[i] for i in generator.permutation(len(items))])

        voices = _voices(data)
        self._clips = {
            (speaker, label): shuffled(_shortest([clip for clip in clips if clip.label == label], shortest))
            for speaker, clips in voices.items() for label in LABELS
        }
        comments = goemotions.read(data, 'train')
        self._words = {
            label: shuffled([c.text.strip() for c in comments if c.label == label and _is_plain(c.text)])
            for label in LABELS
        }
        self._turns = {speaker: 3 * i for i, speaker in enumerate(sorted(voices))}

    def next(self, speaker: str) -> tuple[str, Clip, str]:
        """Annotation, speech and words of the speaker's next utterance."""
        annotation = ANNOTATED[self._turns[speaker] % len(ANNOTATED)]
        self._turns[speaker] += 1
        label = SOUNDS_LIKE[annotation]
        return annotation, self._clips[speaker, label].take(), self._words[label].take()


def _voices(data: Path) -> dict[str, list[Clip]]:
    """Clips by IEMOCAP's speaker, women for F and men for M: three sessions in German, two in Polish."""
    clips = [*emodb.read(data), *nemo.read(data)]
    voices = {speaker: f'{emodb.CORPUS}-{voice}' for speaker, voice in _EMODB_VOICES.items()}
    with (data / 'nemo4' / 'labels.csv').open(encoding='utf-8', newline='') as file:
        genders = {row['speaker']: row['gender'] for row in csv.DictReader(file)}
    for letter, gender in (('F', 'female'), ('M', 'male')):
        names = sorted(name for name, theirs in genders.items() if theirs == gender)
        voices |= {f'Ses0{session}{letter}': f'{nemo.CORPUS}-{names[session - 4]}' for session in (4, 5)}
    return {speaker: [clip for clip in clips if clip.speaker == voice] for speaker, voice in voices.items()}


def _shortest(clips: list[Clip], count: int | None) -> list[Clip]:
    return clips if count is None else sorted(clips, key=lambda clip: soundfile.info(clip.path).frames)[:count]


def _is_plain(text: str) -> bool:
    """One short line without brackets."""
    return text.isascii() and 2 <= len(text.split()) <= _MOST_WORDS and not set('[]\t\r\n') & set(text.strip())
