"""The demo's page: one HTML file that needs nothing else, made from a recording."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from smern_ros.demo import charts
from smern_ros.demo.charts import percent, sampled
from smern_ros.demo.recording import Kind, Picture, Recording, StateRecord
from smern_ros.spec import MODALITIES

PICTURES = 10
CARDS = 40
"""Utterances shown one by one; a long recording shows some of them, spread over all."""
_LETTER = 0.033
"""Share of a stacked bar that a letter takes."""


@dataclass(frozen=True)
class Facts:
    """What the recording itself does not know. Texts are plain; they are escaped here."""

    media: str                                     # what was played
    notice: str                                    # what must be known before the page is believed
    command: str
    failure: str = ''                              # what the demo was to show and did not
    machine: str = ''
    more: tuple[tuple[str, str], ...] = ()         # rows of the last section


def render(recording: Recording, facts: Facts) -> str:
    """The whole page."""
    folder = resources.files('smern_ros.demo')
    notices = [text for text in (facts.failure, facts.notice) if text]
    return Template(folder.joinpath('report.html').read_text('utf-8')).substitute(
        css=folder.joinpath('report.css').read_text('utf-8'),
        title=escape(f'Emotional states in {facts.media}'),
        summary=_summary(recording),
        notice_class='failed' if facts.failure else 'notice',
        notice=''.join(f'<p>{escape(text)}</p>' for text in notices),
        pictures=_pictures(recording),
        timeline=charts.timeline(recording),
        utterances=_utterances(recording),
        latency=_latency(recording),
        machine=f' Measured on {escape(facts.machine)}.' if facts.machine else '',
        facts=_facts(recording, facts),
    )


def median_and_p95(values: Sequence[float]) -> tuple[float, float]:
    """By nearest rank; of at least one value."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2], ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]


def _summary(recording: Recording) -> str:
    gestures = len(recording.of_kind(Kind.GESTURE))
    seen = recording.frames_with_body / recording.frames if recording.frames else 0.0
    skipped = recording.images - recording.frames
    busy = f' The machine was too busy for {skipped} more.' if skipped > 0.02 * recording.images else ''
    return (
        f'{recording.duration:.1f} s, {_count(recording.utterances, "utterance")}. <b>{recording.outcome}</b>. '
        f'{_count(gestures, "state")} between utterances came from movement alone. Somebody was found in '
        f'{percent(seen)} of {_count(recording.frames, "frame")}.{busy}'
    )


def _pictures(recording: Recording) -> str:
    looked_at = [p for p in recording.pictures if p.bodies is not None]
    shown = sampled(looked_at or list(recording.pictures), PICTURES)
    if not shown:
        return '<p class="hint">No picture came.</p>'
    items = []
    for picture in shown:
        at = f'{recording.seconds(picture.stamp_ns):.1f} s'
        people = _people(picture)
        state = _valid_at(recording, picture.stamp_ns)
        chip = f'<span class="chip {escape(state.label)}">{escape(state.label)}</span>' if state else ''
        items.append(f'<li>{charts.picture(picture, f"{at}: {people}")}<div class="caption"><span>{at}'
                     f'{"" if picture.bodies else f", {people}"}</span>{chip}</div></li>')
    return (f'<ul class="pictures">{"".join(items)}</ul><p class="hint">Below each picture the newest state of that '
            'moment. Joints that were placed outside of the picture or not seen clearly are not drawn.</p>')


def _people(picture: Picture) -> str:
    if picture.bodies is None:
        return 'not looked at'
    return _count(len(picture.bodies), 'person', 'people') if picture.bodies else 'nobody found'


def _valid_at(recording: Recording, stamp_ns: int) -> StateRecord | None:
    """The newest state whose evidence ends, or whose utterance is under way, at that instant."""
    settled = [s for s in (*recording.finals, *recording.of_kind(Kind.GESTURE))
               if (s.start_ns if s.kind is Kind.FINAL else s.end_ns) <= stamp_ns]
    return max(settled, key=lambda s: s.end_ns, default=None)


def _utterances(recording: Recording) -> str:
    if not recording.finals:
        return '<p class="hint">No utterance came to a final state.</p>'
    finals = sorted(recording.finals, key=lambda s: s.start_ns)
    numbered = sampled(list(enumerate(finals, start=1)), CARDS)
    earlier = {s.utterance_id: s for s in recording.of_kind(Kind.PROVISIONAL)}
    cards = [_card(recording, number, state, earlier.get(state.utterance_id)) for number, state in numbered]
    if len(numbered) < len(finals):
        cards.append(f'<p class="hint">{len(numbered)} of {len(finals)} utterances are shown; emotion_states.jsonl has '
                     'all of them.</p>')
    return ''.join(cards)


