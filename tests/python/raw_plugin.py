# SPDX-License-Identifier: Apache-2.0
"""A raw client of the plugin interface in ctypes: loads a plugin, asks and runs single operators on NumPy arrays.

It goes through no part of libopmux. Attribute layouts come from schemas/ops, constants from the C headers.
"""

import ctypes as c
import re
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[2]
U32, U64, I64, PTR = c.c_uint32, c.c_uint64, c.c_int64, c.c_void_p


def _constants():
    found = {}
    for header in sorted((ROOT / "sdk/include/opmux").rglob("*.h")):
        for name, value in re.findall(
            r"^#define OPMUX_(\w+) (0x[0-9a-fA-F]+|\d+)u\b", header.read_text(), re.M
        ):
            found[name] = int(value, 0)
    return found


C = _constants()
SERIAL = {
    "f64": (1, 64, 1),
    "f32": (2, 32, 1),
    "f16": (3, 16, 1),
    "bf16": (4, 16, 1),
    "e4m3fn": (5, 8, 1),
    "e5m2": (6, 8, 1),
    "e8m0": (7, 8, 1),
    "e2m1": (8, 4, 1),
    "i64": (9, 64, 2),
    "i32": (10, 32, 2),
    "i16": (11, 16, 2),
    "i8": (12, 8, 2),
    "i4": (13, 4, 2),
    "i2": (14, 2, 2),
    "u64": (15, 64, 3),
    "u32": (16, 32, 3),
    "u16": (17, 16, 3),
    "u8": (18, 8, 3),
    "u4": (19, 4, 3),
    "u2": (20, 2, 3),
    "bool": (21, 8, 4),
    "e4m3fnuz": (23, 8, 1),
    "e5m2fnuz": (24, 8, 1),
}
DTYPE = {name: s | bits << 8 | kind << 16 for name, (s, bits, kind) in SERIAL.items()}
NUMPY = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": np.uint16,
    "i64": np.int64,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
    "u64": np.uint64,
    "u32": np.uint32,
    "u16": np.uint16,
    "u8": np.uint8,
    "bool": np.bool_,
}
NAME = {np.dtype(t): n for n, t in NUMPY.items() if n != "bf16"}


def _struct(name, fields):
    return type(name, (c.Structure,), {"_fields_": fields})


