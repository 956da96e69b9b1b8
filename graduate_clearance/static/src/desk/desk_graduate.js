import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { Component, useEffect, useRef, useState } from "@odoo/owl";

import { PersonCard } from "../person/person_card";
import { DeskStep } from "./desk_step";
import { DECISIONS } from "./desk_words";
import { makeKey } from "./outbox_service";
import { ReasonDialog } from "./reason_dialog";

const LEVELS = {
    danger: { className: "alert-danger", icon: "fa-ban" },
    warning: { className: "alert-warning", icon: "fa-exclamation-triangle" },
    info: { className: "alert-info", icon: "fa-info-circle" },
};

/** The graduate: who it is, what is in the way, and the steps of this station. */
export class DeskGraduate extends Component {
    static template = "graduate_clearance.DeskGraduate";
    static components = { DeskStep, PersonCard };
    static props = { model: Object, openDialog: Function };

    setup() {
        this.model = useState(this.props.model);
        this.action = useService("action");
        this.confirm = useRef("confirm");
        this.root = useRef("root");
        useEffect(
            (target, count) => {
                if (count && target === "confirm") {
                    this.confirm.el?.focus({ preventScroll: true });
                }
            },
            () => [this.model.focus.target, this.model.focus.count]
        );
        useEffect(
            () => {
                this.root.el?.closest(".o_clearance_desk_middle")?.scrollTo(0, 0);
            },
            () => [this.model.graduate.form_id]
        );
    }

    get graduate() {
        return this.model.graduate;
    }

    get warnings() {
        return this.graduate.warnings.map((warning) => ({
            ...warning,
            ...(LEVELS[warning.level] || LEVELS.info),
        }));
    }

    /** The buttons: Confirm always, the others where a step of this station allows them. */
    get buttons() {
        return Object.entries(DECISIONS)
            .filter(([decision]) => decision === "approve" || this.isOffered(decision))
            .map(([decision, { label, icon }]) => {
                const count = this.model.getTargets(decision).length;
                return {
                    decision,
                    icon,
                    count,
                    hotkey: { approve: "c", reject: "r", reopen: "o", set_not_required: "x" }[
                        decision
                    ],
                    className: decision === "approve" ? "btn-primary" : "btn-secondary",
                    label: this.getLabel(decision, label, count),
                };
            });
    }

    getLabel(decision, label, count) {
        const text = decision === "approve" ? label : _t("%s…", label);
        return count > 1 ? `${text} (${count})` : text;
    }

    isOffered(decision) {
        return this.graduate.steps.some((step) => step.actions.includes(decision));
    }

    /** Decide on the ticked steps, or on those given; ask for a reason where one is due. */
    onDecide(decision, steps = this.model.getTargets(decision)) {
        if (!steps.length) {
            return;
        }
        const group = makeKey();
        const bare = decision === "approve" ? steps.filter((step) => !step.needs_reason) : [];
        const reasoned = steps.filter((step) => !bare.includes(step));
        if (!reasoned.length) {
            this.model.decide(decision, bare, "", group);
            return;
        }
        this.askReason(decision, reasoned, (reason) => {
            this.model.decide(decision, bare, "", group);
            this.model.decide(decision, reasoned, reason, group);
        });
    }

    /** Take a decision back; a colleague's with a reason. */
    onUndo(step) {
        if (step.undo.mine) {
            this.model.undoStep(step);
        } else {
            this.askReason("undo", [step], (reason) => this.model.undoStep(step, reason));
        }
    }

    askReason(decision, steps, onReason) {
        const label = decision === "undo" ? _t("Undo") : DECISIONS[decision].label;
        this.props.openDialog(ReasonDialog, {
            title: `${label}: ${steps.map(({ step }) => step).join(", ")}`,
            subtitle: this.model.name,
            hint:
                decision === "approve"
                    ? _t("A source system keeps this step. Say why you confirm it yourself.")
                    : "",
            label: `${label}`,
            presets: this.model.getPresets(decision),
            onReason,
        });
    }

    async openHistory() {
        const action = await this.action.loadAction("graduate_clearance.clearance_log_action");
        const name = _t("History: %s", this.model.name);
        await this.action.doAction({
            ...action,
            name,
            display_name: name,
            domain: [["form_id", "=", this.graduate.form_id]],
        });
    }

    openBatch(values) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Batch"),
            res_model: "clearance.batch",
            views: [[false, "form"]],
            context: {
                default_session_id: this.graduate.session.id,
                default_station_id: this.model.station.id,
                ...values,
            },
        });
    }

    openClassBatch() {
        return this.openBatch({ default_class_ids: [this.graduate.person.class_id] });
    }

    openRoomBatch() {
        return this.openBatch({ default_room_ids: [this.graduate.person.room_id] });
    }
}
