# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A trained model on disk: a directory with model.safetensors, config.json and, if it knows words by their rows in a
vocabulary, vocabulary.json.

Weights are stored in half precision and computed with in single. No pickle is ever loaded.
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from smern_ros import models
from smern_ros.emotion import shipped_checkpoints
from smern_ros.models.inputs import Normalisation
from smern_ros.models.person_statistics import NOBODY, PriorWeights
from smern_ros.skeleton.posture import Posture
from smern_ros.spec import MODALITIES, SKELETON, SPEC, FeatureSpec, SpecMismatch
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.utils.file_size import require_size

if TYPE_CHECKING:
    from smern_ros.models.are import ARE
    from smern_ros.models.smacn import SMACN
    from smern_ros.models.smern_ga import SmernGA
    from smern_ros.models.tre import TRE
    from smern_ros.models.voice import Voice
    from smern_ros.models.words import Words

WEIGHTS, CONFIG, WORDS = FILES = ('model.safetensors', 'config.json', 'vocabulary.json')
FORMAT = 3
NETWORKS = {'audio': ('are', 'voice'), 'text': ('tre', 'words'), 'skeleton': ('smacn',), 'fusion': ('smern_ga',)}
"""What each network is for, and the names in `smern_ros.models` of those that can be there. Some have no skeleton."""
LARGEST = {WEIGHTS: 512 << 20, CONFIG: 4 << 20, WORDS: 8 << 20}
"""Bytes. A larger file is not read: it is damaged or no checkpoint of this package."""
MOST_PARAMETERS = 128_000_000


def subsets(modalities: Sequence[str]) -> tuple[str, ...]:
    """Names of all sets of these modalities that evidence can come from: audio, ..., audio+text+skeleton."""
    return tuple('+'.join(c) for n in range(1, len(modalities) + 1) for c in combinations(modalities, n))


