# SPDX-License-Identifier: Apache-2.0
"""Expressions of the schemas, translated to C++.

Names are the operator's attributes and operands and constants without their OPMUX_ prefix. Operands have .rank,
.dtype, .dtype_class and .dim[i] (negative i counts from the end); slices are indexed. Functions: numel, bytes,
product, count, present, attention_keys, compute
and tail (elements in the dims from an axis on). Python operators and `and or not`.
"""

import ast

from .load import SchemaError

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Translator:
    """mode 'int': plain int64_t arithmetic for checks; mode 'sat': saturating arithmetic for formulas."""

    def __init__(self, op, model, file, where, mode="int"):
        self.op, self.model, self.file, self.where, self.mode = op, model, file, where, mode

    def fail(self, message):
        raise SchemaError(self.file, self.where, message)

    def translate(self, text):
        try:
            tree = ast.parse(str(text), mode="eval").body
        except SyntaxError as e:
            self.fail(f"'{text}' is no expression: {e.msg}")
        return self.visit(tree)

    def visit(self, node):
        method = getattr(self, "visit_" + type(node).__name__.lower(), None)
        if method is None:
            self.fail(f"{type(node).__name__} is not allowed in an expression")
        return method(node)

    def leaf(self, text):
        return f"Sat({text})" if self.mode == "sat" else f"int64_t{{{text}}}"

    def visit_constant(self, node):
        if not isinstance(node.value, int) or isinstance(node.value, bool):
            self.fail(f"'{node.value}' is no integer")
        return self.leaf(str(node.value))

    def visit_name(self, node):
        name = node.id
        attr = self.op.attribute(name)
        if attr is not None:
            if attr["type"] not in ("u32", "i32"):
                self.fail(f"attribute '{name}' of type {attr['type']} is no integer")
            return self.leaf(f"a.{name}")
        if self.op.operand(name) is not None:
            self.fail(f"operand '{name}' needs .rank, .dim[] or a function")
        if f"OPMUX_{name}" in self.model.constants:
            return self.leaf(f"OPMUX_{name}")
        self.fail(f"'{name}' is no attribute, operand or constant")

    def operand(self, node):
        if not isinstance(node, ast.Name) or self.op.operand(node.id) is None:
            self.fail(f"'{ast.unparse(node)}' is no operand")
        side, index = self.op.operand(node.id)
        return f"v.{side}({index})"

    def visit_attribute(self, node):
        operand = self.operand(node.value)
        if node.attr == "dtype_class":
            return self.leaf(f"OPMUX_DTYPE_CLASS({operand}.dtype)")
        if node.attr not in ("rank", "dtype"):
            self.fail(f"an operand has no '{node.attr}'")
        return self.leaf(f"{operand}.{node.attr}")

    def visit_subscript(self, node):
        base, index = node.value, Translator(self.op, self.model, self.file, self.where).visit(node.slice)
        if isinstance(base, ast.Attribute) and base.attr == "dim":
            return self.leaf(f"extent({self.operand(base.value)}, {index})")
        if isinstance(base, ast.Name) and self.op.slice(base.id):
            return self.leaf(f"element(v.list(a.{base.id}), {index})")
        self.fail(f"'{ast.unparse(base)}' cannot be indexed")

    def visit_call(self, node):
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name in ("numel", "bytes", "attention_keys", "product") and self.mode != "sat":
            self.fail(f"{name}() is for formulas only")
        if name == "numel":
            return f"numel({self.operand(self.only(node))})"
        if name == "bytes":
            return f"size_bytes({self.operand(self.only(node))})"
        if name == "present":
            return f"({self.operand(self.only(node))}.dtype != OPMUX_NONE)"
        if name == "tail" and self.mode == "sat" and len(node.args) == 2:
            axis = Translator(self.op, self.model, self.file, self.where).visit(node.args[1])
            return f"tail({self.operand(node.args[0])}, {axis})"
        if name in ("product", "count"):
            arg = self.only(node)
            if not isinstance(arg, ast.Name) or not self.op.slice(arg.id):
                self.fail(f"{name}() takes a slice attribute")
            span = f"v.list(a.{arg.id})"
            return f"product({span})" if name == "product" else self.leaf(f"static_cast<int64_t>({span}.size())")
        if name == "attention_keys":
            return f"attention_keys({', '.join(self.operand(a) for a in node.args)})"
        self.fail(f"there is no function '{name}'")

    def only(self, node):
        if len(node.args) != 1 or node.keywords:
            self.fail(f"{node.func.id}() takes one argument")
        return node.args[0]

    def visit_binop(self, node):
        op = _BINARY.get(type(node.op))
        if op is None or (self.mode == "sat" and op in "-%"):
            self.fail(f"operator {type(node.op).__name__} is not allowed here")
        return f"({self.visit(node.left)} {op} {self.visit(node.right)})"

    def visit_unaryop(self, node):
        if isinstance(node.op, ast.Not):
            return f"!{self.visit(node.operand)}"
        if isinstance(node.op, ast.USub) and self.mode == "int":
            return f"-{self.visit(node.operand)}"
        self.fail(f"operator {type(node.op).__name__} is not allowed here")

    def visit_boolop(self, node):
        op = " && " if isinstance(node.op, ast.And) else " || "
        return "(" + op.join(self.visit(v) for v in node.values) + ")"

    def visit_compare(self, node):
        parts, left = [], node.left
        for op, right in zip(node.ops, node.comparators):
            if type(op) not in _COMPARE:
                self.fail(f"comparison {type(op).__name__} is not allowed")
            parts.append(f"{self.visit(left)} {_COMPARE[type(op)]} {self.visit(right)}")
            left = right
        return "(" + " && ".join(parts) + ")"
