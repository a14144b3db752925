# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Comments as a robot would hear them: spoken by espeak-ng in many voices, also in noise, and recognised by it."""
from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.recogniser import create
from smern_ros.speech.whisper_ct2 import ASSET
from smern_ros.text.tokens import tokenise
from smern_ros.training.common.cache import SPEECH_RECOGNITION, asset_state, code, key
from smern_ros.training.common.trainer import say
from smern_ros.training.corpora import Comment
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
class SynthesisVoice:
    """How one comment is spoken, and in which background."""

    name: str   # espeak-ng's language and variant
    rate: int   # words a minute
    pitch: int  # 0..99
    background: str = ''     # of BACKGROUNDS
    snr: float = 0.0         # dB, by which it is louder than the background
    backwards: bool = False  # the sound of speech without words


BACKGROUNDS = ('', 'noise', 'voices')
"""Nothing, pink noise, or four other voices backwards."""


class RecognisedText(NamedTuple):
    """What the default recogniser wrote down."""

    text: str          # empty where it heard no words
    confidence: float  # of the transcript, 0..1


def require() -> str:
    """espeak-ng's version. :raises SpeechMissing: if it is not installed, or the recogniser's weights are not here."""
    if shutil.which(PROGRAM) is None:
        raise SpeechMissing(f'{PROGRAM}, which speaks the comments, is not installed: apt-get install {PROGRAM}')
    try:
        assets.path(ASSET)
    except assets.AssetError as error:
        raise SpeechMissing(str(error)) from error
    version = subprocess.run([PROGRAM, '--version'], capture_output=True, text=True, check=True).stdout
    return version.split(' Data')[0].strip()


def voice(text: str) -> SynthesisVoice:
    """Always the same for the same text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], 'big')
    generator = np.random.default_rng(seed)
    return SynthesisVoice(
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


def speak(text: str, how: SynthesisVoice) -> np.ndarray:
    """:return: (N,) float32 samples at the spec's rate; always the same for the same text and voice."""
    import soundfile
    import soxr

    command = [PROGRAM, '-v', how.name, '-s', str(how.rate), '-p', str(how.pitch), '--stdin', '--stdout']
    sound = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(sound), dtype='float32')
    samples = soxr.resample(samples, rate, SPEC.sample_rate)
    if how.backwards:
        samples = np.ascontiguousarray(samples[::-1])
    if not how.background:
        return samples
    if how.background == 'noise':
        background = _pink(len(samples), np.random.default_rng(len(text)))
    else:
        others = [
            speak(text, SynthesisVoice(LANGUAGES[0] + variant, rate, pitch, backwards=True))
            for variant, rate, pitch in zip(VARIANTS[1:], (140, 180, 160, 150), (60, 40, 35, 70), strict=True)
        ]
        background = np.sum([np.resize(other, len(samples)) for other in others], axis=0)
    gain = np.sqrt(np.mean(samples**2) / np.mean(background**2)) * 10 ** (-how.snr / 20)
    return np.clip(samples + gain * background, -1, 1).astype(np.float32)


def _pink(count: int, generator: np.random.Generator) -> np.ndarray:
    """(count,) noise whose power falls by 3 dB an octave."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), count)


def recognise_texts(
    texts: Sequence[str], cache: Path, voices: Sequence[SynthesisVoice] | None = None
) -> list[RecognisedText]:
    """What the default recogniser makes of each text.

    :param texts: speakable ones.
    :param cache: see `recognise`.
    :param voices: of each text; None: each its own, without background.
    :raises SpeechMissing: see `require`.
    :raises ValueError: if a text is empty.
    """
    if not all(texts):
        raise ValueError('a text is empty and cannot be spoken; leave it out')
    require()
    spoken = list(zip(texts, [voice(text) for text in texts] if voices is None else voices, strict=True))
    names = [_sound_name(text, how) for text, how in spoken]
    sounds = {name: partial(speak, *one) for name, one in zip(names, spoken, strict=True)}
    found = recognise(sounds, cache)
    return [found[name] for name in names]


def _sound_name(text: str, how: SynthesisVoice) -> str:
    """Of a sound in the cache, whose files say `beside` of the background."""
    fields = {'beside' if name == 'background' else name: value for name, value in asdict(how).items()}
    return json.dumps([text, fields], ensure_ascii=False)


def recognise(sounds: Mapping[str, Callable[[], np.ndarray]], cache: Path) -> dict[str, RecognisedText]:
    """What the default recogniser makes of sounds, by their names.

    Each transcript is kept in `cache` as soon as it is made, so that one may stop and go on.

    :param sounds: by a name that tells all it depends on, what gives its samples (N,).
    :raises SpeechMissing: see `require`.
    """
    file = cache / f'heard-{_made_by(require())}.jsonl'
    known = _read(file)
    missing = [name for name in sounds if name not in known]
    if missing:
        recogniser = create()
        cache.mkdir(parents=True, exist_ok=True)
        with file.open('a', encoding='utf-8') as out:
            for i, name in enumerate(missing):
                if i % 100 == 0:
                    say(f'words: utterance {i} of {len(missing)} that are recognised')
                samples = sounds[name]()
                utterance = Utterance('comment', 0, len(samples) * SECOND // SPEC.sample_rate, samples)
                transcript = recogniser.transcribe(utterance)
                known[name] = RecognisedText(transcript.text, transcript.confidence)
                out.write(json.dumps([name, *known[name]], ensure_ascii=False) + '\n')
                out.flush()
    return known


def _read(file: Path) -> dict[str, RecognisedText]:
    """What was heard, by the name of the sound; a last line that was cut off is removed."""
    if not file.is_file():
        return {}
    text = file.read_text(encoding='utf-8')
    whole = text[: text.rfind('\n') + 1]
    if whole != text:
        file.write_text(whole, encoding='utf-8')
    return {name: RecognisedText(*found) for name, *found in map(json.loads, whole.splitlines())}


def _made_by(version: str) -> str:
    """Key of all that decides what is heard, but text and voice."""
    return key(program=version, weights=asset_state(ASSET), code=code(SPEECH_RECOGNITION))


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Wrong words and words of the reference, as the text encoder reads them, punctuation aside; their ratio is the
    word error rate."""
    import jiwer

    spoken, recognised = ([word for word in tokenise(text) if word not in '!?'] for text in (reference, hypothesis))
    if not spoken:
        return len(recognised), 0
    found = jiwer.process_words(' '.join(spoken), ' '.join(recognised))
    return found.substitutions + found.deletions + found.insertions, len(spoken)
