"""Hypothesis strategies for the Payment API's values, made from its tables."""

from decimal import Decimal

from hypothesis import strategies as st

from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.elements import Content, ErrorLocation, Parameter
from tollbridge.faces.iotp.api.names import Kind
from tollbridge.faces.iotp.api.rules import broken
from tollbridge.faces.iotp.api.shapes import ELEMENTS, FUNCTIONS, SHAPES
from tollbridge.faces.iotp.api.words import Severity, Transform
from tollbridge.ground.clock import Instant
from tollbridge.ground.secret import Secret

LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff\r"
)
TOKENS = st.text("ABCxyz019-._:äö", min_size=1, max_size=14)


def texts(letters_max):
    return st.text(LETTERS, max_size=letters_max or 40)


def value_of(attribute):
    named = attribute.named
    match named.kind:
        case Kind.TEXT:
            return texts(named.letters_max)
        case Kind.TOKEN:
            return TOKENS
        case Kind.ID:
            return TOKENS.map(lambda token: f"a{token}")
        case Kind.TOKENS:
            return st.lists(TOKENS, min_size=1, max_size=3).map(tuple)
        case Kind.AMOUNT:
            return st.decimals(0, 9999999, places=3).map(lambda amount: Decimal(f"{amount:f}"))
        case Kind.MOMENT:
            return st.integers(0, 4 * 10**12).map(lambda ms: Instant(ms * 1000))
        case Kind.PERCENT:
            return st.integers(0, 99)
        case Kind.SECRET:
            return texts(named.letters_max).map(Secret)
        case Kind.CHOICE:
            return st.sampled_from(named.choice)
        case Kind.CODE:
            return st.sampled_from(named.choice) | st.just("x-ours")


def contents(tag):
    name = TOKENS.map(lambda token: f"Payment:{token}" if "TradingRole" in tag else token)
    always = name if "TradingRole" in tag else st.none() | name
    plain = st.builds(
        Content, text=st.text(LETTERS, max_size=60), name=always,
        content=st.sampled_from(["PCDATA", "XML", "MIME:text/html"]),
    )  # fmt: skip
    packed = st.builds(Content.of, st.binary(max_size=40), always)
    return plain | packed


def element(tag):
    if SHAPES[tag].type is Content:
        return contents(tag)
    if SHAPES[tag].type is Parameter:
        nodes = st.text(LETTERS, min_size=1, max_size=20).map(lambda text: (text,)) | st.just(())
        return st.builds(Parameter, type=texts(0), nodes=nodes)
    if tag == "ErrorLocation":
        return st.builds(
            ErrorLocation, element_type=TOKENS, element_ref=st.none() | TOKENS,
            att_name=st.none() | TOKENS,
        )  # fmt: skip
    return shaped(SHAPES[tag])


def shaped(shape):
    made = {}
    for attribute in shape.attributes:
        value = value_of(attribute)
        absent = st.just(()) if attribute.named.kind is Kind.TOKENS else st.none()
        optional = not attribute.required and not attribute.default
        made[attribute.named.python] = absent | value if optional else value
    for child in shape.children:
        one = st.deferred(lambda tag=child.xml: element(tag))
        if child.many:
            least = 1 if child.required else 0
            made[child.python] = st.lists(one, min_size=least, max_size=2).map(tuple)
        else:
            made[child.python] = one if child.required else st.none() | one
    return st.builds(shape.type, **made).filter(lambda value: not broken(value))


requests = st.sampled_from(FUNCTIONS).flatmap(lambda one: shaped(one.request))
results = st.sampled_from(FUNCTIONS).flatmap(lambda one: shaped(one.response))
errors = shaped(ELEMENTS["ErrorResponse"])


@st.composite
def answers(draw):
    error = draw(st.none() | errors)
    if error is None:
        return Answer(draw(results))
    return Answer(draw(results) if error.severity is Severity.WARNING else None, error)


PACKED = Transform.BASE64
