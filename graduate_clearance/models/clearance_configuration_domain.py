"""Filters on graduates in a document: by code there, by record in the database.

In a document a condition names colleges, traits and stations by their codes
(``["trait_ids.code", "in", ["party_member"]]``) and whatever has no code by a reference
(``["class_id", "in", [{"ref": ["clearance.class", "GEO/M1"]}]]``).  In the database it names
records, which is what the domain builder shows in words.

``not in`` and ``!=`` on such a path mean *none of these*, as on the field itself.  (Odoo would
take ``trait_ids.code not in …`` as "has some other trait", which nobody means; whoever does
writes ``["trait_ids", "any", [["code", "not in", …]]]``.)
"""

import ast

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .clearance_configuration_check import MOST_INT

_JOINTS = {"&": 2, "|": 2, "!": 1}
_OPERATORS = {
    *("=", "!=", "<>", "<", "<=", ">", ">=", "in", "not in", "any", "not any", "child_of", "parent_of"),
    *("like", "ilike", "not like", "not ilike", "=like", "=ilike", "not =like", "not =ilike"),
}
_NEGATIVE = {"!=": "not in", "<>": "not in", "not in": "not in"}
_LISTED = {"=": "in", "in": "in", **_NEGATIVE}
_LISTS = ("in", "not in")
_TREES = ("child_of", "parent_of")
#: models named by a code
_CODED = {"clearance.college": "colleges", "clearance.trait": "traits", "clearance.station": "stations"}
_MOST_DEPTH = 10


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    # -- reading ---------------------------------------------------------------------------

    def _read_portable_domain(self, plan, place, value, depth=0):
        """Check the shape of a domain; conditions become lists of path, operator, value."""
        if not isinstance(value, list) or depth > _MOST_DEPTH or len(value) > 500:
            return self._refuse(plan, place, self.env._("a list of conditions"), value)
        before, found, open_ends = len(plan.problems), [], 0
        for number, item in enumerate(value, 1):
            where = f"{place}[{number}]"
            if isinstance(item, str) and item in _JOINTS:
                found.append(item)
                open_ends += _JOINTS[item] if open_ends <= 0 else _JOINTS[item] - 1
                continue
            open_ends = max(open_ends - 1, 0)
            if item in ([1, "=", 1], [0, "=", 1]):
                found.append(item)
            elif not isinstance(item, list) or len(item) != 3:
                self._refuse(
                    plan, where, self.env._("a condition of field, comparison and value, or one of &, |, !"), item
                )
            elif not isinstance(item[0], str) or not item[0]:
                self._refuse(plan, where, self.env._("a condition that begins with the name of a field"), item)
            elif not isinstance(item[1], str) or item[1] not in _OPERATORS:
                self._refuse(
                    plan,
                    where,
                    self.env._("a condition with one of the comparisons %s", " ".join(sorted(_OPERATORS))),
                    item[1],
                )
            elif item[1] in ("any", "not any"):
                found.append([item[0], item[1], self._read_portable_domain(plan, where, item[2], depth + 1)])
            elif isinstance(item[2], list) != (item[1] in _LISTS) and item[1] not in _TREES:
                wanted = self.env._("a list of values") if item[1] in _LISTS else self.env._("one value")
                self._refuse(plan, where, wanted, item[2])
            elif self._is_domain_value(item[2]):
                found.append(item)
            else:
                self._refuse(plan, where, self.env._("a value, or a list of values"), item[2])
        if open_ends:
            plan.problems.append(self.env._("%(place)s: one of &, |, ! lacks a condition behind it.", place=place))
        return found if len(plan.problems) == before else None

    def _is_domain_value(self, value, nested=False):
        if isinstance(value, list) and not nested:
            return len(value) <= 5000 and all(self._is_domain_value(part, nested=True) for part in value)
        if isinstance(value, dict):
            ref = value.get("ref")
            return (
                value.keys() == {"ref"}
                and isinstance(ref, list)
                and len(ref) == 2
                and all(isinstance(part, str) for part in ref)
            )
        if isinstance(value, str):
            return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        if isinstance(value, int | float):
            return abs(value) <= MOST_INT
        return value is None

    # -- resolving ---------------------------------------------------------------------------

    def _check_domains(self, plan):
        """Look at every filter of the document on this campus."""
        for entry in [plan.content["session"], *plan.content["steps"]]:
            if entry.get("domain"):
                self._check_domain(plan, f"{entry['_place']}, domain", entry["domain"])

    def _check_domain(self, plan, place, portable):
        before = len(plan.problems)
        domain = self._resolve_domain(plan, place, portable, self.env["clearance.student"])
        if len(plan.problems) > before:
            return
        mine = plan.property_names
        there = self.env["clearance.applicability"]._get_definitions(plan.company)
        tried = self._mask_properties(domain, mine - there.keys())
        if problem := self.env["clearance.applicability"]._get_problem(repr(tried), plan.company):
            plan.problems.append(f"{place}: {problem}")

    def _mask_properties(self, domain, names):
        """A domain without what it says of fields that are yet to be made."""
        paths = {f"properties.{name}" for name in names}
        return [(1, "=", 1) if isinstance(item, tuple) and item[0] in paths else item for item in domain]

    def _resolve_domain(self, plan, place, portable, model):
        """A domain of the document as this database has it.

        Before the records are made, conditions on those yet to be made keep their codes.

        :return: list as of Odoo, conditions as tuples
        """
        return [
            item if isinstance(item, str) else self._resolve_condition(plan, place, item, model) for item in portable
        ]

    def _resolve_condition(self, plan, place, condition, model):
        path, operator, value = condition
        if not isinstance(path, str):
            return tuple(condition)
        field, owner = self._follow(model, path)
        if operator in ("any", "not any") and field is not None and field.comodel_name:
            return path, operator, self._resolve_domain(plan, place, value, self.env[field.comodel_name])
        if path.endswith(".code") and owner in _CODED and operator in _LISTED:
            return self._resolve_codes(plan, place, condition, owner)
        if field is not None and (field.comodel_name or field.name == "id"):
            value = self._resolve_refs(plan, place, path, value, field.comodel_name)
        elif self._has_refs(value):
            plan.problems.append(
                self.env._("%(place)s: “%(path)s” is no field that refers to records.", place=place, path=path)
            )
            value = False
        elif field is not None and field.name == "graduation_year":
            value = self._move_years(plan, place, value)
        return path, operator, value

    def _follow(self, model, path):
        """The field at the end of a path, and the model it is on; (None, None) where there is none."""
        names = path.split(".")
        for position, name in enumerate(names):
            field = model._fields.get(name)
            if field is None:
                return None, None
            if position == len(names) - 1:
                return field, model._name
            if not field.comodel_name:
                return None, None
            model = self.env[field.comodel_name]
        return None, None

    @staticmethod
    def _has_refs(value):
        return any(isinstance(part, dict) for part in (value if isinstance(value, list) else [value]))

    def _resolve_codes(self, plan, place, condition, model):
        path, operator, value = condition
        ids, to_make, lost = [], False, []
        for code in value if isinstance(value, list) else [value]:
            if not isinstance(code, str):
                ids.append(code or False)
            elif code in plan.left_out and model == "clearance.college":
                lost.append(code)
            elif (record := self._get_coded(plan, model, code)) is not None:
                ids += record.ids
                to_make |= not record
            elif _CODED[model] not in plan.unread:
                plan.problems.append(
                    self.env._(
                        "%(place)s: there is no %(model)s with the code “%(code)s”, neither here nor in the file.",
                        place=place,
                        model=self._describe_model(model),
                        code=self._quote(code),
                    )
                )
        if lost:
            plan.lost.append((place, lost))
        if to_make:
            return tuple(condition)
        return path.removesuffix(".code"), _LISTED[operator], ids

    def _describe_model(self, model):
        return self.env["ir.model"]._get(model).name or model

    def _get_coded(self, plan, model, code):
        """The record of a code: of the document, else of the campus; empty when yet to be made."""
        known = getattr(plan, _CODED[model])
        if code not in known:
            there = self.env[model].search(
                [("code", "=", code), ("company_id", "in", [plan.company.id, False])], order="company_id", limit=1
            )
            if not there:
                return None
            known[code] = there
        return known[code]

    def _resolve_refs(self, plan, place, path, value, comodel):
        if isinstance(value, list):
            found = [self._resolve_refs(plan, place, path, part, comodel) for part in value]
            return [part for part in found if part is not None]
        if isinstance(value, int | float) and not isinstance(value, bool):
            plan.problems.append(
                self.env._(
                    "%(place)s: “%(path)s” names number %(value)s, which means nothing in another database.",
                    place=place,
                    path=path,
                    value=value,
                )
            )
            return False
        if not isinstance(value, dict):
            return value
        model, key = value["ref"]
        record = self._get_ref(plan, model, key) if model == comodel else None
        if not record and record is not None and model in _CODED:
            return False  # yet to be made: only its being there was asked
        if not record:
            plan.problems.append(
                self.env._(
                    "%(place)s: there is no “%(key)s” (%(model)s) on this campus. "
                    "Make it first, or take it out of the file.",
                    place=place,
                    key=self._quote(key),
                    model=self._quote(model),
                )
            )
            return False
        return record.id

    def _get_ref(self, plan, model, key):
        """The record of a reference; None where there is none."""
        if model in _CODED:
            return self._get_coded(plan, model, key)
        if model == "clearance.class":
            return self._get_class(plan, key)
        if model == "clearance.room":
            return self._get_room(plan, key)
        return None

    def _get_class(self, plan, key):
        college, _slash, name = key.partition("/")
        found = plan.colleges.get(college)
        own = [("college_id", "=", found.id)] if found else [("college_id.code", "=", college)]
        return self.env["clearance.class"].search(
            Domain("company_id", "=", plan.company.id) & Domain(own) & Domain("name", "=", name), limit=1
        )

    def _get_room(self, plan, key):
        room = self.env["clearance.room"]
        for name in key.split("/"):
            room = room.search(
                [("company_id", "=", plan.company.id), ("parent_id", "=", room.id), ("name", "=", name)], limit=1
            )
            if not room:
                return room
        return room

    def _move_years(self, plan, place, value):
        """Graduation years move with the session."""
        by = plan.year - plan.old_year
        if not by:
            return value
        if place not in plan.moved_years:
            plan.moved_years.append(place)
        return self._add_years(value, by)

    def _add_years(self, value, by):
        if isinstance(value, list | tuple):
            return [self._add_years(part, by) for part in value]
        return value + by if isinstance(value, int) and not isinstance(value, bool) and value else value

    # -- the way back ------------------------------------------------------------------------

    def _export_domain(self, text, place, export):
        """A filter of the database as documents have it.

        :param str text: the domain as text
        :param str place: what it belongs to, for problems
        :param export: collects ``colleges``, ``traits``, ``properties`` used and ``problems``
        """
        try:
            domain = ast.literal_eval(text or "[]")
            Domain(list(domain)).validate(self.env["clearance.student"])
        except (ValueError, SyntaxError, TypeError, UserError) as error:
            export.problems.append(
                self.env._("%(place)s: the filter on graduates is not valid: %(error)s", place=place, error=error)
            )
            return []
        return self._export_conditions(domain, place, export, self.env["clearance.student"])

    def _export_conditions(self, domain, place, export, model):
        return [
            item if isinstance(item, str) else self._export_condition(list(item), place, export, model)
            for item in domain
        ]

    def _export_condition(self, condition, place, export, model):
        path, operator, value = condition
        value = list(value) if isinstance(value, list | tuple | set) else value
        if not isinstance(path, str):
            return [path, operator, value]
        if isinstance(value, list) and operator in _LISTED:
            operator = _LISTED[operator]
        elif operator in _LISTS and not isinstance(value, list):
            value = [value]
        if path.startswith("properties."):
            export.properties.add(path.split(".")[1])
        field, owner = self._follow(model, path)
        if field is None:
            return [path, operator, value]
        if operator in ("any", "not any") and field.comodel_name and isinstance(value, list):
            inner = self._export_conditions(value, place, export, self.env[field.comodel_name])
            return [path, operator, inner]
        if path.endswith(".code") and owner in _CODED and operator in _LISTED:
            return self._export_codes(path, operator, value, owner, export)
        if field.comodel_name or field.name == "id":
            return self._export_records(path, operator, value, field.comodel_name or owner, place, export)
        return [path, operator, value]

    def _export_codes(self, path, operator, value, model, export):
        """A path to codes, written by somebody: positive ones as they are, others unmistakably."""
        if operator in _NEGATIVE:
            return [path.removesuffix(".code"), "any", [["code", operator, value]]]
        codes = value if isinstance(value, list) else [value]
        export.note_codes(model, [code for code in codes if isinstance(code, str)])
        return [path, "in", codes]

    def _export_records(self, path, operator, value, model, place, export):
        values = value if isinstance(value, list) else [value]
        ids = [part for part in values if isinstance(part, int) and not isinstance(part, bool)]
        if not ids:
            return [path, operator, value]
        if model not in {*_CODED, "clearance.class", "clearance.room"}:
            export.problems.append(
                self.env._(
                    "%(place)s: the filter names records one by one (%(field)s), which mean nothing elsewhere. "
                    "Use a trait instead.",
                    place=place,
                    field=path,
                )
            )
            return [path, operator, False]
        # Records that have been deleted catch nobody.
        records = self.env[model].with_context(active_test=False).browse(ids).exists()
        if model in _CODED and operator in _LISTED:
            codes = [
                export.get_code(records.browse(part)) if part in ids else part
                for part in values
                if part not in ids or part in records.ids
            ]
            return [f"{path}.code", _LISTED[operator], codes]
        refs = [
            {"ref": [model, export.get_key(records.browse(part))]} if part in ids else part
            for part in values
            if part not in ids or part in records.ids
        ]
        if isinstance(value, list):
            return [path, operator, refs]
        return [path, operator, refs[0] if refs else False]
