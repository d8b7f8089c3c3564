"""Hypothesis strategies for the words that all rooms share."""

from hypothesis import strategies as st

from tollbridge.core.facts import Dispatched, Noted, Posting, Requested, Settled, Topic
from tollbridge.core.instrument import InstrumentView
from tollbridge.core.outcome import Approved, Cause, DeclineCode, Declined, Pending, Unsent
from tollbridge.core.verbs import Verb
from tollbridge.ground.clock import Instant
from tollbridge.ground.currency import CURRENCIES
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.money import AMOUNT_MINOR_MAX, Money

PAYABLE = sorted(code for code, unit in CURRENCIES.items() if unit.exponent is not None)
FIXED_RATE = sorted(code for code, unit in CURRENCIES.items() if unit.rate is not None)

codes = st.sampled_from(PAYABLE)
amounts_minor = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
money = st.builds(Money.of, amounts_minor, codes)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
instants = st.integers(-(10**17), 10**17).map(Instant)
ordinals = st.integers(1, 10**6)
details = st.dictionaries(texts, texts, max_size=3)
postings = st.builds(Posting, texts, codes, amounts_minor)

outcomes = st.one_of(
    st.builds(Approved, st.none() | money, texts, texts, texts, details),
    st.builds(Declined, st.sampled_from(DeclineCode), texts, texts, texts),
    st.builds(Pending, texts, texts),
    st.builds(Unsent, texts, st.sampled_from(Cause)),
)


@st.composite
def requests(draw):
    """Any request as the journal has it: merchant and bridge stand in a payment's first one."""
    ordinal = draw(ordinals)
    amount = draw(st.none() | money)
    return Requested(
        ordinal=ordinal,
        at=draw(instants),
        verb=draw(st.sampled_from(Verb)),
        key=IdempotencyKey(draw(texts), draw(texts)),
        merchant=draw(texts) if ordinal == 1 else "",
        bridge=draw(texts) if ordinal == 1 else "",
        amount=amount,
        tender=draw(money | st.just(amount)) if amount else None,
        target=draw(st.none() | ordinals),
        view=draw(st.none() | st.builds(InstrumentView, texts, texts, texts, texts, texts)),
        reference=draw(texts),
        details=draw(details),
        partial_ok=draw(st.booleans()),
        final_capture=draw(st.booleans()),
    )


facts = st.one_of(
    requests(),
    st.builds(Dispatched, ordinals, instants),
    st.builds(Settled, ordinals, instants, outcomes, st.lists(postings, max_size=4).map(tuple)),
    st.builds(Noted, ordinals, instants, st.sampled_from(Topic), texts),
)
