# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Message packages that others publish, compiled from the definitions in test/interfaces as our own messages are.

They are built once into the build folder, never installed: a test process and the processes it starts import them from
there. Two packages of one name cannot be in one process.
"""
from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROS4HRI, VULCANEXUS = 'ros4hri/hri_msgs', 'vulcanexus/hri_msgs'
ROS_DRIVERS, MGONZS13 = 'ros_drivers/audio_common_msgs', 'mgonzs13/audio_common_msgs'

CMAKE = """\
cmake_minimum_required(VERSION 3.21)
project({name} C CXX)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(std_msgs REQUIRED)
# ROS from Python wheels exports folders of the machine that made the wheels.
get_property(_targets DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(_target IN LISTS _targets)
  get_target_property(_folders ${{_target}} INTERFACE_INCLUDE_DIRECTORIES)
  if(_folders)
    list(FILTER _folders EXCLUDE REGEX "^/opt/python/")
    set_target_properties(${{_target}} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${{_folders}}")
  endif()
endforeach()
rosidl_generate_interfaces({name} {messages} DEPENDENCIES std_msgs)
ament_package()
"""

XML = """\
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Compiled for tests</description>
  <maintainer email="nobody@example.org">nobody</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>std_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
</package>
"""


class Interfaces:
    """One compiled package."""

    def __init__(self, package: str) -> None:
        """Builds it unless that was done before. :param package: maker/name, a folder of test/interfaces."""
        self.name = Path(package).name
        messages = sorted((ROOT / 'test/interfaces' / package).glob('*.msg'))
        made_from = ''.join([CMAKE, XML, sys.prefix, *(f'{m.name}\n{m.read_text()}' for m in messages)])
        key = hashlib.sha256(made_from.encode()).hexdigest()[:12]
        folder = f'interfaces/{package.replace("/", "-")}-{key}'
        self._folder = ROOT / 'build' / sys.implementation.cache_tag / folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.prefix = self._folder / 'prefix'
        with (self._folder / 'lock').open('w') as lock:  # another test run may build it just now
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._folder / 'done').exists():
                self._build(messages)
                (self._folder / 'done').touch()
        (init,) = self.prefix.glob(f'**/{self.name}/__init__.py')
        self._python = str(init.parents[1])

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that shall find it."""
        return {
            name: os.pathsep.join(filter(None, [folder, os.environ.get(name)]))
            for name, folder in (('PYTHONPATH', self._python), ('LD_LIBRARY_PATH', str(self.prefix / 'lib')))
        }

    def load(self) -> None:
        """Makes it importable in this process, for whose libraries it is too late to look anywhere else."""
        libraries = sorted((self.prefix / 'lib').glob('lib*.so'))
        while libraries:
            later = []
            for library in libraries:
                try:
                    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
                except OSError:  # needs one of those behind it
                    later.append(library)
            assert len(later) < len(libraries), f'cannot load {later}'
            libraries = later
        if self._python not in sys.path:
            sys.path.append(self._python)

    def _build(self, messages: list[Path]) -> None:
        import cmake
        import ninja

        source = self._folder / 'source'
        (source / 'msg').mkdir(parents=True, exist_ok=True)
        for message in messages:
            (source / 'msg' / message.name).write_text(message.read_text())
        names = ' '.join(f'msg/{m.name}' for m in messages)
        (source / 'CMakeLists.txt').write_text(CMAKE.format(name=self.name, messages=names))
        (source / 'package.xml').write_text(XML.format(name=self.name))
        prefix = os.environ['AMENT_PREFIX_PATH'] if os.environ.get('ROS_DISTRO') else sys.prefix  # sourced, or wheels
        env = {**os.environ, 'AMENT_PREFIX_PATH': prefix, 'CMAKE_PREFIX_PATH': prefix}
        env['PATH'] = os.pathsep.join([cmake.CMAKE_BIN_DIR, ninja.BIN_DIR, env.get('PATH', '')])
        built = str(self._folder / 'cmake')
        for command in (
            ['cmake', '-S', str(source), '-B', built, '--fresh', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=None',
             '-DBUILD_TESTING=OFF', f'-DCMAKE_INSTALL_PREFIX={self.prefix}', f'-DPython3_EXECUTABLE={sys.executable}'],
            ['cmake', '--build', built, '--target', 'install'],
        ):
            ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, f'{" ".join(command)}\n{ran.stdout}\n{ran.stderr}'
