"""A session's configuration as a document: what it is, reading it, the plan of loading it."""

import json

import pytz

from odoo import api, models
from odoo.exceptions import UserError

FORMAT = "graduate_clearance"
VERSION = 1
#: a document with all its blank forms
MOST_BYTES = 20 * 1024 * 1024
#: problems told at once
MOST_PROBLEMS = 100


class Plan:
    """What loading a document will do; filled by the methods of ``clearance.configuration``.

    Made before anything is written: a document with problems changes nothing, and the
    wizard shows the plan first.  Keys of the dicts are the codes of the document.

    ``problems``
        sentences, each with its place; one of them and nothing is loaded
    ``findings``
        dicts as :meth:`clearance.configuration._find` makes them: what to check afterwards
    ``content``
        the document, checked: texts as dicts of languages, times as naive local datetimes
    ``colleges``, ``traits``, ``feeds``, ``stations``
        code → the record found on the campus; empty recordset for what will be made
    ``is_readable``, ``unread``
        whether every entry could be read, else the sections whose codes are not all known
    ``left_out``
        codes of colleges that are neither there nor to be made
    ``skipped``
        codes of stations that only left-out colleges would use
    ``made_stations``
        those that have been made
    """

    def __init__(self, company, stations):
        self.company = company
        self.problems = []
        self.findings = []
        self.content = {}
        self.colleges = {}
        self.traits = {}
        self.feeds = {}
        self.stations = {}
        self.left_out = set()
        self.skipped = set()
        self.made_stations = stations
        self.year = 0
        self.shift_days = 0
        self.template = None
        self.lost = []
        self.moved_years = []
        self.is_readable = False
        self.unread = set()
        self.property_names = set()

    @property
    def zone(self):
        """The time zone that the times of the document are in."""
        return pytz.timezone(self.content["timezone"])

    @property
    def old_year(self):
        return self.content["session"]["year"]


