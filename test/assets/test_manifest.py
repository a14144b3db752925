# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the shipped manifest promises, and that what was fetched keeps it."""
import re
import zipfile
from pathlib import PurePosixPath

import pytest

from smern_ros import assets
from smern_ros.assets.manifest import AddressSource, PackageSource, PartedSource, load

ASSETS = list(load().values())


@pytest.mark.parametrize('asset', ASSETS, ids=lambda a: a.name)
def test_every_asset_says_licence_origin_and_where_each_file_comes_from(asset):
    assert asset.licence and asset.origin and asset.purpose
    paths = {file.path for file in asset.files}
    for source in asset.sources:
        if isinstance(source, AddressSource):
            assert set(source.addresses) == paths
            assert all(address.startswith('https://') for address in source.addresses.values())
        elif isinstance(source, PartedSource):
            members = {member for package in source.packages for member in package.members}
            assert {re.sub(r'\.part[0-9]+$', '', member) for member in members} == paths
        elif not source.build:
            assert set(source.members) == paths
    assert isinstance(asset.sources[0], PackageSource | PartedSource)
    assert all(not PurePosixPath(p).is_absolute() and '..' not in PurePosixPath(p).parts for p in paths)
    assert {file.path for file in asset.accepts} <= paths


@pytest.mark.weights
@pytest.mark.parametrize('asset', ASSETS, ids=lambda a: a.name)
def test_what_was_fetched_is_what_the_manifest_says(asset):
    try:
        assert assets.verify(asset.name).exists()
    except assets.MissingAsset as error:
        if not asset.optional:
            raise
        pytest.skip(str(error))


@pytest.mark.weights
def test_the_pose_bundle_holds_its_two_networks_uncompressed():
    with zipfile.ZipFile(assets.path('pose-landmarker-full')) as bundle:
        assert {i.filename: i.compress_type for i in bundle.infolist()} == {
            'pose_detector.tflite': zipfile.ZIP_STORED, 'pose_landmarks_detector.tflite': zipfile.ZIP_STORED,
        }
