"""One reader and one writer for everything in the tables, over any of the library's protocols."""

from typing import Any

from thrift.Thrift import TType

from tollbridge.faces.within.errors import BadArgument
from tollbridge.within.agent.tables import Kind, MapOf, Scalar, SetOf, Struct, wire_type

I32_MIN, I32_MAX = -(2**31), 2**31 - 1


class Reader:
    """Reads by the tables; passes over fields it does not know by their id and type.

    `problems` are values that were read to their end and cannot be used: what follows them on the
    connection is still where it should be. Whatever else is wrong is raised by the library.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.problems: list[str] = []

    def struct(self, struct: Struct) -> dict[str, Any]:
        """Read a struct: the fields that are there, by their names."""
        found = {}
        protocol = self._protocol
        protocol.readStructBegin()
        while True:
            _, type_read, field_id = protocol.readFieldBegin()
            if type_read == TType.STOP:
                break
            field = struct.known.get((field_id, type_read))
            if field is None:
                protocol.skip(type_read)
            else:
                found[field.name] = self._value(field.kind, field.name)
            protocol.readFieldEnd()
        protocol.readStructEnd()
        return found

    def _value(self, kind: Kind, name: str) -> Any:
        match kind:
            case Struct():
                return self.struct(kind)
            case MapOf():
                return self._map(kind, name)
            case SetOf():
                return self._set(kind, name)
            case Scalar.BOOL:
                return self._protocol.readBool()
            case Scalar.I32:
                return self._protocol.readI32()
            case Scalar.BINARY:
                return self._protocol.readBinary()
            case Scalar.STRING:
                return self._text(name)

    def _text(self, name: str) -> Any:
        try:
            return self._protocol.readString()
        except UnicodeDecodeError:
            self.problems.append(f"{name} is not UTF-8")
            return ""

    def _map(self, kind: MapOf, name: str) -> dict[Any, Any]:
        found = {}
        key_type, value_type, size = self._protocol.readMapBegin()
        expected = (wire_type(kind.key), wire_type(kind.value))
        for _ in range(size):
            if (key_type, value_type) == expected:
                key = self._value(kind.key, name)
                found[key] = self._value(kind.value, name)
            else:
                self._protocol.skip(key_type)
                self._protocol.skip(value_type)
        self._protocol.readMapEnd()
        return found

    def _set(self, kind: SetOf, name: str) -> list[Any]:
        found = []
        item_type, size = self._protocol.readSetBegin()
        for _ in range(size):
            if item_type == wire_type(kind.item):
                found.append(self._value(kind.item, name))
            else:
                self._protocol.skip(item_type)
        self._protocol.readSetEnd()
        return found


def write_struct(protocol: Any, struct: Struct, values: dict[str, Any]) -> None:
    """Write every field of a struct, empty containers too: Java goes over them unasked (WIRE 4.9).

    Raises BadArgument for a number that 32 bits do not hold.
    """
    protocol.writeStructBegin(struct.name)
    for field in struct.fields:
        protocol.writeFieldBegin(field.name, wire_type(field.kind), field.id)
        _write(protocol, field.kind, values[field.name], field.name)
        protocol.writeFieldEnd()
    protocol.writeFieldStop()
    protocol.writeStructEnd()


def _write(protocol: Any, kind: Kind, value: Any, name: str) -> None:
    match kind:
        case Struct():
            write_struct(protocol, kind, value)
        case MapOf():
            protocol.writeMapBegin(wire_type(kind.key), wire_type(kind.value), len(value))
            for key, item in value.items():
                _write(protocol, kind.key, key, name)
                _write(protocol, kind.value, item, name)
            protocol.writeMapEnd()
        case SetOf():
            protocol.writeSetBegin(wire_type(kind.item), len(value))
            for item in value:
                _write(protocol, kind.item, item, name)
            protocol.writeSetEnd()
        case Scalar():
            _write_scalar(protocol, kind, value, name)


def _write_scalar(protocol: Any, kind: Scalar, value: Any, name: str) -> None:
    match kind:
        case Scalar.I32:
            if not I32_MIN <= value <= I32_MAX:
                raise BadArgument("CONVERT_VALUE", "GENERAL", f"{name} {value} exceeds 32 bits")
            protocol.writeI32(value)
        case Scalar.BOOL:
            protocol.writeBool(value)
        case Scalar.BINARY:
            protocol.writeBinary(value)
        case Scalar.STRING:
            protocol.writeString(value)
