# SPDX-License-Identifier: Apache-2.0
"""C text that clang-format would leave alone: wrapped comments and aligned trailing comments."""

import textwrap

WIDTH = 110


def comment(text, indent=""):
    """A block comment of one or more paragraphs, wrapped."""
    lines = []
    for paragraph in str(text).strip().split("\n\n"):
        first = f"{indent}/* " if not lines else f"{indent} * "
        if lines:
            lines.append(f"{indent} *")
        lines += textwrap.wrap(" ".join(paragraph.split()), WIDTH, initial_indent=first,
                               subsequent_indent=f"{indent} * ", break_long_words=False, break_on_hyphens=False)
    if len(lines[-1]) + 3 <= WIDTH:
        lines[-1] += " */"
    else:
        lines.append(f"{indent} */")
    return lines


def header(text, extra=()):
    """The comment at the top of a file."""
    lines = ["/* SPDX-License-Identifier: Apache-2.0", *(f" * {line}" for line in extra)]
    body = comment(text)
    body[0] = " * " + body[0][3:]
    return lines + body


def aligned(rows, indent=""):
    """Lines of (code, comment or None): comments go behind the code, in one column per run of neighbours; one that
    does not fit goes above its line."""
    out, run = [], []

    def flush():
        column = max((len(indent + code) for code, _ in run), default=0)
        for code, text in run:
            out.append(f"{(indent + code).ljust(column)} /* {text} */")
        run.clear()

    def fits(candidate):
        column = max(len(indent + code) for code, _ in candidate)
        return all(column + len(text) + 7 <= WIDTH for _, text in candidate)

    for code, text in rows:
        text = " ".join(text.split()) if text else None
        if text and fits(run + [(code, text)]):
            run.append((code, text))
            continue
        flush()
        if text and fits([(code, text)]):
            run.append((code, text))
        elif text:
            out += comment(text, indent)
            out.append(indent + code)
        else:
            out.append(indent + code)
    flush()
    return out
