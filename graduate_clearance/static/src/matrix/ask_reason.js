import { _t } from "@web/core/l10n/translation";

import { ReasonDialog } from "../desk/reason_dialog";

const TITLES = {
    approve: _t("Confirm with a reason"),
    reject: _t("Reject"),
    reopen: _t("Reopen"),
    undo: _t("Undo"),
};

/**
 * Ask why, with the usual reasons of the station at hand.
 *
 * @param {Object} services `{ dialog, orm }`
 * @param {Object} params
 * @param {string} params.decision approve, reject, reopen or undo
 * @param {string} params.subtitle what it is about
 * @param {number} [params.stationId]
 * @param {(reason: string) => any} params.onReason
 */
export async function askReason({ dialog, orm }, { decision, subtitle, stationId, onReason }) {
    const presets = await orm.searchRead(
        "clearance.reason",
        [
            ["decision", "=", decision],
            "|",
            ["station_id", "=", false],
            // The column names a station; its desks and what stands above it have presets, too.
            "|",
            ["station_id", "child_of", stationId ? [stationId] : []],
            ["station_id", "parent_of", stationId ? [stationId] : []],
        ],
        ["name"]
    );
    dialog.add(ReasonDialog, {
        title: TITLES[decision],
        label: TITLES[decision],
        subtitle,
        presets,
        onReason,
    });
}
