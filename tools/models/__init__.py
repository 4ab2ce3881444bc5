# SPDX-License-Identifier: Apache-2.0
"""The models that packages carry, laid out like ONNX backend tests under build/models."""
