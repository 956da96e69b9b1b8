import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { KeepLast } from "@web/core/utils/concurrency";

import { markRaw, reactive } from "@odoo/owl";

import { getLegend } from "../legend/legend";
import { DECISIONS } from "./desk_words";
import { makeKey } from "./outbox_service";

const DESK = "clearance.desk";
const PAGE = 40;
const MAX_SCANS = 10;
/** Seconds in which the last action is undone with one key. */
export const UNDO_SECONDS = 10;
/** Milliseconds: colleagues confirm thousands a minute, the desk looks every now and then. */
const LIVE_WAIT = 2000;
const LIVE_JITTER = 1000;
const LIVE_GAP = 3000;

/**
 * What is shown to be reviewed, step by step; the server compares it with what is there.
 *
 * Not what was sent for an earlier step: that step is settled, so nothing is replaced there.
 */
function getSeen(steps) {
    const current = ({ sent = [] }) =>
        sent.find(({ state, for_step: forStep }) => state === "sent" && !forStep)?.id;
    return Object.fromEntries(
        steps.map((step) => [step.id, (step.state === "submitted" && current(step)) || false])
    );
}

/** Whether a step has something new to look at. */
function hasSentMore(before, after) {
    const seen = getSeen(before);
    return Object.entries(getSeen(after)).some(([id, sent]) => sent && sent !== seen[id]);
}

/**
 * The desk without its face: what is searched, who is shown, what was done.
 *
 * Reads go straight to the server; whatever writes goes through the outbox, which keeps
 * it over a lost connection.  Nothing here looks done before the server has said so.
 */
export class DeskModel {
    constructor({ orm, outbox, notification, sounds, storageKey }) {
        this.orm = markRaw(orm);
        this.outbox = markRaw(outbox);
        this.unsent = outbox.state;
        this.notification = markRaw(notification);
        this.sounds = markRaw(sounds);
        this.storageKey = storageKey;
        this.searches = markRaw(new KeepLast());
        this.openings = markRaw(new KeepLast());
        this.settings = this.loadSettings();
        this.isLoaded = false;
        this.stations = [];
        this.reasons = [];
        this.station = null;
        this.sessionId = false;
        this.filters = { query: "", ready: "all", state: "all", stepId: false };
        this.list = { rows: [], count: 0, offset: 0, index: -1, query: "" };
        this.list.isLoading = false;
        this.graduate = null;
        this.ticked = {};
        this.messages = {};
        this.note = "";
        this.notice = null;
        this.statistics = null;
        this.undoable = null;
        this.scans = [];
        this.announcement = "";
        this.focus = { target: "search", count: 0 };
        this.dialogs = 0;
        this.lastRefresh = -Infinity;
        this.codes = Promise.resolve();
    }

    /** A model that components can watch. */
    static make(services) {
        return reactive(new DeskModel(services));
    }

    /**
     * @param {Object} [restored] what `getState` answered when the desk was left
     */
    async start(restored) {
        const { stations, reasons } = await this.orm.call(DESK, "get_stations", [], {});
        Object.assign(this, { stations, reasons, isLoaded: true });
        const wanted = restored?.stationId || this.settings.station;
        this.setStation(stations.find(({ id }) => id === wanted) || stations[0] || null);
        Object.assign(this.filters, restored?.filters);
        this.scans = restored?.scans || [];
        if (this.station) {
            const formId = restored?.formId;
            await Promise.all([
                this.search(),
                this.refreshStatistics(),
                formId ? this.tryOpen(formId) : null,
            ]);
        }
    }

    /** Stop what runs by itself. */
    destroy() {
        browser.clearTimeout(this.refreshTimer);
        browser.clearInterval(this.undoTimer);
    }

    getState() {
        return {
            filters: { ...this.filters },
            formId: this.graduate?.form_id,
            stationId: this.station?.id,
            scans: this.scans.map((scan) => ({ ...scan })),
        };
    }

    call(method, kwargs) {
        return this.orm.call(DESK, method, [], kwargs);
    }

    // ---------------------------------------------------------------- settings

    loadSettings() {
        const fresh = { station: false, sessions: {}, steps: {}, fast: false, folded: false };
        try {
            const kept = JSON.parse(browser.localStorage.getItem(this.storageKey));
            return { ...fresh, ...kept };
        } catch {
            return fresh;
        }
    }

