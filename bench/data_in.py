"""Rosters coming in: beside one SQL statement, and beside Odoo's own import of the same rows."""

import csv
import io
import resource
import statistics
import time

from odoo.tools import SQL

from . import odoo_env

#: columns of the file; Odoo's import takes labels and names as these are
_FIELDS = (
    "student_number",
    "name",
    "gender",
    "college_id",
    "class_id",
    "room_id",
    "major",
    "level",
    "graduation_year",
    "trait_ids",
    "email",
    "phone",
)
_COLUMNS = {"college_id": "college", "class_id": "class", "room_id": "room", "trait_ids": "traits"}
_TABLES = ("clearance_student", "clearance_student_clearance_trait_rel", "res_partner")


def make_rows(env, count):
    """Rows of new graduates, spread over the classes, rooms and traits of the campus; as Odoo's import wants them."""
    classes = env["clearance.class"].search([])
    rooms = env["clearance.room"].search([("kind", "=", "room")], limit=1000)
    traits = env["clearance.trait"].search([], limit=5)
    rows = []
    for number in range(count):
        class_ = classes[number % len(classes)]
        rows.append(
            (
                f"9{number:08}",
                f"测试{number}",
                "Female" if number % 2 else "Male",
                class_.college_id.name,
                class_.name,
                rooms[number % len(rooms)].complete_name,
                "采矿工程",
                "Undergraduate",
                "2026",
                traits[number % len(traits)].name,
                f"g{number}@example.com",
                "00000000000",
            )
        )
    return rows


def make_file(rows):
    """The same rows as a CSV file in UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([_FIELDS, *rows])
    return text.getvalue().encode()


def roster_sql(env, rows):
    """One statement that makes contacts, graduates and traits, of values that are ids already."""
    columns = list(zip(*rows, strict=True))
    by_name = {
        name: {record[shown]: record.id for record in env[model].search([])}
        for name, model, shown in (
            ("college", "clearance.college", "name"),
            ("class", "clearance.class", "name"),
            ("room", "clearance.room", "complete_name"),
            ("trait", "clearance.trait", "name"),
        )
    }
    return SQL(
        """
        WITH given AS MATERIALIZED (
            SELECT nextval('res_partner_id_seq') AS partner_id, nextval('clearance_student_id_seq') AS id, t.*
              FROM unnest(%(number)s::text[], %(name)s::text[], %(initials)s::text[], %(college)s::int[],
                          %(class)s::int[], %(room)s::int[], %(trait)s::int[], %(mail)s::text[])
                   AS t(number, name, initials, college_id, class_id, room_id, trait_id, mail)
        ),
        partner AS (
            INSERT INTO res_partner (
                id, name, complete_name, email, email_normalized, phone, ref, company_id, commercial_partner_id,
                active, type, lang, is_company, partner_share, create_uid, create_date, write_uid, write_date
            )
            SELECT partner_id, name, name, mail, mail, '00000000000', number, %(company)s, partner_id,
                   TRUE, 'contact', 'en_US', FALSE, TRUE, 1, now(), 1, now()
              FROM given
        ),
        student AS (
            INSERT INTO clearance_student (
                id, student_number, partner_id, name, name_initials, gender, company_id, college_id, class_id, room_id,
                major, level, graduation_year, graduation_state, settings_id, active,
                create_uid, create_date, write_uid, write_date
            )
            SELECT id, number, partner_id, name, initials, 'male', %(company)s, college_id, class_id, room_id,
                   '采矿工程', 'undergraduate', 2026, 'due', %(settings)s, TRUE, 1, now(), 1, now()
              FROM given
        )
        INSERT INTO clearance_student_clearance_trait_rel (clearance_student_id, clearance_trait_id)
        SELECT id, trait_id FROM given
        """,
        number=list(columns[0]),
        name=list(columns[1]),
        initials=[env["clearance.student"]._get_initials(name) for name in columns[1]],
        college=[by_name["college"][name] for name in columns[3]],
        **{"class": [by_name["class"][name] for name in columns[4]]},
        room=[by_name["room"][name] for name in columns[5]],
        trait=[by_name["trait"][name] for name in columns[9]],
        mail=list(columns[10]),
        company=env.company.id,
        settings=env["clearance.settings"]._get().id,
    )


def measure_roster(bench, count=10_000, repetitions=3):
    """Bring new graduates in; bring the same in again; check them; from the file on, too.

    :param bench: a :class:`~.operations.Bench` with a campus
    :return: list of :class:`~.measure.Result`; ``naive`` holds the times of Odoo's own import
    """
    with odoo_env.environment(bench.database, bench.users["manager"]) as env:
        rows = make_rows(env, count)
    ready = [{_COLUMNS.get(name, name): cell for name, cell in zip(_FIELDS, row, strict=True)} for row in rows]

    def compare(name, ours, **options):
        return bench.meter.compare(
            name,
            count,
            lambda env: roster_sql(env, rows),
            ours,
            user_id=bench.users["manager"],
            repetitions=repetitions,
            **options,
        )

    def bring(env):
        return lambda: _check(env["clearance.student"]._import_rows(ready, mode="good"), "created")

    def check(env):
        return lambda: _check(env["clearance.student"]._import_rows(ready, dry_run=True), "created")

    def again(env):
        env["clearance.student"]._import_rows(ready, mode="good")
        return lambda: _check(env["clearance.student"]._import_rows(ready), "unchanged")

    results = [compare("import a roster", bring)]
    odoo_env.vacuum(bench.database, *_TABLES)
    _measure_odoo(bench, results[0], rows, repetitions)
    results += [compare("check a roster", check), compare("import it again, no change", again)]
    odoo_env.vacuum(bench.database, *_TABLES)
    return results


def _measure_odoo(bench, result, rows, repetitions):
    """Odoo's own ``load``, 2,000 rows at a time as its web client does; the rows in memory already, as ours are."""

    def load(env):
        def act():
            # Told of a file, contacts check each other for consistency, as they do for the web client.
            student = env["clearance.student"].with_context(import_file=True)
            for start in range(0, len(rows), 2000):
                found = student.load(list(_FIELDS), [list(row) for row in rows[start : start + 2000]])
                # Two colleges may have a class of one name: Odoo takes the first and warns.
                errors = [message for message in found["messages"] if message["type"] == "error"]
                if errors:
                    raise AssertionError(errors[:3])

        return act

    bench.meter.time_usual(result, load, user_id=bench.users["manager"], repetitions=repetitions)
    odoo_env.vacuum(bench.database, *_TABLES)


