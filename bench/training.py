# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`make bench-train`: how long training takes, the plain way and ours, in one run and on the same data.

Every network of tables 1 and 2 is trained once each way, with the paper's sizes, as many epochs and utterances, the
same seeds, on a synthetic corpus whose utterances are as long as IEMOCAP's. The plain way does one run after the other
in float32 and pads every batch to the longest utterance. Ours is what `smern reproduce` does, first in one process of
one thread, like the plain way, then in several. A run's time is that of its processor, which other programs on the
machine change little; that of several processes can only be told by the clock.

Networks that convolve take a hundred times as long as the others: they learn from fewer utterances, in smaller batches,
and all are compared by their time for each utterance.
"""
from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch

from bench import plain_training
from bench.summary import machine
from smern_ros.spec import SKELETON, SPEC
from smern_ros.training.iemocap.experiments import network_samples, synthetic, train_network
from smern_ros.training.iemocap.experiments.network_samples import Preparation
from smern_ros.training.iemocap.experiments.train_network import Machine, TrainingSettings, build
from smern_ros.training.iemocap.features.feature_store import FeatureSet
from smern_ros.utils import malloc

MEDIAN, SPREAD, SHORTEST, LONGEST = 3.6, 0.67, 0.6, 30.0
"""Seconds of an utterance, log-normal: 4.5 on average, as in IEMOCAP, and longer than 10 for one in sixteen."""
WORDS = 15  # of an utterance, on average
PLAIN, OURS = 'plain', 'ours'


CONVOLVING = frozenset(m for m, sources in synthetic.SOURCES.items() if {SKELETON, synthetic.MOCAP} & {*sources}) - {
    'lstm', 'lstm_att'}


@dataclass(frozen=True)
class Size:
    """How much is trained."""

    learn: int
    dev: int
    settings: TrainingSettings
    low_precision: bool = False


@dataclass(frozen=True)
class Timed:
    """A run. `began` and `ended` are of the clock."""

    each: float  # seconds of the processor, of an utterance learnt from, in an epoch
    began: float
    ended: float
    loss: float  # on the development set, after the last epoch
    uar: float


def corpus(utterances: int, seed: int = 0) -> FeatureSet:
    """Synthetic, with durations like IEMOCAP's; sound and movement of an utterance are as long as each other."""
    short = synthetic.corpus(
        synthetic.SyntheticCorpusSpec(utterances=utterances, words=WORDS, mocap_fraction=1.0, seed=seed)
    )
    generator = np.random.default_rng(seed)
    samples = []
    for i in range(utterances):
        seconds = float(np.clip(generator.lognormal(np.log(MEDIAN), SPREAD), SHORTEST, LONGEST))
        arrays = short.sample_arrays(i)
        heard = generator.integers(len(arrays.mfcc), size=round(seconds / SPEC.frame_shift))
        seen = generator.integers(len(arrays.skeleton), size=round(seconds * SPEC.skeleton_rate))
        samples.append(dataclasses.replace(
            arrays, mfcc=arrays.mfcc[heard], skeleton=arrays.skeleton[seen],
            skeleton_unfiltered=arrays.skeleton_unfiltered[seen], visible=arrays.visible[seen],
        ))
    return FeatureSet.of('synthetic, as long as IEMOCAP', short.utterances, samples)


def run(way: str, model: str, size: Size, features: FeatureSet) -> Timed:
    """Train, one thread; the samples are prepared before."""
    ids = [row.id for row in features.utterances]
    learnt, developed = ids[: size.learn], ids[size.learn :]
    preparation = Preparation.of(features, learnt, model)
    learn, dev = (network_samples.samples(features, part, preparation, model) for part in (learnt, developed))
    network = build(model, preparation.inputs.vocabulary, {}, seed=0)
    began, processor = time.time(), time.process_time()
    if way == PLAIN:
        history = plain_training.train(network, model, learn, dev, size.settings, seed=0)
    else:
        history = train_network.train(
            network, model, learn, dev, size.settings, 0, Machine(low_precision=size.low_precision)
        )
    each = (time.process_time() - processor) / size.learn / size.settings.epochs
    return Timed(each, began, time.time(), history[-1].dev_loss, history[-1].dev_uar)


_features: dict[int, FeatureSet] = {}  # of a process that does runs, by how many utterances there are


