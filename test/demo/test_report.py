# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page tells the facts of the recording, needs nothing from outside, and what was said cannot act in it."""
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest

from smern_ros.demo.recording import Recording
from smern_ros.demo.report import Facts, median_and_p95, render
from smern_ros.spec import LABELS
from smern_ros.values import Transcript, Word

FACTS = Facts(media='a clip', notice='Two people, put together.', command="smern demo --media 'my clip.mp4'")
_VOID = {'meta'}


class Page(HTMLParser):
    """Its tags with their attributes, its text outside of styles; fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ''
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if 'style' not in self._open:
            self.text += data

    def count(self, tag: str, css_class: str) -> int:
        return sum(css_class in attrs.get('class', '').split() for name, attrs in self.tags if name == tag)


def test_the_page_tells_what_was_recorded(recording):
    page = Page(render(recording, FACTS))
    text = ' '.join(page.text.split())
    for fact in ('1 of 2 final states', '2 utterances', '12.5 s', 'found in 90 % of 300 frames', 'Two people',
                 '“he was not ill”', 'no words were understood', 'open-v3', '51 ms', "smern demo --media 'my clip.mp4'",
                 '3.0 to 5.0 s', '37 %', 'was not there', 'leans on it'):
        assert fact in text
    assert page.count('article', 'card') == 2
    assert page.count('svg', 'picture') == 10
    assert page.count('circle', 'provisional') == 1 + len(LABELS)  # one in the legend
    assert page.count('rect', 'final') == 1 + 2 * len(LABELS)
    assert page.count('text', 'word') == 4


def test_movement_unlike_what_was_learnt_is_told_from_movement_that_was_not_there(recording):
    recording.finals[0] = replace(
        recording.finals[0], modalities=('audio', 'text'), weights=(0.5, 0.5), unfamiliar=('skeleton',)
    )
    text = ' '.join(Page(render(recording, FACTS)).text.split())
    assert text.count('not used: unlike what was learnt') == 1
    assert text.count('was not there') == 1  # the words of the other utterance
    assert 'in 1 of them movement was unlike what was learnt' in text


def test_a_skeleton_is_drawn_without_the_joints_that_were_not_seen(recording):
    page = Page(render(recording, FACTS))
    bones = [attrs['d'] for tag, attrs in page.tags if tag == 'path' and attrs.get('class') == 'bone']
    assert len(bones) == 9                         # nobody was found in the first of the ten pictures shown
    assert all(d.count('M') == 8 for d in bones)   # one wrist is missing and one of nine bones with it


def test_a_frame_without_anybody_is_told_from_one_that_was_not_looked_at(recording):
    for picture in list(recording.pictures)[3:]:
        picture.bodies = None
    page = Page(render(recording, FACTS))
    assert page.count('svg', 'picture') == 3  # those that were looked at suffice
    assert page.text.count('nobody found') == 1
    for picture in recording.pictures:
        picture.bodies = None
    page = Page(render(recording, FACTS))
    assert page.text.count('not processed') == page.count('svg', 'picture') == 10


def test_the_page_asks_nothing_of_the_network(recording):
    html = render(recording, FACTS)
    assert "default-src 'none'" in html
    page = Page(html)
    assert not {'script', 'link', 'iframe', 'object', 'embed'} & {tag for tag, _ in page.tags}
    for _, attrs in page.tags:
        for name in ('src', 'href', 'action', 'xlink:href', 'srcset'):
            assert attrs.get(name, 'data:').startswith('data:')
        assert not [name for name in attrs if name.startswith('on')]
    style = resources.files('smern_ros.demo').joinpath('report.css').read_text('utf-8')
    assert 'url(' not in style
    assert '@import' not in style


@pytest.mark.parametrize('attack', [
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='alert(1)", '</title></svg><script>x',
    '$css ${title} $', '&lt;b&gt;', '\x00\x1b]0;\x07',
])
def test_what_was_said_or_named_is_text_and_nothing_else(recording, attack):
    harmless = Page(render(recording, FACTS))
    word = Word(attack, recording.finals[0].start_ns, recording.finals[0].end_ns, 0.5)
    recording.transcripts['u1'] = Transcript('u1', word.start_ns, word.end_ns, attack, (word,) * 4)
    recording.finals = [replace(s, person_id=attack, model=attack) for s in recording.finals]
    page = Page(render(recording, Facts(media=attack, notice=attack, command=attack)))
    drawn = {'text', 'title'}  # words that fit nowhere are left out of the time line
    assert [t for t, _ in page.tags if t not in drawn] == [t for t, _ in harmless.tags if t not in drawn]
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith('on')]
    if '\x00' not in attack:
        assert attack in page.text


@pytest.mark.parametrize(('images', 'said'), [(302, False), (450, True)])
def test_frames_that_were_not_looked_at_are_told(recording, images, said):
    recording.images = images
    assert ('too busy for 150 more' in Page(render(recording, FACTS)).text) is said


def test_a_failure_stands_at_the_top(recording):
    page = Page(render(recording, replace(FACTS, failure='Nobody was found.')))
    assert page.text.index('Nobody was found.') < page.text.index('What the camera saw')
    assert page.count('aside', 'failed') == 1


def test_nothing_heard_and_nothing_seen_still_makes_a_page():
    page = Page(render(Recording(), FACTS))
    for said in ('No picture came.', 'No utterance has a final state.', 'No state came.', 'no state was received'):
        assert said in page.text


def test_an_hour_of_talk_makes_a_page_that_a_browser_can_hold(recording):
    for i in range(1200):
        shift = 3 * i * 1_000_000_000
        for one in recording.finals[:2]:
            name = f'{one.utterance_id}-{i}'
            recording.add(replace(one, utterance_id=name, start_ns=one.start_ns + shift, end_ns=one.end_ns + shift))
        for k in range(6):
            gesture = next(iter(recording.states))
            recording.add(replace(gesture, end_ns=gesture.end_ns + shift + k * 500_000_000))
        recording.add_stamp(recording.finals[-1].end_ns)
    html = render(recording, FACTS)
    assert len(html) < 4_000_000
    page = Page(html)
    assert page.count('article', 'card') == 40
    assert '40 of 2402 utterances are shown' in page.text


def test_the_median_and_the_95th_percentile_are_values_that_occurred():
    assert median_and_p95([3.0]) == (3.0, 3.0)
    assert median_and_p95([1.0, 2.0, 3.0]) == (2.0, 3.0)
    assert median_and_p95(list(range(1, 101))) == (50, 96)


# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as seen without one kind of cone.
VISION = {
    'all cones': np.eye(3),
    'protanopia': np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    'deuteranopia': np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    'tritanopia': np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}


@pytest.mark.parametrize('vision', VISION)
@pytest.mark.parametrize('scheme', [0, 1], ids=['light', 'dark'])
def test_the_colours_of_the_emotions_are_told_apart(scheme, vision):
    style = resources.files('smern_ros.demo').joinpath('report.css').read_text('utf-8')
    colours = {label: re.findall(rf'--{label}: #([0-9a-f]{{6}})', style)[scheme] for label in LABELS}
    seen = {label: _lab(VISION[vision] @ _linear(colour)) for label, colour in colours.items()}
    for one, other in itertools.combinations(LABELS, 2):
        # 2.3 is a just noticeable difference.
        assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def _linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i:i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(linear_rgb: np.ndarray) -> np.ndarray:
    """CIELAB, D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(to_xyz @ linear_rgb, 1e-6, None) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
