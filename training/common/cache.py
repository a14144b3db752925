# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Results of expensive steps on disk, in files named by all that they depend on: unchanged steps are not done again."""
from __future__ import annotations

import dataclasses
import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from smern_ros import models
from smern_ros.training.common.trainer import say

AUDIO_FEATURES = tuple(
    f'smern_ros.audio.{name}' for name in ('features', 'frames', 'loudness', 'mfcc', 'pitch', 'prosody')
)
"""The modules by which features are computed. Their packages hold more, whose changes concern no stored result."""
SPEECH_ENCODER = tuple(f'smern_ros.speech.{name}' for name in ('encoder', 'encoder_weights', 'log_mel'))
SPEECH_RECOGNITION = tuple(
    f'smern_ros.speech.{name}' for name in ('attempt', 'recogniser', 'whisper', 'whisper_ct2', 'word_times')
)
SKELETON_FEATURES = tuple(f'smern_ros.skeleton.{name}' for name in ('features', 'lowpass', 'resample', 'window'))

Tensors = dict[str, torch.Tensor]


def key(**parts: Any) -> str:
    """16 hex digits. :param parts: anything that JSON has."""
    return _digest([json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()])[:16]


def file_state(path: Path | None) -> list | None:
    """Name, size and time of the last change; None if there is no such file. The folder may be another one."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return [path.name, status.st_size, status.st_mtime_ns]


def asset_state(name: str) -> list[list]:
    """Names and sizes of the files of third-party weights. :raises smern_ros.assets.AssetError: if they are missing."""
    from smern_ros import assets

    files = [file_state(path) for path in sorted(assets.path(name).iterdir())]
    return [found[:2] for found in files if found]


def code(modules: Iterable[str]) -> str:
    """Digest of the sources of these modules; of a package, of all that lies in it; of `module:name`, of that alone."""
    return hashlib.sha256(''.join(map(_code_of, sorted(modules))).encode()).hexdigest()


@cache
def _code_of(name: str) -> str:
    module, _, part = name.partition(':')
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f'there is no module {module}; name one whose code the results depend on')
    if part:
        source = inspect.getsource(getattr(importlib.import_module(module), part))
        return hashlib.sha256(source.encode()).hexdigest()
    file = Path(spec.origin)
    files: Sequence[Path] = sorted(file.parent.rglob('*.py')) if spec.submodule_search_locations else [file]
    return hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()


def _digest(blobs: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for blob in blobs:
        digest.update(hashlib.sha256(blob).digest())
    return digest.hexdigest()


@dataclass
class Stages:
    """Steps kept in a folder, in files called by what they depend on."""

    folder: Path
    depends: Any                                             # JSON: of all steps, such as the seed and the samples
    seconds: dict[str, float] = field(default_factory=dict)  # of each step, now or when it was done

    def tensors(self, name: str, modules: Sequence[str], make: Callable[[], Tensors]) -> Tensors:
        """What `make` gives, or gave when neither the code of `modules` nor `depends` was another."""
        return self._step(name, modules, lambda: (make(), ''))[0]

    def network(self, name: str, modules: Sequence[str], train: Callable[[], Any]) -> nn.Module:
        """The same of a network that `models.build` can make again by this name; in evaluation mode."""

        def make() -> tuple[Tensors, str]:
            network = train()
            return dict(network.state_dict()), json.dumps(dataclasses.asdict(network.config))

        weights, config = self._step(name, modules, make)
        network = models.build(name, **json.loads(config))
        network.load_state_dict(weights)
        return network.eval()

    def _step(self, name: str, modules: Sequence[str], make: Callable[[], tuple[Tensors, str]]) -> tuple[Tensors, str]:
        from safetensors import safe_open
        from safetensors.torch import save_file

        key = json.dumps([name, self.depends, code(modules), torch.__version__], sort_keys=True)
        file = self.folder / f'{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors'
        if not file.is_file():
            began = time.monotonic()
            made, config = make()
            self.folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f'.{os.getpid()}.part')
            save_file(
                {key: value.detach().contiguous().clone() for key, value in made.items()}, part,  # none shares memory
                {'config': config, 'seconds': str(time.monotonic() - began)},
            )
            part.replace(file)
        else:
            say(f'{name}: as it was done before, {file}')
        with safe_open(file, 'pt') as kept:
            about = kept.metadata()
            tensors = {key: kept.get_tensor(key) for key in kept.keys()}  # noqa: SIM118 - no mapping
        self.seconds[name] = float(about['seconds'])
        return tensors, about['config']
