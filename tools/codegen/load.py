# SPDX-License-Identifier: Apache-2.0
"""Reads schema files: YAML without duplicate keys, checked by JSON Schema before anything else sees them."""

import json
from pathlib import Path

import jsonschema
import yaml


class SchemaError(Exception):
    """A fault of a schema file: says which file, which key and what is wrong."""

    def __init__(self, file, where, message):
        super().__init__(f"{file}: {where}: {message}" if where else f"{file}: {message}")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # the C one is ten times faster
    pass


def _mapping(loader, node):
    seen = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key '{key}' appears twice", key_node.start_mark)
        seen[key] = True
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _path(error):
    text = ""
    for part in error.absolute_path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


class Reader:
    """Loads files of one schema folder and names them relative to it."""

    def __init__(self, root):
        self.root = Path(root)
        self._meta = {}

    def name(self, path):
        return str(Path(path).relative_to(self.root.parent))

    def meta(self, kind):
        if kind not in self._meta:
            path = self.root / "meta" / f"{kind}.json"
            if not path.is_file():
                raise SchemaError(f"schemas/meta/{kind}.json", "", "there is no such meta schema")
            schema = json.loads(path.read_text(encoding="utf-8"))
            jsonschema.Draft202012Validator.check_schema(schema)
            self._meta[kind] = jsonschema.Draft202012Validator(schema)
        return self._meta[kind]

    def read(self, path, kind=None):
        """The data of one file; kind is the meta schema, by default the file's own `kind`."""
        name = self.name(path)
        try:
            data = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
        except yaml.YAMLError as e:
            raise SchemaError(name, "", " ".join(str(e).split())) from e
        if not isinstance(data, dict):
            raise SchemaError(name, "", "must be a mapping")
        kind = kind or data.get("kind")
        if kind is None:
            raise SchemaError(name, "kind", "is missing")
        errors = sorted(self.meta(kind).iter_errors(data), key=lambda e: list(map(str, e.absolute_path)))
        if errors:
            best = jsonschema.exceptions.best_match(errors)
            raise SchemaError(name, _path(best), best.message)
        return data
