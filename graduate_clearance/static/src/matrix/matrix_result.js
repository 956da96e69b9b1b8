import { Component, onWillUnmount, useEffect, useState } from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

import { UNDO_SECONDS } from "./matrix_codes";

const DONE_LABELS = {
    approve: (count) => _t("%s confirmed", count),
    reject: (count) => _t("%s rejected", count),
    reopen: (count) => _t("%s reopened", count),
    undo: (count) => _t("%s undone", count),
};

/** How far an action is, what came of it for whom, and for a moment the way back. */
export class MatrixResult extends Component {
    static template = "graduate_clearance.MatrixResult";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
        this.state = useState({ seconds: UNDO_SECONDS });
        useEffect(
            () => this.startCountdown(),
            () => [this.model.result]
        );
        onWillUnmount(() => browser.clearInterval(this.timer));
    }

    startCountdown() {
        browser.clearInterval(this.timer);
        const result = this.model.result;
        this.state.seconds = result?.lines.length && result.decision !== "undo" ? UNDO_SECONDS : 0;
        if (this.state.seconds) {
            this.timer = browser.setInterval(() => {
                this.state.seconds--;
                if (this.state.seconds <= 0) {
                    browser.clearInterval(this.timer);
                }
            }, 1000);
        }
    }

    get percent() {
        const { sent, total } = this.model.job;
        return total ? Math.round((100 * sent) / total) : 100;
    }

    get progressLabel() {
        const { isInterrupted, sent, total } = this.model.job;
        return isInterrupted
            ? _t("The connection was lost: %(sent)s of %(total)s are saved.", { sent, total })
            : _t("%(sent)s of %(total)s", { sent, total });
    }

    get summary() {
        const { already, decision, done, refused, skipped } = this.model.result;
        return [
            DONE_LABELS[decision](done),
            already && _t("%s already so", already),
            refused.length && _t("%s refused", refused.length),
            skipped && _t("%s left out, the step is not theirs or not yours", skipped),
        ]
            .filter(Boolean)
            .join(" · ");
    }

    get className() {
        return this.model.result.refused.length ? "alert-warning" : "alert-success";
    }

    get canUndo() {
        const result = this.model.result;
        return Boolean(
            this.state.seconds > 0 && result?.lines.length && result.decision !== "undo"
        );
    }

    get undoLabel() {
        return _t("Undo (%s s)", this.state.seconds);
    }

    /** A refusal in one line: its steps come one a line. */
    getReason({ message }) {
        const [head, ...steps] = message.split(/\n- /);
        return [head, steps.join("; ")].filter(Boolean).join(" ");
    }

    getName({ row }) {
        return row ? `${row.number} ${row.name}`.trim() : _t("Unknown");
    }
}
