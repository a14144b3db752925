# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The README beside a checkpoint: what it is, what it is worth, what it must not be used for."""
from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from smern_ros import models
from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.emotion.shipped_checkpoints import DEFAULT
from smern_ros.spec import AUDIO, SKELETON, SPEC
from smern_ros.training.common.metrics import Figures
from smern_ros.training.fusion.modality_subsets import Subset, verdict
from smern_ros.training.iemocap.experiments.integrate import summarise
from smern_ros.training.iemocap.experiments.train_network import Machine
from smern_ros.training.iemocap.reproduce.tables import written
from smern_ros.training.open_model.evaluate import PERSON_KNOWN
from smern_ros.training.text.text_trainer import WORD_LOSS

CARD = """\
# {id}: a SMERN-GA checkpoint from open data

Written by `python -m smern_ros.training.open_model.build`, figures included (in the repository: `make checkpoint`).
{effort}

## What it is

{networks_used} (Shi, Liu, Ishi, Ishiguro: 3D skeletal movement-enhanced emotion recognition
networks), and in place of the paper's ARE and TRE two small networks on pretrained encoders: `voice` on the encoder of
Whisper tiny.en (mean and deviation over time of its last layer), MFCC and prosody; `words` on three layers of
all-MiniLM-L6-v2.
It tells {labels}. Where the weights of Whisper are missing, voice is judged by MFCC and prosody alone.

Numbers of parameters: {networks}.

**It was not trained on IEMOCAP and its figures cannot be compared with the paper's.** Each modality has its own source:

| modality | source | learnt from / development / test | held out | licence |
|---|---|---|---|---|
| audio | {spoken}, acted in studios | {speech} utterances | speakers {speakers} | {spoken_licences} |
| text | GoEmotions (English forum comments), without capitals and punctuation | {text} comments \
| the published test part | {goemotions} |
{movement_source}
**No one was recorded with all of them.** For the fusion, {joined_people} of different people were
joined because they had the same label. So there is no true figure for the modalities together.

The pretrained encoders are as their makers made them (Whisper: {whisper}; MiniLM: {minilm}). Each network was trained
on its source alone, then frozen. The fusion learnt from samples joined by label, each with all subsets of the
modalities at once, to say what the networks' own output layers say: alone what the one says, together the sum of their
log-probabilities. Utterances were altered (speed, room, noise, level, silence around).
{movement_altered}
{chosen}Nothing was chosen by the test parts. They had been measured with earlier checkpoints and trials of the recipe,
though, so that they are not quite as unseen as new people would be.

## Figures

The whole network with one modality alone, on what was held out. Chance is 25 % UAR.

| source | samples | UAR % | WAR % | ECE |
|---|---|---|---|---|
{figures}

UAR: unweighted average recall. WAR: weighted average recall. ECE: expected calibration error, 15 bins.
{movement_figures}
{known}

Confusions (rows: label, columns: prediction; {label_list}):

```
{confusions}
```

## Any subset of the modalities, joined by label

The held-out samples (each corpus of speech equally often), joined by label in {joinings} different ways, {joined}
samples each, every label equally often; mean ± standard deviation over the joinings. "Best alone" is the best of the
subset's modalities alone, by the fusion or by the encoder's own output layer. What several modalities gain here says
that the fusion makes use of what is there. **It is no claim about people**, who mislead in all of them together.

{subsets}

## Calibration

Logits are divided by a temperature for each subset of the modalities:
{temperatures}.
{voice_calibration}Voices count once as of somebody of whom nothing is known and once as of somebody of whom much is.
{movement_calibration}\
That of the words was found on the development part of the comments, of which {lost} of the words were left out at
random, as many as a recogniser gets wrong. Every label and corpus counts the same. None is below 1. Those of several
modalities were found on samples joined by label, in half of which one modality alone tells anything of the label, and
are not below that of any of them. "ECE before" is with every temperature 1. `confidence` in the messages is the
probability after it.

How sure several modalities may be of one person cannot be told from this data: it would take people recorded with all
of them.

## Known to fail

- Languages: voice is learnt from {languages} actors, words from written English. What a voice of another
  language and microphone is worth, docs/results.md tells: "{other_corpora}".
- Spontaneous speech: acted emotions are stronger than felt ones; most real speech is neutral, and the classes were
  given equal weight.
{movement_fails}
- Ages: adults alone, those of EMO-DB 21 to 35 years old. Children and old people were not heard and not seen.
- Voices far from the microphone, several at once, singing.
- Strangers: until some seconds of a person were heard, low voices may sound sad, lively ones happy or angry. Compare
  the figures of speakers known and not.
- Faces are not used: what only a face shows is not told.
- Irony, sentences that a recogniser misheard, how people talk to each other: comments are written.

## Must not be used for

{commercial}\
- Decisions about people: hiring, schooling, policing, health, credit, border control, monitoring at work. Telling
  emotions of people at work or in education is prohibited in some places.
- Claims about what a person feels. It tells how acted expressions of four emotions look and sound, no more.

## Sources

{sources}
- Radford et al.: Robust speech recognition via large-scale weak supervision (Whisper). 2022.
- Reimers, Gurevych: Sentence-BERT. EMNLP 2019; the model all-MiniLM-L6-v2 of sentence-transformers.

{licence} The code has its own: see the repository.
"""


