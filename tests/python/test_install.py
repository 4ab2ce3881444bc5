# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` gives is enough to build a plugin outside this tree."""

import os
import subprocess

import pytest

from tools.checks import exports

LISTS = """cmake_minimum_required(VERSION 3.25)
project(Outside LANGUAGES C CXX)
find_package(Opmux 0.1 REQUIRED)
opmux_add_plugin(outside SOURCES outside.cpp)
"""
# A template's static would be a unique symbol, and `leak` an export, were the helper's flags lost.
PLUGIN = """#include "opmux/plugin.h"
template <class T> struct Counter { static T value; };
template <class T> T Counter<T>::value{};
int leak() { return Counter<int>::value++; }
extern "C" OPMUX_EXPORT void opmux_plugin_query(const opmux_offer*, opmux_answer* answer) {
  answer->status = leak() < 0 ? OPMUX_OK : OPMUX_E_VERSION;
}
"""


def call(*command):
    environment = {key: value for key, value in os.environ.items() if key not in ("CC", "CXX")}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def prefix(build_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    call("cmake", "--install", build_dir, "--prefix", folder)
    return folder


def test_a_plugin_outside_the_tree_builds_with_the_installed_package_and_exports_one_symbol(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(LISTS)
    (tmp_path / "outside.cpp").write_text(PLUGIN)
    call("cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    call("cmake", "--build", tmp_path / "build")
    assert exports.exported(tmp_path / "build/opmux_outside.so") == {"opmux_plugin_query": "T"}


def test_installed_text_names_no_folder_of_the_build_machine(prefix, root):
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".h", ".hpp"):
            assert str(root) not in path.read_text(), path
