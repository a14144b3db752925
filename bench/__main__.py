# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: prints what this machine does, in one run, so that ratios can be trusted."""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from smern_ros.utils.paths import expand

MOST_IDLE = 0.15
"""Of a core, all nodes together, while nobody is in view and nobody speaks."""


def main() -> int:
    """:return: 1 if the idle graph took more than it may."""
    parser = argparse.ArgumentParser(prog='bench', description=__doc__)
    parser.add_argument('--media', type=expand, help='a film with speech; default: the clip of the demo')
    parser.add_argument('--rounds', type=int, default=3, help='how often it is played at real time')
    args = parser.parse_args()
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    import torch

    from bench import films, live, parts
    from bench.summary import machine, row

    torch.set_num_threads(1)
    clip = args.media or demo_clip()
    print(f'machine  {machine()}\nclip     {clip}\n')
    parts.audio_features(clip)
    parts.recognition(clip)
    parts.fusion()
    alone = parts.pose(clip)
    row('pose alone', f'{alone:.1f} frames/s')
    with live.Session(live.LOSSLESS) as session:
        live.throughput(session, clip, alone=alone)
    with live.Session() as session:
        live.live(session, clip, rounds=args.rounds)
        idle = live.idle(session, films.nobody(Path('build/bench/nobody.mkv'), seconds=20.0))
    if idle > MOST_IDLE:
        print(f'TOO MUCH: the idle graph takes {100 * idle:.1f} % of a core, wanted is at most {100 * MOST_IDLE:.0f} %')
    return int(idle > MOST_IDLE)


def demo_clip() -> Path:
    from smern_ros import assets
    from smern_ros.demo import clip

    return clip.compose(
        assets.fetch(clip.VIDEO_ASSET), assets.fetch(clip.SPEECH_ASSET), Path('build/bench')
    )


if __name__ == '__main__':
    sys.exit(main())
