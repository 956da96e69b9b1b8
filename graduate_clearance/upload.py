"""Files as people send them: what they are, told by their content, and a name that is safe.

Neither the name nor the type that a browser announces is looked at to decide what a
file is.  Only the kinds named here get in; none of them runs anything when it is shown
in a page, and all but :data:`SHOWN` are handed out as downloads.
"""

import io
import re
import unicodedata
import zipfile

from PIL import Image

from odoo.tools.mimetypes import guess_mimetype

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
HEIC = "image/heic"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

PICTURES = (JPEG, PNG, WEBP, HEIC)
#: shown within a page; every browser knows them, and none runs anything
SHOWN = (JPEG, PNG, WEBP)

#: how a name ends, the usual way first
_ENDINGS = {
    PDF: ("pdf",),
    JPEG: ("jpg", "jpeg", "jpe", "jfif"),
    PNG: ("png",),
    WEBP: ("webp",),
    HEIC: ("heic", "heif"),
    WORD: ("docx",),
    EXCEL: ("xlsx",),
}
#: Pillow's names; MPO is what some phones make of a JPEG
_PICTURE_FORMATS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",)}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}
#: a general container: heic only where it says so further on
_HEIC_CONTAINERS = {b"mif1", b"msf1"}

#: more parts, or more when unpacked, than any form has
_MOST_PARTS = 2_000
_MOST_UNPACKED = 200 * 1024 * 1024
#: binary parts that Word and Excel write without macros being in them
_PLAIN_BINARY = re.compile(r"(^|/)printersettings\d*\.bin$")
_ACTIVE_PART = re.compile(r"\.(bin|exe|dll|js|vbs|hta|html?|svg|jar|swf)$|activex|vba|macrosheets|oleobject")

_LONGEST_NAME = 80
_FORBIDDEN = re.compile(r'[<>:"|?*\\/]+')


def read_mimetype(content):
    """What a file is, by its content.

    :param bytes content: the whole file
    :return: one of the kinds above; None for everything else, and for what is broken
    """
    if content.startswith(b"%PDF-"):
        return PDF if guess_mimetype(content) == PDF else None
    for mimetype, start in ((JPEG, b"\xff\xd8\xff"), (PNG, b"\x89PNG\r\n\x1a\n")):
        if content.startswith(start):
            return mimetype if _is_picture(content, mimetype) else None
    if _is_webp(content):
        return WEBP
    if _is_heic(content):
        return HEIC
    if content.startswith(b"PK\x03\x04"):
        return _read_office(content)
    return None


def _is_picture(content, mimetype):
    """Whether a picture opens; its pixels are not unpacked."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            # Pillow has refused what would unpack to an absurd size (DecompressionBombError).
            return picture.format in _PICTURE_FORMATS[mimetype]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _is_webp(content):
    """Whether this is a whole WebP picture; Odoo's Pillow does not open these."""
    return (
        content.startswith(b"RIFF")
        and content[8:12] == b"WEBP"
        and content[12:16] in (b"VP8 ", b"VP8L", b"VP8X")
        and 12 < int.from_bytes(content[4:8], "little") <= len(content) - 7
    )


def _is_heic(content):
    """Whether this is a picture as iPhones take it: the first box names what is inside."""
    if content[4:8] != b"ftyp":
        return False
    brands = {content[start : start + 4] for start in range(16, min(int.from_bytes(content[:4], "big"), 256), 4)}
    major = content[8:12]
    return major in _HEIC_BRANDS or (major in _HEIC_CONTAINERS and bool(brands & _HEIC_BRANDS))


def _read_office(content):
    """Word or Excel without macros, told by the archive's directory; nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, OSError, ValueError):
        return None
    names = [part.filename.lower() for part in parts]
    if (
        len(parts) > _MOST_PARTS
        or sum(part.file_size for part in parts) > _MOST_UNPACKED
        or any(part.flag_bits & 0x1 for part in parts)  # encrypted: nobody can look inside
        or any(".." in name or name.startswith("/") for name in names)
        or any(_ACTIVE_PART.search(name) and not _PLAIN_BINARY.search(name) for name in names)
        or "[content_types].xml" not in names
    ):
        return None
    if "word/document.xml" in names:
        return WORD
    return EXCEL if "xl/workbook.xml" in names else None


def bare_name(name):
    """A name without folders, control characters and marks that turn the direction of reading.

    :param str name: as the browser sent it
    :return: a name to show, which may be empty
    """
    text = re.split(r"[\\/]", unicodedata.normalize("NFC", name or ""))[-1]
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    return " ".join(_FORBIDDEN.sub(" ", text).split()).rstrip(". ")


def clean_name(name, mimetype):
    """A name that is safe to keep and to save under: as :func:`bare_name`, and not too long.

    It ends as files of its kind do, whatever it ended in before.

    :param str name: as the browser sent it
    :param str mimetype: one of the kinds above
    :return: a name of at most 85 characters
    """
    text = bare_name(name)
    stem, dot, ending = text.rpartition(".")
    endings = _ENDINGS[mimetype]
    if dot and ending.lower() in endings:
        ending = ending.lower()
    else:
        # "form.pdf.exe" becomes "form.pdf"; "of 1. June" keeps its words.
        if not dot or not re.fullmatch(r"\w{1,5}", ending):
            stem = text
        ending = endings[0]
    for usual in endings:
        stem = stem.removesuffix(f".{usual}")
    stem = stem[:_LONGEST_NAME].strip(". ")
    return f"{stem or 'file'}.{ending}"