    set(name, value) {
        this.settings[name] = value;
        browser.localStorage.setItem(this.storageKey, JSON.stringify(this.settings));
    }

    // ---------------------------------------------------------------- stations

    setStation(station) {
        this.station = station;
        this.filters.stepId = false;
        const wanted = station && this.settings.sessions[station.id];
        const session = station?.sessions.find(({ id }) => id === wanted);
        this.sessionId = session ? session.id : false;
        if (station?.sessions.length === 1) {
            this.sessionId = station.sessions[0].id;
        }
    }

    async switchStation(station) {
        this.set("station", station.id);
        this.setStation(station);
        this.statistics = null;
        this.undoable = null;
        this.notice = null;
        const formId = this.graduate?.form_id;
        this.say(_t("Station: %s", station.name));
        this.focusOn("search");
        await Promise.all([
            this.search(),
            this.refreshStatistics(),
            formId ? this.tryOpen(formId) : null,
        ]);
    }

    async switchSession(sessionId) {
        this.set("sessions", { ...this.settings.sessions, [this.station.id]: sessionId });
        this.sessionId = sessionId;
        this.filters.stepId = false;
        this.focusOn("search");
        await Promise.all([this.search(), this.refreshStatistics()]);
    }

    get session() {
        return this.station?.sessions.find(({ id }) => id === this.sessionId) || null;
    }

    /** The steps of the station in the sessions that are looked at. */
    get stationSteps() {
        const steps = this.station?.steps || [];
        return this.sessionId ? steps.filter((step) => step.session_id === this.sessionId) : steps;
    }

    // ------------------------------------------------------------------ search

    async filter(values) {
        Object.assign(this.filters, values);
        await this.search();
    }

    async search(offset = 0) {
        if (!this.station) {
            return;
        }
        const { query, ready, state, stepId } = this.filters;
        this.list.isLoading = true;
        const request = this.call("search_graduates", {
            station_id: this.station.id,
            session_id: this.sessionId,
            query,
            ready,
            state,
            step_id: stepId,
            offset,
            limit: PAGE,
        });
        let page;
        try {
            page = await this.searches.add(request);
        } catch (error) {
            this.list.isLoading = false;
            throw error;
        }
        const { rows, count } = page;
        this.list = { rows, count, offset, query, index: -1, isLoading: false };
    }

    get range() {
        const { offset, rows, count } = this.list;
        return {
            from: rows.length ? offset + 1 : 0,
            to: offset + rows.length,
            total: `${count}`,
            hasPrevious: offset > 0,
            hasNext: offset + rows.length < count,
        };
    }

    async turnPage(direction) {
        const { hasPrevious, hasNext } = this.range;
        if (direction > 0 ? hasNext : hasPrevious) {
            await this.search(Math.max(0, this.list.offset + direction * PAGE));
        }
    }

    /** Up and down the list; over its end to the next page. */
    async move(direction) {
        const { rows, index } = this.list;
        const next = index + direction;
        if (next >= rows.length && this.range.hasNext) {
            await this.turnPage(1);
            this.list.index = 0;
        } else if (next < 0 && this.range.hasPrevious) {
            await this.turnPage(-1);
            this.list.index = this.list.rows.length - 1;
        } else {
            this.list.index = Math.min(Math.max(next, 0), rows.length - 1);
        }
    }

    /** Open the selected row, or the first. */
    async openSelected() {
        const row = this.list.rows[Math.max(this.list.index, 0)];
        if (!row) {
            this.say(_t("Nobody found."));
            return;
        }
        this.list.index = Math.max(this.list.index, 0);
        await this.open(row.form_id);
        this.focusOnNext();
    }

    async openNext() {
        await this.move(1);
        await this.openSelected();
    }

    /** Keep the marks of the list right without another search. */
    updateRow(graduate) {
        const row = this.list.rows.find(({ form_id }) => form_id === graduate.form_id);
        if (!row) {
            return;
        }
        row.form_state = graduate.form_state;
        const steps = new Map(graduate.steps.map((step) => [step.id, step]));
        row.steps = row.steps.map((mark) => {
            const step = steps.get(mark.id);
            return step
                ? { ...mark, legend: getLegend(step), ready: step.ready, lifted: step.lifted }
                : mark;
        });
    }

