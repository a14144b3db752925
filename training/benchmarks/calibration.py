# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How sure a checkpoint made without one corpus of speech may be of the voices in it, alone and together with words.

Temperatures are found as those of the shipped checkpoint (`smern_ros.training.fusion.calibrate`), on the corpora that
are left: each of these is left out once more. Then all that are left are learnt from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from smern_ros.emotion.checkpoint import subsets
from smern_ros.models.inputs import InputEncoder
from smern_ros.spec import AUDIO, TEXT
from smern_ros.training.audio.audio_trainer import RECIPE, AudioRecipe, Item, audio_only, probabilities, train_voice
from smern_ros.training.benchmarks import speakers
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.benchmarks.fusion import BEFORE
from smern_ros.training.benchmarks.speakers import READERS, heard_after, leave_out
from smern_ros.training.benchmarks.speech import NAMES, WAYS
from smern_ros.training.benchmarks.text import opinions
from smern_ros.training.common.cache import AUDIO_FEATURES, SPEECH_ENCODER, Stages
from smern_ros.training.fusion import encode_samples
from smern_ros.training.fusion.calibrate import JOINED, UNRELATED, of_modalities, of_source, of_subsets
from smern_ros.training.fusion.distill import EncodedSource, join, pooled
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.samples import FULL, TRIAL
from smern_ros.training.text import text_trainer
from smern_ros.training.text.text_trainer import Reading

BOTH = '+'.join((AUDIO, TEXT))
COMMITTEE = 'the committee'
AGREEMENTS = {'both tell the label': 0.0, 'in half of the samples one of them': UNRELATED}
"""What the modalities of a joined sample tell, and the share of those in which only one tells anything."""
_MODULES = (
    *AUDIO_FEATURES,
    *SPEECH_ENCODER,
    'smern_ros.models',
    'smern_ros.models.person_statistics',
    'smern_ros.spec',
    'smern_ros.text',
    'smern_ros.training.fusion.calibrate',
    'smern_ros.training.corpora',
    'smern_ros.training.fusion.encode_samples',
    'smern_ros.training.fusion.distill',
    'smern_ros.training.benchmarks.calibration',
    'smern_ros.training.benchmarks.speakers',
    'smern_ros.training.audio.speaker_context',
    'smern_ros.training.open_model.samples',
    'smern_ros.training.common.normalisation',
    'smern_ros.training.text.text_trainer',
    'smern_ros.training.audio.audio_augment',
    'smern_ros.training.audio.audio_trainer',
)


@dataclass(frozen=True)
class Comments:
    """What the words' network, which learns from the same comments whatever is left out, says of comments."""

    source: speakers.SpeechSource

    def opinions(self, part: str) -> EncodedSource:
        """Of the test part, or of `lossy` (`sentences.items`); from the cache if it can."""
        size = TRIAL if self.source.trial else FULL

        def make() -> dict[str, torch.Tensor]:
            reading = Reading.read(self.source.data, self.source.cache, comments=size.comments)
            network = text_trainer.train_words(reading, epochs=size.text_epochs, seed=0)
            found: dict[str, torch.Tensor] = {}
            for name in ('lossy', 'test'):
                predicted = opinions(reading, name, network)
                found |= {f'{name}|logits': predicted.opinions, f'{name}|labels': predicted.labels}
            return found

        kept = Stages(self.source.cache, dataclasses.asdict(size)).tensors('opinions-of-comments', _MODULES, make)
        logits, labels = kept[f'{part}|logits'], kept[f'{part}|labels']
        return EncodedSource(logits, logits, labels.tolist())


def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]:
    """See `experiment`."""
    source = speakers.SpeechSource(data, cache, trial)
    recipe = replace(RECIPE, variants=1) if trial else RECIPE
    needs = (*source.needs(READERS), Need('what words say', partial(Comments(source).opinions, 'test')))
    for corpus in READERS:
        rows = [
            row for way in WAYS for row in (
                *(BenchmarkRow(VOICE, f'Voice: {NAMES[corpus]}', f'{way}, {what}', reliability=True)
                  for what in (f'one network, {BEFORE}', 'one network, its temperature', COMMITTEE)),
                *(BenchmarkRow(TOGETHER, f'Voice and words: {NAMES[corpus]}', f'{way}, {agreement}', reliability=True)
                  for agreement in AGREEMENTS),
            )
        ]
        yield Experiment(
            f'calibration, {corpus} left out', tuple(rows), (corpus,), (0,),
            {'trial': trial, 'recipe': dataclasses.asdict(recipe)}, _MODULES, partial(run, source, recipe), needs,
        )


