"""Whisper through CTranslate2 with 8-bit weights: the default recogniser."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from smern_ros import assets, model_hub
from smern_ros.spec import SPEC
from smern_ros.speech.attempt import Attempt, TimedWord
from smern_ros.speech.whisper import FULL_CONTEXT, token_limit
from smern_ros.speech.words import group

ASSET = 'whisper-tiny.en'
FILES = ('config.json', 'model.bin', 'tokenizer.json', 'vocabulary.*')
FRAMES_PER_SECOND = 100      # of the mel spectrogram
SECONDS_PER_POSITION = 0.02  # of the encoder's output
MEL_RANGE = 2.0              # 80 dB: what Whisper's features reach below their maximum


class Ct2Engine:
    """See `smern_ros.speech.whisper.Engine`."""

    def __init__(self, model: str | None, *, language: str, allow_download: bool, cpu_threads: int) -> None:
        model_hub.use(allow_download=allow_download)
        from faster_whisper import WhisperModel, download_model
        from faster_whisper.feature_extractor import FeatureExtractor

        try:
            folder = Path(model).expanduser() if model else assets.path(ASSET)
            if not folder.is_dir():
                folder = Path(download_model(str(model), local_files_only=not allow_download))
            model_hub.require(folder, FILES)
            loaded = WhisperModel(
                str(folder), device='cpu', compute_type='int8', cpu_threads=cpu_threads, local_files_only=True,
            )
            # Models of other sizes have other numbers of bands; preprocessor_config.json is often left behind.
            bands = {**loaded.feat_kwargs, 'feature_size': loaded.model.n_mels}
            self._mel = FeatureExtractor(**bands)
        except (RuntimeError, ValueError, OSError, TypeError) as error:
            raise ValueError(
                f'cannot load {model!r} as a CTranslate2 Whisper model: {error}. Give its folder, or the name of one '
                'in the model hub with allow_download, or none for the default'
            ) from error
        self.language = language
        self._network = loaded.model
        self._tokenizer = loaded.hf_tokenizer
        self._end = self._token('<|endoftext|>')
        self._start = self._start_sequence()

    def decode(self, samples: np.ndarray, context: float) -> Attempt:
        """See `Engine.decode`."""
        import ctranslate2

        seconds = len(samples) / SPEC.sample_rate
        mel = self._spectrogram(samples, context)  # (mel bands, frames)
        encoded = self._network.encode(ctranslate2.StorageView.from_array(mel[None]))
        prompt = [*self._start, self._token('<|notimestamps|>')]
        result = self._network.generate(
            encoded, [prompt], beam_size=1, return_scores=True, return_no_speech_prob=True,
            max_length=len(prompt) + token_limit(seconds),
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < self._end]
        words, probabilities = self._words(encoded, tokens, seconds)
        produced = len(result.sequences_ids[0])
        return Attempt(
            text=self._tokenizer.decode(tokens).strip(),
            words=words,
            tokens=probabilities,
            mean_logprob=result.scores[0] * produced / (produced + 1),  # the end counts as a token
            no_speech=result.no_speech_prob,
        )

    def _spectrogram(self, samples: np.ndarray, context: float) -> np.ndarray:
        """(mel bands, frames) float32 of the samples and silence behind them; an even number of frames."""
        mel = self._mel(samples, padding=0)
        frames = max(int(context * FRAMES_PER_SECOND), mel.shape[1]) // 2 * 2
        # Trained with digital silence; a shortened context errs less on noisy speech with what is its quietest.
        silence = mel.max() - MEL_RANGE if context == FULL_CONTEXT else mel.min()
        padded = np.full((mel.shape[0], frames), silence, np.float32)
        padded[:, :mel.shape[1]] = mel[:, :frames]
        return padded

    def _words(self, encoded, tokens: list[int], seconds: float) -> tuple[tuple[TimedWord, ...], tuple[float, ...]]:
        """Word times by dynamic time warping over cross-attention (OpenAI Whisper, timing.py)."""
        if not tokens:
            return (), ()
        frames = max(2, int(seconds * FRAMES_PER_SECOND))
        aligned = self._network.align(encoded, self._start, [tokens], frames)[0]
        probabilities = tuple(aligned.text_token_probs)
        begins: dict[int, float] = {}
        for token, position in aligned.alignments:
            begins.setdefault(token, position * SECONDS_PER_POSITION)
        times = [begins.get(i, seconds) for i in range(len(tokens))] + [begins.get(len(tokens), seconds)]
        words = tuple(
            TimedWord(text, times[first], times[end], float(np.mean(probabilities[first:end])))
            for text, first, end in group(tokens, self._tokenizer.decode, self.language)
        )
        return words, probabilities

    def _start_sequence(self) -> list[int]:
        start = [self._token('<|startoftranscript|>')]
        if not self._network.is_multilingual:
            if self.language != 'en':
                raise ValueError(f'the model knows only English, but the language is {self.language!r}')
            return start
        return [*start, self._token(f'<|{self.language}|>'), self._token('<|transcribe|>')]

    def _token(self, text: str) -> int:
        token = self._tokenizer.token_to_id(text)
        if token is None:
            raise ValueError(f'the model has no token {text}; is the language {self.language!r} an ISO 639-1 code?')
        return token
