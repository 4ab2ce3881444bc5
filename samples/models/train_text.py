#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the text sample: a small decoder-only transformer on WordNet's glosses.

usage: /usr/bin/python3 train_text.py WEIGHTS.npz [--steps N]

Needs Debian's python3-torch, python3-numpy and wordnet-base (tools/setup-packages-train.txt). Writes the
weights under the names that export_text.py reads; no ONNX here, since Debian's torch and a current onnx
want different numpy versions.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import text_config as cfg
import text_corpus


class RmsNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(cfg.WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + cfg.EPSILON) * self.scale


class Block(nn.Module):
    """Pre-norm attention and MLP; weights are [in, out], as ONNX MatMul wants them."""

    def __init__(self) -> None:
        super().__init__()
        kv = cfg.KV_HEADS * cfg.HEAD_SIZE
        self.attention_norm, self.mlp_norm = RmsNorm(), RmsNorm()
        # Residual branches start small (GPT-2, section 2.3).
        out = 0.02 / math.sqrt(2 * cfg.LAYERS)
        self.q, self.k, self.v = weight(cfg.WIDTH, cfg.WIDTH), weight(cfg.WIDTH, kv), weight(cfg.WIDTH, kv)
        self.o = weight(cfg.WIDTH, cfg.WIDTH, out)
        self.up, self.down = weight(cfg.WIDTH, cfg.HIDDEN), weight(cfg.HIDDEN, cfg.WIDTH, out)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n = self.attention_norm(x)
        q, k, v = heads(n @ self.q, cfg.QUERY_HEADS), heads(n @ self.k, cfg.KV_HEADS), heads(n @ self.v, cfg.KV_HEADS)
        group = cfg.QUERY_HEADS // cfg.KV_HEADS
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        scores = q @ k.transpose(-1, -2) / math.sqrt(cfg.HEAD_SIZE) + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = x + mixed @ self.o
        return x + F.gelu(self.mlp_norm(x) @ self.up) @ self.down


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = weight(cfg.VOCABULARY, cfg.WIDTH)
        self.position = weight(cfg.CONTEXT, cfg.WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(cfg.LAYERS))
        self.norm = RmsNorm()
        mask = torch.full((cfg.CONTEXT, cfg.CONTEXT), -math.inf).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.token[tokens] + self.position
        for block in self.blocks:
            x = block(x, self.mask)
        return self.norm(x) @ self.token.T  # tied with the embedding


def weight(rows: int, columns: int, deviation: float = 0.02) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * deviation)


def heads(x: torch.Tensor, count: int) -> torch.Tensor:
    return x.unflatten(-1, (count, cfg.HEAD_SIZE)).transpose(1, 2)


class Windows:
    """Stretches of CONTEXT + 1 tokens, each starting where an entry starts."""

    def __init__(self, lines: list[str], tokenizer: text_corpus.Tokenizer) -> None:
        ids, starts = [], []
        for line in lines:
            starts.append(len(ids))
            ids += tokenizer.encode(line)
        self.tokens = torch.tensor(ids)
        self.starts = torch.tensor([s for s in starts if s + cfg.CONTEXT < len(ids)])

    def batch(self, size: int, generator: torch.Generator) -> torch.Tensor:
        at = self.starts[torch.randint(len(self.starts), (size,), generator=generator)]
        return self.tokens[at[:, None] + torch.arange(cfg.CONTEXT + 1)]


def loss_of(model: Model, batch: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())


def held_out_loss(model: Model, windows: Windows) -> float:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return sum(loss_of(model, windows.batch(32, generator)).item() for _ in range(8)) / 8


def rate(step: int, steps: int) -> float:
    """Linear warm-up, then cosine to a tenth (factor on the peak rate)."""
    warm = 100
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def train(model: Model, training: Windows, held_out: Windows, steps: int, batch: int) -> None:
    generator = torch.Generator().manual_seed(cfg.SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    start = time.monotonic()
    for step in range(steps):
        loss = loss_of(model, training.batch(batch, generator))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == steps - 1:
            print(f"step {step}/{steps} loss {loss.item():.4f} held-out {held_out_loss(model, held_out):.4f} "
                  f"{time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=24)
    args = parser.parse_args()
    torch.manual_seed(cfg.SEED)
    lines = text_corpus.entries()
    training_lines, held_out_lines = text_corpus.split(lines, cfg.HELD_OUT, cfg.SEED)
    tokenizer = text_corpus.Tokenizer(text_corpus.learn_vocabulary("".join(lines), cfg.VOCABULARY))
    training, held_out = Windows(training_lines, tokenizer), Windows(held_out_lines, tokenizer)
    characters = sum(map(len, training_lines))
    print(f"{len(training_lines)} entries, {characters} characters, {len(training.tokens)} tokens", flush=True)
    model = Model()
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    train(model, training, held_out, args.steps, args.batch)
    arrays = {name: value.detach().numpy() for name, value in model.named_parameters()}
    np.savez(args.weights, tokenizer=np.array(tokenizer.metadata()), held_out_loss=held_out_loss(model, held_out),
             characters_per_token=characters / len(training.tokens), **arrays)


if __name__ == "__main__":
    main()
