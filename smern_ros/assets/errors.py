# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Errors of assets; each message says what to do."""


class AssetError(Exception):
    """An asset cannot be used."""


class MissingAsset(AssetError):
    """It is not fetched."""


class WrongAsset(AssetError):
    """Its files differ from the manifest."""


class FetchFailed(AssetError):
    """All sources failed."""
