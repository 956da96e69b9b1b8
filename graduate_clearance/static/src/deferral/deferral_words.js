import {
    deserializeDate,
    deserializeDateTime,
    toLocaleDateString,
    toLocaleDateTimeString,
} from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";

/** How a deferral has come to its end. */
export const ENDINGS = {
    ended: _t("Ended by date"),
    restored: _t("Restored"),
};

/** States of a step that restricts nothing any more. */
const FREE_STATES = ["approved", "optional", "not_required"];

/**
 * How the restriction of a step stands.
 *
 * @param {Object} step as `clearance.deferral.get_graduate` answers it
 * @returns {"on"|"lifted"|"none"}
 */
export function getRestriction({ restricted, lifted, state, needs_review }) {
    if (restricted) {
        return "on";
    }
    return lifted && (needs_review || !FREE_STATES.includes(state)) ? "lifted" : "none";
}

/**
 * A deferral in words.
 *
 * @param {Object} deferral as `clearance.deferral.get_graduate` answers it
 * @returns {Object} the same with texts `until`, `granted` and `over`
 */
export function describeDeferral(deferral) {
    const { date_end, granted_at, restored_at } = deferral;
    const moment = (text) => text && toLocaleDateTimeString(deserializeDateTime(text));
    return {
        ...deferral,
        until: date_end
            ? _t("Until %s", toLocaleDateString(deserializeDate(date_end)))
            : _t("Until it is restored"),
        granted: [deferral.granted_by, moment(granted_at)].filter(Boolean).join(", "),
        over: [ENDINGS[deferral.state], deferral.restored_by, moment(restored_at)]
            .filter(Boolean)
            .join(", "),
    };
}
