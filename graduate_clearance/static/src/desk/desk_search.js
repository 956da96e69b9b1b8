import { hasTouch } from "@web/core/browser/feature_detection";
import { _t } from "@web/core/l10n/translation";
import { useDebounced } from "@web/core/utils/timing";

import { Component, onMounted, useEffect, useRef, useState } from "@odoo/owl";

import { LEGEND } from "../legend/legend";
import { READY_FILTERS, STATE_FILTERS } from "./desk_words";
import { ScanDetector } from "./scan_detector";

/** Milliseconds without a key before the server is asked. */
const TYPING = 250;
const OPEN_LEGENDS = ["pending", "submitted", "rejected", "review"];

/** Find a graduate: box, filters and results; all of it without leaving the box. */
export class DeskSearch extends Component {
    static template = "graduate_clearance.DeskSearch";
    static props = { model: Object, view: Object, onOpened: Function };

    setup() {
        this.model = useState(this.props.model);
        this.input = useRef("input");
        this.results = useRef("results");
        this.readyFilters = READY_FILTERS;
        this.stateFilters = STATE_FILTERS;
        this.detector = new ScanDetector();
        this.search = useDebounced(() => this.model.search(), TYPING);
        onMounted(() => this.focus());
        useEffect(
            (target, count) => {
                if (count && target === "search") {
                    this.focus();
                }
            },
            () => [this.model.focus.target, this.model.focus.count]
        );
        useEffect(
            (index) => {
                const row = this.results.el?.children[index];
                row?.scrollIntoView({ block: "nearest" });
            },
            () => [this.model.list.index]
        );
    }

    /** Select what stands there, so that the next name or scan replaces it. */
    focus() {
        if (!hasTouch()) {
            this.input.el?.focus({ preventScroll: true });
            this.input.el?.select();
        }
    }

    get stepOptions() {
        const steps = this.model.stationSteps;
        const isMixed = !this.model.sessionId && this.model.station.sessions.length > 1;
        const names = new Map(this.model.station.sessions.map(({ id, name }) => [id, name]));
        return steps.map(({ id, name, session_id }) => ({
            id,
            name: isMixed ? `${name} (${names.get(session_id)})` : name,
        }));
    }

    get isFiltered() {
        const { query, ready, state, stepId } = this.model.filters;
        return Boolean(query || stepId || ready !== "all" || state !== "all");
    }

    get activeId() {
        const row = this.model.list.rows[this.model.list.index];
        return row ? `o_clearance_row_${row.form_id}` : undefined;
    }

    get rows() {
        return this.model.list.rows.map((row, index) => ({
            ...row,
            id: `o_clearance_row_${row.form_id}`,
            isSelected: index === this.model.list.index,
            isShown: row.form_id === this.model.graduate?.form_id,
            place: [row.class, row.room].filter(Boolean).join(" · "),
            marks: row.steps.map((step) => ({
                ...step,
                title: `${step.step}: ${LEGEND[step.legend]}`,
            })),
            ...this.getReadiness(row.steps),
        }));
    }

    /** Whether something can be done for this graduate here and now. */
    getReadiness(steps) {
        const open = steps.filter(({ legend }) => OPEN_LEGENDS.includes(legend));
        if (!open.length) {
            return { readiness: "" };
        }
        return open.some(({ ready }) => ready)
            ? { readiness: "ready", readinessTitle: _t("Prerequisites met") }
            : { readiness: "blocked", readinessTitle: _t("Waits for other steps") };
    }

    onInput(ev) {
        this.model.filters.query = ev.target.value.trim();
        if (!ev.isComposing) {
            this.search();
        }
    }

    async onKeydown(ev) {
        if (ev.isComposing) {
            return;
        }
        const code = this.detector.feed(ev);
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.search.cancel();
            await (code ? this.onScanned(code) : this.onEnter());
        } else if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
            ev.preventDefault();
            await this.model.move(ev.key === "ArrowDown" ? 1 : -1);
        } else if (ev.key === "PageDown" || ev.key === "PageUp") {
            ev.preventDefault();
            await this.model.turnPage(ev.key === "PageDown" ? 1 : -1);
        }
    }

    /** A scanner has typed into the box; what is no code may still be a name. */
    async onScanned(code) {
        this.model.filters.query = code;
        if (await this.model.onCode(code)) {
            this.input.el?.select();
            this.props.onOpened();
            return;
        }
        const { notice } = this.model;
        await this.model.search();
        if (this.model.list.rows.length === 1) {
            await this.openSelected();
        } else {
            this.model.notice = notice;
        }
    }

    async onEnter() {
        if (this.model.list.isLoading || this.isStale) {
            await this.model.search();
        }
        await this.openSelected();
    }

    /** Whether the rows belong to an older query than the one in the box. */
    get isStale() {
        return this.model.filters.query !== this.model.list.query;
    }

    async openSelected() {
        await this.model.openSelected();
        if (this.model.graduate) {
            this.props.onOpened();
        }
    }

    async onRowClick(row) {
        await this.model.open(row.form_id);
        this.model.focusOnNext();
        this.props.onOpened();
    }

    async onFilter(values) {
        await this.model.filter(values);
    }

    async onStepChange(ev) {
        await this.model.filter({ stepId: Number(ev.target.value) || false });
    }

    async onReset() {
        await this.model.filter({ query: "", ready: "all", state: "all", stepId: false });
        this.focus();
    }
}
