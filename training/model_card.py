"""The README beside a checkpoint: what it is, what it is worth, what it must not be used for."""
from __future__ import annotations

from pathlib import Path

from smern_ros.checkpoint import Checkpoint
from smern_ros.training.metrics import Figures

CARD = """\
# {id}: a first SMERN-GA checkpoint from open data

Written by `python -m smern_ros.training.checkpoint`, figures included (in the repository: `make checkpoint`).

## What it is

ARE, TRE, SMACN and graph attention at the sizes of the paper (Shi, Liu, Ishi, Ishiguro: 3D skeletal
movement-enhanced emotion recognition networks), word vectors of 100 instead of 300 dimensions. It tells
{labels}.

**It was not trained on IEMOCAP and its figures cannot be compared with the paper's.** Each modality has its own source:

| modality | source | train / dev / test | held out | licence |
|---|---|---|---|---|
| audio | EMO-DB (German), nEMO (Polish), both acted in studios | {speech} utterances | speakers {speakers} \
| {emodb}; {nemo} |
| text | GoEmotions (English forum comments), GloVe 6B vectors | {text} comments | the published test part \
| {goemotions}; {glove} |
| skeleton | Bandai-Namco Motiondataset 1 (acted walking, bowing, waving) | {movement} clips | contents {contents} \
| {bandai} |

**No one was recorded with all three.** For the fusion, a voice, a comment and a movement of different people were
joined because they had the same label. So there is no figure for the modalities together: any such figure would be
made up. A gain of the fusion over one modality is not shown here.

Networks other than the fusion were trained on their source alone, then frozen; the fusion saw all seven subsets of
the modalities equally often. Utterances were altered (speed, room, noise, level, silence around), movements too (body,
jitter, hidden joints, speed, mirrored). Of the neutral movements some show a person who stands still: nobody does in
the source, and what stillness means would be left to chance. Shoulders and head were set as MediaPipe
measures them.

## Figures

The whole network with one modality alone, on what was held out. Chance is 25 % UAR.

| source | samples | UAR % | WAR % | ECE |
|---|---|---|---|---|
{figures}

UAR: unweighted average recall. WAR: weighted average recall. ECE: expected calibration error, 15 bins. Movement is
counted in overlapping windows of 64 frames (2.1 s) of few clips, of actors who were also in training: its figures are
the least certain. "As a camera sees it" has the same windows altered as in training.

Confusions (rows: label, columns: prediction; {label_list}):

```
{confusions}
```

Logits are divided by a temperature for each subset of the modalities, found on the development parts with each
label equally frequent and never below 1; here it is {temperatures}. How far confidence is from truth on people
not heard before is the ECE above. With several modalities it is too high by an unknown amount: samples joined by label
agree more than the voice, words and movement of one person do.

Epochs were chosen by the development parts. The test parts were looked at once before: after that, temperatures were
kept from falling below 1, and the movement encoder was trained for longer and judged on altered movements, too.

## Known to fail

- Languages: voice is learnt from German and Polish actors, words from written English. What an English voice is worth
  was not measured.
- Spontaneous speech: acted emotions are stronger than felt ones; most real speech is neutral, and the classes were
  given equal weight.
- Movement: learnt from {clips} clips of three actors who walk, run, bow and wave. Sitting people, talking hands and
  real cameras are not in the source. Expect little of it. Hands that sign or gesture are mostly called happy.
- Voices far from the microphone, several at once, singing, children.
- A speaker's own neutral voice is not known: low voices may sound sad, lively ones happy or angry.
- Words out of the vocabulary ({words} words), irony, sentences that a recogniser misheard.

## Must not be used for

- Anything commercial: parts of the data are licensed for non-commercial use only ({nemo}; {bandai}), and so are these
  weights.
- Decisions about people: hiring, schooling, policing, health, credit, border control, monitoring at work. Telling
  emotions of people at work or in education is prohibited in some places.
- Claims about what a person feels. It tells how acted expressions of four emotions look and sound, no more.

## Sources

- Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss: A database of German emotional speech. Interspeech 2005.
- Christop: nEMO: Dataset of emotional speech in Polish. LREC-COLING 2024.
- Demszky et al.: GoEmotions: A dataset of fine-grained emotions. ACL 2020.
- Pennington, Socher, Manning: GloVe: Global vectors for word representation. EMNLP 2014.
- Kobayashi et al.: Motion capture dataset for practical use of AI-based motion editing and stylization. 2023.
  (c) Bandai Namco Research Inc.

The weights are licensed CC BY-NC-SA 4.0, as their strictest source asks. The code is not: see the repository.
"""


def write_card(checkpoint: Checkpoint, figures: dict[str, Figures], path: Path) -> None:
    """Write `path`; every number in it comes of the checkpoint and of `figures`."""
    training = checkpoint.training
    labels = checkpoint.spec.labels
    samples = {name: ' / '.join(str(n) for n in parts.values()) for name, parts in training['samples'].items()}
    path.write_text(
        CARD.format(
            id=checkpoint.id,
            labels=f'{", ".join(labels[:-1])} and {labels[-1]}',
            label_list=', '.join(labels),
            speakers=', '.join(training['held_out']['speakers']),
            contents=', '.join(training['held_out']['contents']),
            temperatures=_temperatures(checkpoint.temperatures),
            clips=training['samples']['movement']['train'],
            words=len(checkpoint.vocabulary),
            figures='\n'.join(
                f'| {name} | {f.count} | {100 * f.uar:.1f} | {100 * f.war:.1f} | {f.ece:.3f} |'
                for name, f in figures.items()
            ),
            confusions='\n\n'.join(f'{name}\n{_matrix(f)}' for name, f in figures.items()),
            **samples,
            **training['licences'],
        ),
        encoding='utf-8',
    )


def _temperatures(temperatures: dict[str, float]) -> str:
    if len(set(temperatures.values())) == 1:
        return f'{next(iter(temperatures.values())):.2f} for all'
    return ', '.join(f'{value:.2f} for {subset}' for subset, value in temperatures.items())


def _matrix(figures: Figures) -> str:
    return '\n'.join(' '.join(f'{n:5d}' for n in row) for row in figures.confusion)
