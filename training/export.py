"""From a run of SMERN-GA to the checkpoint that the fusion node loads."""
from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from smern_ros import checkpoint as checkpoints
from smern_ros import models
from smern_ros.checkpoint import SUBSETS, Checkpoint
from smern_ros.spec import SPEC
from smern_ros.training.experiments.results import CONFIG, Store
from smern_ros.training.experiments.runs import Run, Start

MODEL = 'smern_ga_whole'
NOTE = ('Trained on utterances with every modality; what it says with one missing was never trained or measured. '
        'Its probabilities are not calibrated: every temperature is 1.')


class ExportError(ValueError):
    """A run that no checkpoint can be made of; the message says why and what to do."""


def export(folder: Path, out: Path, *, identity: str | None = None) -> Checkpoint:
    """Write the checkpoint of a run into the directory `out`.

    The fusion node never asks one encoder for an emotion, so a run trains no output layer of an encoder: those of the
    checkpoint are zero, which says nothing of any emotion.

    :param folder: of the run: OUT/runs/ID of `smern reproduce`.
    :param identity: id of the checkpoint, which every prediction carries; None for the run's.
    :raises ExportError: if it is no run of this network, or made with other features than the robot's.
    :raises StoreError: if the run's folder is damaged.
    :raises OSError: if it cannot be written.
    """
    run, store = _opened(folder)
    start = store.start(run)
    network = _network(run, start)
    encoders, metrics = network.encoders, store.metrics(run)
    made = Checkpoint(
        id=run.id if identity is None else identity,
        are=_encoder('are', encoders.are), tre=_encoder('tre', encoders.tre), smacn=_encoder('smacn', encoders.smacn),
        smern_ga=network.fusion,
        vocabulary=start.preparation.inputs.vocabulary,
        normalisation=start.preparation.inputs.normalisation,
        temperatures=dict.fromkeys(SUBSETS, 1.0),
        spec=SPEC,
        training={'run': run.to_dict(), 'utterances': metrics.counts, 'note': NOTE},
        metrics={'test part of the run': None if metrics.scores is None else dataclasses.asdict(metrics.scores)},
    )
    checkpoints.save(made, out)
    return checkpoints.load(out)  # what a node would refuse is told now


def _opened(folder: Path) -> tuple[Run, Store]:
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
    store = Store(folder.parent.parent)
    if folder != store.runs.resolve() / run.id:
        raise ExportError(f'{folder} was moved or renamed; a run is found at OUT/runs/{run.id}')
    return run, store


def _network(run: Run, start: Start) -> nn.Module:
    rows, width = start.weights['encoders.tre.embedding.weight'].shape
    sizes: dict[str, Any] = {'words': rows, 'embedding': width, **run.overrides}
    network = models.build(run.model, **sizes)
    network.load_state_dict(start.weights)
    return network


def _encoder(name: str, trained: nn.Module) -> Any:
    whole = models.build(name, **dataclasses.asdict(trained.config))
    whole.load_state_dict(trained.state_dict(), strict=False)
    with torch.no_grad():
        for parameter in whole.output.parameters():
            parameter.zero_()
    return whole
