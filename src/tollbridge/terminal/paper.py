"""Receipts on paper: a text and the QR code of its paymentSolutionReference (WPI 3).

Text and SVG work everywhere; pictures, PDF and printers need `tollbridge[terminal]`, and are
imported when they are used. Sizes follow thermal printers: 8 dots per millimetre, characters of 12
by 24 dots, 32 of them on paper of 58 mm and 48 on paper of 80 mm.
"""

import importlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import segno

from tollbridge.ground.errors import ConfigError

DOTS_PER_MM = 8
DPI = DOTS_PER_MM * 25.4
CHARACTER_DOTS, LINE_DOTS = 12, 24
FONT_DOTS = 19.93  # DejaVu Sans Mono is 0.602 em wide: 12 dots
MODULE_DOTS = 6
NARROW_COLUMNS, WIDE_COLUMNS = 32, 48
NARROW_MARGIN_DOTS, WIDE_MARGIN_DOTS = 40, 32  # what a printer cannot reach
QUIET_MODULES = 4  # ISO/IEC 18004: the quiet zone of a QR code

BOX = (300, 100)
STROKE_DOTS = 3
PATH_LETTERS_MAX = 100_000
CURVE_STEPS = 8

CODE_PAGE = "CP858"  # Western European with the euro sign

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One copy of a receipt. `copy` is "merchant" or "client".

    `reference` is its paymentSolutionReference ("" leaves the QR code out), `signature` an SVG path
    in a box of 300 by 100, drawn on the merchant's copy.
    """

    text: str
    copy: str = ""
    reference: str = ""
    signature: str = ""

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @property
    def columns(self) -> int:
        """How many characters are on a line: 32 or 48, more where the text is wider."""
        longest = max(len(line) for line in self.lines)
        return next((n for n in (NARROW_COLUMNS, WIDE_COLUMNS) if longest <= n), longest)

    @property
    def strokes(self) -> list[Points]:
        """The signature as lines, where this copy has one."""
        return strokes(self.signature) if self.signature and self.copy == "merchant" else []


@lru_cache(maxsize=256)
def code(reference: str) -> segno.QRCode:
    """Make the QR code: the reference alone, error correction level H, as small as it gets."""
    return segno.make_qr(reference, error="h", boost_error=False)


def as_text(paper: Paper) -> str:
    """Draw the paper with characters, its QR code in half blocks, ink being dark."""
    if not paper.reference:
        return paper.text + "\n"
    rows = _rows(paper.reference)
    rows += [bytes(len(rows[0]))] * (len(rows) % 2)
    drawn = [
        "".join([" ▀▄█"[bool(upper) + 2 * bool(lower)] for upper, lower in zip(*pair, strict=True)])
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
    return "\n".join([*paper.lines, *(line.center(paper.columns).rstrip() for line in drawn), ""])


def as_svg(reference: str) -> str:
    """Draw the QR code alone, as an SVG element that takes the size of its place."""
    drawn: str = code(reference).svg_inline(
        border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True
    )
    return drawn


def as_png(paper: Paper, scale: int = 2) -> bytes:
    """Draw the paper as a picture, `scale` pixels for a dot."""
    _need("PIL", "barcode")
    from PIL import Image, ImageDraw, ImageFont

    plan = _planned(paper)
    image = Image.new("L", (plan.width * scale, plan.height * scale), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(BytesIO(_font().read_bytes()), FONT_DOTS * scale)
    for x, y, line in plan.lines:
        draw.text((x * scale, y * scale), line, font=font, fill=0)
    for points in plan.strokes:
        inked = [(x * scale, y * scale) for x, y in points]
        draw.line(inked, fill=0, width=STROKE_DOTS * scale, joint="curve")
    for x, y, wide, high in plan.boxes:
        corner = (x + wide) * scale - 1, (y + high) * scale - 1
        draw.rectangle((x * scale, y * scale, *corner), fill=0)
    made = BytesIO()
    image.save(made, "PNG", dpi=(DPI * scale, DPI * scale))
    return made.getvalue()


def as_pdf(paper: Paper) -> bytes:
    """Draw the paper as a page of its length, 58 or 80 mm wide (or as wide as the text)."""
    _need("fpdf", "barcode")
    from fpdf import FPDF

    plan, mm = _planned(paper), 1 / DOTS_PER_MM
    made = FPDF(unit="mm", format=(plan.width * mm, plan.height * mm))
    made.set_auto_page_break(auto=False)
    made.add_page()
    made.add_font("receipt", fname=_font())
    made.set_font("receipt", size=FONT_DOTS * 72 / DPI)
    made.set_line_width(STROKE_DOTS * mm)
    for x, y, line in plan.lines:
        made.text(x * mm, (y + FONT_DOTS) * mm, line)
    for points in plan.strokes:
        made.polyline([(px * mm, py * mm) for px, py in points])
    for x, y, wide, high in plan.boxes:
        made.rect(x * mm, y * mm, wide * mm, high * mm, style="F")
    return bytes(made.output())


def as_escpos(paper: Paper) -> bytes:
    """Write the paper in the language of receipt printers; the printer draws the QR code itself."""
    Dummy, QR_ECLEVEL_H = _escpos()  # noqa: N806 - a class and a constant
    made = Dummy()
    made.hw("INIT")
    western = paper.text.encode("cp858", "replace").decode("cp858") == paper.text
    made.charcode(CODE_PAGE if western else "AUTO")
    made.text(paper.text + "\n")
    made.set(align="center")
    above: bytes = made.output
    made.clear()
    if paper.reference:
        made.qr(paper.reference, ec=QR_ECLEVEL_H, size=MODULE_DOTS, native=True)
    made.set(align="left")
    made.cut()
    below: bytes = made.output
    return above + (_raster(paper.strokes) if paper.strokes else b"") + below


def strokes(path: str) -> list[Points]:
    """Read an SVG path as lines inside the box; curves become a few straight ones.

    What is no path, or leads out of the box, is left out: a signature comes from a browser.
    """
    found: list[Points] = []
    pen = _Pen(found)
    for command, numbers in _commands(path[:PATH_LETTERS_MAX]):
        pen.draw(command, numbers)
    return [line for line in found if len(line) > 1]


class _Pen:
    """Draws the commands of a path; `lines` grow."""

    def __init__(self, lines: list[Points]) -> None:
        self._lines = lines
        self._x = self._y = 0.0
        self._start = (0.0, 0.0)

    def draw(self, command: str, numbers: Sequence[float]) -> None:
        """Draw one command with its numbers, as many sets of them as there are."""
        kind, step = command.upper(), _NUMBERS[command.upper()]
        if kind == "Z":
            self._to(*self._start)
            return
        for place in range(0, len(numbers) - step + 1, step):
            # A moved pen draws lines from then on (SVG 1.1, 8.3.2).
            self._one(kind if kind != "M" or not place else "L", command.islower(),
                      numbers[place : place + step])  # fmt: skip

    def _one(self, kind: str, relative: bool, numbers: Sequence[float]) -> None:  # noqa: FBT001
        x, y = (self._x, self._y) if relative else (0.0, 0.0)
        if kind == "H":
            self._to(x + numbers[0], self._y)
        elif kind == "V":
            self._to(self._x, y + numbers[0])
        elif kind in "ML":
            end = x + numbers[0], y + numbers[1]
            if kind == "M":
                self._lines.append([])
                self._start = end
            self._to(*end)
        else:
            corners = [
                (self._x, self._y),
                *((x + px, y + py) for px, py in zip(numbers[::2], numbers[1::2], strict=True)),
            ]
            for number in range(1, CURVE_STEPS + 1):
                self._to(*_on_curve(corners, number / CURVE_STEPS))

    def _to(self, x: float, y: float) -> None:
        self._x, self._y = x, y
        if not self._lines:
            self._lines.append([])
        if 0 <= x <= BOX[0] and 0 <= y <= BOX[1]:
            self._lines[-1].append((x, y))
        elif self._lines[-1]:
            self._lines.append([])


_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "C": 6, "Z": 0}
_TOKEN = re.compile(r"([MLHVQCZ])|([+-]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9}))", re.IGNORECASE)


def _commands(path: str) -> Iterator[tuple[str, list[float]]]:
    """Take a path apart: each letter with the numbers behind it."""
    command, numbers = "", list[float]()
    for letter, number in _TOKEN.findall(path):
        if letter:
            if command:
                yield command, numbers
            command, numbers = letter, []
        else:
            numbers.append(float(number))
    if command:
        yield command, numbers


def _on_curve(corners: Points, part: float) -> tuple[float, float]:
    """Find a point of a Bézier curve (de Casteljau)."""
    while len(corners) > 1:
        corners = [
            (x + (to_x - x) * part, y + (to_y - y) * part)
            for (x, y), (to_x, to_y) in pairwise(corners)
        ]
    return corners[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where everything is, in dots from the upper left: lines of text, strokes of a pen, black
    boxes with their width and height."""

    width: int
    height: int
    lines: list[tuple[int, int, str]]
    strokes: list[Points]
    boxes: list[tuple[int, int, int, int]]