    // ---------------------------------------------------------------- graduate

    async open(formId) {
        const request = this.call("get_graduate", { form_id: formId, station_id: this.station.id });
        this.show(await this.openings.add(request));
        const index = this.list.rows.findIndex(({ form_id }) => form_id === formId);
        this.list.index = index >= 0 ? index : this.list.index;
    }

    /** Open a form that this station may have nothing to do with. */
    async tryOpen(formId) {
        try {
            await this.open(formId);
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            this.close();
        }
    }

    close() {
        this.graduate = null;
        this.ticked = {};
        this.messages = {};
        this.note = "";
    }

    /** Show a graduate; ticks and messages stay where it is the same one. */
    show(graduate) {
        const before = this.graduate?.form_id === graduate.form_id ? this.graduate : null;
        if (!before) {
            this.close();
            this.notice = null;
        }
        const known = new Map((before?.steps || []).map((step) => [step.id, step]));
        const ticked = {};
        for (const step of graduate.steps) {
            const old = known.get(step.id);
            const isSame = old && old.state === step.state && old.ready === step.ready;
            ticked[step.id] = isSame ? Boolean(this.ticked[step.id]) : this.isReady(step);
        }
        this.graduate = graduate;
        this.ticked = ticked;
        this.updateRow(graduate);
    }

    /** Nothing is in the way of confirming this step, and nothing speaks against it. */
    isReady(step) {
        return (
            step.actions.includes("approve") &&
            step.is_open &&
            step.ready &&
            !step.needs_reason &&
            step.state !== "rejected"
        );
    }

    get name() {
        const { student_number: number, name } = this.graduate.person;
        return `${number} ${name}`;
    }

    /** Put the focus where the next key is of use: on Confirm, or back in the search box. */
    focusOnNext() {
        const isClear =
            this.getTargets("approve").length &&
            this.graduate?.steps.some((step) => this.ticked[step.id]) &&
            !this.graduate.warnings.some(({ level }) => level === "danger");
        this.focusOn(isClear ? "confirm" : "search");
    }

    focusOn(target) {
        this.focus = { target, count: this.focus.count + 1 };
    }

    /** For aria-live: the same words twice are said twice. */
    say(text) {
        const last = `${this.announcement}`;
        this.announcement = last === `${text}` ? `${text}\u00a0` : `${text}`;
    }

    // --------------------------------------------------------------- decisions

    /** Entries that their user should know are not saved. */
    get unsaved() {
        return this.unsent.entries.filter((entry) => this.unsent.isLost || entry.isSlow);
    }

    /** Whether a decision on a step is under way, and whether that takes unduly long. */
    getPending(statusId) {
        const entry = this.unsent.entries.find(({ info }) => info.statusIds?.includes(statusId));
        return entry && { isUnsaved: this.unsent.isLost || entry.isSlow };
    }

    isPending(statusId) {
        return this.unsent.entries.some(({ info }) => info.statusIds?.includes(statusId));
    }

    /** The steps that a button acts on: the ticked ones, or the only one it could mean. */
    getTargets(decision) {
        const steps = this.graduate?.steps || [];
        const able = steps.filter(
            (step) => step.actions.includes(decision) && !this.isPending(step.id)
        );
        if (steps.some((step) => this.ticked[step.id])) {
            return able.filter((step) => this.ticked[step.id]);
        }
        // What does not concern the graduate is never meant unless it is ticked.
        const meant = able.filter((step) => step.state !== "not_required");
        return meant.length === 1 ? meant : [];
    }

    /** Presets for a decision: those of the station, and those for every station. */
    getPresets(decision) {
        const wanted = decision === "undo" ? "reopen" : decision;
        return this.reasons.filter(
            (reason) =>
                reason.decision === wanted &&
                (!reason.station_ids || reason.station_ids.includes(this.station.id))
        );
    }

