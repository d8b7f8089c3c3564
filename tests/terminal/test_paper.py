"""Receipts on paper, read back: the QR codes by a scanner, the letters by looking for them."""

import io
import subprocess
import sys

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from tollbridge.ground.errors import ConfigError
from tollbridge.terminal import paper as module
from tollbridge.terminal.paper import (
    Paper,
    as_escpos,
    as_pdf,
    as_png,
    as_svg,
    as_text,
    code,
    strokes,
)

REFERENCE = "ABCDEFGH12"
TEXT = "Händlerbeleg ä é ñ è ù ç Ç ß\nTotal:              11,91 EUR €"
SIGNATURE = "M20 80L60 20 100 80 140 20C160 0 200 100 280 50"
PAPER = Paper(text=TEXT, copy="merchant", reference=REFERENCE)


def scanned(image):
    found = zxingcpp.read_barcodes(image)
    assert len(found) == 1
    return found[0]


def picture(rows):
    """Make a picture of modules, each of 4 by 4 pixels."""
    image = Image.new("L", (len(rows[0]), len(rows)), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            image.putpixel((x, y), 0 if dark else 255)
    return image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)


def rendered(pdf):
    return pypdfium2.PdfDocument(pdf)[0].render(scale=3).to_pil().convert("L")


def of_blocks(text):
    """Read half blocks as modules again."""
    lines = [line for line in text.split("\n") if set(line) & set("▀▄█") or not line.strip()]
    width = max(len(line) for line in lines)
    rows = []
    for line in lines:
        padded = line.ljust(width)
        rows += [[letter in "▀█" for letter in padded], [letter in "▄█" for letter in padded]]
    return rows


# The QR code


@pytest.mark.req("P-067", "P-068", "P-069", "P-070")
@pytest.mark.parametrize(
    ("reference", "version"), [(REFERENCE, "1"), ("A1B2C3D4E5F", "2"), ("x" * 100, "10")]
)
def test_the_code_is_the_reference_alone_at_level_h_and_no_larger_than_needed(reference, version):
    rows = [bytes(row) for row in code(reference).matrix_iter(border=4)]
    found = scanned(picture(rows))
    assert found.text == reference
    assert found.bytes == reference.encode()
    assert found.ec_level == "H"
    assert found.extra["Version"] == version


@pytest.mark.req("P-067")
def test_a_reference_of_ten_letters_and_digits_is_written_in_alphanumeric_mode():
    assert code(REFERENCE).mode == "alphanumeric"
    assert code(REFERENCE).designator == "1-H"


@pytest.mark.req("P-066")
def test_the_drawn_text_can_be_scanned():
    drawn = as_text(PAPER)
    assert drawn.startswith(TEXT + "\n")
    assert max(len(line) for line in drawn.split("\n")) <= 32
    assert scanned(picture(of_blocks(drawn.removeprefix(TEXT)))).text == REFERENCE


@pytest.mark.req("P-066")
def test_every_drawing_of_the_paper_can_be_scanned():
    png = Image.open(io.BytesIO(as_png(PAPER)))
    for image in (png, rendered(as_pdf(PAPER))):
        found = scanned(image)
        assert found.text == REFERENCE
        assert found.ec_level == "H"


@pytest.mark.req("P-066", "P-068", "P-070")
def test_a_printer_draws_the_code_itself():
    # GS ( k, functions 65, 67, 69, 80, 81: model 2, size, level H, the data, print.
    written = as_escpos(PAPER)
    data = REFERENCE.encode()
    assert b"\x1d(k\x04\x001A2\x00" in written
    assert b"\x1d(k\x03\x001E3" in written
    assert b"\x1d(k" + bytes([len(data) + 3, 0]) + b"1P0" + data in written
    assert written.index(b"1P0") < written.index(b"\x1d(k\x03\x001Q0")


def test_the_svg_is_one_element_that_fits_its_place():
    drawn = as_svg(REFERENCE)
    assert drawn.startswith('<svg viewBox="0 0 29 29"')
    assert "<?xml" not in drawn
    assert "width=" not in drawn.partition(">")[0].replace("stroke-width=", "")


def test_without_a_reference_there_is_no_code():
    bare = Paper(text=TEXT)
    assert as_text(bare) == TEXT + "\n"
    assert zxingcpp.read_barcodes(Image.open(io.BytesIO(as_png(bare)))) == []
    assert zxingcpp.read_barcodes(rendered(as_pdf(bare))) == []
    assert b"\x1d(k" not in as_escpos(bare)


# The text


def test_the_font_has_every_letter_and_all_of_one_width():
    font = ImageFont.truetype(str(module._font()), module.FONT_DOTS)
    missing = bytes(font.getmask("\ufffe"))
    for letter in set("äöüßÄÖÜéèêëàâçîïôûùÉÈÀÇñÑ¿¡áíóúìòŒœÆæ€£°'’·«»" + TEXT) - {"\n", " "}:
        assert bytes(font.getmask(letter)) != missing, letter
        assert font.getlength(letter) == font.getlength("m"), letter
    assert round(font.getlength("m" * 32)) == 32 * module.CHARACTER_DOTS


