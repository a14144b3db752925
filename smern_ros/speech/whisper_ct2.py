# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whisper through CTranslate2: the default recogniser."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smern_ros import assets
from smern_ros.spec import SPEC
from smern_ros.speech.attempt import Attempt, TimedWord
from smern_ros.speech.whisper import FULL_CONTEXT, token_limit
from smern_ros.speech.word_times import group
from smern_ros.utils import model_hub

ASSET = 'whisper-tiny.en'
FILES = ('config.json', 'model.bin', 'tokenizer.json', 'vocabulary.*')
FRAMES_PER_SECOND = 100      # of the mel spectrogram
SECONDS_PER_POSITION = 0.02  # of the encoder's output
MEL_RANGE = 2.0              # 80 dB: range of Whisper's features below their maximum


class Ct2Engine:
    """Whisper model of CTranslate2. See `smern_ros.speech.whisper.Engine`."""

    def __init__(
        self, model: str | None, *, allow_download: bool, cpu_threads: int, device: str = 'cpu',
        compute_type: str = 'default',
    ) -> None:
        model_hub.use(allow_download=allow_download)
        device = _device(device)
        compute_type = _compute_type(compute_type, device)
        from faster_whisper import WhisperModel, download_model
        from faster_whisper.feature_extractor import FeatureExtractor

        try:
            folder = Path(model).expanduser() if model else assets.path(ASSET)
            if model and not folder.is_dir():
                folder = (
                    assets.path(model) if model in assets.names()
                    else Path(download_model(model, local_files_only=not allow_download))
                )
            model_hub.require(folder, FILES)
            loaded = WhisperModel(
                str(folder), device=device, compute_type=compute_type, cpu_threads=cpu_threads, local_files_only=True,
            )
            # Models of other sizes have other numbers of bands; preprocessor_config.json is often left behind.
            bands = {**loaded.feat_kwargs, 'feature_size': loaded.model.n_mels}
            self._mel = FeatureExtractor(**bands)
        except (RuntimeError, ValueError, OSError, TypeError) as error:
            raise ValueError(
                f'cannot load {model!r} as a CTranslate2 Whisper model: {error}. Give its folder, the name of an '
                'asset (smern assets list), or with allow_download of one in the model hub, or none for the default'
            ) from error
        self._network = loaded.model
        self._tokenizer = loaded.hf_tokenizer
        self._end = self._token('<|endoftext|>')
        self._multilingual = self._network.is_multilingual
        self.languages: Sequence[str] = [
            code for code in loaded.supported_languages
            if not self._multilingual or self._tokenizer.token_to_id(f'<|{code}|>') is not None
        ]

    def decode(self, samples: np.ndarray, context: float, language: str) -> Attempt:
        """See `Engine.decode`."""
        import ctranslate2

        seconds = len(samples) / SPEC.sample_rate
        mel = self._spectrogram(samples, context)  # (mel bands, frames)
        encoded = self._network.encode(ctranslate2.StorageView.from_array(mel[None]))
        language = language or self._likeliest_language(encoded)
        start = self._start(language)
        prompt = [*start, self._token('<|notimestamps|>')]
        result = self._network.generate(
            encoded, [prompt], beam_size=1, return_scores=True, return_no_speech_prob=True,
            max_length=len(prompt) + token_limit(seconds),
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < self._end]
        words, probabilities = self._words(encoded, tokens, seconds, start, language)
        produced = len(result.sequences_ids[0])
        return Attempt(
            text=self._tokenizer.decode(tokens).strip(),
            words=words,
            tokens=probabilities,
            mean_logprob=result.scores[0] * produced / (produced + 1),  # the end counts as a token
            no_speech=result.no_speech_prob,
            language=language,
        )

    def _spectrogram(self, samples: np.ndarray, context: float) -> np.ndarray:
        """(mel bands, frames) float32 of the samples followed by silence; an even number of frames."""
        mel = self._mel(samples, padding=0)
        frames = max(int(context * FRAMES_PER_SECOND), mel.shape[1]) // 2 * 2
        # Training has digital silence; a short context has fewer errors in noise with the minimum of the spectrogram.
        silence = mel.max() - MEL_RANGE if context == FULL_CONTEXT else mel.min()
        padded = np.full((mel.shape[0], frames), silence, np.float32)
        padded[:, :mel.shape[1]] = mel[:, :frames]
        return padded

    def _words(
        self, encoded, tokens: list[int], seconds: float, start: list[int], language: str
    ) -> tuple[tuple[TimedWord, ...], tuple[float, ...]]:
        """Word times by dynamic time warping over cross-attention (OpenAI Whisper, timing.py)."""
        if not tokens:
            return (), ()
        frames = max(2, int(seconds * FRAMES_PER_SECOND))
        aligned = self._network.align(encoded, start, [tokens], frames)[0]
        probabilities = tuple(aligned.text_token_probs)
        begins: dict[int, float] = {}
        for token, position in aligned.alignments:
            begins.setdefault(token, position * SECONDS_PER_POSITION)
        times = [begins.get(i, seconds) for i in range(len(tokens))] + [begins.get(len(tokens), seconds)]
        words = tuple(
            TimedWord(text, times[first], times[end], float(np.mean(probabilities[first:end])))
            for text, first, end in group(tokens, self._tokenizer.decode, language)
        )
        return words, probabilities

    def _likeliest_language(self, encoded) -> str:
        ranked = self._network.detect_language(encoded)[0]  # (token, probability), the likeliest first
        return next(code for token, _ in ranked if (code := token[2:-2]) in self.languages)

    def _start(self, language: str) -> list[int]:
        """Prompt of the decoder: start, language and task."""
        start = [self._token('<|startoftranscript|>')]
        if not self._multilingual:
            return start
        return [*start, self._token(f'<|{language}|>'), self._token('<|transcribe|>')]

    def _token(self, text: str) -> int:
        token = self._tokenizer.token_to_id(text)
        if token is None:
            raise ValueError(f'the model has no token {text}')
        return token


def _device(device: str) -> str:
    """:raises ValueError: if cuda is not available."""
    import ctranslate2

    found = ctranslate2.get_cuda_device_count()
    if device == 'cuda' and not found:
        raise ValueError('CTranslate2 finds no CUDA device; set device to cpu or auto')
    return ('cuda' if found else 'cpu') if device == 'auto' else device


def _compute_type(compute_type: str, device: str) -> str:
    """:raises ValueError: if the device does not support it."""
    import ctranslate2

    if compute_type == 'default':
        return 'int8'
    known = ctranslate2.get_supported_compute_types(device)
    if compute_type not in known:
        raise ValueError(
            f'CTranslate2 does not support compute type {compute_type} on device {device} of this machine; '
            f'expected one of {", ".join(sorted(known))}'
        )
    return compute_type
