"""The dear steps of making a checkpoint, kept with the time that they took: what did not change is not done again."""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from smern_ros import models
from smern_ros.training.benchmarks.store import code
from smern_ros.training.common.trainer import say

Tensors = dict[str, torch.Tensor]


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