def _planned(paper: Paper) -> _Plan:
    """Lay out the text, below it the signature, below that the QR code."""
    margin = NARROW_MARGIN_DOTS if paper.columns <= NARROW_COLUMNS else WIDE_MARGIN_DOTS
    width, y = paper.columns * CHARACTER_DOTS + 2 * margin, margin
    lines = [(margin, y + number * LINE_DOTS, line) for number, line in enumerate(paper.lines)]
    y += len(lines) * LINE_DOTS
    left, signed = (width - BOX[0]) // 2, paper.strokes
    inked = [[(left + px, y + py) for px, py in points] for points in signed]
    y += BOX[1] if signed else 0
    rows = _rows(paper.reference) if paper.reference else []
    left = (width - len(rows) * MODULE_DOTS) // 2
    boxes = [
        (left + place * MODULE_DOTS, y + number * MODULE_DOTS, count * MODULE_DOTS, MODULE_DOTS)
        for number, row in enumerate(rows)
        for place, count in _runs(row)
    ]
    y += len(rows) * MODULE_DOTS
    return _Plan(width=width, height=y + margin, lines=lines, strokes=inked, boxes=boxes)


def _rows(reference: str) -> list[bytes]:
    """Give the modules of the QR code and its quiet zone, 1 being dark."""
    return [bytes(row) for row in code(reference).matrix_iter(border=QUIET_MODULES)]


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Give the places where dark modules begin, and how many there are."""
    place = 0
    for dark in row.split(b"\0"):
        if dark:
            yield place, len(dark)
        place += len(dark) + 1


def _raster(lines: list[Points]) -> bytes:
    """Write a signature as a raster image (GS v 0); the library's own way prints to the console."""
    from PIL import Image, ImageDraw

    image = Image.new("1", BOX, 0)
    draw = ImageDraw.Draw(image)
    for points in lines:
        draw.line(points, fill=1, width=STROKE_DOTS, joint="curve")
    width, height = (BOX[0] + 7) // 8, BOX[1]
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"\x1dv0\0" + size + image.tobytes()


def _font() -> Path:
    """Find DejaVu Sans Mono: it has every letter we print, and comes with python-barcode."""
    return Path(str(resources.files("barcode") / "fonts" / "DejaVuSansMono.ttf"))


def _escpos() -> tuple[Any, int]:
    _need("escpos", "barcode")
    root = logging.getLogger()
    before = list(root.handlers)
    from escpos.constants import QR_ECLEVEL_H
    from escpos.printer import Dummy

    # It sets up logging for everybody (3.1), and past the mask.
    for handler in [each for each in root.handlers if each not in before]:
        root.removeHandler(handler)
    return Dummy, QR_ECLEVEL_H


def _need(*modules: str) -> None:
    """Raise ConfigError where something is not installed."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError([f'{name} is missing: pip install "tollbridge[terminal]"']) from error
