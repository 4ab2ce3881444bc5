# SPDX-License-Identifier: Apache-2.0
"""The headers as an ABI: they compile everywhere without padding, lie as the golden file says, and the checker tells
a legal change from an illegal one."""

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from programs import need
from tools.checks import abi_diff, abi_layout
from tools.codegen import __main__ as codegen
from tools.codegen import probe
from tools.codegen.model import Model

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "sdk/include"
GOLDEN = ROOT / "tests/abi/layout-0.json"
HEADERS = sorted(str(p.relative_to(INCLUDE)) for p in INCLUDE.glob("opmux/**/*.h") if p.name != "opmux.h")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wpadded", "-Werror", "-fsyntax-only", "-ffreestanding", f"-I{INCLUDE}"]
C, CXX = ["-xc", "-std=c11"], ["-xc++", "-std=c++20", "-nostdinc++"]
CLANG = [["clang-19", f"--target={t}"] for t in
         ("x86_64-linux-gnu", "aarch64-linux-gnu", "riscv64-linux-gnu", "x86_64-pc-windows-msvc")]
COMPILERS = [["gcc"], ["aarch64-linux-gnu-gcc"], *CLANG]


@pytest.fixture(scope="module", name="model")
def the_model():
    return Model(ROOT / "schemas")


@pytest.mark.parametrize("extra", [[], ["-fshort-enums"]], ids=["plain", "short-enums"])
@pytest.mark.parametrize("language", [C, CXX], ids=["c11", "c++20"])
@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_headers_compile_without_any_padding(model, tmp_path, compiler, language, extra):
    source = tmp_path / "sizes.c"
    source.write_text(probe.sizes(model), encoding="utf-8")
    subprocess.run([need(compiler[0]), *compiler[1:], *language, *STRICT, *extra, source], check=True)


