"""Evaluation and transcription files in the corpus's own syntax, with the oddities that it has."""
from __future__ import annotations

from collections.abc import Iterator

from smern_ros.training.iemocap.mini_corpus.dialogs import PlannedDialog, PlannedUtterance

_TITLE = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]'
_SPOKEN = {  # what three annotators and the actor said; valence, activation, dominance
    'neu': (('Neutral', 'Neutral', 'Neutral', 'Neutral'), (3, 2, 2)),
    'exc': (('Excited', 'Happiness; Excited', 'Excited', 'Excited'), (4, 4, 3)),
    'hap': (('Happiness', 'Happiness', 'Neutral', 'Happiness'), (4, 3, 3)),
    'ang': (('Anger', 'Anger; Frustration', 'Anger', 'Anger'), (1, 4, 4)),
    'sad': (('Sadness', 'Sadness', 'Sadness', 'Neutral'), (2, 2, 2)),
    'fru': (('Frustration', 'Anger', 'Frustration', 'Frustration'), (2, 3, 3)),
    'xxx': (('Neutral', 'Frustration', 'Sadness', 'Anger'), (3, 3, 3)),
    'sur': (('Surprise', 'Surprise', 'Surprise', 'Excited'), (3, 4, 3)),
}


def evaluation(planned: PlannedDialog) -> str:
    blocks = ['\n'.join(_block(utterance)) for utterance in planned.utterances]
    return '\n\n'.join([_TITLE, *blocks]) + '\n\n'


def _block(utterance: PlannedUtterance) -> Iterator[str]:
    spoken, attributes = _SPOKEN[utterance.annotation]
    mean = ', '.join(f'{value:.4f}' for value in attributes)
    yield f'[{utterance.start:.4f} - {utterance.end:.4f}]\t{utterance.id.text}\t{utterance.annotation}\t[{mean}]'
    annotators = ('E2', 'E3', 'E4', f'{utterance.id.actor}1')
    for name, emotions in zip(annotators, spoken, strict=True):
        yield f'C-{name}:\t{emotions};\t()'
    valence, activation, dominance = attributes
    for name in annotators[1:]:
        yield f'A-{name}:\tval {valence}; act {activation}; dom  {dominance};\t()'


def transcription(planned: PlannedDialog, *, malformed: bool) -> str:
    """:param malformed: add a line that no reader can make sense of."""
    name = planned.dialog.name
    lines = [
        f'{u.id.text} [{u.start:08.4f}-{u.end:08.4f}]: {u.text}' for u in planned.utterances
    ]
    lines.insert(1, 'F: [BREATHING]')
    lines += [f'{name}_MXX0 [{planned.seconds:08.4f}-{planned.seconds:08.4f}]: Yeah.', 'M: Mmhmm.']
    if malformed:
        lines.insert(2, f'{name}_F00 006.2901-008.2357 Excuse me.')
    return '\n'.join(lines) + '\n'
