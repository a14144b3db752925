# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a run of SMERN-GA to the checkpoint that the fusion node loads."""
from __future__ import annotations

import dataclasses
import json
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.checkpoint import FILES, SUBSETS, Checkpoint
from smern_ros.models.smern_ga_whole import WholeSmernGA
from smern_ros.spec import LABELS, SPEC
from smern_ros.training.common.metrics import expected_calibration_error
from smern_ros.training.iemocap.experiments.network_samples import samples
from smern_ros.training.iemocap.experiments.results import CONFIG, ExperimentStore, Metrics, digest
from smern_ros.training.iemocap.experiments.runs import Run, Start, fold_of
from smern_ros.training.iemocap.experiments.train_network import predict
from smern_ros.training.iemocap.features.feature_store import FeatureSet, SkeletonChoice
from smern_ros.training.iemocap.run_card import write_card
from smern_ros.utils import atomic_folder

MODEL = 'smern_ga_whole'
CARD = 'README.md'
WHOLE = SUBSETS[-1]
"""All modalities: the one set of them that a run learns of."""
TEMPERATURES = torch.logspace(0, 1, 101)
"""1 to 10: no development part is a reason to make a network surer than it is."""
UNTRAINED = 'Trained on utterances with every modality; what it says with one missing was never trained or measured.'


class ExportError(ValueError):
    """A run that no checkpoint can be made of; the message says why and what to do."""


def export(folder: Path, out: Path, *, identity: str | None = None, features: Path | None = None) -> Checkpoint:
    """Write the checkpoint of a run into the directory `out`, and a card for people beside it: all of it or nothing.

    The fusion node never asks one encoder for an emotion, so a run trains no output layer of an encoder: those of the
    checkpoint are zero, which says nothing of any emotion.

    :param folder: of the run: OUT/runs/ID of `smern reproduce`.
    :param out: a new directory, or one that holds a checkpoint, which is replaced.
    :param identity: id of the checkpoint, which every prediction carries; None for the run's.
    :param features: those that the run was made on: with them what it says of all modalities together is calibrated.
    :raises ExportError: if it is no run of this network, made with other features than the robot's or than those
        given; if `identity` is no id, or `out` holds something else.
    :raises StoreError: if the run's folder is damaged.
    :raises FeatureError: if the features cannot be read.
    :raises OSError: if it cannot be written.
    """
    atomic_folder.restore(out.resolve())
    run, store = _opened(folder)
    identity = run.id if identity is None else identity
    try:
        checkpoints.check_id(identity)
    except ValueError as error:
        raise ExportError(str(error)) from None
    require_free(out)
    start, metrics = store.start(run), store.metrics(run)
    skeletons = SkeletonChoice(**store.data().get('skeletons', {}))
    if skeletons.differs:
        raise ExportError(
            f'{folder} was trained on skeletons with {skeletons.differs}, which no robot of ours computes: make the '
            'features without --raw-skeleton and --filter causal, and run on those'
        )
    network = _network(run, start)
    of_all = 1.0 if features is None else _temperature(run, store, start, network, features)
    encoders = network.encoders
    made = Checkpoint(
        id=identity,
        audio=_encoder('are', encoders.are), text=_encoder('tre', encoders.tre),
        skeleton=_encoder('smacn', encoders.smacn), fusion=network.fusion,
        vocabulary=start.preparation.inputs.vocabulary,
        normalisation=start.preparation.inputs.normalisation,
        temperatures={**dict.fromkeys(SUBSETS, 1.0), WHOLE: of_all},
        spec=SPEC,
        training={**_provenance(run, store, metrics), 'note': _note(calibrated=features is not None)},
        metrics={'test part of the run': _figures(run, store, metrics, of_all)},
    )
    return _written(made, out)


