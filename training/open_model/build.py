# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Make the checkpoints that are shipped: python -m smern_ros.training.open_model.build [--data DIR] [--out DIR]"""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from smern_ros.assets import manifest
from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.checkpoint import FILES, Checkpoint
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import DEFAULT, checkpoint_folder
from smern_ros.skeleton.posture import Posture
from smern_ros.spec import AUDIO, SKELETON, SPEC, TEXT
from smern_ros.training.audio import audio_augment
from smern_ros.training.audio.audio_trainer import LabelledSpeech, train_voice
from smern_ros.training.common.cache import AUDIO_FEATURES, SKELETON_FEATURES, SPEECH_ENCODER, Stages
from smern_ros.training.common.splits import FOLDS, Split, require_disjoint
from smern_ros.training.common.trainer import say
from smern_ros.training.corpora import bandai, goemotions
from smern_ros.training.fusion import calibrate, encode_samples, modality_subsets
from smern_ros.training.fusion.distill import EncodedSource, train_fusion
from smern_ros.training.iemocap.export import CARD, require_free
from smern_ros.training.open_model.dataset import Samples, prepare
from smern_ros.training.open_model.evaluate import HeldOut, encode
from smern_ros.training.open_model.model_card import write_card
from smern_ros.training.open_model.samples import FULL, SPOKEN, TRIAL, Size, looks_of
from smern_ros.training.open_model.train_encoders import train_skeleton, train_text
from smern_ros.training.skeleton import posture_trainer, skeleton_trainer
from smern_ros.utils import atomic_folder
from smern_ros.utils.paths import expand

CORPORA = (*SPOKEN, goemotions, bandai)
RECIPES = {DEFAULT: CORPORA, f'{DEFAULT}-commercial': tuple(corpus for corpus in CORPORA if corpus.COMMERCIAL_USE)}
"""What each checkpoint that is shipped learns from, by its id."""
LARGEST = 10 * 10**6
"""Bytes of a checkpoint, all files together: it is part of the package that everybody downloads."""
_SHARED = (
    'smern_ros.models',
    'smern_ros.models.person_statistics',
    'smern_ros.spec',
    'smern_ros.training.open_model.samples',
    'smern_ros.training.open_model.train_encoders',
    'smern_ros.training.common.trainer',
    'smern_ros.training.common.normalisation',
)
_CODE = {
    'audio': (
        *_SHARED,
        *AUDIO_FEATURES,
        *SPEECH_ENCODER,
        'smern_ros.training.audio.audio_augment',
        'smern_ros.training.audio.audio_trainer',
        'smern_ros.training.audio.speaker_context',
    ),
    'text': (*_SHARED, 'smern_ros.text', 'smern_ros.training.text.text_trainer'),
    'skeleton': (
        *_SHARED,
        *SKELETON_FEATURES,
        'smern_ros.training.skeleton.skeleton_augment',
        'smern_ros.training.skeleton.skeleton_trainer',
        'smern_ros.training.skeleton.windows',
        'smern_ros.training.corpora',
    ),
}
"""Modules by which each encoder is made: a change of them makes it again."""
_POSTURE = ('smern_ros.skeleton.posture', 'smern_ros.training.skeleton.posture_trainer')
_ENCODED = ('smern_ros.training.fusion.encode_samples', 'smern_ros.training.fusion.distill')


def make(data: Path, out: Path, *, cache: Path, size: Size, seed: int, identity: str) -> None:
    """Make a checkpoint of RECIPES: train, save, load it again, measure it on what was held out, write its card and put
    all that to `out` at once.

    Every expensive step is kept in `cache`: interrupted or changed in one part, the same command goes on from there.

    :param identity: its id, which every prediction carries.
    :raises ValueError: if it is larger than LARGEST, or `out` holds something else than a checkpoint.
    """
    out = out.resolve()
    atomic_folder.restore(out)
    require_free(out)
    unfinished = cache / 'checkpoint'
    began = time.monotonic()
    samples = _learning_from_development(prepare(data, cache, size, seed, RECIPES[identity]), data, cache, size)
    seconds = {'reading': time.monotonic() - began}
    made = _train(samples, cache, seconds, size, seed, identity)
    threads = torch.get_num_threads()  # the predictor takes but one
    _save(made, unfinished)
    predictor = EmotionPredictor.load(unfinished)
    test = encode(predictor, HeldOut.of(samples))
    figures = {part.name: part.figures(predictor) for part in test}
    per_label = modality_subsets.PER_LABEL if size is FULL else 3
    subsets = {
        person_known: modality_subsets.figures(
            [
                modality_subsets.predict(
                    predictor, modality_subsets.sources(test, predictor, person_known=person_known), joining, per_label
                )
                for joining in modality_subsets.JOININGS
            ]
        )
        for person_known in ((False, True) if made.person_prior.names else (False,))
    }
    measured = replace(
        made, metrics={name: asdict(f) for name, f in figures.items()},
        training={**made.training, 'made': _effort(seconds, threads)},
    )
    _save(measured, unfinished)
    write_card(measured, figures, subsets, unfinished / CARD)
    atomic_folder.put(shutil.copytree(unfinished, out.with_name(f'.{out.name}.ready'), dirs_exist_ok=True), out)
    for name, f in figures.items():
        say(f'held out, {name}: UAR {f.uar:.3f}, WAR {f.war:.3f}, ECE {f.ece:.3f} of {f.count}')
    for person_known, of in subsets.items():
        known = 'speaker known' if person_known else 'speaker unknown'
        say(f'{modality_subsets.JOINED}, {known}: {modality_subsets.verdict(of)}')
    say(f'{out} is done')


