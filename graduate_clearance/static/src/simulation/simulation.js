import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useRef, useState } from "@odoo/owl";

import { SimulationChecklist } from "./simulation_checklist";
import { SimulationGraduate } from "./simulation_graduate";
import { SimulationScope } from "./simulation_scope";
import { SimulationStations } from "./simulation_stations";
import { SimulationSteps } from "./simulation_steps";

const MODEL = "clearance.simulation";

/** The tabs, with the method of the server that fills them. */
const TABS = [
    { name: "checklist", label: _t("Checklist"), method: "get_checklist" },
    { name: "steps", label: _t("Steps"), method: "get_steps", hasScope: true },
    { name: "stations", label: _t("Stations"), method: "get_stations", hasScope: true },
    { name: "graduate", label: _t("One Graduate") },
];

/**
 * What a session would ask of its graduates and desks: a checklist before opening, who
 * has which step at which desk in what order, and how much work that is.
 */
export class Simulation extends Component {
    static template = "graduate_clearance.Simulation";
    static components = {
        SimulationChecklist,
        SimulationGraduate,
        SimulationScope,
        SimulationStations,
        SimulationSteps,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.loads = new KeepLast();
        this.tabs = useRef("tabs");
        const { props } = this;
        this.sessionId =
            props.state?.sessionId || props.action.params?.session_id || props.resId || false;
        this.state = useState({
            setup: null,
            tab: "checklist",
            scope: { kind: "roster", id: false },
            studentId: false,
            data: null,
            isLoading: false,
            hasFailed: false,
            announcement: "",
        });
        Object.assign(this.state, props.state?.chosen);
        useSetupAction({
            getLocalState: () => ({
                sessionId: this.sessionId,
                chosen: {
                    tab: this.state.tab,
                    scope: { ...this.state.scope },
                    studentId: this.state.studentId,
                },
            }),
        });
        onWillStart(() => this.start());
    }

    async start() {
        if (!this.sessionId) {
            return;
        }
        this.state.setup = await this.orm.call(MODEL, "get_setup", [this.sessionId]);
        const { session, may_check, colleges } = this.state.setup;
        if (!may_check && this.state.scope.kind === "roster") {
            // Leads see their own colleges only.
            this.state.scope = { kind: "college", id: colleges[0]?.id || false };
            this.state.tab = this.state.tab === "checklist" ? "steps" : this.state.tab;
        }
        this.props.updateActionState?.({ resId: session.id });
        this.env.config?.setDisplayName?.(_t("Checklist: %s", session.name));
        // The page stands at once; the figures follow.
        this.load();
    }

    get availableTabs() {
        return TABS.filter(({ name }) => name !== "checklist" || this.state.setup.may_check);
    }

    get currentTab() {
        return TABS.find(({ name }) => name === this.state.tab);
    }

    get hasNoCollege() {
        const { may_check, colleges } = this.state.setup;
        return !may_check && !colleges.length;
    }

    /** Ask again for what the tab shows. */
    async load() {
        const { method, hasScope } = this.currentTab;
        if (!method || this.hasNoCollege) {
            return;
        }
        this.state.isLoading = true;
        this.state.hasFailed = false;
        const args = hasScope ? [this.sessionId, { ...this.state.scope }] : [this.sessionId];
        try {
            this.state.data = await this.loads.add(this.orm.call(MODEL, method, args));
            this.state.announcement = this.announce();
        } catch (error) {
            this.state.hasFailed = true;
            throw error;
        } finally {
            this.state.isLoading = false;
        }
    }

    announce() {
        return _t("%s: up to date", this.currentTab.label);
    }

    async openTab(name, { focus = false } = {}) {
        if (name !== this.state.tab) {
            this.state.tab = name;
            this.state.data = null;
            this.load();
        }
        if (focus) {
            this.tabs.el.querySelector(`[data-tab=${name}]`).focus();
        }
    }

    /** Arrow keys walk along the tabs, as in every list of tabs. */
    onTabKeydown(ev) {
        const names = this.availableTabs.map(({ name }) => name);
        const index = names.indexOf(this.state.tab);
        const target = {
            ArrowRight: (index + 1) % names.length,
            ArrowLeft: (index + names.length - 1) % names.length,
            Home: 0,
            End: names.length - 1,
        }[ev.key];
        if (target !== undefined) {
            ev.preventDefault();
            this.openTab(names[target], { focus: true });
        }
    }

    setScope(scope) {
        this.state.scope = scope;
        this.state.data = null;
        this.load();
    }

    // -- going where things can be mended ----------------------------------------

    async openFinding(key) {
        const action = await this.orm.call(MODEL, "open_finding", [this.sessionId, key]);
        if (action) {
            return this.action.doAction(action);
        }
        this.notification.add(_t("This is in order by now."), { type: "success" });
        return this.load();
    }

    /** The graduates behind a number. */
    async openGraduates({ stepId = false, stationId = false }) {
        const action = await this.orm.call(
            MODEL,
            "open_graduates",
            [this.sessionId, { ...this.state.scope }],
            { step_id: stepId, station_id: stationId }
        );
        return this.action.doAction(action);
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
            target: "current",
        });
    }

    /** Where one came from, most often the session itself. */
    leave() {
        const { breadcrumbs, historyBack } = this.env.config || {};
        return breadcrumbs?.length > 1 ? historyBack() : this.openSession();
    }

    openSession() {
        return this.openRecord("clearance.session", this.sessionId);
    }

    openSessions() {
        return this.action.doAction("graduate_clearance.clearance_session_action", {
            clearBreadcrumbs: true,
        });
    }
}

registry.category("actions").add("clearance_simulation", Simulation);
