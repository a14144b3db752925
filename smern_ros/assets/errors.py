# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with an asset; each message says what to do."""


class AssetError(Exception):
    """An asset cannot be used."""


class MissingAsset(AssetError):
    """It was not fetched yet."""


class WrongAsset(AssetError):
    """Files are there, but not those of the manifest."""


class FetchFailed(AssetError):
    """No source could give it."""
