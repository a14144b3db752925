# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The README beside a checkpoint that was exported: which run it is, on which data, what it is worth and what not."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.training.iemocap.experiments.runs import NEW_SPEAKERS, Run

CARD = """\
# {id}: a run of SMERN-GA

Written by `smern export`, figures included. Use it with `smern run --checkpoint DIR`.

## What it is

SMERN-GA (Shi, Liu, Ishi, Ishiguro: 3D skeletal movement-enhanced emotion recognition networks), trained by
`smern reproduce` on the corpus {corpus}: {utterances}.

| | |
|---|---|
| run | `{run}` |
| protocol | {protocol}; fold {fold}, repetition {repetition}, seed {seed} |
| learnt from / developed on / tested | {train} / {dev} / {test} utterances; {left_out} of the fold lack a modality |
| epochs | {epochs}, at most {most}; those with the least development loss count |
| sizes | {sizes} |

## Figures

{figures}

## Before you use it

{warnings}
"""

PROTOCOLS = {
    'random': 'random folds: the people of the test were learnt from, too',
    'across_speakers': 'no speaker sharing between training and test, but between development and test',
    'leave_one_session_out': 'leave one session out: nothing is known of who is tested',
    NEW_SPEAKERS: 'a share of two new speakers is learnt from and the rest of them tested',
}
PEOPLE = ('Do not decide about people with it. It tells how expressions of four emotions look and sound in its corpus, '
          'not what anybody feels.')


def write_card(checkpoint: Checkpoint, labels: Sequence[str], path: Path) -> None:
    """Every number in it comes of the checkpoint."""
    training = checkpoint.training
    run, counts = Run.from_dict(training['run']), training['utterances']
    path.write_text(CARD.format(
        id=checkpoint.id, corpus=training['data']['corpus'], utterances=f'{training["data"]["utterances"]} utterances',
        run=run.id, protocol=PROTOCOLS[run.protocol], fold=run.fold, repetition=run.repetition, seed=run.seed,
        train=counts['train'], dev=counts['dev'], test=counts['test'], left_out=counts['left out'],
        epochs=training['epochs'], most=run.settings.epochs,
        sizes=f"not the paper's: {', '.join(sorted(run.overrides))}" if run.overrides else "the paper's",
        figures=_figures(checkpoint.metrics['test part of the run'], labels),
        warnings='\n'.join(f'- {warning}' for warning in _warnings(training, run)),
    ), encoding='utf-8')


def _figures(figures: dict[str, Any] | None, labels: Sequence[str]) -> str:
    if figures is None:
        return 'Unknown: the test part of this run lacks a label altogether.'
    matrix = '\n'.join(' '.join(f'{n:5d}' for n in row) for row in figures['confusion'])
    return (
        f'On the test part of this run, {figures["count"]} utterances: WAP {100 * figures["wap"]:.1f} %, UAR '
        f'{100 * figures["uar"]:.1f} %, WAR {100 * figures["war"]:.1f} %; expected calibration error '
        f'{figures["ece"]:.3f}. It is one fold of one repetition: the tables of the report are of all of them.\n\n'
        f'Rows: the label, columns: the prediction; {", ".join(labels)}.\n\n```\n{matrix}\n```'
    )


def _warnings(training: dict[str, Any], run: Run) -> list[str]:
    known = run.protocol == 'random'
    return [
        *([] if training['data']['corpus'] == 'iemocap' else [
            f"The corpus {training['data']['corpus']} is not IEMOCAP: the figures cannot be compared with the paper's."
        ]),
        *(['Of people that it does not know it will say much less: see the table of new speakers in the report.']
          if known else []),
        training['note'],
        'Whether weights made of this corpus may be passed on, its licence says.',
        PEOPLE,
    ]
