"""GoEmotions: English comments of a forum (Demszky et al. 2020). CC BY 4.0."""
from __future__ import annotations

from pathlib import Path

from smern_ros.training.corpora import Comment, require_folder

CORPUS = 'goemotions'
LICENCE = 'CC BY 4.0'
FOUR = {
    'joy': 'happy', 'amusement': 'happy', 'excitement': 'happy',
    'sadness': 'sad', 'disappointment': 'sad', 'grief': 'sad',
    'anger': 'angry', 'annoyance': 'angry',
    'neutral': 'neutral',
}
"""Which of the corpus's 28 emotions count as ours. Comments with any other, or with two of ours, are left out."""


def read(data: Path, split: str) -> list[Comment]:
    """The comments of `data`/text_goemotions.

    :param split: train, dev or test, as published.
    """
    folder = require_folder(data / 'text_goemotions', CORPUS)
    names = (folder / 'labels.txt').read_text(encoding='utf-8').split()
    comments = []
    for line in (folder / f'{split}.tsv').read_text(encoding='utf-8').splitlines():
        text, numbers, identity = line.split('\t')
        labels = {FOUR.get(names[int(number)]) for number in numbers.split(',')}
        if len(labels) == 1 and (label := labels.pop()) is not None:
            # Names were masked by [NAME]; what a recogniser would write there is mostly unknown to the vocabulary.
            comments.append(Comment(CORPUS, identity, text.replace('[NAME]', ''), label))
    return comments
