# SPDX-License-Identifier: Apache-2.0
"""The corpus of the text sample and its tokenizer: WordNet 3.0 glosses as Debian's `wordnet-base` ships them.

One entry a line, synonyms before the colon: "oak, oak tree: a deciduous tree of the genus Quercus; ...".
Standard library only: the training script runs under Debian's Python, the tests under another.
"""

from __future__ import annotations

import collections
import functools
import json
import pathlib
import random
import re

WORDNET = pathlib.Path("/usr/share/wordnet")
RARE = 4
PARTS = ("noun", "verb", "adj", "adv")
# A token never crosses a border of this pattern, so greedy longest match on the text equals it word by word.
PIECE = re.compile(r" ?[A-Za-z]+| ?[0-9]+|[^A-Za-z0-9]")


def entries(folder: pathlib.Path = WORDNET) -> list[str]:
    """Every synset as one line "word, word: gloss\\n", in file order."""
    lines = []
    for part in PARTS:
        for line in (folder / f"data.{part}").read_text(encoding="ascii").splitlines():
            if line.startswith("  "):  # the licence at the head of each file
                continue
            fields, gloss = line.split(" | ", 1)
            fields = fields.split(" ")
            # Format wndb(5WN): the word count is hexadecimal, each word is followed by its lexical id.
            count = int(fields[3], 16)
            words = [re.sub(r"\((a|p|ip)\)$", "", w).replace("_", " ") for w in fields[4:4 + 2 * count:2]]
            lines.append(f"{', '.join(words)}: {gloss.strip()}\n")
    return lines


def learn_vocabulary(text: str, size: int) -> list[str]:
    """Byte-pair merges (Sennrich et al. 2016) over word counts until `size` entries; single characters first."""
    # Rare words hardly move the counts and are most of the distinct ones.
    words = {tuple(w): n for w, n in collections.Counter(PIECE.findall(text)).items() if n >= RARE}
    vocabulary = ["\n"] + [chr(c) for c in range(32, 127)]
    while len(vocabulary) < size:
        pairs = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        # Ties fall to the smaller pair, so that the vocabulary does not hang on hash order.
        best = min(pairs, key=lambda p: (-pairs[p], p))
        vocabulary.append("".join(best))
        words = {merged(word, best): n for word, n in words.items()}
    return vocabulary


def merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    if pair[0] not in word:
        return word
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


class Tokenizer:
    """Greedy longest match: at each place the longest vocabulary entry that the text goes on with."""

    def __init__(self, vocabulary: list[str]) -> None:
        self.vocabulary = vocabulary
        self._ids = {piece: i for i, piece in enumerate(vocabulary)}
        self._longest = max(map(len, vocabulary))
        self._encode_piece = functools.lru_cache(maxsize=None)(self._match)

    @classmethod
    def from_metadata(cls, text: str) -> Tokenizer:
        description = json.loads(text)
        if description["type"] != "greedy-longest":
            raise ValueError(f"tokenizer: type is {description['type']!r}, expected 'greedy-longest'")
        return cls(description["vocabulary"])

    def metadata(self) -> str:
        return json.dumps({"type": "greedy-longest", "vocabulary": self.vocabulary}, separators=(",", ":"))

    def _match(self, text: str) -> tuple[int, ...]:
        ids, at = [], 0
        while at < len(text):
            for length in range(min(self._longest, len(text) - at), 0, -1):
                found = self._ids.get(text[at:at + length])
                if found is not None:
                    break
            else:
                raise ValueError(f"tokenizer: character {text[at]!r} at {at} is not in the vocabulary")
            ids.append(found)
            at += length
        return tuple(ids)

    def encode(self, text: str) -> list[int]:
        return [i for piece in PIECE.findall(text) for i in self._encode_piece(piece)]

    def decode(self, ids) -> str:
        return "".join(self.vocabulary[i] for i in ids)


def split(lines: list[str], held_out: float, seed: int) -> tuple[list[str], list[str]]:
    """Shuffled training and held-out entries."""
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    count = int(len(shuffled) * held_out)
    return shuffled[count:], shuffled[:count]
