# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern assets`: lists, fetches and verifies third-party weights and clips."""
from __future__ import annotations

import sys

from smern_ros import assets
from smern_ros.assets import manifest
from smern_ros.cli.progress import StatusLine

EXIT_OK, EXIT_PROBLEM, EXIT_USAGE = 0, 1, 2


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'assets', help='third-party weights: list, fetch, verify',
        description="Third-party weights and clips, in the user's cache or in the folder SMERN_ASSETS.",
    )
    actions = parser.add_subparsers(title='actions', metavar='ACTION', dest='action', required=True)
    actions.add_parser('list', help='list every asset, its licence and whether it is fetched')
    for action, purpose in (
        ('fetch', 'download, build and verify missing assets'),
        ('verify', 'compute the hash of every file again'),
    ):
        names = actions.add_parser(action, help=purpose)
        names.add_argument('names', nargs='*', metavar='NAME', help='default: all but the optional ones')
    where = actions.add_parser('where', help='print the folder of all assets, or the path of one')
    where.add_argument('name', nargs='?', metavar='NAME')


def run(args) -> int:
    """:return: 0 for success, 1 if an asset is missing, wrong or cannot be fetched, 2 for an unknown name."""
    if args.action == 'list':
        return _list()
    if args.action == 'where' and args.name is None:
        print(assets.where())
        return EXIT_OK
    by_default = [asset.name for asset in manifest.load().values() if not asset.optional]
    wanted = [args.name] if args.action == 'where' else args.names or by_default
    unknown = [name for name in wanted if name not in assets.names()]
    if unknown:
        print(f'unknown asset {", ".join(unknown)}; expected one of {", ".join(assets.names())}', file=sys.stderr)
        return EXIT_USAGE
    action = {'fetch': _fetch, 'verify': _verify, 'where': _where}[args.action]
    return max([action(name) for name in wanted])  # a list: handle all, even if one fails


def _list() -> int:
    print(f'in {assets.where()}\n')
    for asset in manifest.load().values():
        optional = ' (optional: fetched only by its name)' if asset.optional else ''
        print(f'{asset.name:<22}{_size(asset.size):>9}  {_state(asset.name)}{optional}')
        for label, text in (('for', asset.purpose), ('from', asset.origin), ('licence', asset.licence)):
            print(f'    {label:<9}{text}')
    return EXIT_OK


def _state(name: str) -> str:
    try:
        assets.path(name)
    except assets.MissingAsset:
        return 'not fetched'
    except assets.WrongAsset as error:
        return f'WRONG: {error}'
    return 'here'


def _fetch(name: str) -> int:
    progress = _Progress()
    try:
        path = assets.fetch(name, progress)
    except assets.AssetError as error:
        progress.end()
        print(f'smern assets: {error}', file=sys.stderr)
        return EXIT_PROBLEM
    progress.end()
    print(f'{name}: {path}')
    return EXIT_OK


def _verify(name: str) -> int:
    try:
        path = assets.verify(name)
    except assets.AssetError as error:
        print(f'smern assets: {error}', file=sys.stderr)
        return EXIT_PROBLEM
    print(f'{name}: every hash is right ({path})')
    return EXIT_OK


def _where(name: str) -> int:
    try:
        print(assets.path(name))
    except assets.AssetError as error:
        print(f'smern assets: {error}', file=sys.stderr)
        return EXIT_PROBLEM
    return EXIT_OK


def _size(count: int) -> str:
    return f'{count / 1e6:.1f} MB'


class _Progress(StatusLine):
    """Progress of a fetch; without a terminal one line for each step."""

    def __init__(self) -> None:
        super().__init__()
        self._last_action = ''

    def __call__(self, name: str, action: str, done: int, total: int) -> None:
        if self.terminal:
            share = f' {_size(done)} of {_size(total)} {100 * done // total:3d} %' if total else ''
            self.show(f'{name}: {action}{share}')
        elif action != self._last_action:
            self.say(f'{name}: {action}{f" {_size(total)}" if total else ""}')
        self._last_action = action
