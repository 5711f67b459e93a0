"""What Protocol Buffers' files say of messages: each field with its type, by the name that JSON gives it.

protoc, from the package grpcio-tools, reads them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

# A field's type, with `!` behind it where the field is deprecated.
Messages = dict[str, dict[str, str]]
Enums = dict[str, dict[str, int]]

# Prefixes of names, by package. Two files share a package or had one of their own: they are called by what they are.
_PACKAGES = {
    "istio.mesh.v1alpha1": "mesh",
    "istio.networking.v1alpha3": "networking",
    "istio.networking.v1beta1": "networking",
    "istio.type.v1beta1": "type",
}
# What messages stand for that have a form of their own in JSON. Up to 1.13 the generated code of empty messages was
# replaced by Go's own types (operator/pkg/apis/istio/fixup_structs).
_FORMS = {
    "google.protobuf.Any": "any",
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.DoubleValue": "double",
    "google.protobuf.Duration": "duration",
    "google.protobuf.FloatValue": "double",
    "google.protobuf.Int32Value": "int32",
    "google.protobuf.Int64Value": "int64",
    "google.protobuf.ListValue": "[]any",
    "google.protobuf.StringValue": "string",
    "google.protobuf.Struct": "object",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.UInt64Value": "uint64",
    "google.protobuf.Value": "any",
    "IntOrString": "int-or-string",
    "TypeBoolValueForPB": "bool",
    "TypeIntOrStringForPB": "int-or-string",
    "TypeInterface": "any",
    "TypeMapStringInterface": "object",
    "TypeSliceOfMapStringInterface": "[]object",
    "TypeSliceString": "[]string",
}
# Names that the same code wrote for those that a proto could not spell; from 1.14 on the proto names them.
_RENAMED = {
    "istioEgressgateway": "istio-egressgateway",
    "istioIngressgateway": "istio-ingressgateway",
    "proxyInit": "proxy_init",
}


def read(roots: Sequence[Path], name: str, prefix: str) -> tuple[Messages, Enums]:
    """Read a file and all that it imports, found below the roots; Kubernetes' own messages are references only."""
    described = _described(roots, name)
    names = {**_PACKAGES, described[-1].package: prefix}
    messages: Messages = {}
    enums: Enums = {}
    for file in described:
        if file.package in names:
            scope = (f".{file.package}", names[file.package])
            enums |= {f"{scope[1]}.{enum.name}": _numbers(enum) for enum in file.enum_type}
            for message in file.message_type:
                _collect(message, scope, names, messages, enums)
    return messages, enums


def _described(roots: Sequence[Path], name: str) -> Sequence[FileDescriptorProto]:
    """The file and its imports, each after those that it imports."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "set")
        include = [f"-I{root}" for root in (*roots, files("grpc_tools") / "_proto")]
        if protoc.main(["protoc", *include, "--include_imports", f"-o{out}", name]):
            raise ValueError(f"protoc can't read {name}")
        return FileDescriptorSet.FromString(out.read_bytes()).file


def _collect(
    message: DescriptorProto, scope: tuple[str, str], names: dict[str, str], messages: Messages, enums: Enums
) -> None:
    full, name = (f"{one}.{message.name}" for one in scope)
    maps = {f"{full}.{one.name}": one for one in message.nested_type if one.options.map_entry}
    messages[name] = dict(_fields(message, maps, names))
    enums |= {f"{name}.{enum.name}": _numbers(enum) for enum in message.enum_type}
    for one in message.nested_type:
        if not one.options.map_entry:
            _collect(one, (full, name), names, messages, enums)


def _numbers(enum: EnumDescriptorProto) -> dict[str, int]:
    return {value.name: value.number for value in enum.value}


def _fields(
    message: DescriptorProto, maps: dict[str, DescriptorProto], names: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Each field, and for one whose proto has another name than JSON this name too, as `=` and the first."""
    for field in message.field:
        name = _RENAMED.get(field.json_name, field.json_name)
        yield name, _typed(field, maps, names) + ("!" if field.options.deprecated else "")
        if field.name not in (name, *_RENAMED):
            yield field.name, f"={name}"


def _typed(field: FieldDescriptorProto, maps: dict[str, DescriptorProto], names: dict[str, str]) -> str:
    if field.type_name in maps:
        value = next(one for one in maps[field.type_name].field if one.name == "value")
        return "{}" + _one(value, names)
    return ("[]" if field.label == field.LABEL_REPEATED else "") + _one(field, names)


def _one(field: FieldDescriptorProto, names: dict[str, str]) -> str:
    if field.type not in (field.TYPE_MESSAGE, field.TYPE_ENUM):
        word = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        return {"float": "double", "fixed32": "uint32"}.get(word, word)
    name = field.type_name[1:]
    if form := _FORMS.get(name) or _FORMS.get(name.rpartition(".")[2]):
        return form
    return ("%" if field.type == field.TYPE_ENUM else "@") + _short(name, names)


def _short(name: str, names: dict[str, str]) -> str:
    if match := re.fullmatch(r"k8s\.io\.(?:api|apimachinery\.pkg\.apis)\.(\w+)\.v\w+\.(\w+)", name):
        return f"{match[1]}.{match[2]}"
    package = max((one for one in names if name.startswith(f"{one}.")), key=len)
    return f"{names[package]}.{name.removeprefix(package + '.')}"
