import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";

import { LEGEND } from "../legend/legend";

/** What an operator does: on the button, afterwards, and in the head of the dialog. */
export const DECISIONS = {
    approve: { label: _t("Confirm"), done: _t("Confirmed"), icon: "fa-check" },
    reject: { label: _t("Reject"), done: _t("Rejected"), icon: "fa-times" },
    reopen: { label: _t("Reopen"), done: _t("Reopened"), icon: "fa-undo" },
    set_not_required: {
        label: _t("Not required"),
        done: _t("Set not required"),
        icon: "fa-minus",
    },
};

export const READY_FILTERS = [
    { value: "all", label: _t("All") },
    { value: "met", label: _t("Met") },
    { value: "unmet", label: _t("Not met") },
];

export const STATE_FILTERS = [
    { value: "all", label: _t("All") },
    { value: "open", label: _t("Not done") },
    { value: "done", label: _t("Done") },
    {
        value: "rejected",
        get label() {
            return LEGEND.rejected;
        },
    },
    {
        value: "submitted",
        get label() {
            return LEGEND.submitted;
        },
    },
];

export const DOORS = {
    feed: _t("source system"),
    roster: _t("roster"),
    portal: _t("portal page"),
    batch: _t("batch"),
    scan: _t("scan"),
};

/** What a scan came to: colour, icon and word. */
export const SCAN_RESULTS = {
    done: { label: _t("Confirmed"), color: "success", icon: "fa-check-circle" },
    already: { label: _t("Done before"), color: "info", icon: "fa-info-circle" },
    refused: { label: _t("Refused"), color: "danger", icon: "fa-times-circle" },
    unknown: { label: _t("Unknown"), color: "danger", icon: "fa-question-circle" },
    undone: { label: _t("Undone"), color: "secondary", icon: "fa-undo" },
    saving: { label: _t("Saving…"), color: "secondary", icon: "fa-clock-o" },
    waiting: { label: _t("Not yet saved"), color: "warning", icon: "fa-clock-o" },
};

/** @param {string} text UTC, as the server writes it */
export function formatMoment(text) {
    return text ? toLocaleDateTimeString(deserializeDateTime(text)) : "";
}

/** @param {string} text UTC, as the server writes it */
export function formatTime(text) {
    return text
        ? toLocaleDateTimeString(deserializeDateTime(text), {
              showDate: false,
              showTime: true,
              showSeconds: false,
          })
        : "";
}

/** A share in per cent, with one decimal where it has one. */
export function formatPercent(value) {
    return `${Math.round(10 * value) / 10} %`;
}
