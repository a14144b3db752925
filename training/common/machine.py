"""On what the figures were computed, in a line."""
from __future__ import annotations

import os
import platform
from pathlib import Path

from smern_ros.training.iemocap.experiments.train_network import Machine


def described(machine: Machine) -> str:
    """The processor or GPU of this very machine, and how it is used."""
    import torch

    parts = [_processor(), f'{os.cpu_count()} cores', _memory(), f'{platform.system()} {platform.machine()}']
    if machine.device.startswith('cuda'):
        parts.append(torch.cuda.get_device_name(machine.device))
    precision = ', bfloat16 in training' if machine.low_precision else ''
    return f'{", ".join(part for part in parts if part)}; trained on {machine.device}{precision}'


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.machine())


def _memory() -> str:
    try:
        return f'{os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30:.0f} GiB'
    except (ValueError, OSError):
        return ''
