#!/usr/bin/env bash
# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
# Makes .venv and installs what is asked for: scripts/setup.sh [EXTRA...], EXTRA a file of requirements/.
# What is installed already is left alone: each step leaves a hash of what it was made from in .venv/stamps.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
python=${PYTHON:-python3}
# A venv's Python with the ROS wheels passes these on to its children, and another venv's must not have them.
if [ -n "${_ROS_WHEELS_BOOTSTRAP_COMPLETE:-}" ]; then unset _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH; fi
ros=wheels
if [ -n "${AMENT_PREFIX_PATH:-}" ] && [ -n "${ROS_DISTRO:-}" ]; then ros=$ROS_DISTRO; fi

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }
hash_of() { { printf '%s\n' "$ros"; cat -- "$@"; } | sha256sum | cut -d' ' -f1; }
is_done() { [ "$(cat "$venv/stamps/$1" 2>/dev/null)" = "$2" ]; }
note() { mkdir -p "$venv/stamps"; printf '%s\n' "$2" > "$venv/stamps/$1"; }
install() { "$venv/bin/python" -m pip install --disable-pip-version-check -c requirements/constraints.txt "$@"; }

check_python() {
  command -v "$python" >/dev/null || fail "no $python found; install Python 3.11 to 3.13 (Debian: python3 python3-venv)"
  "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2])' ||
    fail "smern_ros needs Python 3.10 or newer; $python is $("$python" -V 2>&1). Name another: make setup PYTHON=python3.12"
  [ "$ros" != wheels ] || "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    fail "the pinned wheels are for Python 3.11 to 3.13; $python is $("$python" -V 2>&1)." \
         "Name another (make setup PYTHON=python3.12), or source a ROS 2 that fits this one"
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python cannot make virtual environments; install them (Debian: apt install python3-venv)"
}

check_system() {
  command -v c++ >/dev/null || command -v g++ >/dev/null ||
    fail 'no C++ compiler for the ROS messages; install one (Debian: apt install build-essential)'
  "$python" - <<'PYTHON'
import ctypes
import sys

missing = {}
for library, package in {'libGL.so.1': 'libgl1', 'libEGL.so.1': 'libegl1', 'libGLESv2.so.2': 'libgles2'}.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        missing[library] = package
if missing:
    sys.exit(f'setup: OpenCV and MediaPipe need {", ".join(missing)}; install them '
             f'(Debian: apt install {" ".join(missing.values())})')
PYTHON
}

make_venv() {
  [ -x "$venv/bin/python" ] && return
  say "making $venv with $("$python" -V)"
  # A sourced ROS 2 keeps some of what it imports among the system's Python packages.
  if [ "$ros" = wheels ]; then "$python" -m venv "$venv"; else "$python" -m venv --system-site-packages "$venv"; fi
}

install_requirements() {
  local files=(requirements/graph.txt requirements/build.txt)
  [ "$ros" != wheels ] || files+=(requirements/ros.txt)
  local hash
  hash=$(hash_of requirements/constraints.txt "${files[@]}")
  is_done requirements "$hash" && return
  say 'installing what the graph imports (some minutes the first time)'
  install "${files[@]/#/-r}"
  note requirements "$hash"
}

install_package() {
  local hash
  hash=$(hash_of setup.py pyproject.toml package.xml CMakeLists.txt smern_ros/deploy/graph.py msg/*.msg srv/*.srv)
  is_done package "$hash" && "$venv/bin/python" -c 'import smern_ros.msg, smern_ros.srv' 2>/dev/null && return
  say 'compiling the messages and installing smern_ros (about a minute)'
  install --no-build-isolation --no-deps -e .
  note package "$hash"
}

install_extra() {
  local file=requirements/$1.txt hash
  [ -f "$file" ] || fail "there is no $file"
  hash=$(hash_of scripts/setup.sh requirements/constraints.txt requirements/graph.txt "$file")
  is_done "$1" "$hash" && return
  say "installing $1"
  install -r requirements/graph.txt -r "$file"
  if [ "$1" = mmpose ]; then
    install --no-build-isolation --no-binary xtcocotools xtcocotools==1.14.3  # its wheels are for an older NumPy
    install --no-deps mmpose==1.3.2  # one of its dependencies, for other uses than ours, cannot be built
  fi
  note "$1" "$hash"
}

if [ ! -d "$venv/stamps" ]; then
  check_python
  check_system
fi
make_venv
install_requirements
install_package
for extra in "$@"; do install_extra "$extra"; done
