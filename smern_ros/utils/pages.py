# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""HTML pages from Jinja templates: one file that needs nothing else, in one style. All values are escaped."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: Path, **values: Any) -> str:
    """
    :param template: extends page.html of this folder; may include the files beside it.
    :param values: plain texts are escaped; HTML and SVG are given as `markupsafe.Markup`.
    """
    loader = FileSystemLoader([template.parent, Path(__file__).parent])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template.name).render(values)