def _opened(folder: Path) -> tuple[Run, ExperimentStore]:
    folder = folder.resolve()
    try:
        run = Run.from_dict(json.loads((folder / CONFIG).read_text(encoding='utf-8'))['run'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f'{folder} is no run ({error}); give a folder in OUT/runs of smern reproduce --out OUT'
        ) from None
    if run.model != MODEL:
        raise ExportError(f'{folder} is a run of {run.model}; the fusion node runs {MODEL} alone, export a run of that')
    if not run.filtered:
        raise ExportError(f'{folder} was trained on unfiltered movement; the robot filters it: export another run')
    store = ExperimentStore(folder.parent.parent)
    if folder != store.runs.resolve() / run.id:
        raise ExportError(f'{folder} was moved or renamed; a run is found at OUT/runs/{run.id}')
    return run, store


def require_free(out: Path) -> None:
    """Nothing but a checkpoint is ever written over.

    :raises ExportError: if `out` is or holds something else.
    """
    if out.exists() and not out.is_dir():
        raise ExportError(f'{out} is a file; give a directory')
    others = sorted({path.name for path in out.iterdir()} - {*FILES, CARD}) if out.exists() else []
    if others:
        raise ExportError(f'{out} holds something else than a checkpoint ({others[0]}); give a new directory')


def _network(run: Run, start: Start) -> WholeSmernGA:
    try:
        rows, width = start.weights['encoders.tre.embedding.weight'].shape
        sizes: dict[str, Any] = {'words': rows, 'embedding': width, **run.overrides}
        network = models.build(run.model, **sizes)
        network.load_state_dict(start.weights)
    except (KeyError, RuntimeError) as error:
        raise ExportError(f'the weights of {run.id} are of another network ({str(error).splitlines()[0]})') from None
    assert isinstance(network, WholeSmernGA)
    return network


def _encoder(name: str, trained: nn.Module) -> Any:
    whole: Any = models.build(name, **dataclasses.asdict(trained.config))  # type: ignore[call-overload]
    whole.load_state_dict(trained.state_dict(), strict=False)
    with torch.no_grad():
        for parameter in whole.output.parameters():
            parameter.zero_()
    return whole


def _temperature(run: Run, store: ExperimentStore, start: Start, network: nn.Module, folder: Path) -> float:
    """Found on the run's development part."""
    features = FeatureSet.load(folder, memory_mapped=True)
    if digest(features) != store.data().get('features'):
        raise ExportError(f'{folder} holds other features than the run was made on; give those, or none')
    fold, _ = fold_of(run, features)
    dev = samples(features, fold.dev, start.preparation, run.model)
    probabilities = predict(network, dev, run.settings.batch)
    logits, labels = torch.from_numpy(probabilities).clamp(min=1e-12).log(), torch.tensor(dev.labels)
    losses = torch.stack([functional.cross_entropy(logits / t, labels) for t in TEMPERATURES])
    return float(TEMPERATURES[losses.argmin()])


def _provenance(run: Run, store: ExperimentStore, metrics: Metrics) -> dict[str, Any]:
    data = store.data()
    return {
        'data': data,
        'run': run.to_dict(),
        'utterances': dict(zip(('train', 'dev', 'test'), metrics.counts, strict=True)) | {'left out': metrics.without},
        'epochs': len(metrics.train_loss),
    }


def _figures(run: Run, store: ExperimentStore, metrics: Metrics, of_all: float) -> dict[str, Any] | None:
    """None if a label occurs in no utterance of the test part."""
    if metrics.scores is None:
        return None
    predictions = store.predictions(run)
    softer = predictions.probabilities.astype(np.float64) ** (1 / of_all)
    softer /= softer.sum(axis=1, keepdims=True)
    return {**dataclasses.asdict(metrics.scores), 'ece': expected_calibration_error(predictions.labels, softer)}


def _note(*, calibrated: bool) -> str:
    if calibrated:
        return (f'{UNTRAINED} Its probabilities are calibrated, on the development part of the run, where all '
                'modalities are there; of fewer they are not.')
    return f'{UNTRAINED} Its probabilities are not calibrated: every temperature is 1.'


def _written(made: Checkpoint, out: Path) -> Checkpoint:
    """:return: what a node would load."""
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f'.{out.name}.{uuid.uuid4().hex}')
    try:
        checkpoints.save(made, unfinished)
        loaded = checkpoints.load(unfinished)  # what a node would refuse is told now
        write_card(loaded, LABELS, unfinished / CARD)
        atomic_folder.put(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    for left_over in out.parent.iterdir():  # by exports that were killed
        if re.fullmatch(rf'\.{re.escape(out.name)}\.[0-9a-f]{{32}}', left_over.name):
            shutil.rmtree(left_over, ignore_errors=True)
    return loaded
