import { _t } from "@web/core/l10n/translation";

import { Component } from "@odoo/owl";

/** The words for the state of a whole form; the colours stand in legend.scss. */
export const FORM_STATES = {
    open: _t("In progress"),
    cleared: _t("Cleared"),
    deferred: _t("Cleared with deferral"),
    withdrawn: _t("Withdrawn"),
};

/** How many initials stand in for a photo. */
const MAX_INITIALS = 2;

/**
 * Who a form belongs to, as an operator checks it against a card: photo, names, places.
 *
 * `person` is what `clearance.desk.get_graduate` answers under that key; `form` its
 * `form_state` and `session`.
 */
export class PersonCard extends Component {
    static template = "graduate_clearance.PersonCard";
    static props = {
        person: Object,
        form: {
            type: Object,
            shape: {
                form_state: String,
                due: { optional: true },
                open: { optional: true },
                session: { type: Object, optional: true },
                "*": true,
            },
        },
    };

    get initials() {
        const words = this.props.person.name.trim().split(/\s+/);
        return words
            .slice(0, MAX_INITIALS)
            .map((word) => [...word][0] || "")
            .join("");
    }

    get state() {
        const state = this.props.form.form_state;
        return { state, label: FORM_STATES[state] || state };
    }

    get yearMark() {
        const year = this.props.person.graduation_year;
        return year ? _t("Of an earlier year: %s", year) : _t("Of an earlier year");
    }

    /** The particulars that are known, in the order of the manual. */
    get details() {
        const { person, form } = this.props;
        return [
            { name: "gender", label: _t("Sex"), value: person.gender },
            { name: "level", label: _t("Level"), value: person.level },
            { name: "college", label: _t("College"), value: person.college, wide: true },
            { name: "major", label: _t("Major"), value: person.major, wide: true },
            { name: "class", label: _t("Class"), value: person.class },
            { name: "room", label: _t("Room"), value: person.room },
            { name: "id_number", label: _t("ID number"), value: person.id_number },
            { name: "session", label: _t("Session"), value: form.session && form.session.name },
        ].filter((detail) => detail.value);
    }
}
