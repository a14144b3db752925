# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whisper models in Hugging Face's format, run by transformers. Always encodes 30 s."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.speech.alignment import token_starts
from smern_ros.speech.attempt import Attempt, TimedWord
from smern_ros.speech.whisper import token_limit
from smern_ros.speech.word_times import group
from smern_ros.utils import import_shims, model_hub

SECONDS_PER_POSITION = 0.02  # of the encoder's output
COMPUTE_TYPES = ('float32', 'float16', 'bfloat16')
FILES = ('config.json', '*.safetensors', 'tokenizer.json|vocab.json')


class TransformersEngine:
    """Whisper model of transformers. See `smern_ros.speech.whisper.Engine`."""

    def __init__(
        self, model: str, *, allow_download: bool, cpu_threads: int, device: str = 'cpu', compute_type: str = 'default',
    ) -> None:
        import torch

        self._device = _device(device)
        self._dtype = getattr(torch, _compute_type(compute_type))

        model_hub.use(allow_download=allow_download)
        import_shims.torchaudio()
        import_shims.torchvision()
        try:
            from transformers import AutoModelForSpeechSeq2Seq, AutoTokenizer, WhisperFeatureExtractor, logging
        except ImportError as error:
            raise ValueError(f'the backend transformers needs pip install transformers ({error})') from error
        logging.set_verbosity_error()  # it warns at each utterance
        torch.set_num_threads(cpu_threads)
        folder = Path(model).expanduser()
        name = str(folder) if folder.is_dir() else model
        try:
            if folder.is_dir():
                model_hub.require(folder, FILES)
            self._tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=not allow_download)
            self._network = AutoModelForSpeechSeq2Seq.from_pretrained(
                name, local_files_only=not allow_download, use_safetensors=True,  # the other form is a pickle
                attn_implementation='eager',  # the others keep attention
            )
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(
                f'cannot load {model!r} as a Hugging Face speech model: {error}. Give its folder, or its name in the '
                'model hub with allow_download'
            ) from error
        self._network.to(self._device, self._dtype).eval()
        self._settings = self._network.generation_config
        if getattr(self._settings, 'no_timestamps_token_id', None) is None:
            raise ValueError(f'{model!r} is no Whisper model: its generation config has no token for "no timestamps"')
        self._multilingual = bool(getattr(self._settings, 'is_multilingual', True))
        numbers = getattr(self._settings, 'lang_to_id', None) or {}
        self._codes = {number: token[2:-2] for token, number in numbers.items()}
        if self._multilingual and not self._codes:
            raise ValueError(f'{model!r} has no languages in its generation config (lang_to_id)')
        self.languages: Sequence[str] = list(self._codes.values()) if self._multilingual else ['en']
        # The features of Whisper models differ in the number of bands alone.
        self._features = WhisperFeatureExtractor(feature_size=self._network.config.num_mel_bins)

    def decode(self, samples: np.ndarray, context: float, language: str) -> Attempt:
        """See `Engine.decode`; `context` is ignored, 30 s are encoded."""
        import torch

        seconds = len(samples) / SPEC.sample_rate
        features = self._features(samples, sampling_rate=SPEC.sample_rate, return_tensors='pt').input_features
        with torch.inference_mode():
            encoded = self._network.get_encoder()(features.to(self._device, self._dtype))
            language = language or self._likeliest_language(encoded)
            choices = {'language': language, 'task': 'transcribe'} if self._multilingual else {}
            sequence = self._network.generate(
                encoder_outputs=encoded, num_beams=1, do_sample=False, max_new_tokens=token_limit(seconds),
                return_dict_in_generate=True, **choices,
            )['sequences'][0]                                                  # (prompt + tokens + end,)
            again = self._network(
                encoder_outputs=encoded, decoder_input_ids=sequence[None, :-1], output_attentions=True
            )
        logprobs = again.logits[0].float().log_softmax(-1)                             # (length - 1, vocabulary)
        first = sequence.tolist().index(self._settings.no_timestamps_token_id) + 1
        chosen = logprobs.gather(1, sequence[1:, None])[first - 1:, 0]         # of the tokens and the end
        end = self._network.config.eos_token_id
        tokens = [token for token in sequence[first:].tolist() if token != end]
        probabilities = tuple(chosen[:len(tokens)].exp().tolist())
        return Attempt(
            text=self._text(tokens).strip(),
            words=self._words(
                tokens, probabilities, self._starts(again.cross_attentions, first, seconds), seconds, language
            ),
            tokens=probabilities,
            mean_logprob=float(chosen.mean()),
            no_speech=self._no_speech(logprobs[0]),
            language=language,
        )

    def _likeliest_language(self, encoded) -> str:
        return self._codes[int(self._network.detect_language(encoder_outputs=encoded)[0])]

    def _starts(self, attentions, first: int, seconds: float) -> list[float]:
        """Start of each token and of the end in seconds; empty if the model has no alignment heads.

        :param attentions: of each layer (1, heads, steps, positions); `first`: index of the first token.
        """
        heads = getattr(self._settings, 'alignment_heads', None)
        if not heads:
            return []
        positions = max(1, round(seconds / SECONDS_PER_POSITION))
        aligned = [attentions[layer][0, head, first - 1:, :positions].float().cpu().numpy() for layer, head in heads]
        return [position * SECONDS_PER_POSITION for position in token_starts(np.stack(aligned))]

    def _no_speech(self, logprobs) -> float:
        """Probability at the first step of the token before "no timestamps"."""
        return float(logprobs[self._settings.no_timestamps_token_id - 1].exp())

    def _words(
        self, tokens: list[int], probabilities: tuple[float, ...], starts: list[float], seconds: float,
        language: str,
    ) -> tuple[TimedWord, ...]:
        if not starts:
            return ()
        starts = [*starts, seconds]  # a truncated text has no end token
        return tuple(
            TimedWord(text, starts[begin], starts[end], float(np.mean(probabilities[begin:end])))
            for text, begin, end in group(tokens, self._text, language)
        )

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))


def _device(device: str) -> str:
    """:raises ValueError: if cuda is not available."""
    import torch

    found = torch.cuda.is_available()
    if device == 'cuda' and not found:
        raise ValueError('PyTorch finds no CUDA device; set device to cpu or auto')
    return ('cuda' if found else 'cpu') if device == 'auto' else device


def _compute_type(compute_type: str) -> str:
    """:raises ValueError: if the backend does not support it."""
    if compute_type == 'default':
        return 'float32'
    if compute_type not in COMPUTE_TYPES:
        raise ValueError(
            f'the backend transformers does not support compute type {compute_type}; expected one of '
            f'{", ".join(COMPUTE_TYPES)}'
        )
    return compute_type
