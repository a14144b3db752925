"""How a recogniser garbles words: learnt from comments that were spoken and heard, then done to others.

`python -m smern_ros.training.misheard` made `misheard.json` and needs espeak-ng; training needs the file alone.
"""
from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from smern_ros.paths import expand
from smern_ros.text.words import tokenise

FILE = Path(__file__).with_name('misheard.json')
COMMENTS = 600
"""Of the training part, spoken to learn from."""
TRUST = 3
"""How often a word must have been said for what came of it to count as much as what came of all words."""

Counts = Mapping[str, int]


class Misheard:
    """What may be heard in a word's place, and what is heard out of nothing.

    A few hundred comments hold few of the words that there are. A word that was said `n` times takes its own record
    with probability n / (n + TRUST), else that of all rare words, of which more are misheard; what is then heard is
    any word that was ever heard wrongly.
    """

    def __init__(self, heard: Mapping[str, Counts], added: Counts):
        """
        :param heard: by each word said, how often which word was heard in its place; '' for none.
        :param added: how often which words were heard where nothing was said, on top of `heard`.
        :raises ValueError: if nothing was said.
        """
        if not heard:
            raise ValueError('nothing was said that could be misheard; give at least one word')
        self.heard, self.added = heard, added
        wrong: Counter[str] = Counter(added)
        rare_said = rare_right = 0
        for said, counts in heard.items():
            wrong.update({word: n for word, n in counts.items() if word and word != said})
            if sum(counts.values()) <= TRUST:
                rare_said += sum(counts.values())
                rare_right += counts.get(said, 0)
        total = sum(sum(counts.values()) for counts in heard.values())
        self._right = rare_right / max(rare_said, 1)
        nothing = sum(counts.get('', 0) for counts in heard.values())
        errors = total - sum(counts.get(said, 0) for said, counts in heard.items())
        self._nothing = nothing / max(errors, 1)
        self._add = sum(added.values()) / total
        self._wrong = _Draw(wrong) if wrong else None
        self._own = {said: _Draw(counts) for said, counts in heard.items()}
        self._trust = {said: own.total / (own.total + TRUST) for said, own in self._own.items()}

    @classmethod
    def learn(cls, pairs: Iterable[tuple[str, str]]) -> Misheard:
        """:param pairs: what was said and what was heard, as texts."""
        heard: dict[str, Counter[str]] = defaultdict(Counter)
        added: Counter[str] = Counter()
        for said, understood in pairs:
            for word, other in align(tokenise(said), tokenise(understood)):
                if word:
                    heard[word][other] += 1
                else:
                    added[other] += 1
        return cls(heard, added)

    @classmethod
    def read(cls, file: Path = FILE) -> Misheard:
        """:raises ValueError: if the file is not what `write` writes."""
        content = json.loads(file.read_text(encoding='utf-8'))
        try:
            return cls(content['heard'], content['added'])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'{file} holds no record of misheard words ({error!r})') from error

    def write(self, file: Path, source: str) -> None:
        """:param source: what was said, by what, who heard it, and the licence."""
        content = {'source': source, 'added': _by_count(self.added), 'heard': {
            said: _by_count(self.heard[said]) for said in sorted(self.heard)
        }}
        lines = json.dumps(content, ensure_ascii=False, indent=0).replace('{\n', '{').replace('\n}', '}')
        file.write_text(lines + '\n', encoding='utf-8')

    def garble(self, tokens: Sequence[str], generator: np.random.Generator) -> list[str]:
        """The tokens as the recogniser might have heard them; perhaps none is left."""
        chances = generator.random((len(tokens), 4))
        heard: list[str] = []
        for token, (own, right, what, add) in zip(tokens, chances, strict=True):
            if own < self._trust.get(token, 0.0):
                heard.append(self._own[token](what))
            elif right < self._right or self._wrong is None:
                heard.append(token)
            elif what >= self._nothing:
                heard.append(self._wrong(generator.random()))
            if add < self._add and self._wrong is not None:
                heard.append(self._wrong(generator.random()))
        return [word for word in heard if word]


def align(said: Sequence[str], heard: Sequence[str]) -> list[tuple[str, str]]:
    """What was heard for each word, with the fewest errors: ('word', 'word'), ('word', '') and ('', 'word').

    A substitution, an omission and an addition are an error each: of the pairs those that differ.
    """
    rows, columns = len(said), len(heard)
    errors = np.zeros((rows + 1, columns + 1), int)
    errors[:, 0], errors[0] = range(rows + 1), range(columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            same = said[i - 1] == heard[j - 1]
            errors[i, j] = min(errors[i - 1, j - 1] + (not same), errors[i - 1, j] + 1, errors[i, j - 1] + 1)
    pairs = []
    i, j = rows, columns
    while i or j:
        if i and j and errors[i, j] == errors[i - 1, j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((said[i], heard[j]))
        elif i and errors[i, j] == errors[i - 1, j] + 1:
            i -= 1
            pairs.append((said[i], ''))
        else:
            j -= 1
            pairs.append(('', heard[j]))
    return pairs[::-1]


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Wrong and said words, as the text encoder reads them, punctuation aside; their ratio is the word error rate."""
    spoken, understood = ([word for word in tokenise(text) if word not in '!?'] for text in (said, heard))
    return sum(a != b for a, b in align(spoken, understood)), len(spoken)


class _Draw:
    """One of several, as often as it was counted."""

    def __init__(self, counts: Counts):
        self._values = list(counts)
        self._bounds = np.cumsum(list(counts.values()))
        self.total = int(self._bounds[-1])

    def __call__(self, chance: float) -> str:
        """:param chance: 0 to below 1."""
        return self._values[int(np.searchsorted(self._bounds, chance * self.total, side='right'))]


def _by_count(counts: Counts) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def make(data: Path, cache: Path, out: Path, count: int) -> None:
    """Speak comments of the training part, hear them, and write what became of their words.

    :raises spoken.SpeechMissing: if nothing can be spoken here.
    """
    from smern_ros.training import spoken
    from smern_ros.training.corpora import goemotions

    said = [spoken.speakable(c.text) for c in spoken.some(goemotions.read(data, 'train'), count)]
    pairs = list(zip(said, spoken.heard(said, cache), strict=True))
    wrong, words = (sum(numbers) for numbers in zip(*(word_errors(*pair) for pair in pairs), strict=True))
    Misheard.learn(pairs).write(out, (
        f'{len(pairs)} comments of the training part of GoEmotions ({goemotions.LICENCE}), spoken by '
        f'{spoken.require()}, heard by Whisper tiny.en with 8-bit weights; word error rate {100 * wrong / words:.1f} %'
    ))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m smern_ros.training.misheard', description=__doc__)
    parser.add_argument(
        '--data', type=expand, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'),
        help='folder with text_goemotions (default: SMERN_SHARED_DATA, else ../shared/data)',
    )
    parser.add_argument('--cache', type=expand, default=Path('build/training'), help='transcripts are kept here')
    parser.add_argument('--out', type=expand, default=FILE, help='file to write (default: the one of this package)')
    parser.add_argument('--comments', type=int, default=COMMENTS, help='to learn from')
    options = parser.parse_args(arguments)
    make(options.data, options.cache, options.out, options.comments)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
