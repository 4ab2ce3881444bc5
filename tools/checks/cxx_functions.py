# SPDX-License-Identifier: Apache-2.0
"""Finds the functions of a C, C++ or CUDA file by their braces, and so reads what does not build here."""

import re

NOISE = re.compile(
    r'R"([^()\\\s]{0,16})\((?:.|\n)*?\)\1"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # a quote between digits is a separator
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
ATTRIBUTE = re.compile(
    r"\b(?:alignas|__attribute__|__declspec|decltype)\s*\((?:[^()]|\([^()]*\))*\)|\[\[[^\]]*\]\]"
)
TYPE = re.compile(r"\b(?:class|struct|union|enum)\b")
NAME = re.compile(r"([~\w:]+|operator\s*\S{1,3}?)\s*\(")


def keep_lines(match):
    return "\n" * match.group().count("\n") or " "


def drop_alternatives(text):
    """Blanks what stands after #else or #elif, so that braces balance; then all directives."""
    out, skipping = [], []
    for line in text.split("\n"):
        word = re.match(r"[ \t]*#[ \t]*(\w+)", line)
        word = word.group(1) if word else ""
        if word.startswith("if"):
            skipping.append(False)
        elif word in ("else", "elif") and skipping:
            skipping[-1] = True
        elif word == "endif" and skipping:
            skipping.pop()
        out.append("" if any(skipping) else line)
    return DIRECTIVE.sub(keep_lines, "\n".join(out))


def opens(head):
    """What a brace after this text opens: "scope" (namespace, type, extern "C"), "function" or "other"."""
    head = ATTRIBUTE.sub(" ", head)
    if re.search(r"\bnamespace\b", head) or re.search(r"\bextern\s*$", head):
        return "scope"
    paren, kind = head.find("("), TYPE.search(re.sub(r"template\s*<[^<>]*(?:<[^<>]*>[^<>]*)*>", " ", head))
    if kind and paren < 0:
        return "scope"
    if paren < 0 or re.search(r"=\s*$", head):
        return "other"
    return "function"


def functions(text):
    """(name, first line, number of lines from its opening brace to its closing one) of each function body."""
    text = drop_alternatives(NOISE.sub(keep_lines, text))
    found, stack, head, before, line = [], [], "", "", 1
    for char in text:
        line += char == "\n"
        if char in "{," and not head.strip():
            head, before = before, ""  # a constructor's initialisers go on after b_{x}
        if char == "{":
            inside = any(kind != "scope" for kind, _, _ in stack)
            kind = "other" if inside else opens(head)
            names = NAME.findall(head)
            stack.append((kind, names[0] if names else "?", line))
            before, head = head, ""
        elif char == "}":
            if stack:
                kind, name, start = stack.pop()
                if kind == "function":
                    found.append((name, start, line - start + 1))
            head = ""
        elif char == ";":
            head = before = ""
        else:
            head += char
    return found
