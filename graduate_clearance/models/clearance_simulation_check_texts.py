"""The checklist of a session: whether its texts are there in every language."""

from odoo import models
from odoo.tools import SQL

from ..texts import join_names


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _find_session_texts(self, simulation):
        texts = self._get_missing_texts(simulation)
        lines = [
            self._say_missing(record, languages)
            for record, languages in texts.items()
            if record._name in ("clearance.session", "clearance.slot", "clearance.duty")
        ]
        return self._make_finding(
            "session_texts",
            self.env._("Texts of the session are there in every language"),
            self.env._("Texts of the session that are not translated"),
            lines,
            self,
        )

    def _find_step_texts(self, simulation):
        lines, steps = [], self.step_ids.browse()
        for record, languages in self._get_missing_texts(simulation).items():
            owner = self._get_step_of_text(record)
            if owner:
                steps |= owner
                lines.append(self._say_missing(record, languages))
        return self._make_finding(
            "step_texts",
            self.env._("Texts of steps are there in every language"),
            self.env._("Texts of steps that are not translated"),
            lines,
            steps,
        )

    def _find_station_texts(self, simulation):
        lines, stations = [], self.env["clearance.station"]
        for record, languages in self._get_missing_texts(simulation).items():
            if record._name == "clearance.station":
                stations |= record
                lines.append(self._say_missing(record, languages))
        return self._make_finding(
            "station_texts",
            self.env._("Texts of stations are there in every language"),
            self.env._("Texts of stations that are not translated"),
            lines,
            stations,
        )

    def _get_step_of_text(self, record):
        """The steps whose page shows a text of ``record``; none for texts from elsewhere."""
        if record._name == "clearance.step":
            return record
        if record._name == "clearance.requirement":
            return record.step_id
        if record._name == "clearance.requirement.choice":
            return record.requirement_id.step_id
        if record._name == "clearance.feed":
            return self.step_ids.filtered(lambda step: step.feed_id == record)
        return self.step_ids.browse()

    def _say_missing(self, record, languages):
        """“Library: Return books: Instructions (Chinese).”"""
        full = record.with_context(clearance_full_name=True).display_name
        names = dict(self.env["res.lang"].get_installed())
        parts = [
            self.env._(
                "%(texts)s in %(language)s",
                texts=join_names(self.env, (record._fields[fname]._description_string(self.env) for fname in fnames)),
                language=names[lang].split(" / ")[0],
            )
            for lang, fnames in languages.items()
        ]
        return f"{full}: {'; '.join(parts)}"

    # -- finding them --------------------------------------------------------------------

    def _get_missing_texts(self, simulation):
        """Texts that are there in some language and lack in an installed one, in one query.

        :return: dict ``{record: {language: [names of fields]}}``
        """
        if simulation.texts is None:
            simulation.texts = self._read_missing_texts(simulation)
        return simulation.texts

    def _read_missing_texts(self, simulation):
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        if len(languages) == 1:
            return {}
        self.env.flush_all()
        queries = [self._missing_texts_sql(records, languages) for records in self._get_texted(simulation) if records]
        self.env.cr.execute(SQL(" UNION ALL ").join(queries))
        texts = {}
        for model, record_id, language, fnames in self.env.cr.fetchall():
            texts.setdefault(self.env[model].browse(record_id), {})[language] = fnames
        return texts

    def _get_texted(self, simulation):
        """What graduates read: recordsets, in the order in which findings name them."""
        steps = self.step_ids
        requirements = steps.requirement_ids.filtered("active")
        # sudo: desks and those above them, whose texts they pass on.
        desks = (
            self.env["clearance.station"]
            .sudo()
            .search([("id", "parent_of", (simulation.desks | steps.station_id.sudo()).ids)])
        )
        return [
            self,
            self.slot_ids,
            self.duty_ids,
            steps,
            requirements,
            requirements.choice_ids.filtered("active"),
            steps.feed_id,
            desks,
        ]

    def _missing_texts_sql(self, records, languages):
        """Rows of model, id, language and the fields that lack it.

        Raw SQL because the ORM falls back to another language, which is what is looked for.
        """
        fnames = [name for name, field in records._fields.items() if field.translate and field.store]
        cases = [
            SQL(
                """CASE WHEN %(column)s ->> 'en_US' <> '' AND COALESCE(%(column)s ->> lang.code, '') = ''
                        THEN %(name)s END""",
                column=SQL.identifier("record", name),
                name=name,
            )
            for name in fnames
        ]
        return SQL(
            """
            SELECT %(model)s, found.id, found.code, found.fnames
              FROM (SELECT record.id, lang.code, array_remove(ARRAY[%(cases)s], NULL) AS fnames
                      FROM %(table)s record
                     CROSS JOIN unnest(%(languages)s) lang(code)
                     WHERE record.id = ANY(%(ids)s)
                     ORDER BY array_position(%(ids)s, record.id)) found
             WHERE cardinality(found.fnames) > 0
            """,
            model=records._name,
            cases=SQL(", ").join(cases),
            table=SQL.identifier(records._table),
            languages=languages,
            ids=records.ids,
        )
