# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes CHANGELOG.rst, which catkin's release tools read: python scripts/changelog_rst.py > CHANGELOG.rst"""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / 'CHANGELOG.md'
TITLE = 'Changelog for package smern_ros'


def text(markdown: str | None = None) -> str:
    """:param markdown: in the format of Keep a Changelog; None: that of SOURCE."""
    markdown = SOURCE.read_text(encoding='utf-8') if markdown is None else markdown
    return '\n'.join([_line('^', TITLE), TITLE, _line('^', TITLE), *_sections(markdown.splitlines())]) + '\n'


def _sections(lines: list[str]) -> Iterator[str]:
    within = False
    for line in lines:
        if version := re.fullmatch(r'## \[(.+?)\](?: - (\S+))?', line):
            within = True
            date = f' ({version[2]})' if version[2] else ''
            name = 'Forthcoming' if version[1] == 'Unreleased' else f'{version[1]}{date}'
            yield from ('', name, _line('-', name))
        elif within and (kind := re.fullmatch(r'### (.+)', line)):
            yield from ('', f'* {kind[1]}', '')
        elif within and line.strip():
            yield '  ' + _inline(line.replace('- ', '* ', 1) if line.startswith('- ') else line)


def _inline(line: str) -> str:
    line = re.sub(r'\[([^\]]+)\]\(([^)]+)\)', r'\1 (\2)', line)
    return re.sub(r'(?<!`)`(?!`)', '``', line)


def _line(mark: str, under: str) -> str:
    return mark * len(under)


if __name__ == '__main__':
    print(text(), end='')
