# SPDX-License-Identifier: Apache-2.0
"""BERT's uncased tokenizer (Devlin et al. 2018): split at white space and punctuation, then longest pieces."""

from __future__ import annotations

import unicodedata

LONGEST_WORD = 100  # longer ones become [UNK], as in BERT


def words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    spaced = "".join(f" {c} " if is_punctuation(c) else c for c in plain)
    return spaced.split()


def is_punctuation(c: str) -> bool:
    # BERT counts every ASCII symbol, "$" and "^" too, which Unicode files under other categories.
    return unicodedata.category(c).startswith("P") or (c.isascii() and c.isprintable() and not c.isalnum() and c != " ")


def pieces(word: str, vocabulary: dict[str, int]) -> list[int]:
    found, at = [], 0
    if len(word) > LONGEST_WORD:
        return [vocabulary["[UNK]"]]
    while at < len(word):
        for end in range(len(word), at, -1):
            piece = vocabulary.get(("##" if at else "") + word[at:end])
            if piece is not None:
                break
        else:
            return [vocabulary["[UNK]"]]
        found.append(piece)
        at = end
    return found


def encode(text: str, vocabulary: dict[str, int]) -> list[int]:
    body = [i for word in words(text) for i in pieces(word, vocabulary)]
    return [vocabulary["[CLS]"], *body, vocabulary["[SEP]"]]
