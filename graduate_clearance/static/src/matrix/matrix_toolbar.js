import { Component, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { askReason } from "./ask_reason";
import { MAX_ROWS } from "./matrix_codes";

/** The step to act on, whom to tick, and what to do with them. */
export class MatrixToolbar extends Component {
    static template = "graduate_clearance.MatrixToolbar";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
        this.services = { dialog: useService("dialog"), orm: useService("orm") };
    }

    get sessionLabel() {
        return ({ name, count }) => _t("%(name)s (%(count)s)", { name, count });
    }

    /** Own steps by station, for the list to choose from. */
    get stations() {
        const stations = this.model.columns.map(({ station, steps }) => ({
            station,
            steps: steps.filter(({ mine }) => mine),
        }));
        return stations.filter(({ steps }) => steps.length);
    }

    get readyLabel() {
        return _t("Ready (%s)", this.model.readyIds.length);
    }

    get tickedLabel() {
        return _t("%s ticked", this.model.ticked.size);
    }

    get isIdle() {
        return !this.model.job;
    }

    get canAct() {
        return this.isIdle && Boolean(this.model.step) && this.model.ticked.size > 0;
    }

    get actTitle() {
        if (!this.model.step) {
            return _t("Choose the step to act on first");
        }
        return this.model.ticked.size ? "" : _t("Tick graduates first");
    }

    /** How many more could be shown on this page. */
    get moreCount() {
        const total = Math.min(this.model.root.count, MAX_ROWS);
        return total > this.model.rows.length ? total : 0;
    }

    get moreLabel() {
        return _t("Show %s on one page", this.moreCount);
    }

    onSession(ev) {
        this.model.setSession(parseInt(ev.target.value, 10));
    }

    onStep(ev) {
        this.model.setStep(parseInt(ev.target.value, 10) || false);
    }

    tickReady() {
        this.model.tickOnly(this.model.readyIds);
    }

    showMore() {
        this.model.setPage({ offset: 0, limit: this.moreCount });
    }

    confirm() {
        // What a source system settles is settled by a person for a reason only.
        if (this.model.step.mode === "feed") {
            this.ask("approve");
        } else {
            this.model.decide("approve");
        }
    }

    ask(decision) {
        const { name, stationId } = this.model.step;
        askReason(this.services, {
            decision,
            stationId,
            subtitle: _t("%(step)s: %(count)s graduates", {
                step: name,
                count: this.model.getTargets(decision).length,
            }),
            onReason: (reason) => this.model.decide(decision, reason),
        });
    }
}