def _train(
    samples: Samples, cache: Path, seconds: dict[str, float], size: Size, seed: int, identity: str
) -> Checkpoint:
    """:param seconds: what it takes is put into it, by step."""
    # What was made of the same samples for another checkpoint serves this one, too.
    stages = {m: Stages(cache, [asdict(size), seed, digest], seconds) for m, digest in _digests(samples).items()}
    spoken = list(map(LabelledSpeech, samples.speech.train, samples.features['train']))
    train_audio = partial(train_voice, inputs=samples.inputs, seed=seed)
    train_body = partial(train_skeleton, size=size, seed=seed)
    audio = stages[AUDIO].network('voice', _CODE[AUDIO], lambda: train_audio(spoken))
    text = stages[TEXT].network('words', _CODE[TEXT], lambda: train_text(samples, size, seed))

    def kept(name: str, modality: str, make: Callable[[], encode_samples.EncodedSamples]) -> EncodedSource:
        def seeded() -> dict[str, torch.Tensor]:
            torch.manual_seed(seed)
            return dict(vars(make()))

        return encode_samples.EncodedSamples(
            **stages[modality].tensors(name, (*_CODE[modality], *_ENCODED), seeded)
        ).source()

    learnt = {
        AUDIO: kept('audio', AUDIO, lambda: encode_samples.encode_audio(spoken, samples.inputs, audio, seed)),
        TEXT: kept('text', TEXT, lambda: encode_samples.encode_text(samples, 'train', text, dropout=True)),
    }
    held_out = {
        AUDIO: kept(
            'audio-held-out', AUDIO, lambda: encode_samples.encode_held_out_audio(spoken, samples.inputs, train_audio)
        ),
        TEXT: kept('text-held-out', TEXT, lambda: encode_samples.encode_text(samples, 'lossy', text, dropout=False)),
    }
    skeleton = held = None
    if SKELETON in stages:
        skeleton = stages[SKELETON].network('smacn', _CODE[SKELETON], lambda: train_body(samples))
        held = stages[SKELETON].tensors('posture', (*_CODE[SKELETON], *_POSTURE), lambda: _posture(samples, seed))
        learnt[SKELETON] = kept(
            'skeleton', SKELETON, lambda: encode_samples.encode_skeleton(samples, size.fusion_windows, skeleton, seed)
        )
        held_out[SKELETON] = kept(
            'skeleton-held-out',
            SKELETON,
            lambda: encode_samples.encode_held_out_skeleton(samples, train_body),
        )
    single = calibrate.of_modalities(held_out)
    began = time.monotonic()
    fusion = train_fusion(list(learnt.values()), single, size.fusion_steps, seed)
    seconds['fusion'] = time.monotonic() - began
    temperatures = calibrate.of_subsets(held_out, single, seed)
    say('temperatures: ' + ', '.join(f'{subset} {value:.2f}' for subset, value in temperatures.items()))
    return Checkpoint(
        id=identity, audio=audio, text=text, skeleton=skeleton, fusion=fusion,
        normalisation=samples.inputs.normalisation,
        person_prior=samples.inputs.person_prior, temperatures=temperatures,
        posture=None if held is None else Posture(**{name: tuple(w.tolist()) for name, w in held.items()}),
        training=_provenance(samples, RECIPES[identity], size, seed),
    )


def _posture(samples: Samples, seed: int) -> dict[str, torch.Tensor]:
    motions = samples.movement.train
    made = posture_trainer.fit(skeleton_trainer.to_learn(motions), motions, seed)
    return {name: torch.tensor(weights, dtype=torch.double) for name, weights in vars(made).items()}


