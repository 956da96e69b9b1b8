import { AccessProgress } from "@graduate_clearance/access/access_progress";
import { registry } from "@web/core/registry";
import { formatInteger } from "@web/views/fields/formatters";
import { _t } from "@web/core/l10n/translation";

/**
 * How far an import is, brought up to date while it runs in the background.
 *
 * How many rows there are is known once the file has been checked: until then there is no percentage.
 */
export class RosterProgress extends AccessProgress {
    static template = "graduate_clearance.RosterProgress";

    get isRunning() {
        return ["checking", "running"].includes(this.data.state);
    }

    get handled() {
        return this.data.state === "checking" ? this.data.row_count : this.data.written_count;
    }

    get total() {
        return this.data.total;
    }

    get percentage() {
        if (this.data.state === "done") {
            return 100;
        }
        return this.total ? Math.min(100, Math.floor((100 * this.handled) / this.total)) : 0;
    }

    /** Without a total the whole bar moves. */
    get width() {
        return this.total || !this.isRunning ? this.percentage : 100;
    }

    get text() {
        if (this.data.is_waiting) {
            return _t("Waiting: another import comes first.");
        }
        if (this.data.state === "checking") {
            return _t("%s rows looked at", formatInteger(this.handled));
        }
        return _t("%(percentage)s % · %(handled)s of %(total)s rows", {
            percentage: this.percentage,
            handled: formatInteger(this.handled),
            total: formatInteger(this.total),
        });
    }

    get spoken() {
        if (this.isRunning) {
            const percentage = this.percentage - (this.percentage % 10);
            return this.total
                ? _t("%s % gone through", percentage)
                : _t("The file is being checked");
        }
        return this.data.state === "done" ? _t("Done") : _t("Stopped");
    }
}

registry.category("view_widgets").add("clearance_roster_progress", {
    component: RosterProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "is_waiting", type: "boolean" },
        { name: "row_count", type: "integer" },
        { name: "written_count", type: "integer" },
        { name: "total", type: "integer" },
    ],
});
