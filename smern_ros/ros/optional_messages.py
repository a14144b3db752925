# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Message packages that need not be installed, and that share their name with another one."""
from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType

from smern_ros.ros.node import ConfigurationError


def messages(
    package: str, fields: Mapping[str, Sequence[str]], *, maker: str, install: str, others: str
) -> ModuleType:
    """The messages of an optional package, if it is there and is the one that is meant.

    :param fields: that must be there, by message.
    :param maker: whose package is meant.
    :param install: what to do where it is not installed.
    :param others: who makes another package of this name.
    :raises ConfigurationError: if it is not installed or is another one.
    """
    try:
        module = importlib.import_module(f'{package}.msg')
    except ImportError as error:
        raise ConfigurationError(
            f'message package {package} of {maker} is not installed ({error}): {install}'
        ) from error
    missing = []
    for name, wanted in fields.items():
        message = getattr(module, name, None)
        has = {} if message is None else message.get_fields_and_field_types()
        if absent := [field for field in wanted if field not in has]:
            missing.append(name if message is None else f'{name}.{absent[0]}')
    if missing:
        raise ConfigurationError(
            f'{package} in {module.__file__} is not the package of {maker}: it lacks {"; ".join(missing)}. '
            f'{others} has another package of this name, and only one can be sourced: {install}'
        )
    return module