SUBSETS = subsets(MODALITIES)


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model with its spec, normalisation and provenance."""

    id: str
    audio: ARE | Voice
    text: TRE | Words
    skeleton: SMACN | None  # None: it reads no movement
    fusion: SmernGA
    normalisation: Normalisation
    temperatures: dict[str, float]  # of each of `subsets(modalities)`: logits are divided by it before the softmax
    vocabulary: Vocabulary | None = None  # whose rows a TRE reads
    person_prior: PriorWeights = NOBODY  # as how much of a person the normalisation counts
    posture: Posture | None = None  # tells movement that is unlike what was learnt; None: all of it counts
    spec: FeatureSpec = SPEC
    training: dict = field(default_factory=dict)  # data, licences, seed: JSON
    metrics: dict = field(default_factory=dict)   # held-out figures: JSON

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that it uses."""
        return tuple(m for m in MODALITIES if getattr(self, m) is not None)

    @property
    def networks(self) -> dict[str, Any]:
        """By what each is for (NETWORKS)."""
        return {name: network for name in NETWORKS if (network := getattr(self, name)) is not None}


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write the checkpoint into the directory `path`, created if missing."""
    from safetensors.torch import save_file

    path.mkdir(parents=True, exist_ok=True)
    networks = checkpoint.networks
    save_file(
        {
            f'{name}.{key}': value.detach().half().contiguous()
            for name, network in networks.items()
            for key, value in network.state_dict().items()
        },
        path / WEIGHTS,
    )
    (path / WEIGHTS).chmod(0o644)  # safetensors makes it readable for its owner alone
    (path / WORDS).unlink(missing_ok=True)
    if checkpoint.vocabulary is not None:
        checkpoint.vocabulary.write(path / WORDS)
    config = {
        'format': FORMAT,
        'id': checkpoint.id,
        'spec': checkpoint.spec.to_dict(),
        'networks': {
            name: {'name': models.name_of(network), **dataclasses.asdict(network.config)}
            for name, network in networks.items()
        },
        'temperatures': checkpoint.temperatures,
        'normalisation': dataclasses.asdict(checkpoint.normalisation),
        'person_prior': dataclasses.asdict(checkpoint.person_prior),
        **({} if checkpoint.posture is None else {'posture': dataclasses.asdict(checkpoint.posture)}),
        'training': checkpoint.training,
        'metrics': checkpoint.metrics,
    }
    (path / CONFIG).write_text(json.dumps(config, indent=1) + '\n', encoding='utf-8')


def load(path: Path) -> Checkpoint:
    """Read the checkpoint in the directory `path`; its networks are in single precision and evaluation mode.

    :raises SpecMismatch: if it has another feature spec than this code.
    :raises CheckpointError: if it is missing, damaged or of unreasonable size.
    """
    path = Path(path)
    _check_files(path)
    config = _read_config(path)
    try:
        spec = FeatureSpec.from_dict(_part(config, 'spec', dict, path))
        SPEC.require(spec, f'the checkpoint {path}')
        networks = _build_networks(_part(config, 'networks', dict, path))
        vocabulary = _read_vocabulary(path, networks['text'])
        _load_weights(networks, path / WEIGHTS)
        normalisation = _read_normalisation(_part(config, 'normalisation', dict, path), spec)
        wanted = subsets([m for m in MODALITIES if m in networks])
        temperatures = _check_temperatures(_part(config, 'temperatures', dict, path), wanted)
        person_prior = PriorWeights(**_part(config, 'person_prior', dict, path))
        posture = _read_posture(_part(config, 'posture', dict, path)) if 'posture' in config else None
    except SpecMismatch:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    return Checkpoint(
        id=config['id'],
        **{SKELETON: None, **networks},
        vocabulary=vocabulary,
        normalisation=normalisation,
        temperatures=temperatures,
        person_prior=person_prior,
        posture=posture,
        spec=spec,
        training=_part(config, 'training', dict, path),
        metrics=_part(config, 'metrics', dict, path),
    )


def check_id(identity: object) -> None:
    """:raises ValueError: if the id is invalid."""
    if not isinstance(identity, str) or not re.fullmatch(r'[\w.+-]{1,64}', identity):
        raise ValueError(f'its id is {identity!r}; expected 1 to 64 letters, digits, "_", "-", "." or "+"')


def digest(path: Path) -> str:
    """Hash of all files of a checkpoint directory."""
    return hashlib.sha256(b''.join((path / name).read_bytes() for name in FILES if (path / name).exists())).hexdigest()


def _unusable(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f'the checkpoint {path} cannot be used: {why}. '
        f'Take one that is shipped with smern_ros, by its name ({", ".join(shipped_checkpoints.names())}), copy yours '
        'again, or train one: make checkpoint'
    )


def _check_files(path: Path) -> None:
    if not path.is_dir():
        raise _unusable(path, 'there is no such directory' if not path.exists() else 'it is not a directory')
    for name in (WEIGHTS, CONFIG):
        file = path / name
        if not file.is_file():
            raise _unusable(path, f'it lacks {name} (pickles such as .pt or .bin are never read)')
        try:
            require_size(file, LARGEST[name])
        except ValueError as error:
            raise _unusable(path, str(error)) from None
    with (path / WEIGHTS).open('rb') as weights:
        start = weights.read(9)
    # A safetensors file begins with the length of a JSON object, eight bytes, and the object.
    if start[8:9] != b'{':
        raise _unusable(path, f'{WEIGHTS} is no safetensors file (a pickle is never read)')


def _read_config(path: Path) -> dict:
    try:
        config = json.loads((path / CONFIG).read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f'{CONFIG} is no JSON: {error}') from error
    if not isinstance(config, dict) or config.get('format') != FORMAT:
        found = config.get('format') if isinstance(config, dict) else type(config).__name__
        raise _unusable(path, f'{CONFIG} has format {found!r}; expected {FORMAT}')
    try:
        check_id(config.get('id'))
    except ValueError as error:
        raise _unusable(path, str(error)) from None
    return config


def _part(config: dict, name: str, kind: type, path: Path):
    if not isinstance(config.get(name), kind):
        raise _unusable(path, f'{CONFIG} has no {name!r}, or it is no {kind.__name__}')
    return config[name]


def _build_networks(hyper_parameters: dict) -> dict[str, Any]:
    if {*hyper_parameters, SKELETON} != set(NETWORKS):
        raise ValueError(
            f'it has the networks {sorted(hyper_parameters)}; expected {sorted(NETWORKS)}, all or all but {SKELETON}'
        )
    with torch.device('meta'):  # shapes only: nothing is allocated before they are known to be reasonable
        networks: dict[str, Any] = {p: _build(p, hyper_parameters[p]) for p in NETWORKS if p in hyper_parameters}
    configs = {purpose: network.config for purpose, network in networks.items()}
    audio, text, fusion = (configs[purpose] for purpose in NETWORKS if purpose != SKELETON)
    skeleton = configs.get(SKELETON)
    for what, found, wanted in (
        ('mfcc', audio.mfcc, SPEC.mfcc),
        ('prosody', audio.prosody, len(SPEC.prosody)),
        ('speech', getattr(audio, 'speech', SPEC.speech), SPEC.speech),
        ('word_vector', getattr(text, 'size', SPEC.word_vector), SPEC.word_vector),
        ('audio', audio.out, fusion.audio),
        ('text', text.out, fusion.text),
        ('skeleton', skeleton.out if skeleton else 0, fusion.skeleton),
        *([('joints', skeleton.joints, len(SPEC.joints))] if skeleton else []),
        *(('labels', config.labels, len(SPEC.labels)) for config in configs.values()),
    ):
        if found != wanted:
            raise ValueError(f'the networks do not match: {what} is {found}, expected {wanted}')
    count = sum(p.numel() for network in networks.values() for p in network.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(f'its networks have {count} parameters; more than {MOST_PARAMETERS} are never read')
    return networks


def _build(purpose: str, hyper_parameters: Any) -> Any:
    if not isinstance(hyper_parameters, dict):
        raise ValueError(f'its network for {purpose} is {hyper_parameters!r}; expected a name and hyper-parameters')
    name, rest = hyper_parameters.get('name'), {k: v for k, v in hyper_parameters.items() if k != 'name'}
    if name not in NETWORKS[purpose]:
        raise ValueError(f'its network for {purpose} is {name!r}; expected one of {", ".join(NETWORKS[purpose])}')
    return models.build(name, **rest)


def _read_vocabulary(path: Path, text: TRE | Words) -> Vocabulary | None:
    """:return: None for a network that reads no rows of a vocabulary."""
    rows = getattr(text.config, 'words', None)
    if rows is None:
        return None
    if not (path / WORDS).is_file():
        raise ValueError(f'it lacks {WORDS}, whose rows its text network reads')
    require_size(path / WORDS, LARGEST[WORDS])
    vocabulary = Vocabulary.read(path / WORDS)
    if rows != len(vocabulary):
        raise ValueError(f'{WORDS} has {len(vocabulary)} words, special ones included, and the text encoder {rows}')
    return vocabulary


def _load_weights(networks: dict, file: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(file)
    except SafetensorError as error:
        raise ValueError(f'{file.name} is damaged: {error}') from error
    wanted = {f'{name}.{key}': p for name, network in networks.items() for key, p in network.state_dict().items()}
    if set(weights) != set(wanted):
        lacking, surplus = sorted(set(wanted) - set(weights)), sorted(set(weights) - set(wanted))
        raise ValueError(f'{file.name} lacks {lacking} and has too much {surplus}')
    for key, tensor in weights.items():
        if tensor.shape != wanted[key].shape:
            raise ValueError(f'{key} has shape {tuple(tensor.shape)}; expected {tuple(wanted[key].shape)}')
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise ValueError(f'{key} holds numbers that are not finite floats')
    for name, network in networks.items():
        own = {key.removeprefix(f'{name}.'): t.float() for key, t in weights.items() if key.startswith(f'{name}.')}
        network.load_state_dict(own, assign=True)
        network.eval().requires_grad_(False)


def _read_normalisation(fields: dict, spec: FeatureSpec) -> Normalisation:
    normalisation = Normalisation(**{name: tuple(map(float, values)) for name, values in fields.items()})
    normalisation.check(spec)
    return normalisation


def _read_posture(fields: dict) -> Posture:
    return Posture(**{name: tuple(map(float, weights)) for name, weights in fields.items()})


def _check_temperatures(temperatures: dict, wanted: Sequence[str]) -> dict[str, float]:
    if set(temperatures) != set(wanted):
        raise ValueError(f'it has temperatures for {sorted(temperatures)}; expected {sorted(wanted)}')
    for subset, value in temperatures.items():
        if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            raise ValueError(f'the temperature of {subset} is {value!r}; it must be a finite number above 0')
    return {subset: float(temperatures[subset]) for subset in wanted}