SPOKEN = {
    'emodb': ('EMO-DB (German)', 'German'), 'nemo': ('nEMO (Polish)', 'Polish'),
    'ravdess': ('RAVDESS (English, 16 actors, without calm)', 'English'),
}
"""Each corpus of speech and its language."""
SOURCES = {
    'emodb': 'Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss: A database of German emotional speech. Interspeech 2005.',
    'nemo': 'Christop: nEMO: Dataset of emotional speech in Polish. LREC-COLING 2024.',
    'goemotions': 'Demszky et al.: GoEmotions: A dataset of fine-grained emotions. ACL 2020.',
    'ravdess': 'Livingstone, Russo: The Ryerson audio-visual database of emotional speech and song (RAVDESS). PLoS ONE '
               '13(5), 2018.',
    'bandai': 'Kobayashi et al.: Motion capture dataset for practical use of AI-based motion editing and stylization. '
              '2023. (c) Bandai Namco Research Inc.',
}
WITH_MOVEMENT = {
    'networks_used': 'SMACN and graph attention',
    'movement_source': '| skeleton | Bandai-Namco Motiondataset 1 (acted walking, bowing, waving) | {movement} clips '
    '| contents {contents} | {bandai} |\n',
    'joined_people': 'a voice, a comment and a movement',
    'movement_altered': """\
Movements were altered, too (body, jitter, hidden joints, speed, mirrored). Half of the neutral movements show a person
who stands still, in any posture of the clips: nobody does in the source, and what stillness means would be left to
chance. Shoulders and head were set as MediaPipe measures them.
""",
    'movement_figures': """\
Movement is counted in overlapping windows of 64 frames (2.1 s) of few clips, of actors who were also in training: its
figures are the least certain. "As a camera sees it" has the same windows altered as in training. Movement unlike
all that was learnt from counts as an even guess.
""",
    'movement_calibration': 'That of movement was found on contents that a network had not learnt from ({folds} '
    'trainings). ',
    'movement_fails': """\
- Movement: learnt from {clips} clips of three actors who walk, run, bow and wave. Sitting people and talking hands are
  not in the source. Movement with the arms held as people hold them who sit or talk, or out of the picture, is not used
  (`unfamiliar`). That was taught with people made of frames of the clips and misses some (docs/results.md). Expect
  little of movement. Who stands with hanging arms may be taken for sad.
- Distances and cameras: bodies were captured, not filmed; what a camera does to them is imitated (jitter, hidden
  joints, another body). At what range which camera still serves was not measured.""",
}
WITHOUT_MOVEMENT = {
    'networks_used': '**It reads no movement.** Graph attention',
    'movement_source': '', 'joined_people': 'a voice and a comment', 'movement_altered': '', 'movement_figures': '',
    'movement_calibration': '',
    'movement_fails': '- Movement: it is not read. A camera tells whose the voice is, no more.',
}
SEVERAL_CORPORA = {
    'voice_calibration': """\
That of voice is 1: it is judged by a committee of which each member but one learnt without one corpus, its language and
its microphone, and which is less sure where they disagree. What it says of each corpus, left out once, served those of
several modalities.
""",
    'other_corpora': 'a corpus left out',
    'chosen': """\
Sizes, epochs and the like were chosen by leaving out speakers and contents that are learnt from here, and by the
published development part of the comments (docs/results.md names them); then all but the test parts was learnt from.
""",
}
ONE_CORPUS = {
    'voice_calibration': """\
That of voice is 1: it is judged by a committee of which each member but one learnt without some of the speakers, and
which is less sure where they disagree. **They are all of the same corpus**: how sure it may be of strangers of other
languages and microphones, nothing here could tell it. What it says of speakers left out ({folds} trainings), recorded
as they were and altered, served the temperature of voice and words together.
""",
    'other_corpora': 'The checkpoint {id}, one modality alone',
    'chosen': """\
Sizes, penalties and the like are those of {default}, found on the corpora that it learns from; no weight and no
temperature was. All but the test parts was learnt from.
""",
}
COMMERCIAL = {
    'commercial': '',
    'licence': 'All that the weights were learnt from allows commercial use. They are licensed CC BY 4.0, as\n'
               'GoEmotions is: name it wherever you pass them on.',
}
NOT_COMMERCIAL = {
    'commercial': """\
- Anything commercial: parts of the data are licensed for non-commercial use only ({restricted}), and so are these
  weights.
""",
    'licence': 'The weights are licensed CC BY-NC-SA 4.0, as their strictest source asks.',
}

KNOWN = (
    f'"{PERSON_KNOWN.capitalize()}": all other utterances of the speaker were heard before, without labels, and voices '
    'are normalised by that; else nothing is known of who speaks but the utterance itself.'
)