class ClearanceConfiguration(models.AbstractModel):
    """A session's configuration as a document, apart from any database.

    One format of JSON for shipped templates, export and import; its keys are listed in
    ``clearance_configuration_check.py``.  Four steps, each in a file of its own: the shape of
    the document is checked (``_check``), found records of the campus are matched
    (``_match``), filters are made portable or resolved (``_domain``), records are made
    (``_load``); ``_export`` is the way back.  No step depends on the number of graduates.
    """

    _name = "clearance.configuration"
    _description = "Configuration of a Session as a Document"

    # -- from and to bytes ---------------------------------------------------------------

    @api.model
    def _parse(self, content):
        """Read a file.

        :param bytes content: the file
        :return: what JSON says, of whatever type; :meth:`_plan` judges it
        :raise UserError: when the file is too large or no JSON
        """
        if len(content) > MOST_BYTES:
            raise UserError(
                self.env._("The file is larger than %s MB: no configuration is.", MOST_BYTES // (1024 * 1024))
            )
        try:
            return json.loads(
                content.decode("utf-8-sig"),
                object_pairs_hook=self._read_pairs,
                parse_constant=self._refuse_constant,
            )
        except UnicodeDecodeError as error:
            raise UserError(self.env._("The file is no JSON file in UTF-8.")) from error
        except json.JSONDecodeError as error:
            raise UserError(
                self.env._(
                    "The file is no JSON: line %(line)s, column %(column)s: %(error)s.",
                    line=error.lineno,
                    column=error.colno,
                    error=error.msg,
                )
            ) from error
        except (ValueError, RecursionError) as error:
            # Numbers of thousands of digits, or brackets thousands deep.
            raise UserError(self.env._("The file cannot be read: %s", error)) from error

    def _read_pairs(self, pairs):
        found = {}
        for key, value in pairs:
            if key in found:
                raise UserError(self.env._("The key “%s” stands twice in one place of the file.", key))
            found[key] = value
        return found

    def _refuse_constant(self, name):
        raise UserError(self.env._("The file holds “%s”, which is no value in JSON.", name))

    @api.model
    def _dump(self, document):
        """The bytes of a document; equal documents have equal bytes."""
        return (json.dumps(document, ensure_ascii=False, indent=4) + "\n").encode()

    # -- the plan --------------------------------------------------------------------------

    @api.model
    def _plan(self, document, year=None, first_day=None, name=None, create_colleges=True, template=None, company=None):
        """What loading a document would do; nothing is written.

        :param document: what a JSON file says, of whatever type
        :param int year: graduation year; default: that of ``first_day``, else the document's
        :param date first_day: new first day; default: the same day and month of the year
        :param str name: of the session; default: the document's with the new year
        :param bool create_colleges: make colleges that are missing on the campus
        :param template: the ``clearance.template`` the document comes from
        :param company: the campus; default: the current one
        :return: a :class:`Plan`; look at its ``problems`` first
        """
        plan = Plan(company or self.env.company, self.env["clearance.station"])
        plan.template = template
        configuration = self.with_company(plan.company).with_context(active_test=True)
        if not configuration._check_document(plan, document):
            return plan
        if plan.is_readable:
            configuration._plan_time(plan, year, first_day)
            configuration._plan_name(plan, name)
            configuration._check_template(plan)
        else:
            plan.year = plan.old_year
        configuration._match(plan, create_colleges)
        configuration._check_domains(plan)
        return plan

    @api.model
    def _get_shape_problems(self, document, company=None):
        """What is wrong with a document by itself, on whatever campus."""
        plan = Plan(company or self.env.company, self.env["clearance.station"])
        self._check_document(plan, document)
        return plan.problems

    @api.model
    def _get_content(self, document):
        """A document as :meth:`_check_document` reads it; {} when it has problems."""
        plan = Plan(self.env.company, self.env["clearance.station"])
        self._check_document(plan, document)
        return {} if plan.problems else plan.content

    @api.model
    def _get_outline(self, content):
        """What a checked document has, for people.

        :return: dict ``stages``: list of dicts ``name`` and ``steps`` (dicts ``number``, ``name``,
            ``station``, ``required``, ``retired``); ``window``: first and last day; ``counts``: list
            of pairs of a label and a number
        """
        if not content:
            return {"stages": [], "window": None, "counts": []}
        say = self._translate_texts
        stations = {entry["code"]: say(entry["name"]) for entry in content["stations"]}
        stages = []
        for number, entry in enumerate(content["steps"], 1):
            stage = say(entry["stage"]) if entry.get("stage") else ""
            if not stages or stages[-1]["name"] != stage:
                stages.append({"name": stage, "steps": []})
            stages[-1]["steps"].append(
                {
                    "number": number,
                    "name": say(entry["name"]),
                    "station": stations[entry["station"]],
                    "required": entry.get("required", True),
                    "retired": not entry.get("active", True),
                    "some": bool(entry.get("domain")),
                }
            )
        session = content["session"]
        labels = {
            "steps": self.env._("Steps"),
            "stations": self.env._("Stations"),
            "colleges": self.env._("Colleges"),
            "traits": self.env._("Traits"),
            "feeds": self.env._("Source systems"),
            "slots": self.env._("Time slots"),
            "duties": self.env._("Duties"),
        }
        return {
            "stages": stages,
            "window": (session["open_from"], session["open_until"]),
            "counts": [(label, len(content[key])) for key, label in labels.items() if content[key]],
        }

    @api.model
    def _raise_problems(self, problems):
        """Say everything that is wrong at once.

        :raise UserError: when there are problems
        """
        if not problems:
            return
        lines = [f"• {problem}" for problem in problems[:MOST_PROBLEMS]]
        if len(problems) > MOST_PROBLEMS:
            lines.append(self.env._("… and %s more.", len(problems) - MOST_PROBLEMS))
        raise UserError(
            "\n".join([self.env._("Nothing has been made, for the configuration has these problems:"), *lines])
        )

    def _check_template(self, plan):
        """A template serves a campus once a year."""
        if not plan.template:
            return
        there = self.env["clearance.session"].search(
            [
                ("template_id", "=", plan.template.id),
                ("year", "=", plan.year),
                ("company_id", "=", plan.company.id),
            ],
            limit=1,
        )
        if there:
            plan.problems.append(
                self.env._(
                    "Template “%(template)s” has been loaded for %(year)s already: session “%(session)s”. "
                    "Delete or archive that one first, or choose another year.",
                    template=plan.template.name,
                    year=plan.year,
                    session=there.name,
                )
            )

    @api.model
    def _find(self, key, title, lines=(), level="warning", records=None):
        """A finding: something to check.

        :param str key: stable name
        :param str title: short text
        :param lines: what exactly, a line each
        :param str level: ``error``, ``warning``, ``info`` or ``ok``
        :param records: what to open
        """
        return {
            "key": key,
            "level": level,
            "title": title,
            "detail": "\n".join(lines),
            "action": (records._name, records.ids) if records else None,
        }
