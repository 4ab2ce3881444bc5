# SPDX-License-Identifier: Apache-2.0
"""Who may include whom (CONTRIBUTING.md has the rule in words).

Every quoted include names its component first ("host/memory/pool.h"), so the rule is a table of components,
and for the host an order of its rooms: each uses only itself and the rooms before it.
"""

import re

from tools.checks.tree import CXX_SUFFIXES, DEVICE_SUFFIXES

# probe is the helper program opmux-probe, which stands on the loader.
ROOMS = [
    "platform",
    "trace",
    "loader",
    "probe",
    "layers",
    "memory",
    "queue",
    "kernel",
    "tune",
    "ir",
    "router",
    "onnx",
    "graph",
    "abi",
]
SDK = {"opmux", "kit"}
# Folder -> components that its files may include, longest folder first where they nest.
MAY_INCLUDE = {
    "sdk/include": {"opmux"},
    "sdk/kit": SDK,
    "host": SDK | {"host"},
    "plugins/gpu": SDK | {"gpu"},
    "plugins/reference": SDK | {"reference"},
    "plugins/cpu": SDK | {"cpu"},
    "plugins/opencl": SDK | {"gpu", "opencl"},
    "plugins/vulkan": SDK | {"gpu", "vulkan"},
    "plugins/cuda": SDK | {"gpu", "cuda"},
    "samples": SDK | {"samples"},
    "tests/conformance": SDK | {"tests/conformance"},
    "tools/opmux": SDK | {"tools/opmux"},
}
# In angle brackets these can only be ours; "vulkan/" or "opencl/" may be a system header there.
OURS_IN_ANGLES = {"opmux", "kit", "host", "gpu", "cpu", "reference"}
# Device code is pasted into shells of three languages and has no include roots.
LOCAL_INCLUDES = ("plugins/gpu/kernels/",)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(name):
    return next((folder for folder in MAY_INCLUDE if name.startswith(folder + "/")), None)


def room_of(path):
    """The room in "host/ROOM/...", or None for a path outside the host or directly in it."""
    parts = path.split("/")
    return parts[1] if parts[0] == "host" and len(parts) > 2 else None


def component_of(include, allowed):
    """The allowed component that the include names, else its first folder ("" for a bare file name)."""
    named = [component for component in allowed if include.startswith(component + "/")]
    return named[0] if named else include.rpartition("/")[0].split("/")[0]


def judge(name, folder, bracket, include):
    """One problem in words, or None."""
    allowed = MAY_INCLUDE[folder]
    component = component_of(include, allowed)
    if bracket == "<" and component not in OURS_IN_ANGLES:
        return None
    if component == "":
        if name.startswith(LOCAL_INCLUDES):
            return None
        return f'"{include}" does not name its component first'
    if component not in allowed:
        return f'{folder} may not include "{include}" (it may include {", ".join(sorted(allowed))})'
    if component == "host" and folder == "host":
        return judge_room(room_of(name), include)
    return None


def judge_room(room, include):
    other = room_of(include)
    if other not in ROOMS:
        return f'"{include}" is in no room of the host ({" ".join(ROOMS)})'
    if room in ROOMS and ROOMS.index(other) > ROOMS.index(room):
        return f'host/{room} may not include "{include}": room {other} comes after {room}'
    return None


def run(tree):
    problems = []
    for name in tree.with_suffix(CXX_SUFFIXES | DEVICE_SUFFIXES):
        folder = folder_of(name)
        if folder is None:
            continue
        if folder == "host" and room_of(name) not in ROOMS:
            problems.append(f"{name}: is in no room of the host ({' '.join(ROOMS)})")
        text = tree.text(name) or ""
        for match in INCLUDE.finditer(text):
            problem = judge(name, folder, *match.groups())
            if problem:
                problems.append(f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {problem}")
    return problems