def _learning_from_development(samples: Samples, data: Path, cache: Path, size: Size) -> Samples:
    """The development speakers and contents are learnt from as well: nothing is stopped or chosen by them any more.

    Comments keep their development part, which training is stopped by.
    """
    spoken, moved = samples.speech, samples.movement
    spoken = Split([*spoken.train, *spoken.dev], [], spoken.test)
    moved = Split([*moved.train, *moved.dev], [], moved.test)
    require_disjoint(spoken, lambda clip: clip.speaker)
    require_disjoint(moved, looks_of)
    more = audio_augment.features(samples.speech.dev, size.variants, cache)
    return replace(
        samples, speech=spoken, movement=moved,
        features={'train': [*samples.features['train'], *more], 'test': samples.features['test']},
    )


def _save(made: Checkpoint, out: Path) -> None:
    checkpoints.save(made, out)
    size = sum((out / name).stat().st_size for name in FILES if (out / name).exists())
    if size > LARGEST:
        raise ValueError(
            f'{out} has {size / 1e6:.1f} MB and may have {LARGEST / 1e6:.0f}: take smaller encoders or fewer words'
        )


def _provenance(samples: Samples, corpora: Sequence[ModuleType], size: Size, seed: int) -> dict:
    def counts(split) -> dict[str, int]:
        return {part: len(getattr(split, part)) for part in ('train', 'dev', 'test')}

    spoken = [corpus for corpus in SPOKEN if corpus in corpora]
    moved = bandai in corpora
    encoders = (SPEC.speech_encoder, SPEC.sentence_encoder)
    return {
        'data': {
            AUDIO: [corpus.CORPUS for corpus in spoken], TEXT: [goemotions.CORPUS],
            **({SKELETON: [bandai.CORPUS]} if moved else {}),
        },
        'licences': {
            **{corpus.CORPUS: corpus.LICENCE for corpus in corpora},
            **{name: manifest.load()[name].licence for name in encoders},
        },
        'restricted': [corpus.CORPUS for corpus in corpora if not corpus.COMMERCIAL_USE],  # to non-commercial use
        'samples': {
            'speech': counts(samples.speech), 'text': counts(samples.reading.comments),
            'movement': counts(samples.movement),
        },
        'held_out': {
            'speakers': sorted(set().union(*(corpus.TEST_SPEAKERS for corpus in spoken))),
            'contents': sorted(bandai.TEST_CONTENTS) if moved else [],
            'comments': 'the published test part',
        },
        'left_out': {
            'folds': FOLDS, 'corpora': sorted({clip.corpus for clip in samples.speech.train}),
            'contents': sorted({motion.content for motion in samples.movement.train}),
        },
        'size': asdict(size),
        'seed': seed,
    }


def _effort(seconds: Mapping[str, float], threads: int) -> dict:
    """What it took. Of steps that were done before, the time that they took then."""
    unit = 1 if sys.platform == 'darwin' else 1024
    return {
        'seconds': {name: round(taken) for name, taken in seconds.items()},
        'threads': threads,
        'peak_bytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
    }


def _digests(samples: Samples) -> dict[str, str]:
    """Of which samples there are of each modality that is learnt, in which part."""
    def names(split: Split, name: Callable[[Any], Any]) -> list:
        return [[name(sample) for sample in part] for part in (split.train, split.dev, split.test)]

    of_all = {
        AUDIO: names(samples.speech, lambda clip: (clip.corpus, clip.id)),
        TEXT: names(samples.reading.comments, lambda comment: (comment.id, comment.text)),
        SKELETON: names(samples.movement, lambda motion: motion.id),
    }
    return {m: hashlib.sha256(json.dumps(of).encode()).hexdigest() for m, of in of_all.items() if any(of)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m smern_ros.training.open_model.build', description=__doc__)
    parser.add_argument(
        '--data', type=expand, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'),
        help='folder with emodb4, nemo4, ravdess16, text_goemotions and bandai_motion '
        '(default: SMERN_SHARED_DATA, else ../shared/data)',
    )
    parser.add_argument(
        '--out', type=expand, default=checkpoint_folder().parent,
        help='where each gets a directory, called by its id (default: where those that are shipped lie)',
    )
    parser.add_argument(
        '--cache', type=expand, default=Path('build/training'), help='features and finished steps are kept here'
    )
    parser.add_argument('--id', choices=RECIPES, help='make this one alone (default: all)')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=os.cpu_count(), help='of torch')
    parser.add_argument('--trial', action='store_true', help='a minute on a little of the data: learns little')
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    for identity in [options.id] if options.id else RECIPES:
        make(
            options.data, options.out / identity, cache=options.cache, size=TRIAL if options.trial else FULL,
            seed=options.seed, identity=identity,
        )
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
