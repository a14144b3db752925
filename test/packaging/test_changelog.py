# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""CHANGELOG.rst, which catkin's tools read, says what CHANGELOG.md says."""
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def text():
    return runpy.run_path(str(ROOT / 'scripts/changelog_rst.py'))['text']


def test_it_is_generated_from_the_changelog(text):
    assert (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8') == text(), (
        'write it again: python scripts/changelog_rst.py > CHANGELOG.rst'
    )


def test_versions_and_entries_are_carried_over(text):
    markdown = (
        '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A `node`,\n  new.\n\n'
        '## [1.2.0] - 2026-01-31\n\n### Fixed\n\n- It.\n'
    )
    assert text(markdown).splitlines()[4:] == [
        'Forthcoming', '-----------', '', '* Added', '', '  * A ``node``,', '    new.', '',
        '1.2.0 (2026-01-31)', '------------------', '', '* Fixed', '', '  * It.',
    ]


def test_it_is_restructured_text(text):
    core = pytest.importorskip('docutils.core')
    core.publish_doctree(text(), settings_overrides={'halt_level': 2, 'report_level': 2})
