# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How much context Whisper needs: word error rate and CPU time, encoding 30 s or less.

usage: python -m bench.asr_context [--model NAME|DIR] [GROUP ...]   (all groups of clips if none is named)
needs: smern assets fetch whisper-tiny.en demo-speech command-speech; pip install -r requirements/bench.txt
The tables of docs/asr.md. Everything but the times is the same at every run.
"""
from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jiwer
import numpy as np
import soundfile

from bench.summary import machine
from smern_ros import assets
from smern_ros.speech.attempt import Attempt
from smern_ros.speech.recogniser import Recogniser
from smern_ros.speech.whisper import FULL_CONTEXT, WhisperRecogniser
from smern_ros.speech.whisper_ct2 import Ct2Engine
from smern_ros.values import SECOND, Utterance

RATE = 16_000
SNRS = (20, 10, 5, 0)  # dB
NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
MARGIN = 0.1           # s kept around words that are cut out of a sentence


@dataclass(frozen=True)
class Clip:
    """Speech and what was said in it."""

    group: str
    samples: np.ndarray  # (N,) float32
    words: str


class Context:
    """An engine that encodes the speech and some silence, and at least so much, whatever it is asked for."""

    languages: Sequence[str] = ('en',)

    def __init__(self, engine: Ct2Engine, silence: float, least: float) -> None:
        self._engine, self._silence, self._least = engine, silence, least

    def decode(self, samples: np.ndarray, context: float, language: str) -> Attempt:
        wanted = max(len(samples) / RATE + self._silence, self._least)
        return self._engine.decode(samples, min(wanted, FULL_CONTEXT), language)


def recognisers(model: str | None) -> dict[str, Recogniser]:
    engine = Ct2Engine(model, allow_download=False, cpu_threads=1)
    return {
        '30 s': WhisperRecogniser(engine, own_length=False),
        'own + 1 s': WhisperRecogniser(Context(engine, 1.0, 0.0), own_length=False),
        'own + 3 s': WhisperRecogniser(Context(engine, 3.0, 0.0), own_length=False),
        'own + 3 s, at least 15 s': WhisperRecogniser(Context(engine, 3.0, 15.0), own_length=False),
        'the same, doubtful ones again with 30 s (default)': WhisperRecogniser(engine, own_length=True),
    }


# --- data ---------------------------------------------------------------------------------------------------------

def clips() -> Iterator[Clip]:
    folder = assets.path('demo-speech')
    sentences = []
    for file in sorted(folder.glob('*.wav')):
        samples, _ = soundfile.read(file, dtype='float32')
        aligned = json.loads(file.with_suffix('.json').read_text())['w']
        words = [(w['t'].partition('(')[0], w['b'], w['b'] + w['d']) for w in aligned if not w['t'].startswith('<')]
        sentences.append((samples, file.with_suffix('.txt').read_text(), words))
    rng = np.random.default_rng(0)
    others = [samples[::-1] for samples, _, _ in sentences]  # backwards: speech that says nothing
    for samples, text, words in sentences:
        yield Clip('clean', samples, text)
        babble = np.sum([np.resize(np.roll(other, 7_000 * i), len(samples)) for i, other in enumerate(others)], axis=0)
        for snr in SNRS:
            yield Clip(f'pink noise, {snr} dB', mixed(samples, pink(len(samples), rng), snr), text)
            yield Clip(f'babble, {snr} dB', mixed(samples, babble, snr), text)
        for count, group in ((1, 'words, below 1 s'), (3, '3 words, 0.5 to 2.5 s'), (5, '5 words, 1 to 4 s')):
            for i in range(0, len(words) - count + 1, count):
                part = words[i:i + count]
                first, last = part[0][1], part[-1][2]
                if last - first >= 0.25:
                    cut = samples[int(max(0, first - MARGIN) * RATE):int((last + MARGIN) * RATE)]
                    yield Clip(group, cut, ' '.join(word for word, _, _ in part))
    for count in (3, 4, 5):
        for i in range(len(sentences) - count + 1):
            part = sentences[i:i + count]
            yield Clip('long, 11 to 25 s', np.concatenate([s for s, _, _ in part]), ' '.join(t for _, t, _ in part))


def commands() -> Iterator[Clip]:
    """Short utterances by others, which no setting was chosen on."""
    folder = assets.path('command-speech')
    said = {'goforward.raw': 'go forward ten meters', 'something.raw': 'go somewhere and do something'}
    for line in (folder / 'cards.transcription').read_text().splitlines():
        card = re.fullmatch(r'<s>(.*)</s>\s*\((\w+)\)', line.strip())
        if card is None:
            raise ValueError(f'{folder}: a line of cards.transcription is {line!r}')
        said[f'{card[2]}.wav'] = card[1]
    for name, text in said.items():
        if name.endswith('.raw'):
            samples = np.fromfile(folder / name, '<i2').astype(np.float32) / 2**15
        else:
            samples, _ = soundfile.read(folder / name, dtype='float32')
        yield Clip('commands, 1 to 4 s', samples, text)


def pink(count: int, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), count)


def mixed(speech: np.ndarray, noise: np.ndarray, snr: float) -> np.ndarray:
    gain = np.sqrt(np.mean(speech**2) / np.mean(noise**2)) * 10 ** (-snr / 20)
    return (speech + gain * noise).astype(np.float32)


def noises() -> Iterator[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    for seconds in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        count = int(seconds * RATE)
        time_axis = np.arange(count) / RATE
        for kind, sound in {
            'silence': np.zeros(count),
            'white, quiet': 0.003 * rng.standard_normal(count),
            'white': 0.05 * rng.standard_normal(count),
            'pink': 0.05 * pink(count, rng) / 0.3,
            '50 Hz hum': 0.1 * np.sin(2 * np.pi * 50 * time_axis),
            'clicks': 0.5 * (rng.random(count) < 2e-4),
            'a rising tone': 0.1 * np.sin(2 * np.pi * (200 + 100 * time_axis) * time_axis),
        }.items():
            yield kind, sound.astype(np.float32)


# --- measuring ----------------------------------------------------------------------------------------------------

def plain(text: str) -> str:
    """As the transcripts are written: lower case, no punctuation, 'mister', small numbers in letters."""
    text = re.sub(r'\bmr\.', 'mister', text.lower()).replace('-', ' ')
    text = re.sub(r'\b(\d+)\b', lambda number: NUMBERS[int(number[0])] if int(number[0]) <= 10 else number[0], text)
    return ' '.join(re.sub(r"[^a-z' ]", '', text).split())


def hear(recogniser: Recogniser, samples: np.ndarray) -> tuple[str, float]:
    """:return: the words, and CPU seconds."""
    end = SECOND + len(samples) * SECOND // RATE
    began = time.process_time()
    transcript = recogniser.transcribe(Utterance('clip', SECOND, end, samples))
    return plain(transcript.text), time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', help='see the asr node; default: the asset whisper-tiny.en')
    parser.add_argument('groups', nargs='*', metavar='GROUP')
    args = parser.parse_args()
    only = args.groups
    print(machine())
    speech = [clip for clip in (*clips(), *commands()) if clip.group in only or not only]
    silence = [] if only else list(noises())
    groups = list(dict.fromkeys(clip.group for clip in speech))
    tried = recognisers(args.model)
    heard = {name: [hear(one, clip.samples) for clip in speech] for name, one in tried.items()}
    invented = {name: [hear(one, sound)[0] for _, sound in silence] for name, one in tried.items()}

    print('\n| speech | clips | words |', ' | '.join(heard), '|')
    print('| --- | --: | --: |', '--: |' * len(heard))
    for group in [*groups, *([] if only else ['all'])]:
        chosen = [i for i, clip in enumerate(speech) if group in (clip.group, 'all')]
        said = [plain(speech[i].words) for i in chosen]
        cells = []
        for results in heard.values():
            rate = jiwer.wer(said, [results[i][0] for i in chosen])
            cpu = np.mean([results[i][1] for i in chosen])
            cells.append(f'{100 * rate:.0f} % {cpu:.2f} s')
        print(f'| {group} | {len(chosen)} | {sum(len(s.split()) for s in said)} |', ' | '.join(cells), '|')
    if only:
        return
    print(f'\nSounds without speech in which words are heard, of {len(silence)}:')
    for name, texts in invented.items():
        wrong = [f'{kind} {len(sound) / RATE:.1f} s {text!r}'
                 for (kind, sound), text in zip(silence, texts, strict=True) if text]
        print(f'- {name}: {len(wrong)}', *wrong[:8], sep='\n    ' if wrong else '')


if __name__ == '__main__':
    main()
