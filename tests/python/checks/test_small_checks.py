# SPDX-License-Identifier: Apache-2.0
from tools.checks import drift, formatting, kernels, spdx


def test_a_source_without_its_licence_line_is_found(plant):
    line = "SPDX-License-Identifier: Apache-2.0\n"
    tree = plant(
        {
            "a.cpp": "int a;\n",
            "b.cpp": "// " + line,
            "tools/run": "#!/bin/sh\n",
            "tools/go": "#!/bin/sh\n# " + line,
            "CMakeLists.txt": "project(x)\n",
            "README.md": "text\n",
            "data.json": "{}\n",
            "late.py": "a = 1\nb = 2\nc = 3\n# " + line,
        }
    )
    assert [problem.split(":")[0] for problem in spdx.run(tree)] == [
        "CMakeLists.txt",
        "a.cpp",
        "late.py",
        "tools/run",
    ]


def test_an_unformatted_file_is_found_again_until_it_is_mended(plant):
    good = "int a = 1;\n"
    tree = plant({".clang-format": "BasedOnStyle: Google\n", "bad.cpp": "int   a=1 ;\n", "good.cpp": good})
    for _ in range(2):
        problems = formatting.run(tree)
        assert len(problems) == 1 and problems[0].startswith("bad.cpp:1: not formatted"), problems
    (tree.root / "bad.cpp").write_text(good)
    assert formatting.run(tree) == []


def test_a_file_found_clean_is_looked_at_again_when_the_style_changes(plant):
    tree = plant({".clang-format": "BasedOnStyle: Google\n", "a.cpp": "void f() {\n  g();\n}\n"})
    assert formatting.run(tree) in ([], ["a.cpp:1: not formatted (clang-format-19 -i a.cpp)"])
    (tree.root / ".clang-format").write_text("BasedOnStyle: Google\nIndentWidth: 8\n")
    assert len(formatting.run(tree)) == 1


def test_a_generator_that_reports_drift_is_passed_on(plant):
    tree = plant({"tools/codegen/__main__.py": "print('ops.h: differs')\nraise SystemExit(1)\n"})
    assert drift.run(tree) == ["ops.h: differs"]


def test_a_generator_that_finds_nothing_is_quiet(plant):
    assert (
        drift.run(plant({"tools/codegen/__main__.py": "import sys\nassert sys.argv[1:] == ['--check']\n"}))
        == []
    )


def test_a_kernel_written_twice_is_found(plant):
    body = [f"x[{i}] = {i};" for i in range(20)]
    one = "// SPDX-License-Identifier: Apache-2.0\n" + "\n".join(body)
    spaced = "int a;\n" + "\n\n  ".join(body)
    less = "\n".join(body[:19] + ["y = 1;"])
    tree = plant({"plugins/gpu/kernels/body/a.h": one, "plugins/gpu/kernels/body/same.h": one,
                  "plugins/cuda/kernels/less.cuh": less})
    assert kernels.run(tree) == []
    tree = plant({"plugins/cuda/b.cu": spaced})
    assert kernels.run(tree) == [
        f"plugins/cuda/b.cu:2: 20 lines that plugins/gpu/kernels/body/{name}.h:2 has, too; "
        "kernels are written once, in plugins/gpu/kernels"
        for name in ("a", "same")
    ]
