# SPDX-License-Identifier: Apache-2.0
import pytest

from tools.checks import sizes
from tools.checks.cxx_functions import functions

BODY = "  step();\n"


def cxx_function(head, lines):
    """A function whose body, braces included, has this many lines."""
    return head + " {\n" + BODY * (lines - 2) + "}\n"


def test_a_file_over_500_lines_is_found_and_one_of_500_is_not(plant):
    problems = sizes.run(plant({"a.cpp": "int a;\n" * 501, "b.cpp": "int b;\n" * 500}))
    assert problems == ["a.cpp has 501 lines, the limit is 500"]


def test_a_generator_module_has_a_limit_of_300_lines(plant):
    problems = sizes.run(plant({"tools/codegen/emit.py": "A = 1\n" * 301, "tools/other.py": "A = 1\n" * 301}))
    assert problems == ["tools/codegen/emit.py has 301 lines, the limit is 300"]


def test_generated_files_have_no_limit(plant):
    assert sizes.run(plant({"sdk/include/opmux/ops/x.gen.h": "int a;\n" * 2000})) == []


@pytest.mark.parametrize(
    "head",
    [
        "int long_one(int a)",
        "void Type::long_one() const noexcept",
        "Type::long_one(int a) : a_(a), b_{a}",
        "template <class T>\nauto long_one(T x) -> decltype(x)",
        "struct pair long_one(int a)",
    ],
)
def test_a_long_cxx_function_is_found(plant, head):
    text = "namespace opmux {\n" + cxx_function(head, 61) + cxx_function("void short_one()", 60) + "}\n"
    problems = sizes.run(plant({"a.cpp": text}))
    assert len(problems) == 1 and "long_one has 61 lines, the limit is 60" in problems[0], problems


def test_a_long_member_function_is_found_and_a_long_type_is_not(plant):
    member = "struct alignas(64) Big : Base<int> {\n" + cxx_function("void long_one()", 70) + "};\n"
    problems = sizes.run(plant({"a.h": member + "enum class Kind {\n" + "  kA,\n" * 70 + "};\n"}))
    assert len(problems) == 1 and "long_one has 70 lines" in problems[0], problems


def test_braces_in_strings_comments_and_dead_branches_do_not_count():
    text = (
        'void f() {\n  const char* s = "}{{"; char c = \'{\'; // {\n  auto r = R"x({{{)x"; int n = 1\'000;\n'
        "#if A\n  if (a) {\n#else\n  if (b) {\n#endif\n  }\n}\nvoid g() {\n}\n"
    )
    assert functions(text) == [("f", 1, 10), ("g", 11, 2)]


def test_a_long_python_function_is_found(plant):
    problems = sizes.run(
        plant({"a.py": "def f():\n" + "    g()\n" * 60 + "\n\ndef h():\n" + "    g()\n" * 59})
    )
    assert problems == ["a.py:1: f has 61 lines, the limit is 60"]


def test_a_long_python_line_is_found(plant):
    assert sizes.run(plant({"a.py": "#" * 121 + "\n" + "#" * 120 + "\n"})) == [
        "a.py:1: 121 columns, the limit is 120"
    ]


def test_an_exception_lifts_the_limit_to_its_own_and_no_further(plant):
    allow = "# comment\na.cpp:f 70 the loop is the point\nb.cpp:f 70 the loop is the point\n"
    problems = sizes.run(
        plant(
            {
                sizes.ALLOW_FILE: allow,
                "a.cpp": cxx_function("void f()", 70),
                "b.cpp": cxx_function("void f()", 71),
            }
        )
    )
    assert problems == ["b.cpp:1: f has 71 lines, the limit is 70"]


def test_an_exception_without_a_reason_or_a_need_is_a_problem(plant):
    problems = sizes.run(
        plant({sizes.ALLOW_FILE: "a.cpp 600\nb.cpp 600 was long once\n", "b.cpp": "int b;\n"})
    )
    assert problems == [
        f"{sizes.ALLOW_FILE}:1: wants PATH[:FUNCTION] LINES REASON",
        f"{sizes.ALLOW_FILE}:2: b.cpp needs no exception any more",
    ]
