"""ROS messages as JSON, field by field. rosidl_runtime_py does this where ROS 2 is installed whole; wheels lack it."""
from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def to_line(message: Any) -> str:
    """One line of JSON with every field under its own name. Numbers that JSON cannot say (NaN, infinity) are null."""
    return json.dumps(to_fields(message), ensure_ascii=False, allow_nan=False)


def to_fields(message: Any) -> dict[str, Any]:
    """The message's fields as dicts, lists, strings and numbers."""
    return {name: _plain(getattr(message, name), kind) for name, kind in message.get_fields_and_field_types().items()}


def _plain(value: Any, kind: str) -> Any:
    if hasattr(value, 'get_fields_and_field_types'):
        return to_fields(value)
    if isinstance(value, bytes):  # of the type `byte`, always one
        return value[0]
    if isinstance(value, str | bool):
        return value
    if hasattr(value, '__iter__'):
        return [_plain(item, kind) for item in value]
    if 'float' in kind or 'double' in kind:
        if not math.isfinite(value):
            return None
        # The fewest digits that tell this number from its neighbours, of its own precision.
        return float(value) if 'double' in kind else float(str(np.float32(value)))
    return int(value)
