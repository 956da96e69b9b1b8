import ast
from collections.abc import Collection

import psycopg2

from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, format_datetime, mute_logger

#: operators that compare with values one by one
_LISTED = {"in": "in", "=": "in", "not in": "not in", "!=": "not in"}


class _UnreadableError(ValueError):
    """What is wrong with a domain, in the user's language."""


class ClearanceApplicability(models.AbstractModel):
    """Filters on graduates: what is wrong with one, what it says in plain words, whom it catches.

    Sessions ("who takes part") and steps ("applies to") keep them as text, as Odoo's domain
    builder writes them.  Shipped templates point to traits and colleges by code
    (``trait_ids.code``), people who click by record: both are told in the same words.
    """

    _name = "clearance.applicability"
    _description = "Applicability of Sessions and Steps"

    # -- reading -------------------------------------------------------------------

    @api.model
    def _read(self, text):
        """The domain that a text says.

        :raise _UnreadableError: when it says none
        """
        try:
            value = ast.literal_eval(text or "[]")
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise _UnreadableError(self.env._("“%s” is no list of conditions that can be read.", text)) from error
        if not isinstance(value, list | tuple):
            raise _UnreadableError(self.env._("“%s” is not a list of conditions.", text))
        try:
            return Domain(list(value))
        except (ValueError, TypeError, AttributeError) as error:
            raise _UnreadableError(self.env._("“%s” is not a list of complete conditions.", text)) from error

    @api.model
    def _get_problem(self, text, company, search=True):
        """What is wrong with a filter on graduates, in the user's language.

        :param str text: the domain as text
        :param company: the campus whose fields of graduates it may look at
        :param bool search: let the database read it too, which finds values that do not fit
        :return: one sentence, or False when the filter is all right
        """
        try:
            domain = self._read(text)
            self._check_paths(domain, self.env["clearance.student"], company)
            if search:
                self._check_sql(domain)
        except _UnreadableError as error:
            return str(error)
        return False

    def _check_paths(self, domain, model, company):
        for condition in domain.iter_conditions():
            labels, field = self._resolve(model, condition.field_expr, company)
            if getattr(field, "type", None) in ("integer", "float", "monetary"):
                self._check_numbers(labels[-1], self._list_values(condition))
            if condition.operator in ("any", "not any") and isinstance(condition.value, list | tuple | Domain):
                comodel = getattr(field, "comodel_name", None)
                if not comodel:
                    raise _UnreadableError(
                        self.env._("“%s” has no records of its own to look at.", condition.field_expr),
                    )
                self._check_paths(Domain(condition.value), self.env[comodel], company)

    def _check_numbers(self, label, values):
        for value in values:
            try:
                float(value)
            except (ValueError, TypeError) as error:
                raise _UnreadableError(
                    self.env._("“%(value)s” is no number (%(field)s).", value=value, field=label)
                ) from error

    def _check_sql(self, domain):
        """Let the database read the search, which finds values that do not fit their field."""
        if domain.is_true():
            return
        try:
            # sudo: only whether the search can be made is asked, nothing is read.
            query = self.env["clearance.student"].sudo()._search(domain)
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
                self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
        except (ValueError, TypeError, AttributeError, AssertionError, UserError, psycopg2.Error) as error:
            raise _UnreadableError(self.env._("A condition cannot be searched by: %s", error)) from error

    def _resolve(self, model, path, company):
        """Follow a path of fields.

        :param model: where it starts
        :param str path: such as ``college_id.code`` or ``properties.dual_degree``
        :return: labels of the fields passed, and the last field: an Odoo field, or the dict
            of a property's definition
        :raise _UnreadableError: naming the field that does not exist
        """
        labels, field = [], None
        names = path.split(".")
        for position, name in enumerate(names):
            field = model._fields.get(name) if model is not None else None
            if not field:
                raise _UnreadableError(
                    self.env._("there is no field “%(field)s” (in “%(path)s”).", field=name, path=path)
                    if len(names) > 1
                    else self.env._("there is no field “%s” of graduates.", name)
                )
            if field.type == "properties":
                return self._resolve_property(field, names[position + 1 :], company, path)
            labels.append(field.get_description(self.env, ["string"])["string"])
            rest = names[position + 1 :]
            model = self.env[field.comodel_name] if field.comodel_name else None
            if rest and model is None and field.type in ("date", "datetime"):
                return [*labels, *rest], field
        return labels, field

    def _resolve_property(self, field, names, company, path):
        """The definition of a property, from the settings of the campus."""
        definitions = self._get_definitions(company)
        definition = definitions.get(names[0]) if names else None
        if not definition:
            raise _UnreadableError(
                self.env._(
                    "the graduates of this campus have no field “%(field)s” of their own (in “%(path)s”).",
                    field=names[0] if names else field.name,
                    path=path,
                )
            )
        return [definition.get("string") or definition["name"]], definition

    @api.model
    def _get_definitions(self, company):
        """Name to definition of the fields that a campus has given its graduates.

        :param company: a campus, or none: those of every campus that is open to the user
        """
        companies = company or self.env.companies
        # sudo: what fields a graduate has is no secret, and asked for while filters are checked.
        settings = self.env["clearance.settings"].sudo().search([("company_id", "in", companies.ids)])
        return {
            definition["name"]: definition
            for setting in settings
            for definition in setting.student_properties_definition or []
        }

    @api.model
    def _get_keys(self, text, company, model):
        """Ids and codes of the records of a model that a filter names.

        :param str text: the domain as text
        :param company: the campus
        :param str model: such as ``clearance.trait``
        :return: set of ids (int) and codes (str); empty when the filter is not valid
        """
        try:
            return self._collect(self._read(text), self.env["clearance.student"], company, {}).get(model, set())
        except _UnreadableError:
            return set()

    @api.model
    def _get_property_names(self, text):
        """Names of the campus' own fields of graduates that a filter looks at."""
        try:
            conditions = self._read(text).iter_conditions()
        except _UnreadableError:
            return set()
        paths = (condition.field_expr.split(".") for condition in conditions)
        return {path[1] for path in paths if path[0] == "properties" and len(path) > 1}

    # -- codes that nothing has ------------------------------------------------------

    @api.model
    def _get_unknown_codes(self, text, company):
        """Codes that a filter asks for and no record has, such as ``trait_ids.code``.

        Such a condition catches nobody, without any error.

        :param str text: the domain as text
        :param company: the campus
        :return: list of pairs (label of the field, code)
        """
        try:
            domain = self._read(text)
            wanted = self._collect(domain, self.env["clearance.student"], company, {})
        except _UnreadableError:
            return []
        names = self._load_names(wanted, company)
        return [
            (self.env[model]._description, key)
            for model, keys in wanted.items()
            for key in sorted(key for key in keys if isinstance(key, str))
            if key not in names[model]
        ]

    @api.model
    def _get_warnings(self, text, company):
        """Sentences about what a filter asks for in vain."""
        return [
            self.env._("%(kind)s: nothing has the code “%(code)s”, so this catches nobody.", kind=kind, code=code)
            for kind, code in self._get_unknown_codes(text, company)
        ]

    # -- in words ----------------------------------------------------------------------

    @api.model
    def _get_words(self, filters):
        """Filters in plain words, in the user's language.

        :param filters: list of pairs (domain as text, campus)
        :return: list of strings in the same order: ``Everybody`` for ``[]``
        """
        Student = self.env["clearance.student"]
        read, wanted = [], {}
        for text, company in filters:
            try:
                domain = self._read(text)
                self._check_paths(domain, Student, company)
                self._collect(domain, Student, company, wanted)
            except _UnreadableError as error:
                domain = error
            read.append((domain, company))
        # Codes may be shared by campuses: a name is looked for in those of the filters.
        companies = self.env["res.company"].union(*(company for _text, company in filters))
        names = self._load_names(wanted, companies)
        return [
            self.env._("Not valid: %s", domain)
            if isinstance(domain, _UnreadableError)
            else self._say(domain, Student, company, names)
            for domain, company in read
        ]

    def _collect(self, domain, model, company, wanted):
        """Gather the records that a domain names: ``wanted``, model name to ids and codes."""
        for condition in domain.iter_conditions():
            values, operator = condition.value, condition.operator
            _labels, field = self._resolve(model, condition.field_expr, company)
            if operator in ("any", "not any") and isinstance(values, list | tuple | Domain):
                self._collect(Domain(values), self.env[field.comodel_name], company, wanted)
                continue
            values = list(values) if isinstance(values, list | tuple | set | frozenset) else [values]
            comodel = self._get_comodel(model, condition.field_expr, field)
            if comodel:
                kind = str if condition.field_expr.endswith(".code") else int
                keys = {value for value in values if isinstance(value, kind) and not isinstance(value, bool)}
                wanted.setdefault(comodel, set()).update(keys)
        return wanted

    def _get_comodel(self, model, path, field):
        """The model whose records a condition names, by id or by code; None: it names none."""
        if isinstance(field, dict):
            return field.get("comodel") if field["type"] in ("many2one", "many2many") else None
        if field.relational:
            return field.comodel_name
        if field.name == "code" and "." in path:
            for name in path.split(".")[:-1]:
                model = self.env[model._fields[name].comodel_name]
            return model._name
        return None

    def _load_names(self, wanted, companies):
        """Model name to a dict of ids and codes to names; a query or two a model."""
        names = {}
        for model, keys in wanted.items():
            names[model] = found = {}
            Model = self.env[model].with_context(active_test=False)
            ids = [key for key in keys if isinstance(key, int)]
            records = Model.browse(ids).exists()._filtered_access("read")
            found.update((record.id, record.display_name) for record in records)
            if codes := [key for key in keys if isinstance(key, str)]:
                domain = Domain("code", "in", codes)
                if "company_id" in Model._fields:
                    domain &= Domain("company_id", "in", [*companies.ids, False])
                found.update((record.code, record.display_name) for record in Model.search(domain))
        return names

    def _say(self, domain, model, company, names):
        if domain.is_true():
            return self.env._("Everybody")
        if domain.is_false():
            return self.env._("Nobody")
        operator = getattr(domain, "OPERATOR", None)
        if operator == "!":
            child = domain.child
            if getattr(child, "operator", None) in ("=", "in"):
                return self._say(
                    Domain([(child.field_expr, "not in", self._list_values(child))]), model, company, names
                )
            return self.env._("not (%s)", self._say(domain.child, model, company, names))
        if operator not in ("&", "|"):
            return self._say_condition(domain, model, company, names)
        said = []
        for child in self._merge(domain.children) if operator == "|" else domain.children:
            words = self._say(child, model, company, names)
            said.append(f"({words})" if getattr(child, "OPERATOR", None) in ("&", "|") else words)
        return (self.env._("; ") if operator == "&" else self.env._(", or ")).join(said)

    def _merge(self, children):
        """Alternatives of one field as one condition: Traits: A or B."""
        merged = {}
        for child in children:
            listed = hasattr(child, "field_expr") and child.operator in ("=", "in")
            merged.setdefault(child.field_expr if listed else id(child), []).append(child)
        for same in merged.values():
            if len(same) == 1:
                yield same[0]
            else:
                yield Domain(same[0].field_expr, "in", [v for child in same for v in self._list_values(child)])

    @staticmethod
    def _list_values(condition):
        value = condition.value
        listed = isinstance(value, Collection) and not isinstance(value, str)
        return list(value) if condition.operator in ("in", "not in") and listed else [value]

    def _say_condition(self, condition, model, company, names):
        labels, field = self._resolve(model, condition.field_expr, company)
        comodel = self._get_comodel(model, condition.field_expr, field)
        if comodel and not isinstance(field, dict) and not field.relational:
            labels = labels[:-1]  # Trait: party_member says enough, without “Code”
        label = " → ".join(labels)
        operator = condition.operator
        if operator in ("any", "not any"):
            inner = self._say(Domain(condition.value), self.env[field.comodel_name], company, names)
            text = (
                self.env._("%(field)s: (%(words)s)") if operator == "any" else self.env._("no %(field)s: (%(words)s)")
            )
            return text % {"field": label, "words": inner}
        known = names.get(comodel, {})
        if operator in _LISTED:
            return self._say_values(label, field, _LISTED[operator], self._list_values(condition), known, comodel)
        if operator in ("child_of", "parent_of"):
            values = condition.value if isinstance(condition.value, list | tuple) else [condition.value]
            said = self.env._(" or ").join(self._format(value, field, known, comodel) for value in values)
            text = (
                self.env._("%(field)s: within %(value)s")
                if operator == "child_of"
                else self.env._("%(field)s: above %(value)s")
            )
            return text % {"field": label, "value": said}
        value = self._format(condition.value, field, known, None)
        return self._say_comparison(label, operator, value)

    def _say_values(self, label, field, operator, values, known, comodel):
        kind = field["type"] if isinstance(field, dict) else field.type
        if kind == "boolean":
            if True in values and False in values:
                return self.env._("%s: yes or no", label)
            wanted = (True in values) == (operator == "in")
            return (self.env._("%s: yes") if wanted else self.env._("%s: no")) % label
        # No value at all catches nobody, or everybody: say so rather than leave a gap.
        said = [
            self.env._("not set") if value is False else self._format(value, field, known, comodel) for value in values
        ]
        if operator == "not in" and values == [False]:
            return self.env._("%s: set", label)
        text = self.env._("%(field)s: %(values)s") if operator == "in" else self.env._("%(field)s: not %(values)s")
        return text % {"field": label, "values": self.env._(" or ").join(said) or self.env._("(nothing chosen)")}

    def _say_comparison(self, label, operator, value):
        texts = {
            ">": self.env._("%(field)s: more than %(value)s"),
            ">=": self.env._("%(field)s: from %(value)s"),
            "<": self.env._("%(field)s: less than %(value)s"),
            "<=": self.env._("%(field)s: up to %(value)s"),
            "like": self.env._("%(field)s contains “%(value)s”"),
            "not like": self.env._("%(field)s does not contain “%(value)s”"),
            "=like": self.env._("%(field)s looks like “%(value)s”"),
            "not =like": self.env._("%(field)s does not look like “%(value)s”"),
        }
        operator = operator.replace("ilike", "like")
        if operator == "=like" and value.endswith("%") and not set("%_") & set(value[:-1]):
            return self.env._("%(field)s begins with “%(value)s”", field=label, value=value[:-1])
        if operator not in texts:
            return f"{label} {operator} {value}"
        return texts[operator] % {"field": label, "value": value}

    def _format(self, value, field, known, comodel):
        """One value as people read it."""
        if comodel:
            missing = self.env._("(unknown: %s)", value) if isinstance(value, str) else self.env._("(deleted)")
            return known.get(value) or missing
        if isinstance(field, dict):
            choices = {choice[0]: choice[1] for choice in field.get(field["type"]) or []}
            kind = field["type"]
        else:
            kind = field.type
            choices = dict(field.get_description(self.env, ["selection"])["selection"]) if kind == "selection" else {}
        if value in choices:
            return choices[value]
        if kind == "date" and isinstance(value, str):
            return format_date(self.env, value)
        if kind == "datetime" and isinstance(value, str):
            return format_datetime(self.env, value)
        return str(value)

    # -- how many it catches -------------------------------------------------------------

    @api.model
    @api.readonly
    def get_catch(self, student_domain, session_id=False, company_id=False, college_id=False):
        """Whom a filter catches, while it is being edited.

        :param str student_domain: the domain as text, saved or not
        :param int session_id: count within the population of this session, as it is saved;
            else in the whole campus
        :param int company_id: the campus, where there is no session
        :param int college_id: only graduates of this college (steps that a college has added)
        :return: dict ``words`` (the filter in plain words), ``problem`` (a sentence, or False),
            ``warnings`` (list of sentences), ``count`` and ``total`` (graduates the user may
            see; absent with a problem) and ``domain`` (to open them by, as a list)
        :raise AccessError: when the user may not read graduates or the session
        """
        Student = self.env["clearance.student"]
        Student.check_access("read")
        session = self.env["clearance.session"].browse(session_id or ())
        session.check_access("read")
        company = session.company_id or self.env["res.company"].browse(company_id or ()) or self.env.company
        if company not in self.env.companies:
            raise AccessError(self.env._("This campus is not open to you."))
        college = self.env["clearance.college"].browse(college_id or ())
        answer = {
            "words": self._get_words([(student_domain, company)])[0],
            "problem": self._get_problem(student_domain, company),
            "warnings": self._get_warnings(student_domain, company),
        }
        if answer["problem"]:
            return answer
        population = Domain("company_id", "=", company.id) & Domain("graduation_state", "=", "due")
        if session and not self._get_problem(session.student_domain, company):
            population = session._get_population_domain()
        if college:
            population &= Domain("college_id", "=", college.id)
        domain = population & self._read(student_domain)
        try:
            answer["count"] = Student.search_count(domain)
        except AccessError as error:
            return {**answer, "problem": str(error)}
        answer["total"] = Student.search_count(population)
        answer["domain"] = list(domain)
        return answer

    @api.model
    def _check(self, text, company, where, search=True):
        """Refuse a filter that is not valid.

        :param str text: the domain as text
        :param str where: name of the session or step, for the message
        :param bool search: see :meth:`_get_problem`
        :raise ValidationError: naming what is wrong and where
        """
        if problem := self._get_problem(text, company, search):
            raise ValidationError(
                self.env._(
                    "“%(where)s”: the filter on graduates is not valid: %(problem)s", where=where, problem=problem
                )
            )
