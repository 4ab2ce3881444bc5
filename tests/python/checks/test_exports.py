# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest

from tools.checks import exports

MAP = "OPMUX_0.1 {\n  global: opmux_a; opmux_b;\n  local: *;\n};\n"
HEADER = """/* opmux_gone(int) is only in a comment */
typedef void (*opmux_callback)(void* data);
#define OPMUX_CALLS(x) opmux_macro(x);
static inline int opmux_inline(void) { if (1) { return opmux_c(); } return 0; }
void opmux_a(int x);
int opmux_b(const char* name,
            opmux_callback done);
"""


@pytest.fixture
def library(tmp_path):
    def build(name, source, *flags):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source.c").write_text(source)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path, tmp_path / "source.c", *flags], check=True)

    return build


def test_a_plugin_with_one_symbol_passes(plant, library):
    library("build/dev/lib/opmux/opmux_good.so", "void opmux_plugin_query(void) {}\nstatic void f(void) {}")
    assert exports.run(plant({})) == []


def test_a_plugin_that_exports_more_or_nothing_is_found(plant, library):
    library("build/dev/lib/opmux/opmux_more.so", "void opmux_plugin_query(void) {}\nvoid leak(void) {}")
    library(
        "build/release/lib/opmux/opmux_none.so", "static int a;\nint* const b = &a;\n", "-fvisibility=hidden"
    )
    assert exports.run(plant({})) == [
        "build/release/lib/opmux/opmux_none.so: does not export opmux_plugin_query",
        "build/dev/lib/opmux/opmux_more.so: exports 1 symbols beside opmux_plugin_query, the first is leak",
    ]


def test_a_host_that_matches_its_map_and_header_passes(plant, library):
    tree = plant({"host/abi/opmux.map": MAP, exports.HEADER: HEADER})
    library(
        "build/dev/lib/libopmux.so",
        "void opmux_a(int x) {}\nint opmux_b(void) { return 0; }\nvoid other(void) {}",
        f"-Wl,--version-script={tree.root}/host/abi/opmux.map",
    )
    assert exports.run(tree) == []


def test_a_host_that_lacks_a_declared_function_or_exports_an_unlisted_one_is_found(plant, library):
    tree = plant({"host/abi/opmux.map": MAP, exports.HEADER: HEADER})
    library("build/dev/lib/libopmux.so", "void opmux_a(int x) {}\nvoid stray(void) {}")
    problems = "\n".join(exports.run(tree))
    assert "does not list, stray" in problems
    assert "the map file lists: opmux_b" in problems
    assert "opmux.h declares: opmux_b" in problems
