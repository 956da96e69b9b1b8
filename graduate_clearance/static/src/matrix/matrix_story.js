import { Component, onWillStart, status, useState } from "@odoo/owl";

import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { LEGEND, getLegend } from "../legend/legend";
import { askReason } from "./ask_reason";

const ACTIONS = [
    { decision: "approve", icon: "fa-check", label: _t("Confirm") },
    { decision: "reject", icon: "fa-times", label: _t("Reject…") },
    { decision: "reopen", icon: "fa-undo", label: _t("Reopen…") },
];

/** What happened to one cell, and what may be done about it. */
export class MatrixStory extends Component {
    static template = "graduate_clearance.MatrixStory";
    static props = {
        model: Object,
        rowId: Number,
        statusId: Number,
        openGraduate: Function,
        close: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.state = useState({ story: null, isBusy: false, refusal: "" });
        onWillStart(() => this.load());
    }

    async load() {
        const { rowId, statusId } = this.props;
        this.state.story = await this.orm.call("clearance.form", "get_cell_story", [
            [rowId],
            statusId,
        ]);
    }

    get story() {
        return this.state.story;
    }

    get stateContext() {
        const state = getLegend(this.story);
        return { state, label: LEGEND[state] };
    }

    get liftedContext() {
        return { state: "lifted", label: LEGEND.lifted };
    }

    get initialLabel() {
        return LEGEND[this.story.initial_state];
    }

    /** Who decided, and when. */
    get decided() {
        const { user, decided_at: date } = this.story;
        return [user, date && this.formatDate(date)].filter(Boolean).join(" · ");
    }

    /** What the source system says, and as of when. */
    get figure() {
        const { figure } = this.story;
        return (
            figure && {
                text: figure.text,
                asOf: figure.as_of ? _t("as of %s", this.formatDate(figure.as_of)) : "",
                warning: figure.silent
                    ? _t("%s has been silent for too long: this may have changed.", figure.feed)
                    : "",
            }
        );
    }

    get actions() {
        return ACTIONS.filter(({ decision }) => this.story.actions.includes(decision));
    }

    get undoLabel() {
        return this.story.undo.mine ? _t("Undo") : _t("Undo…");
    }

    get lines() {
        return this.story.log.map((line) => ({
            ...line,
            when: this.formatDate(line.date),
            change: line.from && line.to && line.from !== line.to && `${line.from} → ${line.to}`,
        }));
    }

    formatDate(text) {
        return toLocaleDateTimeString(deserializeDateTime(text), { showSeconds: false });
    }

    decide(decision) {
        const { id, needs_reason: needsReason, station_id: stationId } = this.story;
        if (decision === "approve" && !needsReason) {
            this.act("decide", id, { decision });
        } else {
            this.ask(decision, stationId, (reason) => this.act("decide", id, { decision, reason }));
        }
    }

    undo() {
        const { line, mine } = this.story.undo;
        if (mine) {
            this.act("undo", line, {});
        } else {
            // Whoever undoes a colleague's decision says why.
            this.ask("undo", undefined, (reason) => this.act("undo", line, { reason }));
        }
    }

    /** The dialog takes the place of the popover; the grid shows what came of it. */
    ask(decision, stationId, onReason) {
        const { graduate, step } = this.story;
        const { dialog, orm } = this;
        const subtitle = `${step} · ${graduate}`;
        askReason({ dialog, orm }, { decision, stationId, subtitle, onReason });
    }

    async act(method, id, values) {
        const { model, rowId } = this.props;
        this.state.isBusy = true;
        try {
            const refusal = await model.actOnCell({ id: rowId }, method, id, values);
            if (status(this) !== "destroyed") {
                this.state.refusal = refusal;
                await this.load();
            } else if (refusal) {
                this.notification.add(refusal, { type: "danger" });
            }
        } finally {
            this.state.isBusy = false;
        }
    }

    openGraduate() {
        this.props.close?.();
        this.props.openGraduate();
    }
}
