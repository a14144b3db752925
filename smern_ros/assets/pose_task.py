# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packs MediaPipe's two pose networks as the `.task` bundle that PoseLandmarker reads.

The mediapipe 0.10.21 wheel has them without metadata, for the older Solutions API. The bundle adds the normalisation of
the input image, which MediaPipe's pose_landmarker_graph reads from the metadata. The output is deterministic for a
version of mediapipe.

usage: pose_task.py DETECTOR.tflite LANDMARKS.tflite OUT.task
"""
from __future__ import annotations

import io
import sys
import types
import zipfile
from pathlib import Path

# The names are MediaPipe's; mean and deviation of the input pixels (0..255) map them to -1..1 and to 0..1.
NETWORKS = (
    ('pose_detector.tflite', 127.5, 127.5),
    ('pose_landmarks_detector.tflite', 0.0, 255.0),
)
_METADATA_VERSION = '1.0.0'  # the oldest parser with normalisation


def pack(detector: bytes, landmarks: bytes) -> bytes:
    """Create the bundle. Leaves stub modules in `sys.modules`, so run this module as a program instead."""
    try:
        import mediapipe.tasks.cc.metadata.python._pywrap_metadata_version  # noqa: F401
    except ImportError:
        _stub_native_metadata()
    from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, 'w', zipfile.ZIP_STORED) as archive:  # MediaPipe maps the members into memory
        for (name, mean, deviation), network in zip(NETWORKS, (detector, landmarks), strict=True):
            writer = metadata_writer.MetadataWriter.create(bytearray(network))
            writer.add_image_input([mean], [deviation])
            described, _ = writer.populate()
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), bytes(described))
            del writer  # removes its temporary folder, which fails at interpreter exit
    return bundle.getvalue()


def _stub_native_metadata() -> None:
    """Replace the native helper that the metadata writer imports, which newer wheels lack."""
    parent = 'mediapipe.tasks.cc.metadata.python'
    for name in ('mediapipe.tasks.cc', 'mediapipe.tasks.cc.metadata', parent):
        package = types.ModuleType(name)
        package.__path__ = []
        sys.modules[name] = package
    helper = types.ModuleType(f'{parent}._pywrap_metadata_version')
    helper.GetMinimumMetadataParserVersion = lambda buffer: _METADATA_VERSION  # type: ignore[attr-defined]
    sys.modules[helper.__name__] = helper
    sys.modules[parent]._pywrap_metadata_version = helper  # type: ignore[attr-defined]


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    detector, landmarks, out = map(Path, arguments)
    out.write_bytes(pack(detector.read_bytes(), landmarks.read_bytes()))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
