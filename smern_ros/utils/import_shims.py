# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Let wheels that were linked against CUDA import beside a CPU-only torch.

The usual wheel of torchaudio ends its import with a shared library that needs CUDA's, although nothing this package
uses of it (none of its compiled operators) does. Each function here prepares one import and must run before it; with a
torch built for CUDA, or where the wheel was imported already, it does nothing.
"""
from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from types import ModuleType


def torchaudio() -> None:
    """Prepare `import torchaudio` (which transformers and mmpose do): its compiled extension is said to be absent."""
    import torch

    if torch.backends.cuda.is_built() or 'torchaudio' in sys.modules:
        return

    def fail_if_no_align(function):
        def refuse(*_args, **_kwargs):
            raise RuntimeError(f'{function.__name__} needs torchaudio compiled for this torch; it is not')

        return refuse

    extension = ModuleType('torchaudio._extension')
    extension.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=fail_if_no_align,
    )
    sys.modules[extension.__name__] = extension


def torchvision() -> None:
    """Prepare `import torchvision` (which mmdet does): it registers functions for operators that it cannot load."""
    import torch

    if torch.backends.cuda.is_built() or 'torchvision' in sys.modules:
        return
    for name in ('nms', 'qnms'):
        with suppress(RuntimeError):  # defined already
            torch.library.define(
                f'torchvision::{name}', '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'
            )


@contextmanager
def mmcv() -> Iterator[None]:
    """Within it mmcv-lite imports as if it were mmcv, as mmdet and mmpose want it: `with mmcv(): import mmpose`.

    Of the compiled operators it has non-maximum suppression, which finding people needs; others refuse when called.
    """
    name = 'mmcv._ext'
    if name in sys.modules or find_spec('mmcv') is None or find_spec(name) is not None:
        yield
        return
    sys.modules[name] = _MmcvOperators(name)
    try:
        yield
    finally:
        del sys.modules[name]  # who asks later whether mmcv has its operators is told the truth


class _MmcvOperators(ModuleType):
    @staticmethod
    def nms(boxes, scores, *, iou_threshold: float, offset: int):
        """Indices of the boxes to keep, the surest first.

        :param boxes: (N, 4) tensor of x1, y1, x2, y2. :param offset: 1 if x2 and y2 lie within the box, else 0.
        """
        import torch

        areas = (boxes[:, 2:] - boxes[:, :2] + offset).clamp(min=0).prod(dim=1)            # (N,)
        waiting, kept = scores.argsort(descending=True), []
        while len(waiting):
            best, waiting = waiting[0], waiting[1:]
            kept.append(best)
            low = torch.maximum(boxes[best, :2], boxes[waiting, :2])
            high = torch.minimum(boxes[best, 2:], boxes[waiting, 2:])
            common = (high - low + offset).clamp(min=0).prod(dim=1)
            union = areas[best] + areas[waiting] - common
            waiting = waiting[common <= iou_threshold * union]
        return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.long)

    def __getattr__(self, name: str):
        if name.startswith('__'):
            raise AttributeError(name)

        def refuse(*_args, **_kwargs):
            raise RuntimeError(f'{name} needs mmcv with its compiled operators; mmcv-lite is installed')

        return refuse
