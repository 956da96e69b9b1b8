import { Domain } from "@web/core/domain";
import { ConnectionLostError } from "@web/core/network/rpc";
import { KeepLast } from "@web/core/utils/concurrency";
import { uuid } from "@web/core/utils/strings";
import { DynamicRecordList } from "@web/model/relational_model/dynamic_record_list";
import { RelationalModel } from "@web/model/relational_model/relational_model";

import { markRaw } from "@odoo/owl";

import { BLOCKED, CHUNK, LIFTED, MAX_ROWS, MINE, READY, STATE_BY_CODE } from "./matrix_codes";

/** The forms of one page; the cells come with them. */
class MatrixRecordList extends DynamicRecordList {
    _setData(data) {
        super._setData(data);
        this.model.setMatrix(data);
    }
}

/**
 * Graduates × steps: the page of forms as every list has it, with the cells of
 * `clearance.form.get_matrix`, the ticked rows, the step to act on, and what came of it.
 *
 * One session at a time is shown, because each has steps of its own.
 */
export class MatrixModel extends RelationalModel {
    static DynamicRecordList = MatrixRecordList;
    static withCache = false;

    setup(params) {
        super.setup(...arguments);
        this.nameField = params.nameField;
        this.labelFields = params.labelFields || [];
        this.keepLastSessions = markRaw(new KeepLast());
        this.searchDomain = [];
        this.sessions = [];
        this.sessionId = params.state?.sessionId || false;
        this.session = false;
        this.columns = markRaw([]);
        this.rows = markRaw([]);
        this.ticked = new Set(params.state?.ticked || []);
        this.stepId = params.state?.stepId || false;
        this.job = null;
        this.result = null;
    }

    exportState() {
        const { sessionId, stepId, ticked } = this;
        return { ...super.exportState(), sessionId, stepId, ticked: [...ticked] };
    }

    // -- loading ---------------------------------------------------------------

    async load(params = {}) {
        const next = { ...params };
        if ("groupBy" in next) {
            next.groupBy = [];
        }
        if (next.domain) {
            this.searchDomain = next.domain;
            await this.loadSessions(next.context);
            next.domain = this.getDomain();
        }
        await super.load(next);
        this.notify();
    }

    /** Which sessions the forms of the search belong to; the largest is shown first. */
    async loadSessions(context) {
        const groups = await this.keepLastSessions.add(
            this.orm.formattedReadGroup(
                this.config.resModel,
                this.searchDomain,
                ["session_id"],
                ["__count"],
                { context }
            )
        );
        this.sessions = groups
            .map(({ session_id: [id, name], __count: count }) => ({ id, name, count }))
            .sort((a, b) => b.count - a.count || b.id - a.id);
        if (!this.sessions.some(({ id }) => id === this.sessionId)) {
            this.sessionId = this.sessions[0]?.id || false;
        }
    }

    async setSession(sessionId) {
        this.sessionId = sessionId;
        await super.load({ domain: this.getDomain() });
        this.notify();
    }

    getDomain() {
        return Domain.and([this.searchDomain, [["session_id", "=", this.sessionId]]]).toList();
    }

    /** Show more of them at once; no more than the browser is meant to hold. */
    async setPage({ offset, limit }) {
        await this.root.load({ offset, limit: Math.min(limit, MAX_ROWS) });
        this.notify();
    }

    async sortBy(name) {
        await this.root.sortBy(name);
        this.notify();
    }

    async _loadData(config) {
        const data = await super._loadData(...arguments);
        if (data.records && !data.matrix) {
            data.matrix = await this.fetchMatrix(
                data.records.map(({ id }) => id),
                config.context
            );
        }
        return data;
    }

    fetchMatrix(ids, context) {
        return this.orm.call("clearance.form", "get_matrix", [ids, this.sessionId], { context });
    }

    /** Called with each page that was loaded. */
    setMatrix({ records, matrix }) {
        if (!matrix) {
            return;
        }
        this.session = matrix.session;
        this.columns = markRaw(matrix.columns);
        const cells = matrix.cells;
        this.setRows(records.map((values, index) => this.makeRow(values, index, cells)));
        const ids = new Set(records.map(({ id }) => id));
        // What is out of sight is not acted on.
        this.ticked = new Set([...this.ticked].filter((id) => ids.has(id)));
        const own = this.ownSteps;
        if (!own.some(({ id }) => id === this.stepId)) {
            this.stepId = own.length === 1 ? own[0].id : false;
        }
    }

    makeRow(values, index, cells) {
        const fullName = values[this.nameField]?.display_name || "";
        const number = values.student_number || "";
        const isPrefixed = number && fullName.startsWith(`${number} `);
        return {
            id: values.id,
            index,
            name: isPrefixed ? fullName.slice(number.length + 1) : fullName,
            number,
            labels: this.labelFields.map((name) => values[name]?.display_name ?? ""),
            isWithdrawn: values.state === "withdrawn",
            cells: cells[values.id] || {},
        };
    }

    setRows(rows) {
        this.rows = markRaw(rows);
        this.rowByStatus = null;
    }

    /** Read the cells of some graduates again, after they have been acted on. */
    async refresh(ids) {
        const wanted = ids.filter((id) => this.rows.some((row) => row.id === id));
        if (!wanted.length) {
            return;
        }
        const { cells } = await this.fetchMatrix(wanted, this.config.context);
        const changed = (row) =>
            cells[row.id] && JSON.stringify(cells[row.id]) !== JSON.stringify(row.cells);
        this.setRows(
            this.rows.map((row) => (changed(row) ? { ...row, cells: cells[row.id] } : row))
        );
    }

    // -- what is shown ---------------------------------------------------------

