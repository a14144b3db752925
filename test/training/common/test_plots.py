# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots are whole SVG files that need nothing else, and the same for the same data."""
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from smern_ros.training.common import plots
from smern_ros.training.common.metrics import Bin
from smern_ros.training.iemocap.experiments.integrate import summarise

POINTS = {
    'one & all': [(1.0, summarise([50.0, 52.0])), (math.inf, summarise([70.0]))], 'other': [(2.0, summarise([9.0]))],
}
DRAWN = {
    'confusion': lambda: plots.confusion('a <b>', ((8, 1, 0, 1), (0, 9, 0, 1), (2, 0, 7, 1), (1, 1, 1, 7))),
    'curves': lambda: plots.curves('a <b>', 'seconds', POINTS),
    'reliability': lambda: plots.reliability('a <b>', {'before': [Bin(3, 0.3, 0.2), Bin(9, 0.9, 1.0)]}),
}


@pytest.mark.parametrize('kind', DRAWN)
def test_a_plot_is_one_file_of_no_date_that_names_what_it_shows(kind):
    svg = DRAWN[kind]()
    assert svg == DRAWN[kind]()
    root = ElementTree.fromstring(svg)
    assert root.tag == '{http://www.w3.org/2000/svg}svg' and root.get('aria-label').startswith('a <b>')
    assert not re.search(r'href="(?!#)|url\((?!#)|<script|<metadata|20\d\d-', svg)


def test_each_number_of_a_confusion_matrix_is_the_share_of_its_row():
    texts = [element.text for element in ElementTree.fromstring(DRAWN['confusion']()).iter() if element.text]
    shares = [float(text) for text in texts if re.fullmatch(r'\d+\.\d', text)]
    assert sorted(shares) == sorted([80, 10, 0, 10, 0, 90, 0, 10, 20, 0, 70, 10, 10, 10, 10, 70])


def test_curves_name_their_axis_their_places_and_themselves():
    texts = {element.text for element in ElementTree.fromstring(DRAWN['curves']()).iter()}
    assert {'seconds', 'UAR, %', '1', '2', 'all', 'one & all', 'other'} <= texts


def test_places_are_where_their_numbers_are_if_they_are_not_evenly_spaced():
    points = [(at, summarise([50.0 + at])) for at in (1.0, 2.0, 10.0)]
    svg = plots.curves('', '', {'one': points}, even=False)
    x = sorted({float(value) for value in re.findall(r'<use [^>]*x="([\d.]+)"', svg)})
    places = [value for value in x if value > x[0]][-3:]  # what comes before is of the axis and the legend
    assert np.diff(places)[1] / np.diff(places)[0] == pytest.approx(8, rel=0.01)
