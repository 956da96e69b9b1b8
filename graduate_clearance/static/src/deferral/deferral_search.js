import { hasTouch } from "@web/core/browser/feature_detection";
import { useDebounced } from "@web/core/utils/timing";

import { Component, onMounted, useEffect, useRef, useState } from "@odoo/owl";

/** Milliseconds without a key before the server is asked. */
const TYPING = 250;

/** Find a graduate: box, filters and results; all of it without leaving the box. */
export class DeferralSearch extends Component {
    static template = "graduate_clearance.DeferralSearch";
    static props = {
        filters: Object,
        list: Object,
        sessions: Array,
        formId: { type: [Number, Boolean] },
        focus: Number,
        pageSize: Number,
        /** called with the filters that change; answers the list it has found */
        search: Function,
        open: Function,
    };

    setup() {
        this.input = useRef("input");
        this.results = useRef("results");
        this.state = useState({ index: -1 });
        this.searchSoon = useDebounced((query) => this.search({ query }), TYPING);
        onMounted(() => this.focus());
        useEffect(
            (count) => {
                if (count) {
                    this.focus();
                }
            },
            () => [this.props.focus]
        );
        useEffect(
            (index) => {
                this.results.el?.children[index]?.scrollIntoView({ block: "nearest" });
            },
            () => [this.state.index]
        );
    }

    /** Select what stands there, so that the next name replaces it. */
    focus() {
        if (!hasTouch()) {
            this.input.el.focus({ preventScroll: true });
            this.input.el.select();
        }
    }

    get rows() {
        return this.props.list.rows.map((row, index) => ({
            ...row,
            id: `o_clearance_deferral_row_${row.form_id}`,
            isSelected: index === this.state.index,
            isShown: row.form_id === this.props.formId,
            place: [row.college, row.class].filter(Boolean).join(" · "),
            // Somebody of two sessions stands here twice.
            session: this.hasSeveralSessions ? row.session : "",
        }));
    }

    get activeId() {
        return this.rows[this.state.index]?.id;
    }

    /** Whether rows of several sessions can stand in the list. */
    get hasSeveralSessions() {
        return this.props.sessions.length > 1 && !this.props.filters.sessionId;
    }

    get isFiltered() {
        const { query, lifted, sessionId } = this.props.filters;
        return Boolean(query || lifted || sessionId);
    }

    get range() {
        const { offset } = this.props.filters;
        const { rows, count, more } = this.props.list;
        return {
            from: rows.length ? offset + 1 : 0,
            to: offset + rows.length,
            total: more ? `${count}+` : count,
            hasPrevious: offset > 0,
            hasNext: more ? rows.length === this.props.pageSize : offset + rows.length < count,
        };
    }

    search(filters) {
        this.state.index = -1;
        return this.props.search({ offset: 0, ...filters });
    }

    turnPage(direction) {
        return this.search({ offset: this.props.filters.offset + direction * this.props.pageSize });
    }

    onInput(ev) {
        if (!ev.isComposing) {
            this.searchSoon(ev.target.value.trim());
        }
    }

    onReset() {
        this.input.el.value = "";
        return this.search({ query: "", lifted: false, sessionId: false });
    }

    onSessionChange(ev) {
        return this.search({ sessionId: Number(ev.target.value) || false });
    }

    async onKeydown(ev) {
        if (ev.isComposing) {
            return;
        }
        const last = this.props.list.rows.length - 1;
        if (ev.key === "Enter") {
            ev.preventDefault();
            await this.onEnter(ev.target.value.trim());
        } else if (ev.key === "ArrowDown") {
            ev.preventDefault();
            this.state.index = Math.min(this.state.index + 1, last);
        } else if (ev.key === "ArrowUp") {
            ev.preventDefault();
            this.state.index = Math.max(this.state.index - 1, 0);
        } else if (ev.key === "PageDown" && this.range.hasNext) {
            ev.preventDefault();
            await this.turnPage(1);
        } else if (ev.key === "PageUp" && this.range.hasPrevious) {
            ev.preventDefault();
            await this.turnPage(-1);
        }
    }

    /** Open the chosen row, or the only one that the typed text means. */
    async onEnter(query) {
        this.searchSoon.cancel();
        const isNew = query !== this.props.filters.query;
        const { rows } = isNew ? await this.search({ query }) : this.props.list;
        const row =
            rows[this.state.index] ||
            rows.find((candidate) => candidate.student_number === query) ||
            (rows.length === 1 && rows[0]);
        if (row) {
            this.onOpen(row);
        } else if (rows.length) {
            this.state.index = 0;
        }
    }

    onOpen(row) {
        this.state.index = this.props.list.rows.findIndex(({ form_id }) => form_id === row.form_id);
        this.input.el.select();
        this.props.open(row.form_id);
    }
}
