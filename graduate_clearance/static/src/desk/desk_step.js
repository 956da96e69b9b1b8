import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { FileInput } from "@web/core/file_input/file_input";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { Component, useState } from "@odoo/owl";

import { LEGEND, getLegend } from "../legend/legend";
import { DECISIONS, DOORS, formatMoment } from "./desk_words";
import { SentAnswers } from "./sent_answers";
import { SentFiles } from "./sent_files";

/** Outcomes that are news, not refusals. */
const NEWS = ["already"];

/** One step of this station: where it stands, why, and what can be done about it. */
export class DeskStep extends Component {
    static template = "graduate_clearance.DeskStep";
    static components = { Dropdown, DropdownItem, FileInput, SentAnswers, SentFiles };
    static props = { step: Object, model: Object, onDecide: Function, onUndo: Function };

    setup() {
        this.model = useState(this.props.model);
        this.action = useService("action");
        this.notification = useService("notification");
        this.liftedLabel = LEGEND.lifted;
    }

    get step() {
        return this.props.step;
    }

    get legend() {
        const state = getLegend(this.step);
        return { state, label: LEGEND[state] };
    }

    get initially() {
        const { initial_state: initial, state } = this.step;
        return initial && initial !== state ? _t("initially: %s", LEGEND[initial]) : "";
    }

    get moreLabel() {
        return _t("More: %s", this.step.step);
    }

    get attachLabel() {
        return _t("Attach a file: %s", this.step.step);
    }

    get decided() {
        const { user, decided_at: moment, door } = this.step;
        const through = DOORS[door] && _t("through %s", DOORS[door]);
        return [user, formatMoment(moment), through].filter(Boolean).join(" · ");
    }

    get period() {
        const { open_from: start, deadline, to_be_announced: isUnannounced } = this.step;
        if (start && deadline) {
            return _t("%(start)s to %(deadline)s", {
                start: formatMoment(start),
                deadline: formatMoment(deadline),
            });
        }
        if (start) {
            return _t("from %s", formatMoment(start));
        }
        if (deadline) {
            return _t("until %s", formatMoment(deadline));
        }
        return isUnannounced ? _t("Time to be announced") : "";
    }

    get sourceTime() {
        return formatMoment(this.step.source.at);
    }

    /** What the source system says, and as of when. */
    get figure() {
        const { figure } = this.step;
        return (
            figure && {
                ...figure,
                asOf: figure.as_of ? _t("as of %s", formatMoment(figure.as_of)) : "",
                warning: figure.silent
                    ? _t("%s has been silent for too long: this may have changed.", figure.feed)
                    : "",
            }
        );
    }

    /** What the office has listed as owed, item by item. */
    get debts() {
        const { debts } = this.step;
        return debts && { ...debts, asOf: _t("as of %s", formatMoment(debts.as_of)) };
    }

    get questions() {
        const { inquiry } = this.step;
        return inquiry && _t("Questions and answers (%s)", inquiry.count);
    }

    get pending() {
        return this.model.getPending(this.step.id);
    }

    get message() {
        const message = this.model.messages[this.step.id];
        return message && { ...message, isNews: NEWS.includes(message.code) };
    }

    get menu() {
        return this.step.actions.map((decision) => ({
            decision,
            label:
                decision === "approve" && !this.step.needs_reason
                    ? DECISIONS[decision].label
                    : _t("%s…", DECISIONS[decision].label),
            icon: DECISIONS[decision].icon,
        }));
    }

    toggle(ev) {
        this.model.ticked[this.step.id] = ev.target.checked;
    }

    /** What the graduate asks this desk, and the answers. */
    openInquiry() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "clearance.inquiry",
            res_id: this.step.inquiry.id,
            views: [[false, "form"]],
        });
    }

    async onUpload(files) {
        const failed = files.find(({ error }) => error);
        if (failed) {
            this.notification.add(failed.error, { type: "danger" });
        }
        await this.model.open(this.model.graduate.form_id);
    }
}
