"""Comments as a robot would hear them: spoken by espeak-ng in many voices, recognised as the robot recognises."""
from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.recogniser import create
from smern_ros.speech.whisper_ct2 import ASSET
from smern_ros.text.words import tokenise
from smern_ros.training.corpora import Comment
from smern_ros.training.feature_code import RECOGNISED
from smern_ros.training.features import keys
from smern_ros.training.loop import say
from smern_ros.training.openset.store import code
from smern_ros.values import SECOND, Utterance

PROGRAM = 'espeak-ng'
LANGUAGES = ('en-us', 'en-gb', 'en-gb-x-rp')
VARIANTS = ('', '+m1', '+m3', '+m7', '+f3')
"""Of espeak-ng's voices those that the recogniser understands well enough; no person sounds as odd as the others."""
RATES, PITCHES = (130, 190), (30, 75)
"""Words a minute, and espeak-ng's scale of 0 to 99: neither slow nor hurried, neither low nor shrill."""


class SpeechMissing(Exception):
    """Nothing can be spoken here; the message says why and what to do."""


@dataclass(frozen=True)
class Voice:
    """How one comment is spoken."""

    name: str   # espeak-ng's language and variant
    rate: int   # words a minute
    pitch: int  # 0..99


def require() -> str:
    """espeak-ng's version. :raises SpeechMissing: if it is not installed, or the recogniser's weights are not here."""
    if shutil.which(PROGRAM) is None:
        raise SpeechMissing(f'{PROGRAM}, which speaks the comments, is not installed: apt-get install {PROGRAM}')
    try:
        assets.path(ASSET)
    except assets.AssetError as error:
        raise SpeechMissing(str(error)) from error
    told = subprocess.run([PROGRAM, '--version'], capture_output=True, text=True, check=True).stdout
    return told.split(' Data')[0].strip()


def voice(text: str) -> Voice:
    """Always the same for the same text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], 'big')
    generator = np.random.default_rng(seed)
    return Voice(
        name=str(generator.choice(LANGUAGES)) + str(generator.choice(VARIANTS)),
        rate=int(generator.integers(*RATES)),
        pitch=int(generator.integers(*PITCHES)),
    )


def speakable(text: str) -> str:
    """What a person would say of a written comment: no addresses, no emoji, no signs of a forum; may be empty."""
    text = re.sub(r'https?://\S+|www\.\S+', ' ', text)
    text = re.sub(r'\[NAME\]|(?<!\w)/?[ru]/(?=\w)|(?<=\s)/s\b', ' ', text)
    text = re.sub(r"[^\w\s.,!?;:'’%$&-]|_", ' ', text)
    return ' '.join(text.split()) if re.search(r'[^\W\d_]', text) else ''


def some(comments: Sequence[Comment], count: int) -> list[Comment]:
    """At most `count` of those that can be spoken; always the same ones, and of a larger count the first ones."""
    spoken = [comment for comment in comments if speakable(comment.text)]
    return [spoken[i] for i in np.random.default_rng(0).permutation(len(spoken))[:count]]


def speak(text: str, how: Voice) -> np.ndarray:
    """:return: (N,) float32 samples at the spec's rate."""
    import soundfile
    import soxr

    command = [PROGRAM, '-v', how.name, '-s', str(how.rate), '-p', str(how.pitch), '--stdin', '--stdout']
    said = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(said), dtype='float32')
    return soxr.resample(samples, rate, SPEC.sample_rate)


def heard(texts: Sequence[str], cache: Path) -> list[str]:
    """What the default recogniser makes of each text, spoken in its own voice; empty where it heard no words.

    Each transcript is kept in `cache` as soon as it is made, so that one may stop and go on.

    :param texts: speakable ones.
    :raises SpeechMissing: see `require`.
    :raises ValueError: if a text is empty.
    """
    if not all(texts):
        raise ValueError('a text is empty and cannot be spoken; leave it out')
    file = cache / f'spoken-{_made_by(require())}.jsonl'
    voices = [(text, voice(text)) for text in texts]
    known = _read(file)
    missing = [one for one in dict.fromkeys(voices) if one not in known]
    if missing:
        recogniser = create()
        cache.mkdir(parents=True, exist_ok=True)
        with file.open('a', encoding='utf-8') as out:
            for i, (text, how) in enumerate(missing):
                if i % 100 == 0:
                    say(f'words: comment {i} of {len(missing)} that are spoken and recognised')
                samples = speak(text, how)
                utterance = Utterance('comment', 0, len(samples) * SECOND // SPEC.sample_rate, samples)
                known[text, how] = recogniser.transcribe(utterance).text
                row = {'said': text, 'heard': known[text, how], 'voice': asdict(how)}
                out.write(json.dumps(row, ensure_ascii=False) + '\n')
                out.flush()
    return [known[one] for one in voices]


def _read(file: Path) -> dict[tuple[str, Voice], str]:
    """What was heard, by what was said and how; a last line that was cut off is removed."""
    if not file.is_file():
        return {}
    text = file.read_text(encoding='utf-8')
    whole = text[: text.rfind('\n') + 1]
    if whole != text:
        file.write_text(whole, encoding='utf-8')
    rows = [json.loads(line) for line in whole.splitlines()]
    return {(row['said'], Voice(**row['voice'])): row['heard'] for row in rows}


def _made_by(version: str) -> str:
    """Key of all that decides what is heard, but text and voice."""
    weights = [keys.file(path) for path in sorted(assets.path(ASSET).iterdir())]
    return keys.key(
        program=version, weights=[found[:2] for found in weights if found], code=code(RECOGNISED)
    )


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
