"""Make the checkpoint that is shipped: python -m smern_ros.training.checkpoint [--data DIR] [--out DIR]"""
from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from pathlib import Path

import torch

from smern_ros import checkpoint as checkpoints
from smern_ros.checkpoint import Checkpoint
from smern_ros.predictor import EmotionPredictor, shipped_checkpoint
from smern_ros.training import text
from smern_ros.training.corpora import bandai, emodb, goemotions, nemo
from smern_ros.training.encoded import sources
from smern_ros.training.encoders import train_audio, train_skeleton, train_text
from smern_ros.training.evaluation import held_out
from smern_ros.training.fusion import find_temperatures, train_fusion
from smern_ros.training.loop import say
from smern_ros.training.metrics import Figures
from smern_ros.training.model_card import write_card
from smern_ros.training.samples import FULL, TRIAL, Samples, Size, prepare

LICENCES = {
    emodb.CORPUS: emodb.LICENCE,
    nemo.CORPUS: nemo.LICENCE,
    goemotions.CORPUS: goemotions.LICENCE,
    bandai.CORPUS: bandai.LICENCE,
    'glove': text.LICENCE,
}


def make(data: Path, out: Path, *, cache: Path, size: Size, seed: int, identity: str) -> dict[str, Figures]:
    """Train, save to `out`, load it from there again, measure it on what was held out and write its card.

    :param identity: id of the checkpoint, which every prediction carries.
    """
    started = time.monotonic()
    samples = prepare(data, cache, size, seed)
    are = train_audio(samples, size, seed)
    tre = train_text(samples, size, seed)
    smacn = train_skeleton(samples, size, seed)
    say('encoding for the fusion')
    train, dev = sources(samples, are, tre, smacn, 2 * size.skeleton_samples, seed)
    fusion = train_fusion(train, dev, size.fusion_epochs, size.fusion_samples, seed)
    minutes = (time.monotonic() - started) / 60
    made = Checkpoint(
        id=identity, are=are, tre=tre, smacn=smacn, smern_ga=fusion,
        vocabulary=samples.vocabulary, normalisation=samples.inputs.normalisation,
        temperatures=find_temperatures(fusion, dev, seed),
        training=_provenance(samples, size, seed),
    )
    checkpoints.save(made, out)
    figures = held_out(EmotionPredictor.load(out), samples)
    with_figures = Checkpoint(**{**vars(made), 'metrics': {name: asdict(f) for name, f in figures.items()}})
    checkpoints.save(with_figures, out)
    write_card(with_figures, figures, out / 'README.md')
    for name, f in figures.items():
        say(f'held out, {name}: UAR {f.uar:.3f}, WAR {f.war:.3f}, ECE {f.ece:.3f} of {f.count}')
    say(f'{out} is done; training took {minutes:.0f} minutes')
    return figures


def _provenance(samples: Samples, size: Size, seed: int) -> dict:
    def counts(split) -> dict[str, int]:
        return {part: len(getattr(split, part)) for part in ('train', 'dev', 'test')}

    return {
        'data': {
            'audio': [emodb.CORPUS, nemo.CORPUS], 'text': [goemotions.CORPUS, 'glove'], 'skeleton': [bandai.CORPUS],
        },
        'licences': LICENCES,
        'samples': {
            'speech': counts(samples.speech), 'text': counts(samples.text), 'movement': counts(samples.movement),
        },
        'held_out': {
            'speakers': sorted(emodb.TEST_SPEAKERS | nemo.TEST_SPEAKERS),
            'contents': sorted(bandai.TEST_CONTENTS),
            'comments': 'the published test part',
        },
        'size': asdict(size),
        'seed': seed,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m smern_ros.training.checkpoint', description=__doc__)
    parser.add_argument(
        '--data', type=Path, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'),
        help='folder with emodb4, nemo4, text_goemotions, glove100 and bandai_motion '
        '(default: SMERN_SHARED_DATA, else ../shared/data)',
    )
    parser.add_argument(
        '--out', type=Path, default=shipped_checkpoint(), help='directory of the checkpoint (default: the shipped one)'
    )
    parser.add_argument('--cache', type=Path, default=Path('build/training'), help='features are kept here')
    parser.add_argument('--id', default='open-v1', help='what every prediction will call it')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=os.cpu_count(), help='of torch')
    parser.add_argument('--trial', action='store_true', help='a minute on a little of the data: learns little')
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    make(
        options.data, options.out, cache=options.cache, size=TRIAL if options.trial else FULL, seed=options.seed,
        identity=options.id,
    )
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
