# SPDX-License-Identifier: Apache-2.0
"""The schemas in memory, with every reference between files checked."""

from . import cases_cpp
from .check import check
from .layout import Types
from .load import Reader, SchemaError

_WORD = {"u32": 4, "i32": 4, "f32": 4, "slice": 8}
_HEAD_SIZE = 104  # of opmux_opd, frozen


class Op:
    """One operator and where it came from."""

    def __init__(self, data, family, file):
        self.data, self.family, self.file = data, family, file
        self.name, self.id, self.rev = data["op"], data["id"], data["rev"]
        self.struct = f"opmux_op_{self.name}"
        self.attributes = data.get("attributes", [])
        self.inputs, self.outputs = data["inputs"], data["outputs"]
        offset = _HEAD_SIZE
        self.offsets = {}
        for a in self.attributes:
            self.offsets[a["name"]] = offset
            offset += _WORD[a["type"]]
        self.size = offset

    def attribute(self, name):
        return next((a for a in self.attributes if a["name"] == name), None)

    def slice(self, name):
        a = self.attribute(name)
        return a is not None and a["type"] == "slice"

    def input_index(self, name):
        return next((i for i, o in enumerate(self.inputs) if o["name"] == name), None)

    def operand(self, name):
        """('in' or 'out', index) of an operand, or None."""
        for side, rows in (("in", self.inputs), ("out", self.outputs)):
            for i, row in enumerate(rows):
                if row["name"] == name:
                    return side, i
        return None

    def counts(self, side):
        """(least, most) number of the operator's own operands; trailing optional ones may be left off."""
        rows = self.inputs if side == "in" else self.outputs
        if rows and "variadic" in rows[-1]:
            low, high = rows[-1]["variadic"]
            return len(rows) - 1 + low, len(rows) - 1 + high
        least = len(rows)
        while least and rows[least - 1].get("optional"):
            least -= 1
        return least, len(rows)


class Model:
    def __init__(self, root):
        self.reader = Reader(root)
        self.root = self.reader.root
        read = self.reader.read
        self.dtypes = read(self.root / "abi" / "dtypes.yaml")
        self.functions = read(self.root / "abi" / "functions.yaml")
        self.families = read(self.root / "abi" / "families.yaml")
        self.headers = [read(p) for p in sorted((self.root / "abi").glob("*.h.yaml"))]
        self.ops = []
        for path in sorted((self.root / "ops").glob("*/*.yaml")):
            self.ops.append(Op(read(path, "op"), path.parent.name, self.reader.name(path)))
        self.ops.sort(key=lambda o: o.id)
        self._index()
        check(self)
        for op in self.ops:
            cases_cpp.check(self, op)
        self.types = Types(self)

    def _index(self):
        self.dtype = {t["name"]: t for t in self.dtypes["dtypes"]}
        self.groups = {"flag": {"prefix": "0 or 1", "values": [{"value": 0}, {"value": 1}]}}
        self.constants = {}  # C name -> (value, file)
        for t in self.dtypes["classes"]:
            self._constant("OPMUX_CLASS_" + t["name"], t["value"], "schemas/abi/dtypes.yaml")
        for f in self.functions["functions"]:
            self._constant("OPMUX_FN_" + f["name"], f["value"], "schemas/abi/functions.yaml")
        for h in self.headers:
            for item in h["items"]:
                if "constants" in item:
                    self._group(item["constants"], f"schemas/abi/{h['header']}.yaml")
        for op in self.ops:
            for g in op.data.get("constants", []):
                self._group(g, op.file)

    def _group(self, group, file):
        if "group" in group:
            if group["group"] in self.groups:
                raise SchemaError(file, "constants", f"group '{group['group']}' exists already")
            self.groups[group["group"]] = group
        for v in group["values"]:
            self._constant(group["prefix"] + v["name"], v["value"], file)

    def _constant(self, name, value, file):
        if name in self.constants:
            raise SchemaError(file, name, f"is defined already in {self.constants[name][1]}")
        self.constants[name] = (value, file)

    def type_set(self, types):
        """dtype names of a set's name or of a list."""
        return self.dtypes["sets"][types] if isinstance(types, str) else types

    def family_ops(self, family):
        return [o for o in self.ops if o.family == family]
