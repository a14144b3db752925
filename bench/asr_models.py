# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Word error rate and CPU time of the recognisers that are assets, and how well they tell languages apart.

usage: python -m bench.asr_models [--data DIR] [--clips N]
needs: smern assets fetch whisper-tiny.en whisper-base demo-speech command-speech; for German and Polish the folder with
emodb4 and nemo4 (docs/model.md), of which N utterances each are heard (default 80); requirements/bench.txt
The tables of docs/asr.md.
"""
from __future__ import annotations

import argparse
import csv
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import soundfile

from bench import asr_context
from bench.asr_context import RATE, Clip
from bench.summary import machine
from smern_ros.speech.recogniser import Recogniser, create
from smern_ros.utils.paths import expand
from smern_ros.values import SECOND, Transcript, Utterance

EMODB = {  # as the corpus's makers publish them
    'a01': 'Der Lappen liegt auf dem Eisschrank.',
    'a02': 'Das will sie am Mittwoch abgeben.',
    'a04': 'Heute abend könnte ich es ihm sagen.',
    'a05': 'Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.',
    'a07': 'In sieben Stunden wird es soweit sein.',
    'b01': 'Was sind denn das für Tüten, die da unter dem Tisch stehen?',
    'b02': 'Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.',
    'b03': 'An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.',
    'b09': 'Ich will das eben wegbringen und dann mit Karl was trinken gehen.',
    'b10': 'Die wird auf dem Platz sein, wo wir sie immer hinlegen.',
}
ENGLISH = ('clean', 'pink noise, 20 dB', 'pink noise, 10 dB', 'pink noise, 5 dB', 'pink noise, 0 dB', 'babble, 20 dB',
           'babble, 10 dB', '3 words, 0.5 to 2.5 s', 'commands, 1 to 4 s')


def german(folder: Path, count: int) -> list[Clip]:
    with (folder / 'labels.csv').open(encoding='utf-8') as table:
        rows = list(csv.DictReader(table))
    return [Clip('German', _read(folder / 'wav' / row['file']), EMODB[row['text_code']]) for row in some(rows, count)]


def polish(folder: Path, count: int) -> list[Clip]:
    with (folder / 'labels.csv').open(encoding='utf-8') as table:
        rows = list(csv.DictReader(table))
    return [Clip('Polish', _read(folder / 'flac' / row['file']), row['text']) for row in some(rows, count)]


def some(rows: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    return [rows[i] for i in sorted(np.random.default_rng(0).permutation(len(rows))[:count])]


def _read(file: Path) -> np.ndarray:
    samples, rate = soundfile.read(file, dtype='float32')
    assert rate == RATE
    return samples


def hear(recogniser: Recogniser, clips: Sequence[Clip]) -> tuple[list[Transcript], float]:
    """:return: what was heard, and CPU seconds of an utterance."""
    began = time.process_time()
    heard = [
        recogniser.transcribe(Utterance('clip', SECOND, SECOND + len(clip.samples) * SECOND // RATE, clip.samples))
        for clip in clips
    ]
    return heard, (time.process_time() - began) / len(clips)


def plain(text: str, language: str) -> str:
    if language == 'en':
        return asr_context.plain(text)
    text = text.lower().replace('7', 'sieben') if language == 'de' else text.lower()
    return ' '.join(re.sub(r'[^\w ]', '', text).split())


def row(clips: Sequence[Clip], language: str, recognisers: dict[str, Recogniser]) -> str:
    said = [plain(clip.words, language) for clip in clips]
    cells = []
    for name, recogniser in recognisers.items():
        heard, seconds = hear(recogniser, clips)
        cell = f'{100 * jiwer.wer(said, [plain(one.text, language) for one in heard]):.0f} %, {seconds:.2f} s'
        if 'auto' in name:
            cell += f'; {sum(one.language == language for one in heard)} right'
        cells.append(cell)
    return f'| {clips[0].group} | {len(clips)} | {sum(len(s.split()) for s in said)} | {" | ".join(cells)} |'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=expand, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'))
    parser.add_argument('--clips', type=int, default=80)
    args = parser.parse_args()
    print(machine())
    recognisers = {
        'whisper-tiny.en': create(),
        'whisper-base, set': create(model='whisper-base'),
        'whisper-base, auto': create(model='whisper-base', language='auto'),
    }
    print(f'\n| speech | clips | words | {" | ".join(recognisers)} |\n| --- | --: | --: |{" --: |" * len(recognisers)}')
    everything = [*asr_context.clips(), *asr_context.commands()]
    for group in ENGLISH:
        print(row([clip for clip in everything if clip.group == group], 'en', recognisers), flush=True)
    for language, read, name in (('de', german, 'emodb4'), ('pl', polish, 'nemo4')):
        if not (Path(args.data) / name).is_dir():
            print(f'{name} is not in {args.data}')
            continue
        recognisers['whisper-base, set'] = create(model='whisper-base', language=language)
        print(row(read(Path(args.data) / name, args.clips), language, recognisers), flush=True)
    sounds = list(asr_context.noises())
    for name in ('whisper-tiny.en', 'whisper-base, auto'):
        heard, _ = hear(recognisers[name], [Clip(kind, samples, '') for kind, samples in sounds])
        words = [repr(one.text) for one in heard if one.text]
        print(f'words in {len(words)} of {len(sounds)} sounds without speech, {name}:', *words)


if __name__ == '__main__':
    main()
