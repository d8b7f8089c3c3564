"""Pictures for challenges, as SVG in data URLs, each with a question and the same in words.

A picture follows from its seed, which nobody but the device can make, so it is drawn again instead
of being kept. Letters a person shall read out of a picture are drawn as strokes, not written.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

WIDTH, HEIGHT, EMBLEM_HEIGHT = 320, 160, 68
COLOURS = {
    "blue": "#1f5fa8", "red": "#b3261e", "green": "#1c7c3c", "purple": "#6b3fa0",
    "orange": "#b85c00", "teal": "#00707a", "brown": "#7a4b2b", "black": "#222222",
    "pink": "#b0316f", "grey": "#5f6368",
}  # fmt: skip
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve")  # fmt: skip
SHAPES = ("circles", "squares", "triangles")
TYPED = 5
# Each digit as strokes over a grid of 2 by 4.
_STROKES = {
    "0": "00 20 24 04 00", "1": "01 10 14", "2": "00 20 22 02 04 24", "3": "00 20 24 04|02 22",
    "4": "00 02 22|20 24", "5": "20 00 02 22 24 04", "6": "20 00 04 24 22 02", "7": "00 20 14",
    "8": "00 20 24 04 00|02 22", "9": "22 02 00 20 24 04",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its address, the question below it, the same in words, and the right answer."""

    url: str
    question: str
    alt: str
    answer: str


class _Dice:
    """Numbers that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._bytes = self._stream(seed)

    @staticmethod
    def _stream(seed: str) -> Iterator[int]:
        block = 0
        while True:
            yield from hashlib.sha256(f"{seed}/{block}".encode()).digest()
            block += 1

    def below(self, most: int) -> int:
        """Draw from 0 to most - 1; `most` is small, so that the bias is."""
        return (next(self._bytes) << 16 | next(self._bytes) << 8 | next(self._bytes)) % most


def count(seed: str) -> Picture:
    """Draw shapes of which one kind is to be counted."""
    dice = _Dice(seed)
    wanted = SHAPES[dice.below(len(SHAPES))]
    many = 3 + dice.below(5)
    kinds = [wanted] * many
    for shape in SHAPES:
        if shape != wanted:
            kinds += [shape] * (2 + dice.below(4))
    places = [(x, y) for y in range(20, HEIGHT, 40) for x in range(20, WIDTH, 40)]
    drawn = []
    for shape in kinds:
        x, y = places.pop(dice.below(len(places)))
        x, y, size = x - 6 + dice.below(13), y - 6 + dice.below(13), 9 + dice.below(5)
        colour = list(COLOURS.values())[dice.below(len(COLOURS))]
        drawn.append(f'<path d="{_shape(shape, x, y, size)}" fill="{colour}"/>')
    # Who reads the file shall not learn more from the order than who sees the picture.
    order = [drawn.pop(dice.below(len(drawn))) for _ in range(len(drawn))]
    less = 1 + dice.below(many - 1)
    alt = f"In words instead: what is {WORDS[less]} and {WORDS[many - less]} together? In digits."
    return Picture(_url(order), f"How many {wanted} are in the picture?", alt, str(many))


def digits(seed: str) -> Picture:
    """Draw digits that are to be typed."""
    dice = _Dice(seed)
    answer = "".join(str(dice.below(10)) for _ in range(TYPED))
    drawn = _noise(dice) + _written(answer, dice, 40, 45, 16)
    return Picture(_url(drawn), "Which digits are in the picture?", _spelled(answer), answer)


def mark(seed: str, word: str, seller: str, amount: str) -> Picture:
    """Draw the customer's own mark, over it what is to be paid to whom, and digits to confirm."""
    dice = _Dice(seed)
    answer = "".join(str(dice.below(10)) for _ in range(TYPED))
    drawn = [
        *_emblem(word),
        _line(amount, 78, 26, "#111"),
        _line(seller[:40], 98, 14, "#111"),
        *_written(answer, dice, 70, 112, 9),
    ]
    alt = f"Your mark is {_word(word)}. {amount} to {seller}. {_spelled(answer)}"
    question = f"Is this your mark? To pay {amount} to {seller}, type the digits under it."
    return Picture(_url(drawn), question, alt, answer)


def emblem(word: str) -> str:
    """Draw the customer's mark alone, for the provider's own page."""
    return _url(_emblem(word), EMBLEM_HEIGHT)


def _emblem(mark_: str) -> list[str]:
    """Draw a mark, a word and a colour: the word, and a pattern that follows from it."""
    word, colour = _word(mark_), _colour(mark_)
    dice = _Dice(f"emblem/{word}")
    drawn = []
    for _ in range(9):
        x, y, size = 15 + dice.below(290), 12 + dice.below(40), 5 + dice.below(9)
        shape = SHAPES[dice.below(len(SHAPES))]
        drawn.append(f'<path d="{_shape(shape, x, y, size)}" fill="{colour}" opacity=".35"/>')
    return [*drawn, _line(word[:24], 42, 30, colour)]


def _line(text: str, y: int, size: int, colour: str) -> str:
    fixed = f'x="160" y="{y}" font-size="{size}" font-weight="700" text-anchor="middle"'
    return f'<text {fixed} fill="{colour}">{escape(text)}</text>'


def _word(mark_: str) -> str:
    head, _, tail = mark_.rpartition(" ")
    return head if head and tail in COLOURS else mark_


def _colour(mark_: str) -> str:
    return COLOURS.get(mark_.rpartition(" ")[2], COLOURS["blue"])


def _spelled(answer: str) -> str:
    spoken = ", ".join(WORDS[int(digit)] for digit in answer)
    return f"In words instead: type these digits: {spoken}."


def _shape(shape: str, x: int, y: int, size: int) -> str:
    match shape:
        case "circles":
            bent = f"a{size} {size} 0 1 0 "
            return f"M{x - size} {y}{bent}{2 * size} 0{bent}{-2 * size} 0z"
        case "squares":
            return f"M{x - size} {y - size}h{2 * size}v{2 * size}h{-2 * size}z"
        case _:
            return f"M{x} {y - size}l{size} {2 * size}h{-2 * size}z"


def _written(text: str, dice: _Dice, left: int, top: int, unit: int) -> list[str]:
    """Draw digits as strokes, none exactly like another."""
    paths = []
    for place, digit in enumerate(text):
        x, y = left + place * unit * 3 + dice.below(unit), top + dice.below(unit)
        lean = dice.below(7) - 3
        lines = []
        for stroke in _STROKES[digit].split("|"):
            points = [
                f"{x + int(point[0]) * unit + lean * (4 - int(point[1])) // 3 + dice.below(3)} "
                f"{y + int(point[1]) * unit + dice.below(3)}"
                for point in stroke.split()
            ]
            lines.append("M" + "L".join(points))
        paths.append(
            f'<path d="{"".join(lines)}" fill="none" stroke="#1d2b3a" '
            f'stroke-width="{2 + dice.below(2)}" stroke-linecap="round"/>'
        )
    return paths


def _noise(dice: _Dice) -> list[str]:
    lines = []
    for _ in range(5):
        ends = f"M0 {dice.below(HEIGHT)}L{WIDTH} {dice.below(HEIGHT)}"
        lines.append(f'<path d="{ends}" stroke="#8aa" stroke-width="1" fill="none"/>')
    return lines


def _url(drawn: list[str], height: int = HEIGHT) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif">'
        f'<rect width="{WIDTH}" height="{height}" fill="#f4f6f8"/>{"".join(drawn)}</svg>'
    )
    return "data:image/svg+xml," + quote(svg, safe=" =:/;,.()'")
