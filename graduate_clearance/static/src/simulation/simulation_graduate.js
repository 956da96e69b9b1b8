import { hasTouch } from "@web/core/browser/feature_detection";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";

import { Component, onMounted, onWillStart, useRef, useState } from "@odoo/owl";

import { describeWave, MODES } from "./simulation_words";

const MODEL = "clearance.simulation";

/** Milliseconds without a key before the server is asked. */
const TYPING = 250;

/** Find one graduate, and see the form as it would be: steps in waves, desks, who decides. */
export class SimulationGraduate extends Component {
    static template = "graduate_clearance.SimulationGraduate";
    static props = {
        sessionId: Number,
        studentId: [Number, Boolean],
        /** called with the id of the graduate who is shown */
        onChosen: Function,
        openRecord: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.searches = new KeepLast();
        this.visits = new KeepLast();
        this.input = useRef("input");
        this.state = useState({ query: "", rows: [], index: -1, isOpen: false, graduate: null });
        this.searchSoon = useDebounced((query) => this.search(query), TYPING);
        onWillStart(() => this.props.studentId && this.open(this.props.studentId));
        onMounted(() => {
            if (!hasTouch()) {
                this.input.el.focus({ preventScroll: true });
            }
        });
    }

    async search(query) {
        this.state.query = query;
        const rows = query
            ? await this.searches.add(
                  this.orm.call(MODEL, "search_graduates", [this.props.sessionId, query])
              )
            : [];
        Object.assign(this.state, { rows, index: rows.length ? 0 : -1, isOpen: Boolean(query) });
        return rows;
    }

    async open(studentId) {
        this.state.isOpen = false;
        this.state.graduate = await this.visits.add(
            this.orm.call(MODEL, "get_graduate", [this.props.sessionId, studentId])
        );
        this.props.onChosen(studentId);
    }

    get rows() {
        return this.state.rows.map((row, index) => ({
            ...row,
            key: `o_clearance_simulation_row_${row.id}`,
            isSelected: index === this.state.index,
            place: [row.college, row.class].filter(Boolean).join(" · "),
        }));
    }

    get activeId() {
        return this.state.isOpen ? this.rows[this.state.index]?.key : undefined;
    }

    get who() {
        const { graduate } = this.state.graduate;
        return [graduate.college, graduate.class].filter(Boolean).join(" · ");
    }

    get waves() {
        return this.state.graduate.waves.map(({ wave, steps }) => ({
            key: String(wave),
            label: describeWave(wave),
            steps: steps.map((step) => ({
                ...step,
                mode: MODES[step.mode],
                hasNoDesk: step.mode === "station" && !step.desk,
                hasNobody: step.mode !== "graduate" && !step.who.length,
                people: step.mode === "graduate" ? "" : step.who.join(", "),
                waitsFor: step.waits_for.join(", "),
            })),
        }));
    }

    onInput(ev) {
        if (!ev.isComposing) {
            this.searchSoon(ev.target.value.trim());
        }
    }

    async onKeydown(ev) {
        if (ev.isComposing) {
            return;
        }
        const last = this.state.rows.length - 1;
        if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
            ev.preventDefault();
            const step = ev.key === "ArrowDown" ? 1 : -1;
            this.state.isOpen = last >= 0;
            this.state.index = Math.min(Math.max(this.state.index + step, 0), last);
        } else if (ev.key === "Escape" && this.state.isOpen) {
            ev.preventDefault();
            ev.stopPropagation();
            this.state.isOpen = false;
        } else if (ev.key === "Enter") {
            ev.preventDefault();
            await this.onEnter(ev.target.value.trim());
        }
    }

    async onEnter(query) {
        this.searchSoon.cancel();
        const isNew = query !== this.state.query;
        const rows = isNew ? await this.search(query) : this.state.rows;
        const row = rows[this.state.index];
        if (row && (!isNew || rows.length === 1 || row.student_number === query)) {
            await this.open(row.id);
        }
    }
}