def run(source: speakers.SpeechSource, recipe: AudioRecipe, who: str, seed: int) -> list[Predictions]:
    """In the order of the rows.

    :param who: the corpus left out.
    """
    clips = [clip for corpus in READERS for clip in source.clips(corpus)]
    learn, test = (source.spoken(part) for part in leave_out(clips, who))
    learn = [replace(s, versions=s.versions[: recipe.variants + 1]) for s in learn]
    inputs = InputEncoder(audio_only(learn), person_prior=recipe.person)
    train = partial(train_voice, inputs=inputs, seed=seed)
    single_recipe = replace(recipe, committee=False)
    alone, temperature = train(learn, recipe=single_recipe), of_source(
        encode_samples.encode_held_out_audio(learn, inputs, partial(train, recipe=single_recipe)).source()
    )
    held_out = {
        AUDIO: encode_samples.encode_held_out_audio(learn, inputs, partial(train, recipe=recipe)).source(),
        TEXT: Comments(source).opinions('lossy'),
    }
    single = of_modalities(held_out)
    temperatures = of_subsets(held_out, single, seed)
    network, comments = train(learn, recipe=recipe), Comments(source).opinions('test')
    predicted = []
    for seconds in WAYS.values():
        heard = [(s, item) for s, item in zip(test, heard_after(test, inputs, seconds, seed), strict=True) if item]
        ids, labels = [f'{s.clip.corpus}/{s.clip.id}' for s, _ in heard], [s.label for s, _ in heard]
        one, all_of_them = (_logits(encoder, [item for _, item in heard]) for encoder in (alone, network))
        predicted += [_predictions(ids, labels, logits) for logits in (one, one / temperature, all_of_them)]
        voices = EncodedSource(all_of_them, all_of_them, labels)
        for unrelated in AGREEMENTS.values():
            joined = join([voices, comments], JOINED, np.random.default_rng(seed), unrelated=unrelated)
            together = dict(zip(subsets((AUDIO, TEXT)), pooled(joined.opinions, single), strict=True))[BOTH]
            predicted.append(_predictions(
                [str(k) for k in range(JOINED)], joined.labels.tolist(), together / temperatures[BOTH]
            ))
    return predicted


def _logits(encoder: nn.Module, items: Sequence[Item]) -> torch.Tensor:
    return torch.from_numpy(probabilities(encoder, items)).clamp(min=1e-12).log()


def _predictions(ids: Sequence[str], labels: Sequence[int], logits: torch.Tensor) -> Predictions:
    return Predictions(np.array(ids), np.array(labels), logits.softmax(dim=1).numpy())


_DEVELOPMENT = (
    'the corpora that are left; nothing looks at the corpus tested. The committee was chosen on all but the test '
    'speakers, each corpus left out'
)
VOICE = BenchmarkTable(
    'How sure: the voices of a corpus left out',
    data='EMO-DB, nEMO and RAVDESS, as above, each left out with its language and its microphone',
    protocol='the encoder learns from the two others. "its temperature": found on these, each left out once. '
    f'"{COMMITTEE}": what is shipped, with one corpus more to learn from',
    development=_DEVELOPMENT,
)
TOGETHER = BenchmarkTable(
    'How sure: the voices of a corpus left out, and words',
    data=f'the same voices and comments of the test part of GoEmotions, {JOINED} samples joined by label. No one was '
    'recorded with both',
    protocol="as above, by the committee: the sum of the networks' log-probabilities, which the fusion learns to say, "
    'with the temperature of both together, found on the two other corpora, each left out once, and on comments of the '
    'development part',
    development=_DEVELOPMENT,
    note='The temperature supposes that in half of what people say the voice or the words alone tell anything. Where '
    'both always tell the label, it is less sure than it is right',
)