def measure_memory(bench, counts=(2_000, 10_000)):
    """How the process grows while a file is checked and written; the largest part of it is the file and the lines.

    :return: dict number of rows -> ``(seconds, megabytes the process grew at most)``
    """
    grown = {}
    for count in counts:
        with odoo_env.environment(bench.database, bench.users["manager"]) as env:
            content = make_file(make_rows(env, count))
            env.invalidate_all()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            start = time.perf_counter()
            outcomes = env["clearance.student"]
            known = outcomes._start_import()
            cells = _read(env, content)
            codes = {row.code for part in outcomes._import_parts(cells, known) for row in part}
            if codes != {"created"}:
                raise AssertionError(codes)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            grown[count] = (seconds, (peak - before) / 1024)
        bench.say(f"  a file of {count:,}: {seconds:.1f} s, {grown[count][1]:.0f} MB more at the peak")
        odoo_env.vacuum(bench.database, *_TABLES)
    return grown


def _read(env, content):
    from odoo.addons.graduate_clearance.table_file import read_rows

    names = [_COLUMNS.get(name, name) for name in _FIELDS]
    for row in read_rows(env, content, "roster.csv"):
        if row.line > 1:
            yield {"line": row.line, **dict(zip(names, row.cells, strict=True))}


def _check(outcomes, code):
    """Measure nothing that did not happen."""
    codes = {outcome.code for outcome in outcomes}
    if codes != {code}:
        raise AssertionError(f"not what was to be measured: {codes}")


def show(results):
    """How many times quicker than Odoo's own import."""
    return [
        f"{result.name}: {statistics.median(result.naive) / statistics.median(result.ours):.1f} × quicker than load"
        for result in results
        if result.naive
    ]
