import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

import { formatMoment } from "./desk_words";
import { SentFiles } from "./sent_files";

/** States of a step in which somebody is about to look at what was sent. */
const LOOKED_AT = ["submitted", "rejected", "review"];
/** States in which what was sent does not count: somebody has reopened the step. */
const TAKEN_BACK = ["pending", "optional"];
/** States of a step that is settled: what was sent need not be looked at any more. */
const SETTLED = ["approved", "not_required"];

/**
 * What a graduate has sent for a step: questions and answers, with the files in place.
 *
 * What was sent last is open as long as it is to be looked at; what it replaced is folded.
 * A step that goes on with the application of another one shows what was sent there.
 * `sendings` are those of `clearance.submission._get_sent`, the newest first.
 */
export class SentAnswers extends Component {
    static template = "graduate_clearance.SentAnswers";
    static components = { SentFiles };
    static props = {
        sendings: Array,
        state: { type: String, optional: true }, // of the step
    };
    static defaultProps = { state: "submitted" };

    get sendings() {
        return this.props.sendings.map((sending) => {
            const isCurrent = sending.state === "sent";
            return {
                ...sending,
                isCurrent,
                isOpen:
                    isCurrent &&
                    (sending.for_step
                        ? !SETTLED.includes(this.props.state)
                        : LOOKED_AT.includes(this.props.state)),
                heading: this.getHeading(sending),
            };
        });
    }

    getHeading({ state, number, sent_at: moment, for_step: step }) {
        const values = { moment: formatMoment(moment), number, step };
        if (step) {
            return state === "sent"
                ? _t("Sent on %(moment)s for “%(step)s”", values)
                : _t("Sent before for “%(step)s”, on %(moment)s (no. %(number)s)", values);
        }
        if (state !== "sent") {
            return _t("Sent before, on %(moment)s (no. %(number)s)", values);
        }
        if (TAKEN_BACK.includes(this.props.state)) {
            return _t("Sent on %(moment)s, then reopened", values);
        }
        return number > 1
            ? _t("Sent on %(moment)s (no. %(number)s)", values)
            : _t("Sent on %(moment)s", values);
    }
}

/** What was sent for a step, in a form view. */
export class SentAnswersField extends Component {
    static template = "graduate_clearance.SentAnswersField";
    static components = { SentAnswers };
    static props = { ...standardFieldProps };

    get sendings() {
        return this.props.record.data[this.props.name] || [];
    }

    /** Of the step, where the view has it. */
    get state() {
        return this.props.record.data.legend;
    }
}

export const sentAnswersField = {
    component: SentAnswersField,
    displayName: _t("What was sent"),
    supportedTypes: ["json"],
    isEmpty: () => false,
};

registry.category("fields").add("clearance_sent_answers", sentAnswersField);