def _begin(way: str) -> None:
    torch.set_num_threads(1)
    if way == OURS:
        malloc.keep_freed(malloc.TENSORS)
    _do(way, 'are', Size(32, 8, TrainingSettings(epochs=1)))  # what is imported by the first run alone


def _do(way: str, model: str, size: Size) -> Timed:
    count = size.learn + size.dev
    if count not in _features:
        _features[count] = corpus(count)
    return run(way, model, size, _features[count])


def _processes(way: str, jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, get_context('spawn'), _begin, (way,))


def alone(sizes: Mapping[str, Size]) -> dict[str, dict[str, Timed]]:
    """Of each network, plain and ours in turn, a process for each way. Prints a row of the table for each."""
    print('| network | plain | ours | ratio | dev loss, plain and ours | dev UAR, plain and ours |\n'
          '|---|--:|--:|--:|--:|--:|')
    made: dict[str, dict[str, Timed]] = {}
    with _processes(PLAIN, 1) as plainly, _processes(OURS, 1) as in_our_way:
        for model, size in sizes.items():
            made[model] = both = {
                way: pool.submit(_do, way, model, size).result()
                for way, pool in ((PLAIN, plainly), (OURS, in_our_way))
            }
            plain, ours = both[PLAIN], both[OURS]
            print(f'{_row(model, plain.each, ours.each)} {plain.loss:.2f} {ours.loss:.2f} | '
                  f'{plain.uar:.2f} {ours.uar:.2f} |', flush=True)
    print(_row('all', *(sum(both[way].each for both in made.values()) for way in (PLAIN, OURS))), '| |\n')
    return made


def _row(name: str, plain: float, ours: float) -> str:
    return f'| {name} | {1e3 * plain:.1f} ms | {1e3 * ours:.1f} ms | {plain / ours:.1f} |'


def beside_each_other(sizes: Mapping[str, Size], jobs: int) -> float:
    """:return: seconds by the clock that our way takes for all networks in several processes."""
    with _processes(OURS, jobs) as pool:
        done = [f.result() for f in [pool.submit(_do, OURS, model, size) for model, size in sizes.items()]]
    return max(run.ended for run in done) - min(run.began for run in done)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='bench.training', description=__doc__)
    parser.add_argument('--models', default=','.join(synthetic.SOURCES), help='networks (default: all 13)')
    parser.add_argument('--learn', type=int, default=64, help='utterances that networks which convolve learn from; '
                        'the others learn from four times as many')
    parser.add_argument('--batch', type=int, default=16, help='of networks that convolve; of the others four times it')
    parser.add_argument('--epochs', type=int, default=1)
    parser.add_argument('--bfloat16', action='store_true', help='as smern reproduce --bfloat16 (default: float32)')
    parser.add_argument('--jobs', type=int, default=2, help='processes of our way, at last; 1: leave that out')
    args = parser.parse_args(argv)
    few = Size(args.learn, args.learn // 16, TrainingSettings(args.epochs, args.epochs, args.batch), args.bfloat16)
    many = Size(
        4 * args.learn, args.learn // 4, TrainingSettings(args.epochs, args.epochs, 4 * args.batch), args.bfloat16
    )
    sizes = {model: few if model in CONVOLVING else many for model in args.models.split(',')}
    print(f'machine  {machine()}\n'
          f'data     {few.learn} utterances in batches of {few.settings.batch} ({", ".join(sorted(CONVOLVING))}),\n'
          f'         {many.learn} in batches of {many.settings.batch} (all others); epochs: {args.epochs}\n'
          f'ours     {"bfloat16" if args.bfloat16 else "float32"}\n'
          'times    of the processor, for an utterance in an epoch; development set included\n')
    made = alone(sizes)
    if args.jobs > 1:
        plainly, one = (sum(both[way].ended - both[way].began for both in made.values()) for way in (PLAIN, OURS))
        longest_first = {model: sizes[model] for model in sorted(sizes, key=lambda m: -made[m][OURS].each)}
        several = beside_each_other(longest_first, args.jobs)
        print(f'by the clock: plain {plainly:.0f} s, ours {one:.0f} s, ours in {args.jobs} processes {several:.0f} s: '
              f'ratios {plainly / one:.1f} and {plainly / several:.1f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
