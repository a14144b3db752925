# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the paper reports: tables 1 to 4, t-tests, and what it says of figures 4 and 5. Figures are in percent."""
from __future__ import annotations

from dataclasses import dataclass, field

WAP, UAR, WAR = 'wap', 'uar', 'war'


@dataclass(frozen=True)
class Reported:
    mean: float
    std: float | None = None  # over 10 repeated experiments; the paper has it for WAP in table 1 alone


@dataclass(frozen=True)
class PaperRow:
    name: str                 # as the paper has it; unique in a table
    detail: str               # what its second column says
    figures: dict[str, Reported]


@dataclass(frozen=True)
class PaperTable:
    name: str                 # its number, or what a table that the paper does not have is called
    title: str
    place: str                # where the paper has it and tells of it; empty if it has no such table
    columns: tuple[str, str]  # names of the first two
    metrics: tuple[str, ...]
    rows: tuple[PaperRow, ...]
    note: str = ''

    @property
    def heading(self) -> str:
        return f'Table {self.name}. {self.title}' if self.place else f'Beside the paper: {self.title}'

    @property
    def origin(self) -> str:
        return f'In the paper: {self.place}. {self.note}'.strip() if self.place else self.note


@dataclass(frozen=True)
class PaperTest:
    """Student's t-test: is the first row better than the second?"""

    table: str
    first: str
    second: str
    place: str
    p: dict[str, str] = field(default_factory=dict)  # by metric, as the paper writes it


def _row(name: str, detail: str, *, wap=None, uar=None, war=None) -> PaperRow:
    given = {WAP: wap, UAR: uar, WAR: war}
    return PaperRow(name, detail, {
        metric: Reported(*value) if isinstance(value, tuple) else Reported(value)
        for metric, value in given.items() if value is not None
    })


TABLES = {table.name: table for table in (
    PaperTable(
        '1', 'Comparison for unimodal and multimodal', 'table 1, section IV-D', ('Model', 'Modality'), (WAP, UAR, WAR),
        (
            _row('Mocap_Model [49]', 'M', wap=51.1),
            _row('ARE [30] (reported)', 'A', wap=(54.6, 0.9)),
            _row('TRE [30] (reported)', 'T', wap=(63.5, 1.8)),
            _row('ARE [30]', 'A', wap=(54.7, 0.9), uar=59.7, war=57.1),
            _row('TRE [30]', 'T', wap=(63.9, 1.0), uar=65.9, war=64.5),
            _row('SMACN', 'S', wap=(64.8, 0.6), uar=65.6, war=65.9),
            _row('MDRE [30] (reported)', 'A + T', wap=(71.8, 1.9)),
            _row('MDRE [30]', 'A + T', wap=(71.8, 0.9), uar=73.4, war=72.7),
            _row('CMA [32]', 'A + T + S', wap=(76.1, 0.4), uar=77.2, war=76.9),
            _row('Xu et al. [33]', 'A + T + S', wap=(76.7, 0.4), uar=77.6, war=77.2),
            _row('SMERN', 'A + T + S', wap=(76.6, 0.6), uar=78.3, war=77.7),
            _row('SMERN-GA', 'A + T + S', wap=(77.9, 0.6), uar=79.0, war=78.6),
        ),
        'Rows marked (reported) are what [30] reports; ours beside them are those of the same network below.',
    ),
    PaperTable(
        '2', 'Performances of different models for skeleton movement-based emotion recognition',
        'table 2, section IV-D', ('Model', 'Number of parameters'), (UAR, WAR),
        (
            _row('LSTM', '3217.4k', uar=54.0, war=52.7),
            _row('LSTM+Att', '1126.9k', uar=54.8, war=53.9),
            _row('CNN', '940.8k', uar=61.7, war=61.0),
            _row('3DCNN', '1350.4k', uar=60.6, war=61.9),
            _row('SMACN', '1143.8k', uar=65.6, war=65.9),
        ),
    ),
    PaperTable(
        '3', 'Comparison between noisy data and clean data', 'table 3, section V-A', ('Data', 'Model'), (UAR, WAR),
        (
            _row('Preprocessed', 'SMACN', uar=65.6, war=65.9),
            _row('Unpreprocessed', 'SMACN', uar=61.9, war=62.8),
        ),
    ),
    PaperTable(
        '4', 'Comparison of division methods of the dataset', 'table 4, section V-B', ('Division method', 'Ratio'),
        (UAR, WAR),
        (
            _row('Division without considering speakers', '8:0.5:1.5', uar=65.6, war=65.9),
            _row('No speaker sharing', '8:0.5:1.5', uar=33.1, war=39.3),
        ),
    ),
)}

TESTS = (
    PaperTest('1', 'SMERN', 'MDRE [30]', 'section IV-D', {WAP: '< 0.001', UAR: '< 0.001', WAR: '< 0.001'}),
    PaperTest('1', 'SMERN-GA', 'SMERN', 'section IV-D', {WAP: '0.0048', UAR: '0.0129', WAR: '0.0046'}),
)

REPETITIONS = 10

CONFUSIONS = {
    '(a) gesture': 'Neutral is found relatively often; what is missed of the others is mostly taken for neutral.',
    '(b) audio': 'Sadness is found well; anger is frequently taken for happiness.',
    '(c) text': 'Anger and happiness are told apart; neutral is hard to tell from the others.',
    '(d) multimodal': 'All four are found about equally well, and often.',
}
"""What section IV-E says of each part of figure 4. Its numbers are in an image alone."""

FEW_DATA = (
    'The performance rises rapidly with the share of training data and tends to be stable after 40 %.',
    'With little training data the pretrained network is significantly better than the one trained from scratch.',
    'The gap narrows as the share rises.',
)
"""What section V-C says of figure 5, in this order. Its numbers are in an image alone."""
