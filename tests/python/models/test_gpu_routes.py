# SPDX-License-Identifier: Apache-2.0
"""Models on the GPU backends alone, against onnxruntime. The larger ones: tools/compare_models.py --device opencl:0."""

import pytest

from tools import fetch_models
from tools.models import compare, store

MODELS = ["digits", "text", "light_squeezenet_random", "light_shufflenet_random", "magika"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    recipes = {r.name: r for r in fetch_models.all_recipes()}
    for name in MODELS:
        store.build(recipes[name], folder)
    return folder


@pytest.mark.parametrize("device", ["opencl:0", "vulkan:0"])
@pytest.mark.parametrize("model", MODELS)
def test_a_model_runs_there_without_help_and_agrees(build_dir, models, model, device):
    rows = compare.compare_model([str(build_dir / "bin/opmux")], models / model, device)
    assert compare.models_passed(rows) == {model: True}, [(row.case, row.problem, row.relative) for row in rows]
