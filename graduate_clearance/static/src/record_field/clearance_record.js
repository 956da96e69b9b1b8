import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { Component } from "@odoo/owl";

import { LEGEND, getLegend } from "../legend/legend";

/** How many of the steps it waits for a row names. */
const MAX_WAITS = 2;

/**
 * The whole record of a graduate over all stations, in colour.
 *
 * Shows the rows of `clearance.form._get_records`: by stage and station in the order of
 * the process, each step with its state, what it waits for, who decided and why.  The
 * compact record leaves the latter to the tooltip (hover, tap), for a pane at the side.
 */
export class ClearanceRecord extends Component {
    static template = "graduate_clearance.ClearanceRecord";
    static props = {
        rows: Array,
        highlightStation: { type: [Number, Boolean], optional: true },
        compact: { type: Boolean, optional: true },
    };
    static defaultProps = { highlightStation: false, compact: false };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
    }

    get liftedLabel() {
        return LEGEND.lifted;
    }

    /** Stages in order, each with its stations in order, each with its steps. */
    get stages() {
        const stages = new Map();
        for (const row of this.props.rows) {
            if (!stages.has(row.stage)) {
                stages.set(row.stage, new Map());
            }
            const stations = stages.get(row.stage);
            if (!stations.has(row.station_id)) {
                stations.set(row.station_id, {
                    id: row.station_id,
                    name: row.station,
                    isOwn: row.station_id === this.props.highlightStation,
                    steps: [],
                });
            }
            stations.get(row.station_id).steps.push(this.getStep(row));
        }
        return [...stages].map(([name, stations]) => ({
            name,
            stations: [...stations.values()].map((station) => ({
                ...station,
                ...this.count(station.steps),
            })),
        }));
    }

    /** Required steps that concern the graduate: how many are settled, of how many. */
    get summary() {
        const { settled, due } = this.count(this.props.rows.map((row) => this.getStep(row)));
        return {
            settled,
            due,
            percent: due ? Math.round((100 * settled) / due) : 100,
            text: due
                ? _t("%(settled)s of %(due)s required steps settled", { settled, due })
                : _t("No step is required"),
        };
    }

    /** What the colours mean: the states that occur in this record. */
    get legend() {
        const used = new Set();
        for (const row of this.props.rows) {
            used.add(getLegend(row));
            if (row.lifted) {
                used.add("lifted");
            }
        }
        return Object.entries(LEGEND)
            .filter(([state]) => used.has(state))
            .map(([state, label]) => ({ state, label }));
    }

    count(steps) {
        const due = steps.filter((step) => step.isDue);
        return { due: due.length, settled: due.filter((step) => !step.is_open).length };
    }

    getStep(row) {
        const legend = getLegend(row);
        const decidedAt =
            row.decided_at && toLocaleDateTimeString(deserializeDateTime(row.decided_at));
        const was = row.initial_state !== row.state && LEGEND[row.initial_state];
        const step = {
            ...row,
            legend,
            label: LEGEND[legend],
            note: [was && _t("was: %s", was), row.user, decidedAt].filter(Boolean).join(" · "),
            waits: this.getWaits(row.blocked_by),
            owed: row.figure ? this.getOwed(row.figure) : "",
            isDue: row.required && row.state !== "not_required",
        };
        return { ...step, tooltip: JSON.stringify({ step }) };
    }

    /** What the source system says, as of when, and whether that may have changed. */
    getOwed({ text, as_of: date, silent, feed }) {
        const asOf =
            date && toLocaleDateTimeString(deserializeDateTime(date), { showSeconds: false });
        const said = asOf ? _t("%(text)s (as of %(time)s)", { text, time: asOf }) : text;
        return silent
            ? _t("%(said)s. %(feed)s has been silent for too long: this may have changed.", {
                  said,
                  feed,
              })
            : said;
    }

    /** The first steps that this one waits for; the tooltip names them all. */
    getWaits(names) {
        const shown = names.slice(0, MAX_WAITS).join(", ");
        const more = names.length - MAX_WAITS;
        return more > 0
            ? _t("Waits for %(names)s and %(more)s more", { names: shown, more })
            : _t("Waits for %s", shown);
    }

    /** Open the status, where the user may see it. */
    async openStep(step) {
        const found = await this.orm.search("clearance.status", [["id", "=", step.id]], {
            context: { active_test: false },
            limit: 1,
        });
        if (!found.length) {
            this.notification.add(
                _t("“%s” belongs to another station. You see it here only.", step.step),
                { type: "info" }
            );
            return;
        }
        await this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "clearance.status",
            res_id: step.id,
            views: [[false, "form"]],
        });
    }
}
