"""What of a document is on the campus already, and what is to be made."""

from odoo import models

from ..texts import join_names

#: keys of a station that are compared with the one on the campus: key → field
_COMPARED = {
    "name": "name",
    "place": "place",
    "map_url": "map_url",
    "opening_hours": "opening_hours",
    "contact": "contact",
    "phone": "phone",
    "instructions": "instructions",
    "fast_scan": "fast_scan",
}


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    def _match(self, plan, create_colleges):
        """Fill the plan's records: those found, and empty recordsets for those to be made."""
        self._match_colleges(plan, create_colleges)
        self._match_simple(plan, "traits", "clearance.trait", "code", [plan.company.id, False])
        self._match_simple(plan, "feeds", "clearance.feed", "key", [plan.company.id])
        self._check_colleges(plan)
        self._match_properties(plan)
        if plan.is_readable and self._is_tree(plan):
            self._match_stations(plan)
            self._check_scopes(plan)
            self._check_left_out(plan)
            self._check_college_steps(plan)

    def _get_languages(self):
        return {"en_US"} | {code for code, _name in self.env["res.lang"].get_installed()}

    def _get_names(self, records):
        """Record id → its names in every installed language."""
        names = {record.id: set() for record in records}
        for lang in self._get_languages():
            for record in records.with_context(lang=lang):
                names[record.id].add(record.name)
        return names

    def _take(self, records, names, entry, key, taken):
        """The record that an entry means: by code, else by name; active ones first."""
        records = records.sorted(lambda record: (not record.active, record.id))
        free = [record for record in records if record not in taken]
        if "code" in records._fields:
            for record in free:
                if record.code == entry[key]:
                    return record
        wanted = set(entry["name"].values())
        return next((record for record in free if names[record.id] & wanted), records.browse())

    def _match_simple(self, plan, section, model, key, companies):
        records = self.env[model].with_context(active_test=False).search([("company_id", "in", companies)])
        names, found = self._get_names(records), getattr(plan, section)
        taken = records.browse()
        # Whoever is meant by code is not taken by another's name.
        codes = {entry[key] for entry in plan.content[section]}
        coded = records.filtered(lambda record: record.code in codes) if "code" in records._fields else taken
        for entry in plan.content[section]:
            own = coded.filtered(lambda record, entry=entry: record.code == entry[key])
            record = self._take(own or (records - coded), names, entry, key, taken)
            taken |= record
            found[entry[key]] = record

    def _match_colleges(self, plan, create_colleges):
        self._match_simple(plan, "colleges", "clearance.college", "code", [plan.company.id])
        missing = [entry for entry in plan.content["colleges"] if not plan.colleges[entry["code"]]]
        if missing and not create_colleges:
            plan.left_out = {entry["code"] for entry in missing}
            plan.findings.append(
                self._find(
                    "colleges",
                    self.env._("Colleges that this campus does not have were left out"),
                    [self._translate_texts(entry["name"]) for entry in missing],
                )
            )

    def _check_colleges(self, plan):
        """Colleges that are named are in the document or on the campus."""
        for entry in [*plan.content["stations"], *plan.content["slots"]]:
            for code in entry.get("colleges", ()):
                self._check_college(plan, f"{entry['_place']}, colleges", code)
        for entry in plan.content["steps"]:
            if entry.get("college"):
                self._check_college(plan, f"{entry['_place']}, college", entry["college"])

    def _check_college(self, plan, place, code):
        if "colleges" not in plan.unread and self._get_coded(plan, "clearance.college", code) is None:
            plan.problems.append(
                self.env._(
                    "%(place)s: there is no college with the code “%(code)s”, neither here nor in the file.",
                    place=place,
                    code=self._quote(code),
                )
            )

    def _match_properties(self, plan):
        """Fields of graduates that are there under the same name must be of the same type."""
        there = self.env["clearance.applicability"]._get_definitions(plan.company)
        for number, definition in enumerate(plan.content["properties"], 1):
            own = there.get(definition["name"])
            if own and own["type"] != definition["type"]:
                plan.problems.append(
                    self.env._(
                        "%(place)s: graduates of this campus have a field “%(name)s” of another type (%(type)s).",
                        place=self._place("properties", number, definition),
                        name=definition["name"],
                        type=own["type"],
                    )
                )

    # -- stations ----------------------------------------------------------------------------

    def _is_tree(self, plan):
        paths = self._get_paths(plan)
        return all(paths.values()) and all(
            entry.get("parent", entry["code"]) in paths for entry in plan.content["stations"]
        )

    def _get_station_order(self, plan):
        """Entries of stations, those above before those below."""
        paths = self._get_paths(plan)
        return sorted(plan.content["stations"], key=lambda entry: len(paths[entry["code"]]))

    def _match_stations(self, plan):
        """By code, else by name below the same station, else by what they take below the same station."""
        Station = self.env["clearance.station"].with_context(active_test=False)
        records = Station.search([("company_id", "=", plan.company.id)])
        records.fetch(["code", "parent_id", "active"])
        names = self._get_names(records)
        by_code = {record.code: record for record in records if record.code}
        taken = records.browse().union(*(by_code.get(entry["code"], Station) for entry in plan.content["stations"]))
        for entry in self._get_station_order(plan):
            parent = plan.stations.get(entry.get("parent"))
            self._resolve_scope(plan, entry)
            if entry.get("parent") in plan.skipped or self._is_left_out(plan, entry):
                plan.skipped.add(entry["code"])
                plan.stations[entry["code"]] = Station
                continue
            record = by_code.get(entry["code"], Station)
            if not record and (parent or not entry.get("parent")):
                below = (records - taken).filtered(lambda other, parent=parent: other.parent_id == (parent or Station))
                record = self._take(below, names, {**entry, "code": None}, "code", records.browse())
                record = record or self._take_same_scope(plan, entry, below)
            taken |= record
            plan.stations[entry["code"]] = record.with_context(active_test=True)

    def _resolve_scope(self, plan, entry):
        """Records of the scope of a station: colleges may be yet to be made, classes and rooms not."""
        entry["_colleges"] = [code for code in entry.get("colleges", ()) if code not in plan.left_out]
        for key, getter in (("classes", self._get_class), ("rooms", self._get_room)):
            found = self.env["clearance.class" if key == "classes" else "clearance.room"]
            for name in entry.get(key, ()):
                record = getter(plan, name)
                if not record:
                    plan.problems.append(
                        self.env._(
                            "%(place)s, %(key)s: there is no “%(name)s” on this campus. "
                            "Make it first, or take it out of the file.",
                            place=entry["_place"],
                            key=key,
                            name=self._quote(name),
                        )
                    )
                found |= record
            entry[f"_{key}"] = found

    def _is_left_out(self, plan, entry):
        return bool(entry.get("colleges")) and not entry["_colleges"]

    def _get_scope(self, plan, entry):
        """What a station of the document takes; None while a college of it is yet to be made."""
        colleges = [plan.colleges.get(code) for code in entry["_colleges"]]
        if not all(colleges):
            return None
        college_ids = frozenset(record.id for record in colleges)
        return college_ids, frozenset(entry["_classes"].ids), frozenset(entry["_rooms"].ids)

    @staticmethod
    def _get_record_scope(station):
        return tuple(frozenset(records.ids) for records in station._get_scope())

    def _take_same_scope(self, plan, entry, below):
        """A desk that takes the very same graduates is the same desk."""
        scope = self._get_scope(plan, entry)
        if not entry.get("parent") or not scope or not any(scope):
            return below.browse()
        return below.filtered(lambda desk: desk.active and self._get_record_scope(desk) == scope)[:1]

    def _check_scopes(self, plan):
        """Desks to be made below a station that is there must not take what its desks take."""
        entries = {entry["code"]: entry for entry in plan.content["stations"]}
        mine = self.env["clearance.station"].union(*plan.stations.values())
        for entry in entries.values():
            parent = plan.stations.get(entry.get("parent"))
            if plan.stations[entry["code"]] or entry["code"] in plan.skipped or not parent:
                continue
            scope = self._get_scope(plan, entry)
            twin = (parent.child_ids - mine).filtered(
                lambda desk, scope=scope: scope and any(scope) and self._get_record_scope(desk) == scope
            )[:1]
            if twin:
                plan.problems.append(
                    self.env._(
                        "%(place)s: “%(other)s”, a desk of the same station on this campus, takes the same graduates.",
                        place=entry["_place"],
                        other=twin.name,
                    )
                )

    def _check_left_out(self, plan):
        """A step whose desk is only for colleges that are left out cannot be made."""
        for entry in plan.content["steps"]:
            if entry["station"] in plan.skipped or entry.get("college") in plan.left_out:
                plan.problems.append(
                    self.env._(
                        "%(place)s: belongs to colleges that this campus does not have. Have them made.",
                        place=entry["_place"],
                    )
                )
        for entry in plan.content["duties"]:
            if entry["station"] in plan.skipped:
                plan.problems.append(
                    self.env._(
                        "%(place)s: its station is only for colleges that this campus does not have. Have them made.",
                        place=entry["_place"],
                    )
                )

    def _check_college_steps(self, plan):
        """The station found for a college's own step must be that college's alone."""
        for entry in plan.content["steps"]:
            station = plan.stations.get(entry["station"])
            if not station or not entry.get("college"):
                continue
            college = plan.colleges.get(entry["college"])
            if not college or station.college_ids != college:
                plan.problems.append(
                    self.env._(
                        "%(place)s: a step of a college needs a desk of this college alone, "
                        "which “%(station)s” on this campus is not.",
                        place=entry["_place"],
                        station=station.name,
                    )
                )

    # -- what differs ------------------------------------------------------------------------

    def _find_different(self, plan):
        """Stations that are there and say something else than the document: told, never overwritten."""
        lines = []
        for entry in plan.content["stations"]:
            station = plan.stations.get(entry["code"])
            if station and (differing := self._get_differing(plan, entry, station)):
                labels = [station._fields[name].get_description(self.env, ["string"])["string"] for name in differing]
                fields = join_names(self.env, labels)
                lines.append(self.env._("%(station)s: %(fields)s", station=station.display_name, fields=fields))
        return lines

    def _get_differing(self, plan, entry, station):
        found = []
        for key, fname in _COMPARED.items():
            if key not in entry:
                continue
            value = entry[key]
            if isinstance(value, dict):
                value = set(value.values())
                mine = {station.with_context(lang=lang)[fname] or "" for lang in self._get_languages()}
                if value and not value & mine:
                    found.append(fname)
            elif (station[fname] or False) != (value or False):
                found.append(fname)
        parent = plan.stations.get(entry.get("parent")) or station.browse()
        if station.parent_id != parent:
            found.append("parent_id")
        scope = self._get_scope(plan, entry)
        for fname, wanted, mine in zip(
            ("college_ids", "class_ids", "room_ids"), scope or (), self._get_record_scope(station), strict=False
        ):
            if wanted != mine:
                found.append(fname)
        logins = set(entry.get("operators", ()))
        if logins and logins != set(station.operator_ids.mapped("login")):
            found.append("operator_ids")
        if not station.active:
            found.append("active")
        return found
