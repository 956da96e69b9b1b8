"""Putting texts together in the way of the user's language: Chinese has other commas than English."""

from functools import reduce

from odoo.tools import format_list


def join_names(env, names):
    """Names as a list within a sentence: “A, B, and C”, “A、B和C”.

    :param names: iterable of texts
    :return: str; empty when there are none
    """
    names = list(names)
    # Most lists are of one: whole columns are computed so.
    return format_list(env, names) if len(names) > 1 else "".join(names)


def join_parts(env, parts):
    """Parts of one line, with the comma of the user's language between them: “3 done, 2 refused”, “3 项完成，2 项被拒”.

    :param parts: iterable of texts; empty ones are left out
    :return: str; empty when there are none
    """
    parts = [part for part in parts if part]
    return reduce(lambda line, part: env._("%(line)s, %(part)s", line=line, part=part), parts) if parts else ""
