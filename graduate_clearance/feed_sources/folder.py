"""Files in a folder that the server allows.

Every step of the way is opened relative to the one before and without following symbolic links, so that nothing
outside an allowed folder can be reached, not even when the folder changes while it is read.
"""

import contextlib
import datetime
import fnmatch
import hashlib
import os
import stat
import time
from typing import NamedTuple

from odoo.exceptions import UserError

from .. import table_file
from . import settings

#: younger files may still be being written
SETTLED_SECONDS = 30
#: more files are not looked at
_MOST_FILES = 5_000
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")


class Found(NamedTuple):
    """A file that is there: its name, size (bytes) and time of change (nanoseconds)."""

    name: str
    size: int
    changed: int

    @property
    def label(self):
        """Its name for people: one that is not in UTF-8 is read as GB18030, what nothing prints is replaced."""
        name = self.name
        if any("\udc80" <= char <= "\udcff" for char in name):
            name = os.fsencode(name).decode("gb18030", "replace")
        return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)

    @property
    def as_of(self):
        """When it was written, in UTC; never later than now."""
        seconds = min(self.changed / 1e9, time.time())
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


def check_path(env, path):
    """Refuse what is not a plain path below an allowed folder.

    :return: list of the names on the way
    """
    parts = (path or "").strip().split("/")
    # "a/" and "a//b" are spellings of plain paths; a leading slash is not.
    plain = [part for part in parts if part]
    if (path or "").strip().startswith("/") or any(
        part in (".", "..") or "\\" in part or not part.isprintable() for part in plain
    ):
        raise UserError(
            env._("The folder is given relative to an allowed one, such as “library/export”, and holds no “..”.")
        )
    return plain


def check_pattern(env, pattern):
    """Refuse what is not a pattern of file names."""
    pattern = (pattern or "").strip()
    if not pattern or "/" in pattern or "\\" in pattern or not pattern.isprintable():
        raise UserError(env._("Which files to read is said by a pattern of their names, such as “books*.csv”."))
    return pattern


def list_files(env, path, pattern):
    """The files that can be read now, oldest first.

    Left out: what does not fit the pattern, hidden and unfinished files, links, devices, and files that changed
    within the last half minute, which may still be being written.

    :return: list of :class:`Found`
    :raise UserError: when the folder is not allowed or cannot be read
    """
    pattern = check_pattern(env, pattern).lower()
    newest = time.time() - SETTLED_SECONDS
    found = []
    with _open_folder(env, path) as folder, os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= _MOST_FILES:
                raise UserError(env._("The folder holds more than %s files. Clear it out.", f"{_MOST_FILES:,}"))
            name = Found(entry.name, 0, 0).label
            if not fnmatch.fnmatchcase(name.lower(), pattern) or not _is_wanted(name):
                continue
            with contextlib.suppress(OSError):  # gone meanwhile
                status = entry.stat(follow_symlinks=False)
                # A time ahead of our clock is a wrong clock, not a file in the making.
                if stat.S_ISREG(status.st_mode) and not newest < status.st_mtime <= time.time():
                    found.append(Found(entry.name, status.st_size, status.st_mtime_ns))
    return sorted(found, key=lambda file: (file.changed, file.name))


def read_file(env, path, file):
    """The content of a file, and its fingerprint.

    :param Found file: from :func:`list_files`
    :return: pair of bytes and the hexadecimal SHA-256 of content and time
    :raise UserError: when it cannot be read, is too large, or changed while it was read
    """
    name = file.label
    with _open_folder(env, path) as folder:
        try:
            # O_NONBLOCK: a pipe put in its place must not keep us waiting.
            handle = os.open(file.name, _FLAGS | os.O_NONBLOCK, dir_fd=folder)
        except OSError:
            raise UserError(env._("%s cannot be opened. Check who may read it.", name)) from None
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise UserError(env._("%s is no ordinary file. It is not read.", name))
            if before.st_size > table_file.MOST_BYTES:
                limit = table_file.MOST_BYTES // 1024**2
                raise UserError(env._("%(file)s is larger than %(limit)s MB.", file=name, limit=limit))
            with open(handle, "rb", closefd=False) as stream:
                content = stream.read(table_file.MOST_BYTES + 1)
            after = os.fstat(handle)
        except OSError:
            raise UserError(env._("%s cannot be read.", name)) from None
        finally:
            os.close(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or after.st_mtime_ns != file.changed:
        raise UserError(env._("%s is still being written. It is read next time.", name))
    digest = hashlib.sha256(content)
    digest.update(str(file.changed).encode())
    return content, digest.hexdigest()


def _is_wanted(name):
    lower = name.lower()
    return lower.endswith(_ENDINGS) and not lower.startswith((".", "~$")) and not lower.endswith(_UNFINISHED)


@contextlib.contextmanager
def _open_folder(env, path):
    """A descriptor of the folder, reached step by step from the first allowed folder that has it."""
    parts = check_path(env, path)
    roots = [root for root in settings.get_list(env, "feed_folders") if os.path.isabs(root)]
    if not roots:
        raise UserError(
            env._("The server allows no folder yet (“feed_folders”). Ask the server's administrator to set it.")
        )
    for root in roots:
        handle = _walk(root, parts)
        if handle is not None:
            try:
                yield handle
            finally:
                os.close(handle)
            return
    raise UserError(
        env._("There is no such folder below those that the server allows, it is a link, or it may not be read.")
    )


def _walk(root, parts):
    """Open a folder below ``root``; None when it is not there, is a link or may not be read."""
    try:
        # The root itself is the server's word; it may be a link.
        handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        return None
    for part in parts:
        try:
            following = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=handle)
        except OSError:
            return None
        finally:
            os.close(handle)
        handle = following
    return handle
