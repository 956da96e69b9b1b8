import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { session } from "@web/session";

/** The usual words of the legend, in the order of the process. */
const USUAL_WORDS = {
    pending: _t("Not done"),
    submitted: _t("Submitted"),
    rejected: _t("Rejected"),
    approved: _t("Approved"),
    optional: _t("Optional"),
    not_required: _t("Not required"),
    review: _t("Needs another look"),
    lifted: _t("Deferred"),
};

/** What a state is shown with, each as a CSS property that legend.scss reads. */
const PARTS = ["text", "background", "border"];

/**
 * The words of the legend, as the user's campus calls them.  Icons and the usual colours
 * stand in legend.scss, as classes `o_clearance_state_<state>`.
 */
export const LEGEND = { ...USUAL_WORDS };

/** Words that the campus has changed, by state. */
let changedWords = {};

/**
 * Use the words and colours that a campus has changed (model `clearance.legend`).
 *
 * @param {{words?: Object, colors?: Object}} [changes] as `clearance.legend._get_changes` answers
 * @param {HTMLElement} [root] where the colours are to be valid
 */
export function applyLegend({ words = {}, colors = {} } = {}, root = document.documentElement) {
    changedWords = words;
    Object.assign(LEGEND, USUAL_WORDS, words);
    for (const state of Object.keys(USUAL_WORDS)) {
        for (const part of PARTS) {
            const color = colors[state]?.[part];
            const property = `--clearance-${state}-${part}`;
            if (color) {
                root.style.setProperty(property, color);
            } else {
                root.style.removeProperty(property);
            }
        }
    }
}

/**
 * What a state is called, where a screen knows another word for it.
 *
 * @param {string} state
 * @param {string} word as the server has labelled it, perhaps a while ago
 * @returns {string}
 */
export function getWord(state, word) {
    return changedWords[state] ?? word;
}

/**
 * What the legend shows for a status: an approval that lost its ground needs another look.
 *
 * @param {{state: string, needs_review: boolean}} status
 * @returns {string} a key of LEGEND
 */
export function getLegend(status) {
    return status.needs_review ? "review" : status.state;
}

applyLegend(session.clearance_legend?.[user.activeCompany?.id]);