    /**
     * @param {"approve"|"reject"|"reopen"|"set_not_required"} decision
     * @param {Object[]} steps of the graduate that is shown
     * @param {string} [reason]
     * @param {string} [group] actions of one click, undone together
     */
    decide(decision, steps, reason = "", group = makeKey()) {
        if (!steps.length) {
            return;
        }
        const statusIds = steps.map(({ id }) => id);
        this.forget(statusIds);
        this.sendFor(
            "decide",
            { decision, status_ids: statusIds, reason, door: "desk", seen: getSeen(steps) },
            {
                title: `${DECISIONS[decision].label}: ${this.name}`,
                steps: steps.map(({ step }) => step),
                statusIds,
                decision,
                group,
            }
        );
    }

    /** Take one decision of the graduate that is shown back. */
    undoStep(step, reason = "") {
        this.forget([step.id]);
        this.sendFor(
            "undo",
            { line_ids: [step.undo.line], reason, door: "desk" },
            { title: _t("Undo: %s", this.name), steps: [step.step], statusIds: [step.id] }
        );
    }

    /** Take the last action back. */
    undoLast() {
        const last = this.undoable;
        if (!last) {
            return;
        }
        this.setUndoable(null);
        this.outbox.send(
            DESK,
            "undo",
            {
                line_ids: last.lines,
                reason: "",
                door: "desk",
                form_id: last.formId,
                station_id: last.stationId,
            },
            { title: _t("Undo: %s", last.name), steps: last.steps, statusIds: last.statusIds }
        );
    }

    sendFor(method, kwargs, info) {
        const ids = { form_id: this.graduate.form_id, station_id: this.station.id };
        this.outbox.send(DESK, method, { ...kwargs, ...ids }, { name: this.name, ...info });
    }

    forget(statusIds) {
        this.note = "";
        for (const id of statusIds) {
            delete this.messages[id];
        }
    }

    /** @returns {boolean} whether the desk has dealt with the answer */
    onAnswered({ entry, result }) {
        if (entry.model !== DESK) {
            return false;
        }
        if (entry.method === "scan") {
            this.onScanned(entry, result);
        } else if (entry.info.scanKey) {
            this.onScanUndone(entry, result);
        } else {
            this.onOutcomes(entry, result);
        }
        this.scheduleRefresh();
        return true;
    }

    /** The server would not take it at all: no rights, no such record. */
    onRefused({ entry, message }) {
        if (entry.model !== DESK) {
            return false;
        }
        if (entry.method === "scan") {
            this.onScanned(entry, { result: "refused", message, outcomes: [] });
            return true;
        }
        this.complain(entry, message);
        if (this.isShown(entry)) {
            for (const id of entry.info.statusIds) {
                this.messages[id] = { code: "refused", message };
            }
        }
        return true;
    }

    isShown(entry) {
        return (
            this.graduate?.form_id === entry.kwargs.form_id &&
            this.station?.id === entry.kwargs.station_id
        );
    }

    complain(entry, message) {
        this.say(_t("Not done: %s", message));
        if (!this.isShown(entry)) {
            this.notification.add(message, {
                title: entry.info.title,
                type: "danger",
                sticky: true,
            });
        }
    }

    onOutcomes(entry, { outcomes, graduate }) {
        const isShown = this.isShown(entry);
        if (graduate && isShown) {
            this.show(graduate);
        } else if (graduate) {
            this.updateRow(graduate);
        }
        const refused = outcomes.filter(({ code }) => code !== "done");
        if (isShown) {
            for (const { id, code, message } of refused) {
                this.messages[id] = { code, message };
            }
        }
        const done = outcomes.filter(({ code }) => code === "done");
        if (done.length) {
            this.onDone(entry, done);
        }
        if (refused.length) {
            this.complain(entry, refused.map(({ message }) => message).join(" "));
        } else if (isShown) {
            this.focusOn("search");
        }
    }

    onDone(entry, outcomes) {
        const { decision, statusIds, steps, name, group } = entry.info;
        const ids = new Set(outcomes.map(({ id }) => id));
        const names = steps.filter((step, index) => ids.has(statusIds[index]));
        if (!decision) {
            this.setUndoable(null);
            this.say(_t("Undone: %s", steps.join(", ")));
            return;
        }
        const text = `${DECISIONS[decision].done}: ${names.join(", ")}`;
        this.say(text);
        const last = this.undoable?.group === group ? this.undoable : null;
        const lines = outcomes.map(({ line }) => line).filter(Boolean);
        this.setUndoable({
            group,
            decision,
            name,
            steps: [...(last?.steps || []), ...names],
            statusIds: [...(last?.statusIds || []), ...ids],
            lines: [...(last?.lines || []), ...lines],
            formId: entry.kwargs.form_id,
            stationId: entry.kwargs.station_id,
            seconds: UNDO_SECONDS,
        });
    }

