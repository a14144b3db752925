# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes a Hugging Face folder of a Whisper model that is only at hand in CTranslate2's format."""
from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from smern_ros.utils import import_shims

_DTYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)  # by CTranslate2's number for them
_SAME = {  # CTranslate2's name within a layer -> Hugging Face's
    'ffn/layer_norm': 'final_layer_norm',
    'ffn/linear_0': 'fc1',
    'ffn/linear_1': 'fc2',
    'self_attention/layer_norm': 'self_attn_layer_norm',
    'self_attention/linear_1': 'self_attn.out_proj',
    'attention/layer_norm': 'encoder_attn_layer_norm',
    'attention/linear_0': 'encoder_attn.q_proj',
    'attention/linear_2': 'encoder_attn.out_proj',
}
_JOINED = {  # projections that CTranslate2 keeps in one matrix, in this order
    'self_attention/linear_0': ('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
    'attention/linear_1': ('encoder_attn.k_proj', 'encoder_attn.v_proj'),
}
_TENSORS = {
    'encoder/conv1': 'model.encoder.conv1',
    'encoder/conv2': 'model.encoder.conv2',
    'encoder/layer_norm': 'model.encoder.layer_norm',
    'decoder/layer_norm': 'model.decoder.layer_norm',
    'encoder/position_encodings': 'model.encoder.embed_positions',
    'decoder/position_encodings': 'model.decoder.embed_positions',
    'decoder/embeddings': 'model.decoder.embed_tokens',
}
_FIELDS = {'weight': 'weight', 'bias': 'bias', 'gamma': 'weight', 'beta': 'bias', 'encodings': 'weight'}


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The variables of a CTranslate2 model.bin (its model_spec.py writes them), as float32."""
    tensors = {}
    with path.open('rb') as stream:
        def number(kind: str) -> int:
            return struct.unpack(f'<{kind}', stream.read(struct.calcsize(kind)))[0]

        def text() -> str:
            return stream.read(number('H'))[:-1].decode()

        number('I'), text(), number('I')  # format version, model's name, its revision
        for _ in range(number('I')):
            name = text()
            shape = [number('I') for _ in range(number('B'))]
            dtype = np.dtype(_DTYPES[number('B')])
            tensors[name] = np.frombuffer(stream.read(number('I')), dtype).reshape(shape).astype(np.float32)
    return tensors


def state_dict(tensors: dict[str, np.ndarray]) -> dict:
    """The same weights under Hugging Face's names."""
    import torch

    state = {}
    for name, tensor in tensors.items():
        place, _, field = name.rpartition('/')
        if field not in _FIELDS:
            continue  # scales and settings
        value, field = torch.from_numpy(tensor.copy()), _FIELDS[field]
        if place in _TENSORS:
            state[f'{_TENSORS[place]}.{field}'] = value
        elif '/layer_' in place:
            side, layer, part = place.split('/', 2)
            prefix = f'model.{side}.layers.{layer.removeprefix("layer_")}'
            names = _JOINED.get(part) or (_SAME[part],)
            for target, piece in zip(names, value.chunk(len(names)), strict=True):
                if not (target.endswith('k_proj') and field == 'bias'):  # Whisper's keys have none
                    state[f'{prefix}.{target}.{field}'] = piece.clone()
    state['proj_out.weight'] = state['model.decoder.embed_tokens.weight']
    return state


def convert(source: Path, target: Path) -> Path:
    """:param source: folder of a CTranslate2 Whisper; `target`: the folder to write.

    :raises RuntimeError: if a weight is missing or has no place.
    """
    import_shims.torchaudio()
    import_shims.torchvision()
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    state = state_dict(read_tensors(source / 'model.bin'))
    settings = json.loads((source / 'config.json').read_text())
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(source / 'tokenizer.json'))
    end, start, silent = tokenizer.convert_tokens_to_ids(
        ['<|endoftext|>', '<|startoftranscript|>', '<|notimestamps|>']
    )
    vocabulary, width = state['proj_out.weight'].shape
    layers = len({name.split('.')[3] for name in state if name.startswith('model.encoder.layers.')})
    model = WhisperForConditionalGeneration(WhisperConfig(
        vocab_size=vocabulary, d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=width // 64, decoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width,
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start,
    ))
    model.load_state_dict(state)
    tokens = tokenizer.get_vocab()
    languages = {f'<|{code}|>': tokens[f'<|{code}|>'] for code in _LANGUAGE_CODES if f'<|{code}|>' in tokens}
    multilingual = {'lang_to_id': languages, 'task_to_id': {'transcribe': tokens['<|transcribe|>']}}
    is_multilingual = vocabulary >= 51865  # OpenAI Whisper, model.py
    model.generation_config = GenerationConfig(
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start,
        no_timestamps_token_id=silent, max_length=448, is_multilingual=is_multilingual,
        suppress_tokens=settings['suppress_ids'], begin_suppress_tokens=settings['suppress_ids_begin'],
        alignment_heads=settings['alignment_heads'], return_timestamps=False,
        **(multilingual if is_multilingual else {}),
    )
    for part in (model, tokenizer, WhisperFeatureExtractor(feature_size=80)):
        part.save_pretrained(target)
    return target
