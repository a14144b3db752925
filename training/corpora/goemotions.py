# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""GoEmotions: English comments of a forum (Demszky et al. 2020). CC BY 4.0."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smern_ros.training.corpora import Comment, require_folder

CORPUS = 'goemotions'
LICENCE = 'CC BY 4.0'
COMMERCIAL_USE = True
FOUR = {
    'joy': 'happy', 'amusement': 'happy', 'excitement': 'happy',
    'sadness': 'sad', 'disappointment': 'sad', 'grief': 'sad',
    'anger': 'angry', 'annoyance': 'angry',
    'neutral': 'neutral',
}
"""Which of the corpus's 28 emotions count as ours. Comments with any other, or with two of ours, are left out."""


@dataclass(frozen=True)
class Annotated:
    """A comment with all the emotions that it was given, of `emotions`."""

    id: str
    text: str
    emotions: tuple[int, ...]  # one or more


def emotions(data: Path) -> list[str]:
    """The names of the corpus's own emotions."""
    folder = require_folder(data / 'text_goemotions', CORPUS)
    return (folder / 'labels.txt').read_text(encoding='utf-8').split()


def read(data: Path, split: str) -> list[Comment]:
    """The comments of `data`/text_goemotions that show one of our emotions.

    :param split: train, dev or test, as published.
    """
    names = emotions(data)
    comments = []
    for comment in read_all(data, split):
        labels = {FOUR.get(names[number]) for number in comment.emotions}
        if len(labels) == 1 and (label := labels.pop()) is not None:
            comments.append(Comment(CORPUS, comment.id, comment.text, label))
    return comments


def read_all(data: Path, split: str) -> list[Annotated]:
    """All comments of `data`/text_goemotions, whatever they show. Parameters as of `read`."""
    return list(_lines(require_folder(data / 'text_goemotions', CORPUS) / f'{split}.tsv'))


def _lines(file: Path) -> Iterator[Annotated]:
    for line in file.read_text(encoding='utf-8').splitlines():
        text, numbers, identity = line.split('\t')
        # Names were masked by [NAME]; what a recogniser would write there is mostly unknown to the vocabulary.
        yield Annotated(identity, text.replace('[NAME]', ''), tuple(int(number) for number in numbers.split(',')))