def test_a_pdf_is_a_page_of_the_papers_width_with_text_in_it():
    for columns, width_mm in ((20, 58), (32, 58), (33, 80), (48, 80)):
        page = pypdfium2.PdfDocument(as_pdf(Paper(text="m" * columns)))[0]
        assert page.get_width() / 72 * 25.4 == pytest.approx(width_mm, abs=0.01)
    document = pypdfium2.PdfDocument(as_pdf(PAPER))
    assert len(document) == 1
    said = document[0].get_textpage().get_text_range()
    assert "Händlerbeleg ä é ñ è ù ç Ç ß" in said
    assert "11,91 EUR €" in said
    long = pypdfium2.PdfDocument(as_pdf(Paper(text="\n".join("line" for _ in range(400)))))
    assert len(long) == 1
    assert long[0].get_height() > 400 * 3 / 25.4 * 72


def test_a_picture_is_as_wide_as_the_paper():
    for columns, width_mm in ((32, 58), (48, 80)):
        image = Image.open(io.BytesIO(as_png(Paper(text="m" * columns), scale=1)))
        assert image.width == width_mm * module.DOTS_PER_MM


def test_accents_are_in_the_printers_code_page():
    written = as_escpos(PAPER)
    assert written.startswith(b"\x1b@")
    assert b"\x1bt\x13" in written, "code page 19 is CP858"
    assert "Händlerbeleg ä é ñ".encode("cp858") in written
    assert "€".encode("cp858") in written
    assert written.endswith(b"\x1dV\x00"), "cut"
    polish = as_escpos(Paper(text="Łódź ä"))
    assert b"?" not in polish
    assert "ó".encode("cp858") in polish or polish.count(b"\x1bt") > 1


# The signature


def test_a_signature_is_drawn_on_the_merchants_copy_only():
    def ink(paper):
        counts = Image.open(io.BytesIO(as_png(paper))).histogram()
        return sum(counts[:128])

    signed = Paper(text=TEXT, copy="merchant", signature=SIGNATURE)
    theirs = Paper(text=TEXT, copy="client", signature=SIGNATURE)
    bare = Paper(text=TEXT, copy="client")
    assert ink(signed) > ink(bare) + 1000
    assert as_png(theirs) == as_png(bare)
    tall = pypdfium2.PdfDocument(as_pdf(signed))[0].get_height()
    short = pypdfium2.PdfDocument(as_pdf(theirs))[0].get_height()
    assert tall - short == pytest.approx(100 / module.DOTS_PER_MM / 25.4 * 72, abs=0.1)
    assert b"\x1dv0\x00\x26\x00\x64\x00" in as_escpos(signed), "a raster of 38 bytes by 100 lines"
    assert b"\x1dv0" not in as_escpos(theirs)


def test_a_path_is_read_as_svg_does():
    assert strokes("M1 2L3 4l1,1H10v-5") == [[(1, 2), (3, 4), (4, 5), (10, 5), (10, 0)]]
    assert strokes("m1 2 3 4 5 6") == [[(1, 2), (4, 6), (9, 12)]]
    assert strokes("M0 0L5 5M7 7L8 8Z") == [[(0, 0), (5, 5)], [(7, 7), (8, 8), (7, 7)]]
    curve = strokes("M0 0Q50 100 100 0")[0]
    assert curve[0] == (0, 0)
    assert curve[4] == (50, 50)
    assert curve[-1] == (100, 0)
    assert strokes("M0 0c0 0 10 10 20 20")[0][-1] == (20, 20)


def test_what_leads_out_of_the_box_is_left_out():
    assert strokes("M10 10L400 50L20 20L30 30") == [[(20, 20), (30, 30)]]
    assert strokes("") == strokes("no path") == strokes("M1 1") == []


@given(st.text(alphabet="MLHVQCZmlhvqcz0123456789.-, x", max_size=200))
def test_any_text_is_a_path_inside_the_box(path):
    for line in strokes(path):
        assert len(line) > 1
        assert all(0 <= x <= 300 and 0 <= y <= 100 for x, y in line)


# What it needs


@pytest.mark.parametrize("draw", [as_png, as_pdf, as_escpos])
def test_what_is_not_installed_is_named(draw, monkeypatch):
    for name in ("PIL", "fpdf", "escpos"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"tollbridge\[terminal\]"):
        draw(PAPER)
    assert as_text(PAPER)
    assert as_svg(REFERENCE)


def test_importing_it_imports_nothing_of_the_extra():
    lines = "import sys, tollbridge.terminal.paper, tollbridge.terminal.printers\n"
    lines += "print([n for n in ('PIL', 'fpdf', 'escpos', 'barcode') if n in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_printing_sets_up_no_logging_behind_our_back():
    lines = "import logging\nfrom tollbridge.terminal.paper import *\n"
    lines += "as_escpos(Paper(text='x'))\nprint(logging.getLogger().handlers)"
    found = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_printing_says_nothing_on_the_console(capsys):
    as_escpos(Paper(text=TEXT, copy="merchant", reference=REFERENCE, signature=SIGNATURE))
    said = capsys.readouterr()
    assert said.out == said.err == ""
