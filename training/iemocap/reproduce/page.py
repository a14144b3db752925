# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The report as one HTML file that needs nothing else: no script, no network."""
from __future__ import annotations

from pathlib import Path

from smern_ros.training.iemocap.experiments.integrate import Summary
from smern_ros.training.iemocap.reproduce import published
from smern_ros.training.iemocap.reproduce.figures import draw_confusion, draw_few_data, findings
from smern_ros.training.iemocap.reproduce.published import Reported
from smern_ros.training.iemocap.reproduce.report import TITLE, Report
from smern_ros.training.iemocap.reproduce.tables import written, written_p
from smern_ros.utils import pages


def render(report: Report) -> str:
    """The whole page."""
    return pages.render(
        Path(__file__).with_name('report.html'), program='smern_ros reproduce', title=TITLE, facts=report.facts,
        report=report, published=published, draw_confusion=draw_confusion, draw_few_data=draw_few_data,
        findings=list(zip(published.FEW_DATA, findings(report.points), strict=True)) if report.points else [],
        written=_written, written_p=written_p,
    )


def _written(figure: Summary | Reported | None) -> str:
    return '–' if figure is None else written(figure.mean, figure.std)