    get steps() {
        return this.columns.flatMap((column) =>
            column.steps.map((step) => ({
                ...step,
                station: column.station,
                stationId: column.station_id,
            }))
        );
    }

    get ownSteps() {
        return this.steps.filter((step) => step.mine);
    }

    get step() {
        return this.ownSteps.find(({ id }) => id === this.stepId);
    }

    /** A cell in words, or nothing where the step is none of the graduate's. */
    static readCell(cell) {
        if (!cell) {
            return null;
        }
        const [id, code, flags] = cell;
        return {
            id,
            state: STATE_BY_CODE[code],
            isReady: Boolean(flags & READY),
            isLifted: Boolean(flags & LIFTED),
            isMine: Boolean(flags & MINE),
            isBlocked: Boolean(flags & BLOCKED),
        };
    }

    getRowOfStatus(statusId) {
        if (!this.rowByStatus) {
            const found = new Map();
            for (const row of this.rows) {
                for (const cell of Object.values(row.cells)) {
                    found.set(cell[0], row);
                }
            }
            this.rowByStatus = markRaw(found);
        }
        return this.rowByStatus.get(statusId);
    }

    // -- whom and what to act on -----------------------------------------------

    setStep(stepId) {
        this.stepId = stepId;
    }

    /** Graduates for whom the chosen step can be confirmed right now. */
    get readyIds() {
        const isReady = ({ cells }) => {
            const flags = cells[this.stepId]?.[2];
            return flags & READY && flags & MINE;
        };
        return this.rows.filter(isReady).map(({ id }) => id);
    }

    get allTicked() {
        return this.rows.length > 0 && this.ticked.size === this.rows.length;
    }

    tick(ids, isTicked = true) {
        const ticked = new Set(this.ticked);
        for (const id of ids) {
            if (isTicked) {
                ticked.add(id);
            } else {
                ticked.delete(id);
            }
        }
        this.ticked = ticked;
    }

    tickOnly(ids) {
        this.ticked = new Set(ids);
    }

    tickAll() {
        this.tickOnly(this.rows.map(({ id }) => id));
    }

    /**
     * The ticked cells of the chosen step that the user may decide on, as status ids.
     * Whom the step does not concern is left out, unless it is to be reopened.
     */
    getTargets(decision) {
        return this.rows
            .filter(({ id }) => this.ticked.has(id))
            .map(({ cells }) => cells[this.stepId])
            .filter((cell) => cell && cell[2] & MINE && (cell[1] !== "n" || decision === "reopen"))
            .map(([id]) => id);
    }

    // -- acting ----------------------------------------------------------------

    /** Decide on the chosen step of the ticked graduates. */
    async decide(decision, reason = "") {
        const ids = this.getTargets(decision);
        await this.runJob({
            method: "decide",
            decision,
            step: this.step.name,
            values: { decision, reason },
            ids,
            skipped: this.ticked.size - ids.length,
        });
    }

    /** Take the last action back, the lines that can be. */
    async undo(reason = "") {
        const { lines, step } = this.result;
        await this.runJob({
            method: "undo",
            decision: "undo",
            step,
            values: { reason },
            ids: lines,
            skipped: 0,
        });
    }

    async runJob({ ids, ...job }) {
        const chunks = [];
        for (let start = 0; start < ids.length; start += CHUNK) {
            // The key makes a second try harmless: the server answers what it had answered.
            chunks.push({ key: uuid(), ids: ids.slice(start, start + CHUNK) });
        }
        this.result = null;
        this.job = { ...job, total: ids.length, sent: 0, isInterrupted: false };
        this.waiting = markRaw(chunks);
        this.outcomes = markRaw([]);
        await this.resume();
    }

    /** Send what has not been answered yet, under the same keys. */
    async resume() {
        this.job.isInterrupted = false;
        try {
            while (this.waiting.length) {
                const { key, ids } = this.waiting[0];
                this.outcomes.push(
                    ...(await this.send(this.job.method, key, ids, this.job.values))
                );
                this.waiting.shift();
                this.job.sent += ids.length;
            }
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                this.job.isInterrupted = true;
                return;
            }
            await this.finish();
            throw error;
        }
        await this.finish();
    }

    async send(method, key, ids, values) {
        const kwargs = { key, door: "matrix", ...values };
        kwargs[method === "undo" ? "line_ids" : "status_ids"] = ids;
        const { outcomes } = await this.orm.call("clearance.desk", method, [], kwargs);
        return outcomes;
    }

    /** Sum up, and show where the graduates stand now. */
    async finish() {
        const { decision, step, skipped } = this.job;
        const outcomes = this.outcomes;
        const named = outcomes.map((outcome) => ({
            ...outcome,
            row: this.getRowOfStatus(outcome.id),
        }));
        this.result = {
            decision,
            step,
            skipped,
            done: outcomes.filter(({ code }) => code === "done").length,
            already: outcomes.filter(({ code }) => code === "already").length,
            refused: markRaw(named.filter(({ code }) => !["done", "already"].includes(code))),
            lines: markRaw(outcomes.filter(({ line }) => line).map(({ line }) => line)),
        };
        this.job = null;
        await this.refresh([...new Set(named.filter(({ row }) => row).map(({ row }) => row.id))]);
    }

    dismiss() {
        this.job = null;
        this.result = null;
    }

    /**
     * Act on a single cell from its story.
     *
     * @returns {Promise<string>} why it was refused, or nothing
     */
    async actOnCell(row, method, id, values) {
        const [outcome] = await this.send(method, uuid(), [id], values);
        await this.refresh([row.id]);
        return outcome.code === "done" ? "" : outcome.message;
    }
}