def write_card(
    checkpoint: Checkpoint, figures: Mapping[str, Figures], subsets: Mapping[bool, Sequence[Subset]], path: Path
) -> None:
    """Write `path`; every number in it comes of the checkpoint and of what was measured of it.

    :param figures: by source.
    :param subsets: joined by label; of speakers who are not known and, where the checkpoint makes use of it, known.
    """
    training = checkpoint.training
    labels = checkpoint.spec.labels
    licences = training['licences']
    spoken = training['data'][AUDIO]
    facts = {
        'id': checkpoint.id, 'default': DEFAULT, 'folds': training['left_out']['folds'],
        'restricted': '; '.join(f'{corpus}: {licences[corpus]}' for corpus in training['restricted']),
        'contents': ', '.join(training['held_out']['contents']), 'clips': training['samples']['movement']['train'],
        **{name: ' / '.join(str(n) for n in parts.values()) for name, parts in training['samples'].items()}, **licences,
    }
    texts = {
        **(WITH_MOVEMENT if SKELETON in training['data'] else WITHOUT_MOVEMENT),
        **(SEVERAL_CORPORA if len(spoken) > 1 else ONE_CORPUS),
        **(NOT_COMMERCIAL if training['restricted'] else COMMERCIAL),
    }
    path.write_text(
        CARD.format(
            labels=f'{", ".join(labels[:-1])} and {labels[-1]}',
            label_list=', '.join(labels),
            spoken=', '.join(SPOKEN[corpus][0] for corpus in spoken),
            spoken_licences='; '.join(dict.fromkeys(licences[corpus] for corpus in spoken)),
            languages=' and '.join(SPOKEN[corpus][1] for corpus in spoken),
            speakers=', '.join(training['held_out']['speakers']),
            temperatures=_temperatures(checkpoint.temperatures),
            effort=_effort(training['made']),
            networks=_networks(checkpoint),
            known=textwrap.fill(KNOWN, 120) if len(subsets) > 1 else '',
            joinings=len(subsets[False][0].fused),
            joined=subsets[False][0].fused[0].count,
            subsets='\n\n'.join(_subsets(of, known) for known, of in subsets.items()),
            lost=f'{100 * WORD_LOSS:.0f} %',
            whisper=licences[SPEC.speech_encoder],
            minilm=licences[SPEC.sentence_encoder],
            figures='\n'.join(
                f'| {name} | {f.count} | {100 * f.uar:.1f} | {100 * f.war:.1f} | {f.ece:.3f} |'
                for name, f in figures.items()
            ),
            confusions='\n\n'.join(f'{name}\n{_matrix(f)}' for name, f in figures.items()),
            sources='\n'.join(f'- {SOURCES[name]}' for name in SOURCES if name in licences),
            **{name: text.format(**facts) for name, text in texts.items()}, **facts,
        ),
        encoding='utf-8',
    )


def _effort(made: Mapping) -> str:
    minutes = sum(made['seconds'].values()) / 60
    parts = ', '.join(f'{name} {seconds} s' for name, seconds in made['seconds'].items())
    threads = 'one thread' if made['threads'] == 1 else f'{made["threads"]} threads'
    return textwrap.fill(
        f'It took {minutes:.0f} minutes with {threads} ({parts}; features that were kept from before are only read) '
        f'and at most {made["peak_bytes"] / 2**30:.1f} GiB of memory, on {Machine().description()}.', 120,
    )


def _networks(checkpoint: Checkpoint) -> str:
    return ', '.join(
        f'`{models.name_of(network)}` {sum(p.numel() for p in network.parameters()):,}'
        for network in checkpoint.networks.values()
    )


def _subsets(subsets: Sequence[Subset], person_known: bool) -> str:
    head = f'{PERSON_KNOWN.capitalize()}: ' if person_known else ''
    lines = ['| joined by label | UAR % | best alone, UAR % | ECE before | ECE |', '|---|---|---|---|---|']
    for s in subsets:
        uar, best = ([100 * f.uar for f in of] for of in (s.fused, s.best_alone))
        before, after = (f'{summarise([f.ece for f in of]).mean:.3f}' for of in (s.untempered, s.fused))
        cells = [s.name, *(_mean(values) for values in (uar, best)), before, after]
        lines.append(f'| {" | ".join(cells)} |')
    return f'{head}{verdict(subsets)}\n\n' + '\n'.join(lines)


def _mean(values: Sequence[float]) -> str:
    summary = summarise(values)
    return written(summary.mean, summary.std)


def _temperatures(temperatures: dict[str, float]) -> str:
    if len(set(temperatures.values())) == 1:
        return f'{next(iter(temperatures.values())):.2f} for all'
    return ', '.join(f'{value:.2f} for {subset}' for subset, value in temperatures.items())


def _matrix(figures: Figures) -> str:
    return '\n'.join(' '.join(f'{n:5d}' for n in row) for row in figures.confusion)