    setUndoable(undoable) {
        browser.clearInterval(this.undoTimer);
        this.undoable = undoable;
        if (undoable) {
            this.undoTimer = browser.setInterval(() => this.countDown(), 1000);
        }
    }

    countDown() {
        if (this.undoable && this.undoable.seconds > 1) {
            this.undoable.seconds--;
        } else {
            this.setUndoable(null);
        }
    }

    // -------------------------------------------------------------------- scan

    /** Steps that the fast mode confirms: false means all of the station's. */
    get fastStepIds() {
        const ids = this.stationSteps.map(({ id }) => id);
        const chosen = this.settings.steps[this.station?.id] || [];
        const known = chosen.filter((id) => ids.includes(id));
        return known.length ? known : ids;
    }

    toggleFastStep(stepId) {
        const ids = this.fastStepIds;
        const chosen = ids.includes(stepId) ? ids.filter((id) => id !== stepId) : [...ids, stepId];
        this.set("steps", { ...this.settings.steps, [this.station.id]: chosen });
    }

    /** Whether the station lets a scan confirm at once; the server refuses it otherwise. */
    get canBeFast() {
        return this.station?.fast_scan !== false;
    }

    get isFast() {
        return this.settings.fast && this.canBeFast;
    }

    toggleFast() {
        this.set("fast", !this.settings.fast);
        this.say(
            this.settings.fast
                ? _t("Fast mode: a scan confirms at once.")
                : _t("A scan opens the graduate.")
        );
        this.focusOn("search");
    }

    /**
     * A code from a scanner or the camera.  Codes wait for each other; none is lost.
     *
     * @returns {Promise<boolean>} whether somebody was found; true in fast mode
     */
    onCode(code) {
        code = code.trim();
        if (!code || !this.station) {
            return Promise.resolve(false);
        }
        if (this.dialogs) {
            this.sounds.play("error");
            this.say(_t("Close the dialog first, then scan again."));
            return Promise.resolve(false);
        }
        if (this.isFast) {
            this.sendScan(code);
            return Promise.resolve(true);
        }
        const found = this.codes.then(() => this.find(code));
        this.codes = found.catch(() => {});
        return found;
    }

    async find(code) {
        let answer;
        try {
            answer = await this.call("find", { code, station_id: this.station.id });
        } catch (error) {
            this.sounds.play("error");
            this.warn(code, this.explain(error));
            return false;
        }
        if (answer.error) {
            this.sounds.play("error");
            this.warn(code, answer.message);
            return false;
        }
        await this.open(answer.form_id);
        this.say(this.name);
        this.focusOnNext();
        return true;
    }

    explain(error) {
        if (error instanceof RPCError) {
            return error.data?.message || error.message;
        }
        if (error instanceof ConnectionLostError) {
            return _t("No connection. Scan again in a moment.");
        }
        throw error;
    }

    /** Whoever was shown is not the one who stands here now: nobody is. */
    warn(code, message) {
        this.close();
        this.notice = { code, message: `${message}` };
        this.say(`${code}: ${message}`);
    }

    sendScan(code) {
        const steps = this.fastStepIds;
        const isAll = steps.length === this.stationSteps.length && !this.sessionId;
        this.outbox.send(
            DESK,
            "scan",
            { code, station_id: this.station.id, step_ids: isAll ? [] : steps },
            { title: _t("Scan: %s", code), code, name: code }
        );
    }

