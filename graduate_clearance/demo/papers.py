"""Invented papers: blank forms to fill in, and what a phone makes of them once they are signed."""

import io

from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A5
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

#: a font that every reader of PDF brings along
_FONT = "STSong-Light"
_LINES = 6


def make_form(university, title):
    """Make a blank form.

    :param Text university: whose form it is
    :param Text title: what it is called
    :return: a PDF, as bytes; always the same
    """
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    width, height = A5
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A5, invariant=1)
    canvas.setTitle(title.en)
    for size, offset, text in ((11, 50, university.zh), (16, 75, title.zh), (11, 95, title.en)):
        canvas.setFont(_FONT, size)
        canvas.drawCentredString(width / 2, height - offset, text)
    canvas.setFont(_FONT, 11)
    for number, label in enumerate(("姓名 Name", "学号 Student number", "日期 Date", "签名 Signature")):
        top = height - 150 - 45 * number
        canvas.drawString(50, top, label)
        canvas.line(190, top - 3, width - 50, top - 3)
    canvas.setFont(_FONT, 8)
    canvas.drawCentredString(width / 2, 30, "演示用，不具效力 · For demonstration only")
    canvas.save()
    return file.getvalue()


def make_photo(rng):
    """Make a photo of a signed paper: grey lines, and a scribble where the signature goes.

    :param rng: the source of chance that draws the scribble
    :return: a PNG, as bytes
    """
    image = Image.new("L", (420, 594), 250)
    draw = ImageDraw.Draw(image)
    draw.rectangle((110, 50, 310, 66), fill=90)
    for number in range(_LINES):
        top = 120 + 40 * number
        draw.line((50, top, rng.randint(250, 370), top), fill=150, width=5)
    draw.line((220, 480, 380, 480), fill=120, width=2)
    points = [(225 + 9 * step, 470 - rng.randint(0, 45)) for step in range(16)]
    draw.line(points, fill=20, width=3, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def make_room_photo(rng):
    """Make a picture of a cleared room: a floor, a wall, a window.

    :param rng: the source of chance that places the window
    :return: a JPEG, as bytes
    """
    image = Image.new("RGB", (480, 320), (232, 228, 215))
    draw = ImageDraw.Draw(image)
    draw.polygon(((0, 320), (90, 220), (390, 220), (480, 320)), fill=(176, 150, 120))
    left = rng.randint(130, 240)
    draw.rectangle((left, 60, left + 110, 160), fill=(190, 215, 235), outline=(120, 110, 100), width=6)
    draw.line((left + 55, 60, left + 55, 160), fill=(120, 110, 100), width=4)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return file.getvalue()
