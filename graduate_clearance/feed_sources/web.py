"""Answers in JSON from addresses that the server allows.

What is allowed is scheme, host and port, compared as text; an address is taken apart by one strict pattern and the
request goes to what was compared.  Nothing is followed elsewhere: no redirects, no proxies of the environment, no
passwords out of ``.netrc``.
"""

import json
import re
import threading
from typing import NamedTuple

import requests

from odoo.exceptions import UserError

from ..table_file import MOST_ROWS
from . import settings

MOST_BYTES = 20 * 1024 * 1024
#: seconds without a word, and for the whole answer
SILENCE = 20
PATIENCE = 60
_CHUNK = 16 * 1024
_MOST_OBJECTS = 1_000_000
_MOST_COLUMNS = 200
_DEEPEST = 3
_PORTS = {"http": 80, "https": 443}
_ORIGIN = r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
#: without ASCII, “ı” and the sign of Kelvin would pass for letters of a host
_FLAGS = re.IGNORECASE | re.ASCII
_ALLOWED = re.compile(_ORIGIN + r"/?", _FLAGS)
#: visible ASCII without backslash and fragment: what differs between readers of addresses does not get in
_ADDRESS = re.compile(_ORIGIN + r"(?P<path>[/?][!\"$-\[\]-~]*)?", _FLAGS)
_SECRET_PARAMETER = re.compile(
    r"[?&;][^=&;]*(?:token|secret|passw|pwd|api[_-]?key|apikey|auth|signature|credential)[^=&;]*=", re.IGNORECASE
)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_OWN_HEADERS = {
    "accept-encoding", "connection", "content-length", "content-type", "cookie", "expect", "host", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
#: names under which sources say that there are more pages
_MORE = ("next", "next_page", "nextPage", "next_page_url", "nextLink", "@odata.nextLink")


class Address(NamedTuple):
    """An address taken apart: ``origin`` (scheme, host and port), and the path with its question."""

    origin: str
    path: str


class _Answer:
    """What a thread of its own has heard; ``problem`` is a word of :func:`_explain`."""

    def __init__(self):
        self.content = b""
        self.problem = None
        self.has_more = False
        self.given_up = False


def parse_address(env, url):
    """Take an address apart and refuse what is not a plain one.

    :return: :class:`Address`
    :raise UserError: saying what is wrong with it; the address itself is not repeated
    """
    url = (url or "").strip()
    if "@" in re.split(r"[/?#]", url.partition("://")[2])[0]:
        raise UserError(
            env._("The address holds a user or a password. Secrets stand in the server's configuration only.")
        )
    match = _ADDRESS.fullmatch(url)
    if not match or int(match["port"] or 1) not in range(1, 65_536):
        raise UserError(
            env._(
                "The address is not a plain one such as https://library.example.edu/owed.json: it begins with "
                "https:// and holds no blanks, backslashes, other scripts or #."
            )
        )
    if _SECRET_PARAMETER.search(match["path"] or ""):
        raise UserError(
            env._("The address seems to hold a secret. Secrets stand in the server's configuration and go in a header.")
        )
    return Address(_get_origin(match), match["path"] or "/")


def check_header(env, header):
    """Refuse a header that is none, or that is ours to set."""
    if not _HEADER.fullmatch(header or "") or header.lower() in _OWN_HEADERS or header.lower().startswith("proxy-"):
        raise UserError(env._("“%s” cannot be the header that carries the secret.", header))
    return header


def fetch(env, url, token_name=None, header="Authorization", tell_detail=False):
    """Ask an address and read its answer.

    :param str url: an address whose scheme, host and port are in the server's ``feed_hosts``
    :param str token_name: name of the secret to send (``feed_token_<name>``)
    :param str header: the header that carries it; in ``Authorization`` a bare token goes as ``Bearer``
    :param bool tell_detail: whether messages name the host: for those who may see the address
    :return: what the JSON holds
    :raise UserError: in plain words, without the address and without any secret
    """
    address = parse_address(env, url)
    allowed = {_get_origin(match) for match in map(_ALLOWED.fullmatch, settings.get_list(env, "feed_hosts")) if match}
    if address.origin not in allowed:
        said = env._("The server does not allow this address (“feed_hosts”). Ask the server's administrator.")
        if tell_detail:
            said = env._("%(problem)s It would have to name %(host)s.", problem=said, host=address.origin)
        raise UserError(said)
    headers = _make_headers(env, token_name, header, address.origin)
    verify = settings.get(env, "feed_ca_file") or True
    answer = _Answer()
    # A thread of its own: a source that sends a byte now and then would keep us for ever.
    thread = threading.Thread(
        target=_listen, args=(answer, address.origin + address.path, headers, verify), daemon=True, name="feed"
    )
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        answer.given_up = True
        raise UserError(_explain(env, "slow"))
    if answer.problem:
        raise UserError(_explain(env, answer.problem))
    return _parse(env, answer)


def get_rows(env, document, path):
    """The list of objects in a document, as a table.

    :param document: what JSON holds
    :param str path: names on the way to the list, such as ``data.items``; empty: the document is the list
    :return: pair of the list of columns and an iterator of lists of values; what is nested is named ``reader.number``
    :raise UserError: when the document has another shape
    """
    rows = document
    for name in filter(None, (path or "").strip().split(".")):
        if not isinstance(rows, dict) or name not in rows:
            raise UserError(
                env._("The answer has no “%(name)s” on the way to its list (%(path)s).", name=name, path=path)
            )
        if any(rows.get(more) for more in _MORE):
            raise UserError(_explain(env, "paged"))
        rows = rows[name]
    if not isinstance(rows, list):
        raise UserError(env._("The answer is not a list of rows. Name the way to the list, such as “data.items”."))
    if len(rows) > MOST_ROWS:
        raise UserError(env._("The answer has more than %s rows.", f"{MOST_ROWS:,}"))
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UserError(env._("Row %s of the answer is not an object with names and values.", number))
    columns = {}
    for row in rows:
        columns.update(dict.fromkeys(_flatten(row)))
        if len(columns) > _MOST_COLUMNS:
            raise UserError(env._("The answer has more than %s columns.", _MOST_COLUMNS))
    return list(columns), _iterate(rows, list(columns))


def _iterate(rows, columns):
    for row in rows:
        values = _flatten(row)
        yield [values.get(column) for column in columns]


def _flatten(row, prefix="", depth=1):
    """Values by name; those of nested objects by a name with dots. Lists say nothing here and are left out."""
    values = {}
    for name, value in row.items():
        if isinstance(value, dict):
            if depth < _DEEPEST:
                values.update(_flatten(value, f"{prefix}{name}.", depth + 1))
        elif not isinstance(value, list):
            values[f"{prefix}{name}"[:100]] = value
    return values


def _get_origin(match):
    scheme = match["scheme"].lower()
    return f"{scheme}://{match['host'].lower()}:{int(match['port'] or _PORTS[scheme])}"


def _make_headers(env, token_name, header, origin):
    headers = {
        "Accept": "application/json",
        # What is packed could unpack to anything.
        "Accept-Encoding": "identity",
        "User-Agent": "graduate-clearance",
    }
    if token_name:
        token = settings.get_secret(env, "token", token_name)
        bound = settings.get(env, f"feed_token_{token_name}_host")
        match = _ALLOWED.fullmatch(bound)
        if bound and (not match or _get_origin(match) != origin):
            raise UserError(env._("The server allows this secret for another host only."))
        if not token.isascii() or not token.isprintable():
            raise UserError(env._("The secret in the server's configuration holds characters that cannot be sent."))
        header = check_header(env, header or "Authorization")
        is_bare = header.lower() == "authorization" and " " not in token
        headers[header] = f"Bearer {token}" if is_bare else token
    return headers


def _listen(answer, url, headers, verify):
    """Ask, and put what is heard into ``answer``; runs in a thread of its own and raises nothing."""
    try:
        with requests.Session() as session:
            # No proxies, passwords or certificates out of the environment.
            session.trust_env = False
            with session.get(
                url, headers=headers, verify=verify, timeout=SILENCE, allow_redirects=False, stream=True
            ) as response:
                answer.problem = _check_response(response)
                if not answer.problem:
                    answer.has_more = "next" in response.links
                    _read_content(answer, response)
    except requests.exceptions.SSLError:
        answer.problem = "certificate"
    except requests.exceptions.Timeout:
        answer.problem = "slow"
    except requests.exceptions.ConnectionError as error:
        answer.problem = "slow" if "timed out" in str(error).lower() else "unreachable"
    except Exception:
        answer.problem = "broken"


def _check_response(response):
    """What keeps a response from being read; None when nothing does."""
    status = response.status_code
    if 300 <= status < 400:
        return "redirect"
    if status in (401, 403):
        return "refused"
    if status != 200:
        return status
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return "packed"
    length = response.headers.get("Content-Length", "")
    return "large" if length.isdecimal() and int(length) > MOST_BYTES else None


def _read_content(answer, response):
    parts, size = [], 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if answer.given_up:
            return
        if size > MOST_BYTES:
            answer.problem = "large"
            return
        parts.append(part)
    answer.content = b"".join(parts)


def _parse(env, answer):
    if answer.has_more:
        raise UserError(_explain(env, "paged"))
    if answer.content.count(b"{") + answer.content.count(b"[") > _MOST_OBJECTS:
        # Three bytes of text make an object of sixty-four.
        raise UserError(_explain(env, "large"))
    try:
        return json.loads(answer.content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UserError(_explain(env, "not_json")) from None


def _refuse_constant(name):
    raise ValueError(name)


def _explain(env, problem):
    """What went wrong, in plain words."""
    if isinstance(problem, int):
        return env._("The source answers with error %s.", problem)
    return {
        "slow": env._("The source is too slow: it was given up after %s seconds.", PATIENCE),
        "unreachable": env._("The source cannot be reached: wrong host or port, or it is not running."),
        "certificate": env._(
            "The source's certificate is not trusted. One of the campus's own is named in “feed_ca_file”."
        ),
        "redirect": env._("The source sends elsewhere (redirect), which is not followed. Give its final address."),
        "refused": env._("The source refuses to answer: the secret is missing, wrong or has expired."),
        "packed": env._("The source sends its answer packed, though it was asked not to."),
        "large": env._("The answer is larger than %s MB.", MOST_BYTES // 1024**2),
        "paged": env._(
            "The source answers in pages, of which only the first would be read. Ask it for everything at once."
        ),
        "not_json": env._("The answer is not JSON."),
        "broken": env._("The source breaks off or does not answer as a web server does."),
    }[problem]