def test_padding_would_be_found(model, tmp_path):
    source = tmp_path / "sizes.c"
    padded = "typedef struct opmux_bad { uint64_t a; uint32_t b; } opmux_bad;\n"
    source.write_text(probe.sizes(model) + padded + "OPMUX_STATIC_ASSERT(sizeof(opmux_bad) == 16, \"bad\");\n",
                      encoding="utf-8")
    for compiler in (["gcc"], CLANG[0]):
        command = [need(compiler[0]), *compiler[1:], *C, *STRICT, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "padd" in done.stderr


@pytest.mark.parametrize("header", HEADERS)
def test_each_header_stands_alone(tmp_path, header):
    source = tmp_path / "one.c"
    source.write_text(f'#include "{header}"\n#include "{header}"\nextern int opmux_one;\n', encoding="utf-8")
    for language in (C, CXX):
        subprocess.run(["gcc", *language, *STRICT, source], check=True)


def test_every_compiler_lays_out_as_the_golden_file_says():
    found = list(abi_layout.all_layouts())
    assert "x86_64" in {target for target, _, _ in found}
    golden = GOLDEN.read_text(encoding="utf-8")
    for target, compiler, layout in found:
        assert abi_layout.text_of(layout, json.loads(golden)["targets"]) == golden, f"{compiler} for {target}"


def test_the_generator_computes_the_same_layout(model):
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["structs"]
    assert list(golden) == list(probe.structures(model))
    for name, s in probe.structures(model).items():
        assert golden[name]["size"] == s["size"]
        assert [tuple(m) for m in golden[name]["members"]] == s["members"]


@pytest.fixture(name="old")
def released_layout():
    """The golden layout as if it were 1.0, where a missing minor step counts as a fault."""
    layout = json.loads(GOLDEN.read_text(encoding="utf-8"))
    layout["abi"] = {"major": 1, "minor": 0}
    return layout


@pytest.fixture(name="new")
def next_layout(old):
    layout = copy.deepcopy(old)
    layout["abi"]["minor"] = 1
    return layout


def append(struct, name, kind, size):
    struct["members"].append([name, kind, struct["size"], size])
    struct["size"] += size


def test_no_change_is_legal(old):
    assert abi_diff.compare(old, copy.deepcopy(old)) == []


def test_tail_appends_and_additions_are_legal(old, new):
    append(new["structs"]["opmux_cap"], "n_layout", "uint64_t", 8)
    append(new["structs"]["opmux_queue_api"], "tl_export", "opmux_status (*)(opmux_tl, opmux_err*)", 8)
    append(new["structs"]["opmux_op_softmax"], "temperature", "uint64_t", 8)
    new["structs"]["opmux_share"] = {"kind": "open", "size": 16, "members": [["h", "opmux_hdr", 0, 16]]}
    new["constants"]["OPMUX_WHY_NEW"] = 16
    new["constants"]["OPMUX_OP_SOLVE"] = 0x000B0F01
    new["ops"]["solve"] = {"id": 0x000B0F01, "rev": 1, "opset": 2}
    new["ops"]["softmax"]["rev"] = 2
    assert abi_diff.compare(old, new) == []


def test_an_addition_needs_a_new_minor_version(old, new):
    append(new["structs"]["opmux_cap"], "n_layout", "uint64_t", 8)
    new["abi"]["minor"] = 0
    assert abi_diff.compare(old, new) == ["opmux_cap.n_layout is new, but the minor version is still 0"]


def middle_insert(s):
    members = s["structs"]["opmux_cap"]["members"]
    members.insert(3, ["extra", "uint64_t", 24, 8])
    for m in members[4:]:
        m[2] += 8
    s["structs"]["opmux_cap"]["size"] += 8


def swap_members(s):
    members = s["structs"]["opmux_mem_api"]["members"]
    members[1][0], members[2][0] = members[2][0], members[1][0]


def retype(s):
    s["structs"]["opmux_cap"]["members"][5][1] = "uint64_t"


def resignature(s):
    s["structs"]["opmux_dev_api"]["members"][2][1] = "opmux_status (*)(opmux_plugin, uint64_t, opmux_dev*, opmux_err*)"


def remove_member(s):
    s["structs"]["opmux_run"]["size"] -= s["structs"]["opmux_run"]["members"].pop()[3]


def remove_struct(s):
    del s["structs"]["opmux_copy"]


def grow_frozen(s):
    append(s["structs"]["opmux_tdesc"], "more", "uint64_t", 8)


def hide_in_padding(s):
    s["structs"]["opmux_cap"]["size"] += 8


def shift(s):
    for m in s["structs"]["opmux_err"]["members"][2:]:
        m[2] += 8
    s["structs"]["opmux_err"]["size"] += 8


def thaw(s):
    s["structs"]["opmux_bind"]["kind"] = "open"


def renumber_constant(s):
    s["constants"]["OPMUX_E_BUSY"] = 15


def remove_constant(s):
    del s["constants"]["OPMUX_E_BUSY"]


def reuse_value(s):
    s["constants"]["OPMUX_WHY_OTHER"] = 15


def renumber_op(s):
    s["ops"]["gather"]["id"] = 0x00050007
    s["constants"]["OPMUX_OP_GATHER"] = 0x00050007


def reuse_id(s):
    del s["ops"]["lrn"]
    s["ops"]["solve"] = {"id": 0x00080004, "rev": 1, "opset": 1}


def go_back(s):
    s["ops"]["lrn"]["rev"] = 0


def new_major(s):
    s["abi"]["major"] = 2


@pytest.mark.parametrize("plant, said", [
    (middle_insert, "opmux_cap: member 'extra' was inserted before the end"),
    (swap_members, "opmux_mem_api: members were put into another order"),
    (retype, "opmux_cap: member 'why_have' changed its type from int64_t to uint64_t"),
    (resignature, "opmux_dev_api: member 'open' changed its type from opmux_status (*)(opmux_plugin, uint32_t, "
                  "opmux_dev*, opmux_err*) to opmux_status (*)(opmux_plugin, uint64_t, opmux_dev*, opmux_err*)"),
    (remove_member, "opmux_run: member 'kernel' was removed"),
    (remove_struct, "opmux_copy: was removed"),
    (grow_frozen, "opmux_tdesc: is frozen, but got member 'more'"),
    (hide_in_padding, "opmux_cap: ends at byte 136, but has 144 bytes: implicit padding could hide a member"),
    (shift, "opmux_err: member 'native' (int32_t, byte 20) moved or changed its size: now 'native' (int32_t, byte 28)"),
    (thaw, "opmux_bind: was frozen and is open now"),
    (renumber_constant, "OPMUX_E_BUSY: changed from 14 to 15"),
    (remove_constant, "OPMUX_E_BUSY: was removed"),
    (reuse_value, "OPMUX_WHY_OTHER: uses the value 15 of OPMUX_WHY_QUANT again"),
    (renumber_op, "operator gather: was renumbered from 0x00050001 to 0x00050007"),
    (reuse_id, "operator solve: uses the id 0x00080004 of lrn again"),
    (go_back, "operator lrn: went back from revision 1 to 0"),
    (new_major, "major version 1 became 2: these two are not comparable"),
], ids=lambda x: x.__name__ if callable(x) else "")
def test_planted_changes_are_found(old, new, plant, said):
    plant(new)
    assert said in abi_diff.compare(old, new)


def test_a_retired_id_never_comes_back(old, new):
    old["retired"] = new["retired"] = [0x00050F09]
    new["ops"]["solve"] = {"id": 0x00050F09, "rev": 1, "opset": 1}
    assert abi_diff.compare(old, new) == ["operator solve: uses the retired id 0x00050f09"]
    del new["ops"]["solve"]
    new["retired"] = []
    assert abi_diff.compare(old, new) == ["retired id 0x00050f09: is no longer listed"]


def test_the_program_says_what_it_found(old, new, tmp_path, capsys):
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    new["constants"]["OPMUX_E_NEW"] = 15
    for path, data in zip(paths, (old, new)):
        path.write_text(json.dumps(data), encoding="utf-8")
    assert abi_diff.main([str(p) for p in paths]) == 0
    assert capsys.readouterr().out == "legal; new: OPMUX_E_NEW\n"
    assert abi_diff.main([str(p) for p in reversed(paths)]) == 1
    assert "OPMUX_E_NEW: was removed" in capsys.readouterr().out


def test_a_change_of_the_schemas_shows_in_the_layout(tmp_path):
    for name in ("schemas", "sdk/include"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "schemas/abi/plugin.h.yaml"
    text = path.read_text(encoding="utf-8")
    tail = "        - {name: priv, type: uint8_t, count: 256"
    assert tail in text
    path.write_text(text.replace(tail, "        - {name: power, type: uint64_t}\n" + tail), encoding="utf-8")
    model = Model(tmp_path / "schemas")
    assert codegen.main(["--root", str(tmp_path)]) == 0
    layout = abi_layout.compile_layout(model, ["gcc"], tmp_path / "sdk/include")
    layout["abi"] = {"major": 0, "minor": 1}
    old = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert abi_diff.compare(old, layout) == ["opmux_devinfo: member 'power' was inserted before the end"]


def test_the_witness_exports_one_function_and_shows_every_structure(model, build_dir, tmp_path):
    library = build_dir / "tests-bin/libopmux_abi_witness.so"
    symbols = subprocess.run(["nm", "-D", "--defined-only", "--format=just-symbols", library], check=True,
                             capture_output=True, text=True).stdout.split()
    assert symbols == ["opmux_abi_witness"]
    need("abidw")
    xml = tmp_path / "witness.xml"
    subprocess.run(["abidw", "--out-file", xml, library], check=True)
    text = xml.read_text(encoding="utf-8")
    missing = [name for name in probe.structures(model) if f"name='{name}'" not in text]
    assert not missing