def _card(recording: Recording, number: int, state: StateRecord, provisional: StateRecord | None) -> str:
    transcript = recording.transcripts.get(state.utterance_id)
    said = (f'<blockquote>“{escape(transcript.text.strip())}”</blockquote>' if transcript and transcript.text.strip()
            else '<blockquote class="none">no words were understood</blockquote>')
    person = f' · person {escape(state.person_id)}' if state.person_id else ''
    return (
        f'<article class="card"><h3>Utterance {number} · {recording.seconds(state.start_ns):.1f} to '
        f'{recording.seconds(state.end_ns):.1f} s{person} · final state after {1e3 * state.latency:.0f} ms</h3>{said}'
        f'<div class="sides">{_together(state, provisional)}{_modalities(state)}</div></article>'
    )


def _together(state: StateRecord, provisional: StateRecord | None) -> str:
    before = dict(zip(provisional.labels, provisional.probabilities, strict=True)) if provisional else {}
    cells = []
    for label, p in zip(state.labels, state.probabilities, strict=True):
        strongest = ' strongest' if label == state.label else ''
        tick = f'<u style="left:{100 * before[label]:.1f}%"></u>' if label in before else ''
        cells.append(
            f'<span class="{strongest.strip()}">{escape(label)}</span><div class="bar {escape(label)}">'
            f'<i style="width:{100 * p:.1f}%"></i>{tick}</div><span class="number{strongest}">{percent(p)}</span>'
        )
    return f'<div class="bars">{"".join(cells)}</div>'


def _modalities(state: StateRecord) -> str:
    rows = []
    for modality in MODALITIES:
        if modality not in state.modalities:
            why = 'not used: unlike what was learnt' if modality in state.unfamiliar else 'was not there'
            rows.append(f'<tr><td>{modality}</td><td class="absent" colspan="2">{why}</td></tr>')
            continue
        index = state.modalities.index(modality)
        weight = state.weights[index]
        rows.append(
            f'<tr><td>{modality}</td><td class="weight"><span class="bar"><i style="width:{100 * weight:.1f}%"></i>'
            f'</span>{percent(weight)}</td><td>{_stack(state.labels, state.alone[index])}</td></tr>'
        )
    return f'<table><tr><th></th><th>leans on it</th><th>alone it would say</th></tr>{"".join(rows)}</table>'


def _stack(labels: Sequence[str], probabilities: Sequence[float]) -> str:
    parts = []
    for label, p in zip(labels, probabilities, strict=True):
        text = f'{label} {100 * p:.0f}'
        parts.append(f'<i class="{escape(label)}" style="width:{100 * p:.1f}%" title="{escape(label)} {percent(p)}">'
                     f'{escape(text) if p >= _LETTER * len(text) else ""}</i>')
    return f'<div class="stack">{"".join(parts)}</div>'


def _latency(recording: Recording) -> str:
    rows = []
    for kind in Kind:
        latencies = [s.latency for s in recording.of_kind(kind)]
        if latencies:
            median, p95 = median_and_p95(latencies)
            rows.append(f'<tr><td>{kind.value}</td><td>{len(latencies)}</td><td>{1e3 * median:.0f} ms</td>'
                        f'<td>{1e3 * p95:.0f} ms</td><td>{1e3 * max(latencies):.0f} ms</td></tr>')
    if not rows:
        return '<p class="hint">No state came.</p>'
    head = ''.join(f'<th>{name}</th>' for name in ('state', 'how many', 'median', '95th percentile', 'longest'))
    return f'<table class="numbers"><tr>{head}</tr>{"".join(rows)}</table>'


def _facts(recording: Recording, facts: Facts) -> str:
    models = sorted({s.model for s in (*recording.finals, *recording.states)})
    rows = [('Model', escape(', '.join(models) or 'none answered')), *((k, escape(v)) for k, v in facts.more),
            ('Command', f'<code>{escape(facts.command)}</code>')]
    return ''.join(f'<dt>{escape(name)}</dt><dd>{value}</dd>' for name, value in rows)


def _count(number: int, one: str, more: str = '') -> str:
    return f'{number} {one if number == 1 else more or one + "s"}'
