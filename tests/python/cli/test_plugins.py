# SPDX-License-Identifier: Apache-2.0
"""Plugins that harm nobody: `opmux devices` names each with the reason, and the program goes on."""

import json

import pytest


def unused(text):
    return {plugin["name"]: (plugin["stage"], plugin["reason"]) for plugin in json.loads(text)["unused"]}


@pytest.mark.parametrize("name, stage, part", [
    ("crash", "probe", "crashed (signal 11, SIGSEGV)"),
    ("abort", "probe", "it said: the driver found its own state broken"),
    ("exit", "probe", "ended with status 7"), ("hang", "probe", "no end within 3 s while enumerating devices"),
    ("wrong_major", "version", "made for 7.3"), ("no_driver", "open", "libnodriver.so.1 is not installed"),
    ("missing_table", "load", "no QUEUE table")])
def test_a_plugin_that_cannot_be_used_is_named_with_the_reason(answer, mock, name, stage, part):
    found = unused(answer("devices", "--json", OPMUX_PLUGIN_PATH=mock(name)))
    assert found[name][0] == stage and part in found[name][1], found


def test_files_that_are_no_plugins_are_named_with_the_reason(answer, folder):
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "opmux_words.so").write_text("these are words")
    (plugins / "opmux_nowhere.so").symlink_to("/nowhere")
    found = unused(answer("devices", "--json", OPMUX_PLUGIN_PATH=str(plugins)))
    assert "not a shared library" in found["opmux_words.so"][1]
    assert "No such file" in found["opmux_nowhere.so"][1]


def test_a_model_runs_beside_plugins_that_crash_and_hang(answer, folder, mock):
    out = answer("run", "scale.onnx", "--input", "x=x.npy", OPMUX_PLUGIN_PATH=mock("crash", "hang", "crash_load"))
    assert "max 15" in out


def test_asking_for_a_plugin_that_was_refused_tells_why(refused, mock):
    sentence = refused(1, "run", "scale.onnx", "--input", "x=x.npy", "--device", "crash",
                       OPMUX_PLUGIN_PATH=mock("crash"))
    assert sentence.startswith("device 'crash' cannot be used: plugin crash (probe): ")


def test_what_one_device_refuses_another_serves_and_the_report_says_so(opmux, digits, root, mock):
    plugins = mock("picky", "slow")
    words = ("run", digits, "--input", f"image={root}/samples/models/digits_input.npy", "--device", "picky:0")
    got = opmux(*words, OPMUX_PLUGIN_PATH=plugins)
    assert got.status == 0 and "20, 10" in got.out, got
    assert "fallback: 'probabilities' runs on " in got.err and "picky:0 refused SOFTMAX" in got.err
    assert opmux(*words, "--fallback", "allow", OPMUX_PLUGIN_PATH=plugins).err == ""
    forbidden = opmux(*words, "--fallback", "forbid", OPMUX_PLUGIN_PATH=plugins)
    assert forbidden.status == 1 and forbidden.out == "" and "with fallback forbidden" in forbidden.err


def test_filters_that_leave_nothing_are_told(refused):
    sentence = refused(1, "run", "scale.onnx", "--input", "x=x.npy", OPMUX_PLUGINS="none")
    assert sentence.startswith("no device can be used: ") and "`opmux devices` tells why" in sentence


def test_why_shows_the_price_of_every_card_and_what_decided(answer, digits, mock):
    there = {"OPMUX_PLUGIN_PATH": mock("picky", "slow"), "OPMUX_PLUGINS": "cpu,picky,slow"}
    table = answer("why", digits, "--shape", "N=20", **there)
    assert "least price; " in table and "slow:1 asks 1.0 ms" in table and "picky:0 refused SOFTMAX" in table
    assert table.splitlines()[-1].startswith("placed by price: 7 nodes on cpu0/cpu, "), table
    plan = json.loads(answer("why", digits, "--shape", "N=20", "--json", **there))
    assert plan["placed"]["by"] == "price" and not plan["placed"]["split"]
    assert plan["placed"]["predicted_ns"] == pytest.approx(sum(node["cost_ns"] for node in plan["nodes"]), abs=1)
    named = json.loads(answer("why", digits, "--json", "--device", "slow:0", **there))
    assert named["placed"] == {"by": "device"}
    alone = json.loads(answer("why", digits, "--json", OPMUX_PLUGINS="cpu"))
    assert alone["placed"] == {"by": "preference"}


def test_a_slowed_operator_leaves_its_card_and_the_run_says_what_decided(answer, digits, mock):
    cards = {"OPMUX_PLUGIN_PATH": mock("slow"), "OPMUX_PLUGINS": "reference,slow", "OPMUX_SLOW_SLOW_FACTOR": "100",
             "OPMUX_SLOW_SLOW_OPS_0": "softmax", "OPMUX_SLOW_SLOW_OPS_1": "conv,pool,matmul"}
    words = ("run", digits, "--random-inputs", "1", "--json", "--device")
    found = json.loads(answer(*words, "auto", **cards))["run"]
    assert found["routes"] == {"accel0/slow": 6, "accel1/slow": 1} and found["fallbacks"] == [], found
    placed = found["placed"]
    assert placed["by"] == "price" and placed["split"] and placed["exact"], found
    assert 7e6 <= placed["predicted_ns"] < placed["unsplit_ns"], found
    assert json.loads(answer(*words, "slow:1", **cards))["run"]["placed"] == {"by": "device"}
