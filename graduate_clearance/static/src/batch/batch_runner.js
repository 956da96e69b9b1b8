import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useAutofocus } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";

import { Component, onMounted, onWillDestroy, useState } from "@odoo/owl";

/**
 * Goes through a batch part by part, each part a request of its own, with a progress bar.
 *
 * Nothing is lost when the connection breaks, the dialog is closed or the page is left:
 * the server knows which rows are done, and a repeated request does the next ones.
 */
export class BatchRunner extends Component {
    static template = "graduate_clearance.BatchRunner";
    static components = { Dialog };
    static props = {
        batchId: Number,
        name: { type: String, optional: true },
        method: { validate: (method) => ["run", "undo"].includes(method) },
        done: { type: Number, optional: true }, // gone through before
        total: Number,
        limit: Number,
        lineIds: { type: Array, element: Number, optional: true },
        reasonRequired: { type: Boolean, optional: true },
        onFinished: Function, // takes the summary
        close: Function,
    };

    setup() {
        // Not `useService`: a part that is under way ends, and is told, after the dialog is gone.
        this.orm = this.env.services.orm;
        this.after = 0;
        useAutofocus({ refName: "reason" });
        this.state = useState({
            phase: this.isUndo ? "ask" : "going", // then "stopping" or "failed"
            reason: "",
            done: this.props.done || 0,
            total: this.props.total,
            error: "",
        });
        onMounted(() => {
            if (!this.isUndo) {
                this.go();
            }
        });
        // However the dialog is left: no further part is begun.
        onWillDestroy(() => (this.state.phase === "going" ? this.stop() : this.finish()));
    }

    get isUndo() {
        return this.props.method === "undo";
    }

    get title() {
        return this.props.name || _t("Batch");
    }

    get total() {
        return formatInteger(this.state.total);
    }

    get question() {
        return this.props.total === 1
            ? _t("Undo this decision? If it has been decided on since, it stays as it is.")
            : _t(
                  "Undo %s decisions? Those that have been decided on since stay as they are.",
                  this.total
              );
    }

    get percentage() {
        return this.state.total ? Math.floor((100 * this.state.done) / this.state.total) : 100;
    }

    get text() {
        const values = {
            percentage: this.percentage,
            done: formatInteger(this.state.done),
            total: this.total,
        };
        return this.isUndo
            ? _t("%(percentage)s % · %(done)s of %(total)s undone", values)
            : _t("%(percentage)s % · %(done)s of %(total)s gone through", values);
    }

    onReasonKeydown(ev) {
        if (ev.key === "Enter" && (this.state.reason.trim() || !this.props.reasonRequired)) {
            ev.preventDefault();
            this.go();
        }
    }

    async go() {
        this.state.phase = "going";
        this.state.error = "";
        try {
            let remaining = 1;
            while (remaining && this.state.phase === "going") {
                remaining = await (this.isUndo ? this.undoPart() : this.runPart());
            }
            if (remaining && !this.isUndo) {
                // Or a scheduled action would go on where somebody wanted to stop.
                await this.callBatch("stop", {});
            }
        } catch (error) {
            this.fail(error);
            return;
        }
        this.finish();
    }

    fail(error) {
        if (this.state.phase === "stopping") {
            this.finish();
            return;
        }
        this.state.phase = "failed";
        this.state.error =
            error instanceof ConnectionLostError
                ? _t("The connection was lost. What has been done is kept.")
                : error.data?.message || error.message;
    }

    stop() {
        if (this.state.phase === "going") {
            this.state.phase = "stopping";
        }
    }

    finish() {
        if (!this.isFinished) {
            this.isFinished = true;
            this.props.onFinished(this.message || "");
            this.props.close();
        }
    }

    async runPart() {
        const answer = await this.callBatch("run", { limit: this.props.limit });
        this.state.done = answer.done;
        this.state.total = answer.total;
        return answer.remaining;
    }

    async undoPart() {
        const answer = await this.callBatch("undo", {
            reason: this.state.reason,
            line_ids: this.props.lineIds || null,
            after: this.after,
            limit: this.props.limit,
        });
        this.after = answer.after;
        this.state.done += answer.handled;
        return answer.remaining;
    }

    async callBatch(method, kwargs) {
        const answer = await this.orm.call("clearance.batch", method, [this.props.batchId], kwargs);
        this.message = answer.message;
        return answer;
    }
}

/** A class or a room: done before a dialog could be looked at. */
async function runAtOnce(env, { batch_id, limit }) {
    const answer = await env.services.orm.call("clearance.batch", "run", [batch_id], { limit });
    return answer.message;
}

function runInDialog(env, params) {
    return new Promise((resolve) => {
        env.services.dialog.add(BatchRunner, {
            batchId: params.batch_id,
            name: params.name,
            method: params.method,
            done: params.done,
            total: params.total,
            limit: params.limit,
            lineIds: params.line_ids,
            reasonRequired: params.reason_required,
            onFinished: resolve,
        });
    });
}

/** Client action behind the buttons of a batch; reloads the view that it was called from. */
export async function runBatch(env, { params }) {
    const summary = await (params.method === "run" && params.total <= params.limit
        ? runAtOnce(env, params)
        : runInDialog(env, params));
    if (summary) {
        env.services.notification.add(summary, { type: "success" });
    }
    return { type: "ir.actions.act_window_close" };
}

registry.category("actions").add("clearance_batch_runner", runBatch);
