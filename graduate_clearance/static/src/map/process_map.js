import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { ControlPanel } from "@web/search/control_panel/control_panel";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useExternalListener, useState } from "@odoo/owl";

import { MapBoard } from "./map_board";
import { getCycleEdges, getDirectEdges, getLevels, getReach } from "./map_graph";
import { layoutMap } from "./map_layout";
import { MapList } from "./map_list";
import { MapPanel } from "./map_panel";
import { getCardLabel, getLaneOf } from "./map_words";

const MODEL = "clearance.session";

/**
 * The steps of a session as a drawn graph: in which order they can be done, what each waits
 * for and what it blocks; managers change that here.
 */
export class ProcessMap extends Component {
    static template = "graduate_clearance.ProcessMap";
    static components = { ControlPanel, MapBoard, MapList, MapPanel };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.loads = new KeepLast();
        const { action, state = {} } = this.props;
        // The address of the page keeps `active_id`, so that it can be loaded again.
        this.sessionId = action.context?.active_id || action.params?.session_id;
        this.state = useState({
            map: null,
            selectedId: false,
            edge: null,
            circle: null,
            lanes: "",
            onlyDirect: true,
            view: this.env.isSmall ? "list" : "drawing",
            isBusy: false,
            announcement: "",
            ...state,
        });
        useExternalListener(window, "keydown", (ev) => this.onKeydown(ev));
        useSetupAction({ getLocalState: () => this.getLocalState() });
        onWillStart(() => this.load());
    }

    getLocalState() {
        const { selectedId, lanes, onlyDirect, view } = this.state;
        return { selectedId, lanes, onlyDirect, view };
    }

    async load() {
        if (!this.sessionId) {
            return;
        }
        const map = await this.loads.add(this.orm.call(MODEL, "get_process_map", [this.sessionId]));
        this.show(map);
    }

    show(map) {
        this.env.config?.setDisplayName?.(_t("Process Map: %s", map.session.name));
        this.byId = new Map(map.steps.map((step) => [step.id, step]));
        this.state.map = map;
        this.state.lanes = this.state.lanes || this.defaultLanes;
        this.state.edge = null;
        if (!this.byId.has(this.state.selectedId)) {
            this.state.selectedId = false;
        }
        if (map.cycle.length) {
            this.state.circle = { ids: map.cycle, message: _t("These steps wait for each other.") };
        }
        this.draw();
    }

    /** Rows by stage, where these tell more than the columns do. */
    get defaultLanes() {
        const { steps, edges } = this.state.map;
        const levels = getLevels(
            steps.map(({ id }) => id),
            edges
        );
        const active = steps.filter((step) => step.active);
        const count = (getKey) => new Set(active.map(getKey)).size;
        const stages = count(({ stage }) => stage);
        const columns = count(({ id }) => levels.get(id));
        const both = count(({ id, stage }) => `${levels.get(id)} ${stage}`);
        return stages === 1 || both === Math.max(stages, columns) ? "none" : "stage";
    }

    draw() {
        const { map, lanes, onlyDirect } = this.state;
        const edges = onlyDirect ? getDirectEdges(map.edges) : map.edges;
        this.drawing = layoutMap(this.sortedSteps, edges, getLaneOf(lanes));
        this.state.hidden = map.edges.length - edges.length;
    }

    /** Rows come in the order in which their first step is met. */
    get sortedSteps() {
        const { map, lanes } = this.state;
        const rank = lanes === "station" ? (step) => step.station_sequence : () => 0;
        return [...map.steps].sort((a, b) => b.active - a.active || rank(a) - rank(b));
    }

    // -- what is shown -----------------------------------------------------------

    get selected() {
        return this.byId.get(this.state.selectedId);
    }

    /** Which steps come before or after the chosen one, in the end. */
    get relations() {
        const { selectedId, map } = this.state;
        const relations = new Map();
        if (selectedId) {
            getReach(selectedId, map.edges, "after").forEach((id) => relations.set(id, "after"));
            getReach(selectedId, map.edges, "before").forEach((id) => relations.set(id, "before"));
            relations.delete(selectedId);
        }
        return relations;
    }

    /** Lines that are drawn by themselves: those of the chosen step, and those of a circle. */
    get ownEdges() {
        const { selectedId, map, circle, edge } = this.state;
        const isOwn = ({ from, to }) =>
            from === selectedId ||
            to === selectedId ||
            (edge && edge.from === from && edge.to === to);
        const own = map.edges.filter(isOwn);
        const round = circle
            ? getCycleEdges(circle.ids).map((each) => ({ ...each, isCircle: true, sources: [] }))
            : [];
        return [...own, ...round];
    }

    get circleIds() {
        return this.state.circle?.ids || [];
    }

    get stateWord() {
        return {
            draft: _t("Draft: changes are written at once."),
            open: _t("Open: a change shows its effect first."),
            closed: _t("Closed: read-only."),
        }[this.state.map.session.state];
    }

    // -- choosing ------------------------------------------------------------------

    select(id) {
        this.state.edge = null;
        this.state.selectedId = this.state.selectedId === id ? false : id;
        this.state.announcement = this.selected ? getCardLabel(this.selected) : "";
    }

    selectEdge(edge) {
        this.state.edge = edge;
    }

    unselect() {
        this.state.edge = null;
        this.state.circle = null;
        this.state.selectedId = false;
        this.state.announcement = "";
    }

    setLanes(lanes) {
        this.state.lanes = lanes;
        this.draw();
    }

    toggleDirect() {
        this.state.onlyDirect = !this.state.onlyDirect;
        this.draw();
    }

    onKeydown(ev) {
        const isOther = ev.target.closest?.(
            ".modal, .o-dropdown, .o_popover, input, textarea, select"
        );
        if (ev.key === "Escape" && !isOther && !ev.defaultPrevented) {
            this.unselect();
        }
    }

    // -- changing -------------------------------------------------------------------

    /** Let `to` wait for `from`. */
    connect(from, to) {
        return this.change("set_prerequisite", to, from, true);
    }

    removeEdge({ from, to }) {
        return this.change("set_prerequisite", to, from, false);
    }

    addStation(stepId, stationId) {
        return this.change("set_prerequisite_station", stepId, stationId, true);
    }

    removeStation(stepId, stationId) {
        return this.change("set_prerequisite_station", stepId, stationId, false);
    }

    async change(method, stepId, otherId, wanted) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        this.state.circle = null;
        try {
            const answer = await this.orm.call(MODEL, method, [
                this.sessionId,
                stepId,
                otherId,
                wanted,
            ]);
            this.tell(answer, wanted);
        } finally {
            this.state.isBusy = false;
        }
    }

    tell({ code, message, cycle, action, map }, wanted) {
        if (code === "ask") {
            this.openWizard(action);
        } else if (code === "cycle") {
            this.state.circle = { ids: cycle, message };
        } else if (code === "already") {
            this.notification.add(_t("It is so already."), { type: "info" });
        } else {
            this.show(map);
            this.state.announcement = wanted ? _t("Added.") : _t("Removed.");
            this.notification.add(this.state.announcement, { type: "success" });
        }
    }

    openWizard(action) {
        return this.action.doAction(action, { onClose: () => this.load() });
    }

    async changeStep(id) {
        this.openWizard(await this.orm.call("clearance.step", "action_change", [id]));
    }

    openStep(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "clearance.step",
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openSession() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "clearance.session",
            res_id: this.sessionId,
            views: [[false, "form"]],
        });
    }

    openSessions() {
        return this.action.doAction("graduate_clearance.clearance_session_action");
    }
}

registry.category("actions").add("clearance_process_map", ProcessMap);
