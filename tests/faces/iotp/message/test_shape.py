"""The values are the document type: its elements, attributes, orders and numbers, and no others."""

from enum import StrEnum
from importlib import resources
from io import BytesIO

import pytest
from lxml import etree

from tollbridge.faces.iotp import dtd
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message.codec import PACKAGED, PLANS
from tollbridge.faces.iotp.message.shape import Has, Inside, Kind

DTD = etree.DTD(BytesIO(resources.files(dtd).joinpath("iotp.dtd").read_bytes()))
DECLARED = {one.name: one for one in DTD.iterelements()}
# Read by the field that holds it, and by the API's own Content
APART = {PACKAGED, "KeyIdentifier"}
KINDS = {
    Kind.TEXT: {"cdata"},
    Kind.ID: {"id", "nmtoken"},  # ErrorComp's is a NMTOKEN
    Kind.WORD: {"nmtoken", "enumeration", "cdata"},
    Kind.WORDS: {"nmtokens"},
    Kind.REF: {"idref", "nmtoken"},
    Kind.REFS: {"idrefs", "nmtokens"},
    Kind.FLAG: {"enumeration"},
    Kind.SMALL_FLAG: {"enumeration"},
    Kind.TIME: {"cdata"},
    Kind.TIME_OR_NA: {"cdata"},
    Kind.AMOUNT: {"cdata"},
    Kind.CHOICE: {"enumeration"},
}


def listed(model, least=1, many=False):
    """Give the names in a content model, in order, with how many there may be."""
    if model is None:
        return []
    least = 0 if model.occur in {"opt", "mult"} else least
    many = many or model.occur in {"mult", "plus"}
    if model.type == "element":
        return [(model.name, least, many)]
    if model.type in {"seq", "or"}:
        if model.type == "or":
            least = 0
        return listed(model.left, least, many) + listed(model.right, least, many)
    return []


@pytest.mark.req("IX-121", "IX-259", "IX-260")
def test_every_element_has_a_value_and_no_other():
    assert set(PLANS) | APART == set(DECLARED)


@pytest.mark.req("IX-121")
@pytest.mark.parametrize("name", sorted(set(DECLARED) - APART))
def test_a_values_attributes_are_the_document_types(name):
    plan = PLANS[name]
    mine = {place.name: (place, needed) for _, place, needed in plan.attributes}
    theirs = {
        f"xml:{one.name}" if one.prefix == "xml" or one.name in {"lang", "link"} else one.name: one
        for one in DECLARED[name].iterattributes()
        if one.name != "xmlns"
    }
    assert set(mine) == set(theirs)
    for key, (place, needed) in mine.items():
        declared = theirs[key]
        assert declared.type in KINDS[place.kind], key
        assert needed == (declared.default == "required"), key
        if place.kind is Kind.CHOICE:
            words = {str(word) for word in place.choice} - {"Suspended"}
            assert issubclass(place.choice, StrEnum)
            assert words == set(declared.values()), key


@pytest.mark.req("IX-120", "IX-121")
@pytest.mark.parametrize("name", sorted(set(DECLARED) - APART))
def test_what_stands_in_a_value_is_what_stands_in_the_element(name):
    plan, declared = PLANS[name], DECLARED[name]
    mine = []
    for _, inside in plan.insides:
        if isinstance(inside, Has):
            for kind in inside.kinds:
                tag = PACKAGED if kind.__module__.endswith("api.elements") else kind.__name__
                mine.append((tag, inside.least, inside.many))
        else:
            assert declared.type == ("any" if inside is Inside.ANYTHING else "mixed")
    if declared.type == "element":
        assert mine == listed(declared.content)


@pytest.mark.req("IX-120")
def test_a_message_holds_every_block_the_document_type_has():
    names = {name for name in DECLARED if name.endswith("Blk")} - {"TransRefBlk", "ErrorBlk"}
    assert {kind.__name__ for kind in b.BLOCKS} == names


def test_defaults_are_the_document_types():
    for name, plan in PLANS.items():
        declared = {one.name: one for one in DECLARED[name].iterattributes()}
        for field_name, place, needed in plan.attributes:
            one = declared[place.name.removeprefix("xml:")]
            if needed or one.default_value is None:
                continue
            default = plan.kind.__dataclass_fields__[field_name].default
            assert str(default) == one.default_value, (name, place.name)