Hdr = _struct("Hdr", [("size", U32), ("tag", U32), ("next", PTR)])
Str = _struct("Str", [("data", c.c_char_p), ("size", U64)])
Tdesc = _struct(
    "Tdesc",
    [
        ("dtype", U32),
        ("rank", U32),
        ("layout", U32),
        ("flags", U32),
        ("dim", I64 * 8),
        ("stride", I64 * 8),
        ("quant", U64),
        ("layout_arg", U64),
    ],
)
Insn = _struct("Insn", [(n, U32) for n in ("op", "dtype", "a", "b", "c", "flags")] + [("imm", U64)])
Prog = _struct(
    "Prog",
    [
        ("insn", c.POINTER(Insn)),
        ("out", c.POINTER(U32)),
        ("n_insn", U32),
        ("n_out", U32),
        ("slot", U32),
        ("n_in", U32),
    ],
)
OPD = [
    ("h", Hdr),
    ("op", U32),
    ("rev", U32),
    ("n_in", U32),
    ("n_out", U32),
    ("inputs", c.POINTER(Tdesc)),
    ("outputs", c.POINTER(Tdesc)),
    ("prog", c.POINTER(Prog)),
    ("alias", c.POINTER(U32)),
    ("list", c.POINTER(I64)),
    ("n_prog", U32),
    ("n_list", U32),
    ("math", U32),
    ("reserved", U32),
    ("reserved2", U64 * 2),
]
Opd = _struct("Opd", OPD)
Slice = _struct("Slice", [("first", U32), ("count", U32)])
Err = _struct(
    "Err",
    [
        ("h", Hdr),
        ("code", U32),
        ("native", c.c_int32),
        ("native_domain", U32),
        ("msg_cap", U32),
        ("msg_len", U32),
        ("arg_index", U32),
        ("msg", PTR),
    ],
)
Offer = _struct(
    "Offer",
    [
        ("h", Hdr),
        ("major_min", U32),
        ("major_max", U32),
        ("minor", U32),
        ("sanitizer", U32),
        ("host_version", Str),
    ],
)
Answer = _struct(
    "Answer",
    [("h", Hdr)]
    + [(n, U32) for n in ("status", "major", "minor", "need_min", "need_max", "flags", "sanitizer", "opset")]
    + [("name", Str), ("version", Str), ("build_id", Str), ("core", PTR)],
)
Bind = _struct("Bind", [("mem", U64), ("offset", U64), ("size", U64), ("actual", PTR)])
Run = _struct(
    "Run",
    [
        ("h", Hdr),
        ("arg", c.POINTER(Bind)),
        ("wait", PTR),
        ("signal", PTR),
        ("params", PTR),
        ("n_arg", U32),
        ("n_wait", U32),
        ("n_signal", U32),
        ("params_size", U32),
        ("ws", Bind),
        ("trace_id", U64),
        ("cancel", U64),
        ("kernel", PTR),
    ],
)
Cap = _struct(
    "Cap",
    [("h", Hdr)]
    + [(n, U32) for n in ("verdict", "why", "why_arg", "why_axis")]
    + [("why_have", I64), ("why_limit", I64)]
    + [(n, U64) for n in ("cost_ns", "spread", "prepare_ns", "cost_nj", "ws_min", "ws_best", "impl_key")]
    + [
        (n, U32)
        for n in ("cost_source", "accuracy", "deterministic", "inplace_mask", "layout_cap", "reserved")
    ]
    + [("in_layout", PTR)],
)
Oracle = _struct(
    "Oracle",
    [
        ("h", Hdr),
        ("output", U32),
        ("reserved", U32),
        ("count", U64),
        ("hi", PTR),
        ("lo", PTR),
        ("magnitude", PTR),
    ],
)


class OpError(Exception):
    def __init__(self, status, text, arg):
        super().__init__(f"status {status}: {text}")
        self.status, self.text, self.arg = status & 0xFFFF, text, arg


class Program:
    """insns: (function name, dtype name, operand values..., optional dict(flags=, imm=))."""

    def __init__(self, slot, n_in, insns, outs):
        rows = []
        for fn, dtype, *rest in insns:
            more = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            values = (list(rest) + [0, 0, 0])[:3]
            rows.append(Insn(C["FN_" + fn], DTYPE[dtype], *values, more.get("flags", 0), more.get("imm", 0)))
        self.insn, self.outs = (Insn * max(len(rows), 1))(*rows), (U32 * len(outs))(*outs)
        self.view = Prog(self.insn, self.outs, len(rows), len(outs), slot, n_in)


def epilogue(n_in, insns, outs, output=0):
    return Program(0x100 + output, n_in, insns, outs)


def _attribute_fields(op):
    path = next((ROOT / "schemas/ops").glob(f"*/{op}.yaml"))
    schema = yaml.safe_load(path.read_text())
    kinds = {"u32": U32, "i32": c.c_int32, "f32": c.c_float, "slice": Slice}
    return int(schema["id"]), [(a["name"], kinds[a["type"]]) for a in schema.get("attributes", [])]


class Typed:
    """An array whose dtype NumPy lacks: the bits with the name of their type."""

    def __init__(self, bits, dtype):
        self.bits, self.dtype = np.asarray(bits), dtype


