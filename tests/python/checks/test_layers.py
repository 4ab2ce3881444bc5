# SPDX-License-Identifier: Apache-2.0
import pytest

from tools.checks import layers

FORBIDDEN = [
    ("plugins/cpu/device.cpp", '#include "host/memory/pool.h"', "plugins/cpu may not include"),
    ("plugins/vulkan/device.cpp", '#include "opencl/device.h"', "plugins/vulkan may not include"),
    ("plugins/cpu/device.cpp", '#include "gpu/launcher.hpp"', "plugins/cpu may not include"),
    ("host/loader/load.cpp", '#include "cpu/device.h"', "host may not include"),
    ("sdk/include/opmux/abi.h", '#include "kit/guard.h"', "sdk/include may not include"),
    ("sdk/kit/guard.h", '#include "host/abi/status.h"', "sdk/kit may not include"),
    ("tools/opmux/main.cpp", '#include "host/graph/plan.h"', "tools/opmux may not include"),
    ("tests/conformance/main.cpp", "#include <host/graph/plan.h>", "tests/conformance may not include"),
    ("samples/01/main.c", '#include "host/graph/plan.h"', "samples may not include"),
    ("plugins/cpu/device.cpp", '#include "device.h"', "does not name its component first"),
    ("host/memory/pool.cpp", '#include "host/graph/plan.h"', "room graph comes after memory"),
    ("host/memory/pool.cpp", '#include "host/cellar/jar.h"', "in no room of the host"),
]
ALLOWED = [
    ("plugins/cpu/device.cpp", '#include "cpu/device.h"\n#include "kit/guard.h"\n#include "opmux/plugin.h"'),
    ("plugins/vulkan/launcher.cpp", '#include "gpu/launcher.hpp"\n#include <vulkan/vulkan.h>'),
    ("host/graph/plan.cpp", '#include "host/memory/pool.h"\n#include "host/graph/plan.h"\n#include <vector>'),
    ("plugins/gpu/kernels/body/softmax.h", '#include "dialect.h"'),
    ("tests/unit/memory/pool.cpp", '#include "host/memory/pool.h"'),
]


@pytest.mark.parametrize("name, text, words", FORBIDDEN)
def test_a_forbidden_include_is_found_with_its_line(plant, name, text, words):
    problems = layers.run(plant({name: "// first line\n" + text + "\n"}))
    assert len(problems) == 1 and problems[0].startswith(f"{name}:2: ") and words in problems[0], problems


@pytest.mark.parametrize("name, text", ALLOWED)
def test_an_allowed_include_is_not_reported(plant, name, text):
    assert layers.run(plant({name: text + "\n"})) == []


def test_a_source_outside_the_rooms_of_the_host_is_found(plant):
    tree = plant({"host/stray.cpp": "", "host/cellar/jar.cpp": "", "host/memory/pool.cpp": ""})
    assert [problem.split(":")[0] for problem in layers.run(tree)] == [
        "host/cellar/jar.cpp",
        "host/stray.cpp",
    ]