    onScanned(entry, answer) {
        const { result, message, outcomes = [], graduate } = answer;
        const scan = {
            key: entry.key,
            code: entry.kwargs.code,
            result,
            message: message || "",
            name: answer.name || "",
            number: answer.student_number || entry.kwargs.code,
            class: answer.class || "",
            formId: answer.form_id || false,
            stationId: entry.kwargs.station_id,
            lines: outcomes.map(({ line }) => line).filter(Boolean),
            steps: outcomes.filter(({ code }) => code === "done").map(({ step }) => step),
            isUndoing: false,
        };
        this.scans = [scan, ...this.scans].slice(0, MAX_SCANS);
        this.sounds.play(["done", "already"].includes(result) ? "done" : "error");
        this.say([scan.number, scan.name, scan.message].filter(Boolean).join(" "));
        if (graduate && this.station?.id === entry.kwargs.station_id) {
            this.show(graduate);
        } else if (!graduate) {
            this.close();
        }
    }

    /** Scans that the server has not answered, the oldest first. */
    get waitingScans() {
        return this.unsent.entries
            .filter(({ method }) => method === "scan")
            .map(({ key, info, isSlow }) => ({
                key,
                result: this.unsent.isLost || isSlow ? "waiting" : "saving",
                number: info.code,
                name: "",
                message: "",
                formId: false,
                lines: [],
                steps: [],
            }));
    }

    undoScan({ key: scanKey }) {
        const scan = this.scans.find(({ key }) => key === scanKey);
        scan.isUndoing = true;
        this.outbox.send(
            DESK,
            "undo",
            {
                line_ids: scan.lines,
                reason: "",
                door: "scan",
                form_id: scan.formId,
                station_id: scan.stationId,
            },
            { title: _t("Undo: %s", `${scan.number} ${scan.name}`), scanKey: scan.key }
        );
    }

    onScanUndone(entry, { outcomes, graduate }) {
        const scan = this.scans.find(({ key }) => key === entry.info.scanKey);
        const refused = outcomes.filter(({ code }) => code !== "done");
        const message = refused.map((outcome) => outcome.message).join(" ");
        if (scan) {
            scan.isUndoing = false;
            scan.result = refused.length ? scan.result : "undone";
            scan.message = message || scan.steps.join(", ");
            scan.lines = [];
        }
        this.say(message || entry.info.title);
        if (graduate && this.isShown(entry)) {
            this.show(graduate);
        } else if (graduate) {
            this.updateRow(graduate);
        }
    }

    // -------------------------------------------------------------------- live

    /** Somebody has decided something somewhere. */
    onChanged({ station_id: stationId }) {
        const isOwn = this.station && stationId === this.station.id;
        const isShown = this.graduate?.record.some((row) => row.station_id === stationId);
        if (isOwn || isShown) {
            this.scheduleRefresh();
        }
    }

    /** However many changes there are: a look every three seconds at most. */
    scheduleRefresh() {
        if (this.refreshTimer || !this.station) {
            return;
        }
        const wait = LIVE_WAIT + Math.random() * LIVE_JITTER;
        const gap = this.lastRefresh + LIVE_GAP - Date.now();
        this.refreshTimer = browser.setTimeout(
            () => {
                this.refreshTimer = null;
                this.refreshStatistics(true).catch(() => {
                    // The next change asks again; figures carry their time.
                });
            },
            Math.max(wait, gap)
        );
    }

    async refreshStatistics(silent = false) {
        const { station, sessionId } = this;
        const { form_id: formId, version } = this.graduate || {};
        const orm = silent ? this.orm.silent : this.orm;
        this.lastRefresh = Date.now();
        const statistics = await orm.call(DESK, "get_statistics", [], {
            station_id: station.id,
            session_id: sessionId,
            form_id: formId || false,
        });
        if (this.station?.id !== station.id || this.sessionId !== sessionId) {
            return;
        }
        this.statistics = statistics;
        const isSame = this.graduate?.form_id === formId && this.graduate?.version === version;
        if (formId && isSame && statistics.version && statistics.version !== version) {
            await this.reload();
        }
    }

    /** A colleague has changed something in the record that is shown. */
    async reload() {
        if (this.dialogs || this.graduate.steps.some((step) => this.isPending(step.id))) {
            this.scheduleRefresh();
            return;
        }
        const { form_id: formId, steps } = this.graduate;
        await this.tryOpen(formId);
        if (this.graduate?.form_id === formId) {
            this.note = hasSentMore(steps, this.graduate.steps)
                ? _t("The graduate has sent something; it is shown here.")
                : _t("A colleague has changed something in this record; it is up to date.");
            this.say(this.note);
        }
    }
}
