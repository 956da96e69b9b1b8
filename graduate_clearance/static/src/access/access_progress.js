import { registry } from "@web/core/registry";
import { formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { _t } from "@web/core/l10n/translation";

import { Component, onWillUnmount, useEffect } from "@odoo/owl";

/** Milliseconds between two looks at a list that is running; a part of it takes about as long. */
export const INTERVAL = 2000;

/** What is said aloud: every tenth of the way, not each part. */
const SPOKEN_STEP = 10;

/**
 * How far a list of accounts is, brought up to date while it runs.
 *
 * The accounts are made by a scheduled action; nothing here moves them on, so the page may be left.
 */
export class AccessProgress extends Component {
    static template = "graduate_clearance.AccessProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.timer = null;
        useEffect(
            (running) => {
                if (running) {
                    this.schedule();
                }
                return () => clearTimeout(this.timer);
            },
            () => [this.isRunning]
        );
        onWillUnmount(() => {
            this.isGone = true;
        });
    }

    get data() {
        return this.props.record.data;
    }

    get isRunning() {
        return this.data.state === "running";
    }

    get handled() {
        return this.data.row_count - this.data.todo_count;
    }

    get percentage() {
        return Math.floor(this.data.progress);
    }

    get text() {
        return _t("%(percentage)s % · %(handled)s of %(total)s gone through", {
            percentage: this.percentage,
            handled: formatInteger(this.handled),
            total: formatInteger(this.data.row_count),
        });
    }

    get figures() {
        return _t("%(created)s made, %(already)s had access, %(failed)s failed", {
            created: formatInteger(this.data.created_count),
            already: formatInteger(this.data.already_count),
            failed: formatInteger(this.data.failed_count),
        });
    }

    /** For screen readers: changes with every tenth, and with the state. */
    get spoken() {
        if (this.isRunning) {
            const percentage = this.percentage - (this.percentage % SPOKEN_STEP);
            return _t("%s % gone through", percentage);
        }
        return this.data.state === "done"
            ? _t("Done: %s", this.figures)
            : _t("Stopped: %s", this.figures);
    }

    schedule() {
        this.timer = setTimeout(() => this.refresh(), INTERVAL);
    }

    async refresh() {
        try {
            await this.props.record.load();
        } catch {
            // Looked at again later: the list goes on without this page.
        }
        if (!this.isGone && this.isRunning) {
            this.schedule();
        }
    }
}

const COUNTS = ["row_count", "todo_count", "created_count", "already_count", "failed_count"];

registry.category("view_widgets").add("clearance_access_progress", {
    component: AccessProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "progress", type: "float" },
        ...COUNTS.map((name) => ({ name, type: "integer" })),
    ],
});
