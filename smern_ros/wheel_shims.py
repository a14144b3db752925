"""Let wheels that were linked against CUDA import beside a CPU-only torch.

PyPI's torchaudio ends its import with a shared library that needs CUDA's, although nothing this package uses of it
(none of its compiled operators) does. Each function here prepares one import and must run before it; with a torch
built for CUDA, or where the wheel was imported already, it does nothing.
"""
from __future__ import annotations

import sys
from types import ModuleType


def torchaudio() -> None:
    """Prepare `import torchaudio` (which speechbrain does): its compiled extension is said to be absent."""
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


def speechbrain() -> None:
    """Import speechbrain so that it does no harm to others.

    It leaves stand-ins for modules that have moved in `sys.modules`. Whoever walks that table and asks each module for
    a file name (pdb, hypothesis, some of torch's registration) would import all of them, and fail at what is not
    installed; they are taken out of it again.
    """
    torchaudio()
    from speechbrain.utils.importutils import LazyModule

    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]