class Packed(Typed):
    """Elements of less than a byte, row-major, low bits first; codes() gives them one by one."""

    def __init__(self, codes, dtype):
        codes = np.asarray(codes, np.uint8)
        self.shape, self.width = codes.shape, SERIAL[dtype][1]
        per = 8 // self.width
        flat = np.zeros(-(-codes.size // per) * per, np.uint8)
        flat[: codes.size] = codes.reshape(-1) & (2**self.width - 1)
        shifts = np.arange(per, dtype=np.uint8) * self.width
        super().__init__((flat.reshape(-1, per) << shifts).sum(1, dtype=np.uint8), dtype)

    def codes(self):
        shifts = np.arange(8 // self.width, dtype=np.uint8) * self.width
        flat = (self.bits[:, None] >> shifts & (2**self.width - 1)).reshape(-1)
        return flat[: int(np.prod(self.shape))].reshape(self.shape)


def _tdesc(value):
    if value is None:
        return Tdesc()
    if isinstance(value, Packed):
        t = Tdesc(DTYPE[value.dtype], len(value.shape))
        t.dim[: t.rank] = value.shape
        t.stride[: t.rank] = [int(np.prod(np.maximum(value.shape[i + 1 :], 1))) for i in range(t.rank)]
        return t
    array, name = (value.bits, value.dtype) if isinstance(value, Typed) else (value, NAME[value.dtype])
    t = Tdesc(DTYPE[name], array.ndim)
    t.dim[: array.ndim] = array.shape
    # NumPy gives empty arrays strides of 0, which no output may have.
    strides = array.strides if array.size else np.empty([max(n, 1) for n in array.shape], array.dtype).strides
    t.stride[: array.ndim] = [s // array.itemsize for s in strides]
    return t


def _address(value):
    if value is None:
        return 0
    return (value.bits if isinstance(value, Typed) else value).__array_interface__["data"][0]


class Descriptor:
    """Attribute lists are given as Python lists and go into the descriptor's pool."""

    def __init__(self, op, inputs, outputs, programs=(), alias=None, **attributes):
        op_id, fields = _attribute_fields(op)
        kind = _struct("D", OPD + fields)
        self.keep = [inputs, outputs, programs]
        pool, d = [], kind()
        for name, field in fields:
            value = attributes.pop(name, 0)
            if field is Slice:
                values = value or []
                value = Slice(len(pool), len(values))
                pool += values
            setattr(d, name, value)
        assert not attributes, f"{op} has no attribute {sorted(attributes)}"
        d.h.size, d.op, d.rev, d.n_in, d.n_out = c.sizeof(kind), op_id, 1, len(inputs), len(outputs)
        d.n_prog, d.n_list = len(programs), len(pool)
        d.inputs = (Tdesc * max(len(inputs), 1))(*map(_tdesc, inputs))
        d.outputs = (Tdesc * max(len(outputs), 1))(*map(_tdesc, outputs))
        d.prog = (Prog * max(len(programs), 1))(*[p.view for p in programs])
        d.list = (I64 * max(len(pool), 1))(*pool)
        if alias:
            d.alias = (U32 * len(alias))(*alias)
        self.struct, self.args = d, list(inputs) + list(outputs)

    def pointer(self):
        return c.cast(c.pointer(self.struct), PTR)


class Plugin:
    def __init__(self, path):
        self.lib = c.CDLL(str(path), mode=2)  # RTLD_NOW
        self.text = c.create_string_buffer(1024)
        self.err = Err(msg_cap=1024, msg=c.cast(self.text, PTR))
        self.err.h.size = c.sizeof(Err)
        offer, self.answer = Offer(), Answer()
        offer.h.size, self.answer.h.size = c.sizeof(Offer), c.sizeof(Answer)
        offer.major_min = offer.major_max = C["ABI_MAJOR"]
        offer.minor = C["ABI_MINOR"]
        self.lib.opmux_plugin_query(c.byref(offer), c.byref(self.answer))
        assert (
            self.answer.status == 0
        ), f"the plugin needs major {self.answer.need_min}..{self.answer.need_max}"
        self.core = self._table(self.answer.core, "open quiesce close interface")
        self.core["interface"].restype = PTR
        self.dev = self._interface("I_DEV", "enumerate open close status")
        self.queue = self._interface("I_QUEUE", "create destroy copy enqueue finish record replay release")
        self.op = self._interface("I_OP", "query prepare release packed_size pack")
        self.plugin, self.device, self.line = PTR(), PTR(), PTR()
        self._call(self.core["open"], None, c.byref(self.plugin))
        self.info = (c.c_char * 1024)()
        c.cast(self.info, c.POINTER(U32))[0] = 1024
        self._call(self.dev["enumerate"], self.plugin, self.info, U32(1024), U32(1), c.byref(U32()))
        self._call(self.dev["open"], self.plugin, U32(0), c.byref(self.device))
        self._call(self.queue["create"], self.device, U32(0), c.byref(self.line))

    def _table(self, address, names):
        slots = c.cast(address + c.sizeof(Hdr), c.POINTER(PTR))
        return {name: c.CFUNCTYPE(U32)(slots[i]) for i, name in enumerate(names.split())}

    def _interface(self, name, names):
        address = self.core["interface"](U32(C[name]))
        return self._table(address, names) if address else None

    def _call(self, function, *args):
        status = function(*args, c.byref(self.err))
        if status:
            raise OpError(status, self.text.raw[: self.err.msg_len].decode(), self.err.arg_index)

    def query(self, d):
        cap = Cap()
        cap.h.size = c.sizeof(Cap)
        self._call(
            self.op["query"], self.info, U32(1), c.byref(d.pointer()), c.byref(cap), U32(c.sizeof(Cap))
        )
        return cap

    def _run_of(self, d, kernel=None):
        run = Run(n_arg=len(d.args), kernel=kernel)
        run.h.size = c.sizeof(Run)
        run.arg = (Bind * max(len(d.args), 1))(*[Bind(mem=_address(a)) for a in d.args])
        return run

    def execute(self, d):
        """Query, prepare, run, release; outputs are written into the arrays of the descriptor."""
        cap, kernel = self.query(d), PTR()
        self._call(self.op["prepare"], self.device, d.pointer(), U64(cap.impl_key), c.byref(kernel))
        try:
            run = self._run_of(d, kernel)
            scratch = (c.c_char * (cap.ws_min + 64))()
            run.ws = Bind(mem=(c.addressof(scratch) + 63) // 64 * 64, size=cap.ws_min)
            self._call(self.queue["enqueue"], self.line, c.byref(run), U32(c.sizeof(Run)), U32(1))
            self._call(self.queue["finish"], self.line, U64(2**64 - 1))
        finally:
            self.op["release"](kernel)

    def run(self, op, inputs, outputs, programs=(), alias=None, **attributes):
        """outputs: (dtype name, shape) for a new array, an array to write into, or None. Returns the outputs."""
        made = [np.empty(o[1], NUMPY[o[0]]) if isinstance(o, tuple) else o for o in outputs]
        views = [
            Typed(m, o[0]) if isinstance(o, tuple) and o[0] == "bf16" else m for m, o in zip(made, outputs)
        ]
        self.execute(Descriptor(op, inputs, views, programs, alias, **attributes))
        return made[0] if len(made) == 1 else made

    def unrounded(self, op, inputs, outputs, output=0, programs=(), **attributes):
        """hi, lo and magnitude of one output, from the oracle."""
        table = self._interface("I_ORACLE", "evaluate")
        made = [np.empty(o[1], NUMPY[o[0]]) for o in outputs]
        d = Descriptor(op, inputs, made, programs, **attributes)
        shape = made[output].shape if output < len(made) else ()
        hi, lo, magnitude = (np.full(shape, np.nan) for _ in range(3))
        result = Oracle(
            output=output, count=hi.size, hi=_address(hi), lo=_address(lo), magnitude=_address(magnitude)
        )
        result.h.size = c.sizeof(Oracle)
        self._call(table["evaluate"], self.device, d.pointer(), c.byref(self._run_of(d)), c.byref(result))
        return hi, lo, magnitude
