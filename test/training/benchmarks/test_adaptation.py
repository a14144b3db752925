# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What labels are worth is measured on people whom the checkpoint never heard, and never on what was labelled."""
import dataclasses
import json

import numpy as np
import pytest

from smern_ros.emotion.adaptation import Example, fit
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.training.benchmarks import adaptation
from smern_ros.training.open_model.samples import SPOKEN


@pytest.fixture(scope='module')
def source(shared_data, cache):
    return adaptation.AdaptationSource(shared_data, cache, checkpoint_folder(), trial=True)


@pytest.fixture(scope='module')
def experiments(source):
    return list(adaptation.experiments(source.data, source.cache, trial=True))


def by_row(experiment):
    (fold,), (seed,) = experiment.folds, experiment.seeds
    said = experiment.run(fold, seed)
    return {(row.name, row.at): p for row, p in zip(experiment.rows, said, strict=True)}


def test_every_way_to_learn_is_tested_on_the_same_utterances_and_none_of_them_was_labelled(experiments, source):
    labels, encoder = experiments[:2]
    (speaker,) = labels.folds
    found = {**by_row(labels), **by_row(encoder)}
    own = {key: p for key, p in found.items() if key[0] != adaptation.OTHERS}
    assert {at for _, at in own} == {0, 5} and {name for name, _ in own} == {
        adaptation.ADAPTED, adaptation.LAYER, adaptation.ENCODER}
    tested = {tuple(p.ids) for p in own.values()}
    assert len(tested) == 1
    _, left = adaptation._drawn(source.encoded(speaker), 5, labels.seeds[0])
    assert set(*tested) == {e.utterance_id for e in left} and len(left) >= len(source.encoded(speaker)) - 5 - 5
    others = found[adaptation.OTHERS, 5]
    assert len(others.ids) and not {i.partition(' ')[0] for i in others.ids} & set(*tested)


def test_another_take_of_what_was_labelled_is_not_tested():
    ids = ['emodb/03a02Wb', 'emodb/03a02Wc', 'emodb/03a02Fa', 'emodb/03a05Wa', 'nemo/EB0_anger_1', 'nemo/EB0_anger_2']
    examples = [Example(name, {}, 'angry') for name in ids]
    for draw in range(20):
        labelled, tested = adaptation._drawn(examples, 2, draw)
        names = [{e.utterance_id for e in part} for part in (labelled, tested)]
        takes = {'emodb/03a02Wb', 'emodb/03a02Wc'}
        assert not (takes & names[0] and takes & names[1]) and len(labelled) == 2 and len(tested) in (4, 3)


def test_every_draw_of_every_speaker_leaves_something_to_test(shared_data):
    clips = [c for corpus in SPOKEN for c in corpus.read(shared_data)]
    for corpus, speakers in adaptation.TEST_SPEAKERS.items():
        for speaker in speakers:
            examples = [Example(f'{corpus}/{c.id}', {}, c.label) for c in clips if c.speaker == speaker]
            for draw in range(adaptation.DRAWS):
                labelled, tested = adaptation._drawn(examples, adaptation.COUNTS[corpus][-1], draw)
                assert len(labelled) == adaptation.COUNTS[corpus][-1]
                assert len(tested) >= len(examples) - len(labelled) - 1 >= 1
                assert not set(map(adaptation._what, labelled)) & set(map(adaptation._what, tested))


def test_what_is_said_of_many_at_once_is_what_the_predictor_says_of_each(source):
    predictor = source.predictor()
    examples = source.encoded(source.speakers('emodb')[0])
    adapted = fit(predictor.checkpoint, examples[:5])
    said = adaptation.predict(predictor.checkpoint, adapted, examples)
    for example, probabilities in zip(examples, said.probabilities, strict=True):
        np.testing.assert_allclose(
            probabilities, predictor.fuse(example.vectors, adapted).probabilities, atol=1e-5
        )


def test_a_checkpoint_that_may_have_heard_the_speakers_is_refused(source, tmp_path):
    for file in checkpoint_folder().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / 'config.json').read_text())
    config['training']['held_out']['speakers'].remove('nemo-WR0')
    (tmp_path / 'config.json').write_text(json.dumps(config))
    with pytest.raises(ValueError, match='does not say that it never learnt from nemo-WR0'):
        dataclasses.replace(source, checkpoint=tmp_path).predictor()
