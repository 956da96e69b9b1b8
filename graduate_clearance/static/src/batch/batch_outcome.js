import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

const WILL_BE = {
    approve: _t("Will be confirmed"),
    reject: _t("Will be rejected"),
    reopen: _t("Will be reopened"),
    lift: _t("Will be lifted"),
    owe: _t("Will be noted"),
    each: _t("To be done"), // each row as it says
};

const HAS_BEEN = {
    approve: _t("Confirmed"),
    reject: _t("Rejected"),
    reopen: _t("Reopened"),
    lift: _t("Lifted"),
    owe: _t("Noted"),
    each: _t("Done"),
};

/** What can become of a row, in the order of interest: its word and its look in the legend. */
export const OUTCOMES = {
    todo: { look: "submitted", words: WILL_BE },
    done: { look: "approved", words: HAS_BEEN },
    refused: { look: "rejected", word: _t("Refused") },
    kept: { look: "review", word: _t("Not undone") },
    undone: { look: "pending", word: _t("Undone") },
    already: { look: "optional", word: _t("Already so") },
    excluded: { look: "withdrawn", word: _t("Left out") },
    not_concerned: { look: "not_required", word: _t("Not concerned") },
};

/**
 * @param {string} outcome a key of OUTCOMES
 * @param {string} decision of the row or the batch: approve, reject, reopen, owe or lift; "each" for
 *      a batch whose rows say different things
 * @returns {{class: string, label: string}}
 */
export function getOutcomeLook(outcome, decision) {
    const { look, word, words } = OUTCOMES[outcome];
    return {
        class: `o_clearance_state_${look} o_clearance_outcome_${outcome}`,
        label: word || words[decision] || words.approve,
    };
}

/** The outcome of a row as icon, word and colour. */
export class BatchOutcomeField extends Component {
    static template = "graduate_clearance.BatchOutcomeField";
    static props = { ...standardFieldProps };

    get look() {
        const { data } = this.props.record;
        const outcome = data[this.props.name];
        return outcome && getOutcomeLook(outcome, data.row_decision || data.decision);
    }
}

registry.category("fields").add("clearance_batch_outcome", {
    component: BatchOutcomeField,
    displayName: _t("Outcome of a batch row"),
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "decision", type: "selection" }],
    listViewWidth: [130, 190],
});
