# SPDX-License-Identifier: Apache-2.0
"""Sizes of the text sample, shared by its training and its export."""

LAYERS = 4
WIDTH = 128
QUERY_HEADS = 4
KV_HEADS = 2  # grouped-query attention: two query heads share one key/value head
HEAD_SIZE = WIDTH // QUERY_HEADS
HIDDEN = 384
CONTEXT = 256
VOCABULARY = 640
EPSILON = 1e-5
HELD_OUT = 0.02
SEED = 20240229
