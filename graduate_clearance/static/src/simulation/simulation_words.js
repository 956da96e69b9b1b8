import { _t } from "@web/core/l10n/translation";

/**
 * What a finding means, with the class of the legend whose colours and icon it takes.
 */
export const LEVELS = {
    ok: { label: _t("In order"), legend: "approved" },
    info: { label: _t("To note"), legend: "optional" },
    warning: { label: _t("Look at this"), legend: "review" },
    error: { label: _t("To mend"), legend: "rejected" },
};

/** Sections of the checklist, in their order. */
export const SECTIONS = {
    who: _t("Who has what to do"),
    decides: _t("Who decides"),
    time: _t("When"),
    texts: _t("What graduates read"),
};

/** Who settles a step, as `clearance.step` calls it. */
export const MODES = {
    station: _t("Station"),
    counsellor: _t("Counsellor"),
    supervisor: _t("Supervisor"),
    feed: _t("Source system"),
    graduate: _t("Graduate"),
};

/**
 * Where a step stands in the earliest order.
 *
 * @param {number|false} wave 0 for what is settled from the start, false for what never can be
 * @returns {string}
 */
export function describeWave(wave) {
    if (wave === false) {
        return _t("Never: it waits for itself");
    }
    if (wave === 0) {
        return _t("Settled from the start");
    }
    return wave === 1 ? _t("At once") : _t("In wave %s", wave);
}

/** A number as people read it: 1,234. */
export function formatCount(count) {
    return count.toLocaleString();
}
