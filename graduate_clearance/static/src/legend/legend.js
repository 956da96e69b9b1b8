import { _t } from "@web/core/l10n/translation";

/**
 * The words of the legend, in the order of the process.  Colours and icons stand in
 * legend.scss, as classes `o_clearance_state_<state>`.
 */
export const LEGEND = {
    pending: _t("Not done"),
    submitted: _t("Submitted"),
    rejected: _t("Rejected"),
    approved: _t("Approved"),
    optional: _t("Optional"),
    not_required: _t("Not required"),
    review: _t("Needs another look"),
    lifted: _t("Deferred"),
};

/**
 * What the legend shows for a status: an approval that lost its ground needs another look.
 *
 * @param {{state: string, needs_review: boolean}} status
 * @returns {string} a key of LEGEND
 */
export function getLegend(status) {
    return status.needs_review ? "review" : status.state;
}
