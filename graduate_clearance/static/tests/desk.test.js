import { beforeEach, describe, expect, test } from "@odoo/hoot";
import {
    click,
    keyDown,
    manuallyDispatchProgrammaticEvent,
    press,
    queryAll,
    queryAllTexts,
    queryOne,
} from "@odoo/hoot-dom";
import { Deferred, advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    getService,
    makeMockEnv,
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";

import { Desk } from "@graduate_clearance/desk/desk";
import { DeskSounds } from "@graduate_clearance/desk/desk_sounds";

defineMailModels();

const SEARCH = "input[name=clearance_search]";
const CONFIRM = "button[data-decision=approve]";

const AFFAIRS = {
    id: 1,
    name: "Student Affairs",
    sessions: [{ id: 7, name: "2026 undergraduates" }],
    steps: [
        {
            id: 11,
            name: "Return student card",
            session_id: 7,
            mode: "station",
            required: true,
            stage: "",
        },
        {
            id: 12,
            name: "Confirm loan",
            session_id: 7,
            mode: "station",
            required: true,
            stage: "",
        },
    ],
};
const LIBRARY = {
    id: 2,
    name: "Library",
    sessions: [
        { id: 7, name: "2026 undergraduates" },
        { id: 8, name: "2026 postgraduates" },
    ],
    steps: [
        { id: 21, name: "Return books", session_id: 7, mode: "feed", required: true, stage: "" },
        {
            id: 22,
            name: "Hand in thesis",
            session_id: 8,
            mode: "station",
            required: true,
            stage: "",
        },
    ],
};
const REASONS = [
    { id: 1, name: "Papers are missing", decision: "reject", station_ids: false },
    { id: 2, name: "Card is damaged", decision: "reject", station_ids: [1] },
    { id: 3, name: "Book is damaged", decision: "reject", station_ids: [2] },
    { id: 4, name: "Confirmed by mistake", decision: "reopen", station_ids: false },
];

/** What the mocked server knows and what it was asked. */
let server;

function makeStep(id, step, values = {}) {
    return {
        id,
        step_id: id % 100,
        step,
        stage: "",
        mode: "station",
        required: true,
        state: "pending",
        needs_review: false,
        is_open: true,
        initial_state: "pending",
        reason: "",
        user: "",
        decided_at: "",
        door: "",
        ready: true,
        lifted: false,
        blocked_by: [],
        instructions: "",
        open_from: "",
        deadline: "",
        to_be_announced: false,
        responsible: "",
        actions: ["approve", "reject", "set_not_required"],
        needs_reason: false,
        source: false,
        figure: false,
        sent: [],
        inquiry: false,
        attachments: [],
        undo: false,
        ...values,
    };
}

function makeGraduate(formId, values = {}) {
    const steps = values.steps || [makeStep(formId * 100 + 11, "Return student card")];
    return {
        form_id: formId,
        version: "1",
        session: { id: 7, name: "2026 undergraduates", state: "open" },
        form_state: "open",
        due: 3,
        open: 2,
        person: {
            name: `Graduate ${formId}`,
            student_number: `T2600${formId}`,
            gender: "Female",
            college: "Mechanics",
            class: "M1",
            class_id: 31,
            room: "North-0101",
            room_id: 41,
            major: "Engines",
            level: "Undergraduate",
            id_number: "990***01X",
            earlier_year: false,
            graduation_year: 2026,
            photo: false,
        },
        warnings: [],
        record: steps.map((step) => ({ ...step, station_id: 1, station: "Student Affairs" })),
        others: [],
        ...values,
        steps,
    };
}

function makeRow({ form_id, person, steps, form_state }) {
    return {
        form_id,
        student_number: person.student_number,
        name: person.name,
        class: person.class,
        room: person.room,
        college: person.college,
        earlier_year: person.earlier_year,
        form_state,
        steps: steps.map(({ id, step_id, step, state, ready, lifted, required }) => ({
            id,
            step_id,
            step,
            legend: state,
            ready,
            lifted,
            required,
        })),
    };
}

const RESULTS = {
    approve: { state: "approved", is_open: false, actions: ["reopen"], ready: false },
    reject: { state: "rejected", actions: ["approve", "reopen"] },
    reopen: { state: "pending", is_open: true, actions: ["approve", "reject"], ready: true },
    set_not_required: { state: "not_required", is_open: false, actions: ["reopen"] },
};

/** What a decision makes of a graduate; each step that is not ready is refused. */
function decide({ decision, status_ids, form_id, reason }) {
    const graduate = server.graduates[form_id];
    const outcomes = status_ids.map((id) => {
        const step = graduate.steps.find((candidate) => candidate.id === id);
        if (decision === "approve" && !step.ready) {
            return { id, code: "missing", message: "Not settled: Library: Books", line: false };
        }
        step.before ||= { ...step };
        Object.assign(step, RESULTS[decision], { reason, undo: { line: 900 + id, mine: true } });
        return { id, code: "done", message: "", line: 900 + id };
    });
    graduate.version += "+";
    return { outcomes, graduate };
}

function undo({ line_ids, form_id }) {
    const graduate = server.graduates[form_id];
    const outcomes = line_ids.map((line) => {
        const step = graduate.steps.find(({ id }) => id === line - 900);
        Object.assign(step, { ...step.before, undo: false });
        return { id: step.id, code: "done", message: "", line: line + 1 };
    });
    graduate.version += "-";
    return { outcomes, graduate };
}

function find({ code }) {
    const graduate = Object.values(server.graduates).find(
        ({ person }) => person.student_number === code
    );
    return graduate
        ? { form_id: graduate.form_id }
        : { error: "unknown", message: `Nobody has the number “${code}”.` };
}

function scan({ code, key, station_id, step_ids }) {
    const { form_id } = find({ code });
    if (!form_id) {
        return { result: "unknown", form_id: false, message: "Nobody.", outcomes: [] };
    }
    const { person, steps } = server.graduates[form_id];
    const status_ids = steps
        .filter((step) => step.is_open)
        .filter((step) => !step_ids.length || step_ids.includes(step.step_id))
        .map(({ id }) => id);
    const answer = decide({
        key,
        decision: "approve",
        status_ids,
        form_id,
        station_id,
        reason: "",
    });
    const isRefused = answer.outcomes.some((outcome) => outcome.code !== "done");
    return {
        result: status_ids.length ? (isRefused ? "refused" : "done") : "already",
        form_id,
        name: person.name,
        student_number: person.student_number,
        class: person.class,
        message: answer.outcomes.map(({ message }) => message).join(" "),
        outcomes: answer.outcomes.map((outcome) => ({ ...outcome, step: "Return student card" })),
        graduate: answer.graduate,
    };
}

const METHODS = {
    get_stations: () => ({ stations: server.stations, reasons: REASONS, is_manager: false }),
    search_graduates: ({ offset, limit, query }) => {
        const rows = Object.values(server.graduates)
            .map(makeRow)
            .filter((row) =>
                `${row.name} ${row.student_number}`.toLowerCase().includes(query.toLowerCase())
            );
        return { rows: rows.slice(offset, offset + limit), count: rows.length };
    },
    get_graduate: ({ form_id }) => server.graduates[form_id],
    get_statistics: ({ form_id }) => ({
        as_of: "2026-06-22 02:05:00",
        version: form_id ? server.graduates[form_id].version : false,
        station: { due: 20, due_earlier: 2, open: 15, open_earlier: 1, done: 5, rate: 25 },
        steps: [
            {
                step_id: 11,
                name: "Return student card",
                due: 20,
                due_earlier: 2,
                open: 12,
                open_earlier: 0,
                done: 8,
                submitted: 1,
                rejected: 2,
                rate: 40,
            },
        ],
    }),
    find,
    decide,
    undo,
    scan,
};

function asked(method) {
    return server.calls.filter((call) => call.method === method).map((call) => call.kwargs);
}

/** The desk with a server of its own, which may lose its connection. */
async function mountDesk(props = {}) {
    await makeMockEnv();
    patchWithCleanup(getService("orm"), {
        async call(model, method) {
            if (server.isLost && model === "clearance.desk") {
                throw new ConnectionLostError("/web");
            }
            await (model === "clearance.desk" && server.delays[method]);
            return super.call(...arguments);
        },
    });
    patchWithCleanup(getService("bus_service"), {
        subscribe(notification, callback) {
            if (notification === "clearance.changed") {
                server.notify = callback;
            } else {
                super.subscribe(notification, callback);
            }
        },
    });
    return mountWithCleanup(Desk, { props: { action: { context: {} }, ...props } });
}

async function settle() {
    await advanceTime(10);
    await animationFrame();
    await animationFrame();
}

/** Type as a person does: with time between the keys. */
async function type(text) {
    for (const key of text) {
        await press(key);
        await advanceTime(120);
    }
}

async function open(index = 0) {
    await click(`.o_clearance_desk_row:eq(${index})`);
    await settle();
}

/** A scanner that types at the page. */
async function scanPage(code) {
    getService("barcode").bus.trigger("barcode_scanned", { barcode: code, target: document.body });
    await settle();
}

beforeEach(() => {
    server = {
        stations: [AFFAIRS],
        graduates: { 1: makeGraduate(1), 2: makeGraduate(2), 3: makeGraduate(3) },
        calls: [],
        delays: {},
        isLost: false,
        sounds: [],
    };
    for (const [method, answer] of Object.entries(METHODS)) {
        onRpc("clearance.desk", method, ({ kwargs }) => {
            server.calls.push({ method, kwargs });
            return JSON.parse(JSON.stringify((server[method] || answer)(kwargs)));
        });
    }
    patchWithCleanup(DeskSounds.prototype, {
        async play(name) {
            server.sounds.push(name);
        },
    });
});

describe("stations", () => {
    test("who has no station reads whom to ask", async () => {
        server.stations = [];
        await mountDesk();
        expect(".o_clearance_desk_none").toHaveText(/Ask the manager of your campus/);
        expect(SEARCH).toHaveCount(0);
        expect(asked("search_graduates")).toEqual([]);
    });

    test("one station is a headline with its figures, nothing to switch", async () => {
        await mountDesk();
        expect("h1.o_clearance_desk_station").toHaveText("Student Affairs");
        expect(".o_clearance_desk_headline").toHaveText(
            /^due 20, not done 15 \(75 %\), as of \d+:05/
        );
        expect(".o_clearance_desk_session").toHaveCount(0);
    });

    test("another station is chosen, searched and remembered", async () => {
        server.stations = [AFFAIRS, LIBRARY];
        await mountDesk();
        await contains("button.o_clearance_desk_station").click();
        await contains(".o-dropdown-item:contains(Library)").click();
        await settle();
        expect("button.o_clearance_desk_station").toHaveText("Library");
        expect(asked("search_graduates").at(-1).station_id).toBe(2);
        expect(asked("get_statistics").at(-1).station_id).toBe(2);
        const kept = Object.entries(browser.localStorage).filter(([key]) => key.includes(".desk."));
        expect(JSON.parse(kept[0][1]).station).toBe(2);
    });

    test("the remembered station comes first, one that is gone does not", async () => {
        server.stations = [AFFAIRS, LIBRARY];
        await mountDesk();
        await contains("button.o_clearance_desk_station").click();
        await contains(".o-dropdown-item:contains(Library)").click();
        await settle();
        server.calls = [];
        await mountWithCleanup(Desk, { props: { action: {} } });
        expect(asked("search_graduates")[0].station_id).toBe(2);
        server.calls = [];
        server.stations = [AFFAIRS];
        await mountWithCleanup(Desk, { props: { action: {} } });
        expect(asked("search_graduates")[0].station_id).toBe(1);
    });

    test("a session is chosen where there are several", async () => {
        server.stations = [LIBRARY];
        await mountDesk();
        expect(asked("search_graduates")[0].session_id).toBe(false);
        expect(queryAllTexts(".o_clearance_desk_filters option")).toEqual([
            "Any step",
            "Return books (2026 undergraduates)",
            "Hand in thesis (2026 postgraduates)",
        ]);
        await contains(".o_clearance_desk_session").click();
        await contains(".o-dropdown-item:contains(postgraduates)").click();
        await settle();
        expect(asked("search_graduates").at(-1).session_id).toBe(8);
        expect(asked("get_statistics").at(-1).session_id).toBe(8);
        expect(".o_clearance_desk_filters select").toHaveCount(0);
    });

    test("the graduate stays when the station is switched", async () => {
        server.stations = [AFFAIRS, LIBRARY];
        await mountDesk();
        await open();
        await contains("button.o_clearance_desk_station").click();
        await contains(".o-dropdown-item:contains(Library)").click();
        await settle();
        expect(asked("get_graduate").at(-1)).toMatchObject({ form_id: 1, station_id: 2 });
        expect(".o_clearance_person_name").toHaveText("Graduate 1");
    });

    test("a graduate that the other station may not see goes", async () => {
        server.stations = [AFFAIRS, LIBRARY];
        server.get_graduate = ({ form_id, station_id }) => {
            if (station_id === 2) {
                throw makeServerError({ type: "AccessError", message: "Not yours" });
            }
            return server.graduates[form_id];
        };
        await mountDesk();
        await open();
        await contains("button.o_clearance_desk_station").click();
        await contains(".o-dropdown-item:contains(Library)").click();
        await settle();
        expect(".o_clearance_person_name").toHaveCount(0);
        expect(".o_clearance_desk_empty").toHaveCount(1);
    });
});

describe("search", () => {
    test("the box has the focus, and typing asks once", async () => {
        await mountDesk();
        expect(SEARCH).toBeFocused();
        server.calls = [];
        await type("t26");
        expect(asked("search_graduates")).toEqual([]);
        await advanceTime(300);
        expect(asked("search_graduates").map(({ query }) => query)).toEqual(["t26"]);
    });

    test("rows say who, where, and how the steps of the station stand", async () => {
        server.graduates[2].steps = [
            makeStep(211, "Return student card", { ready: false }),
            makeStep(212, "Confirm loan", { state: "rejected", ready: false }),
        ];
        server.graduates[3].person.earlier_year = true;
        server.graduates[3].steps = [makeStep(311, "Return student card", RESULTS.approve)];
        await mountDesk();
        expect(queryAllTexts(".o_clearance_desk_row_name")).toEqual([
            "Graduate 1\nT26001",
            "Graduate 2\nT26002",
            "Graduate 3\nT26003",
        ]);
        expect(".o_clearance_desk_row:first .o_clearance_desk_row_place").toHaveText(
            "M1 · North-0101"
        );
        expect(
            queryAll(".o_clearance_desk_readiness").map((node) => node.dataset.readiness)
        ).toEqual(["ready", "blocked"]);
        expect(queryAll(".o_clearance_desk_mark").map((node) => node.title)).toEqual([
            "Return student card: Not done",
            "Return student card: Not done",
            "Confirm loan: Rejected",
            "Return student card: Approved",
        ]);
        expect(".o_clearance_desk_row_earlier").toHaveCount(1);
    });

    test("arrows move, Enter opens, Enter confirms", async () => {
        await mountDesk();
        await press("ArrowDown");
        await press("ArrowDown");
        await animationFrame();
        expect(".o_clearance_desk_row[aria-selected=true]").toHaveAttribute("data-form", "2");
        expect(SEARCH).toHaveAttribute("aria-activedescendant", "o_clearance_row_2");
        await press("ArrowUp");
        await press("Enter");
        await settle();
        expect(".o_clearance_person_name").toHaveText("Graduate 1");
        expect(CONFIRM).toBeFocused();
        await press("Enter");
        await settle();
        expect(asked("decide")[0]).toMatchObject({
            decision: "approve",
            status_ids: [111],
            door: "desk",
            form_id: 1,
            station_id: 1,
        });
        expect(SEARCH).toBeFocused();
    });

    test("Enter does not wait for the pause after typing", async () => {
        await mountDesk();
        await type("T26003");
        await press("Enter");
        await settle();
        expect(".o_clearance_person_name").toHaveText("Graduate 3");
        await advanceTime(500);
        expect(asked("search_graduates").length).toBe(2);
    });

    test("Enter in an input method chooses a character, it opens nothing", async () => {
        await mountDesk();
        await manuallyDispatchProgrammaticEvent(queryOne(SEARCH), "keydown", {
            key: "Enter",
            isComposing: true,
        });
        await settle();
        expect(".o_clearance_person").toHaveCount(0);
    });

    test("filters of prerequisites, state and step reach the server", async () => {
        await mountDesk();
        await click("[data-ready=met]");
        await settle();
        await click("[data-state=rejected]");
        await settle();
        await contains(".o_clearance_desk_filters select").select("12");
        await settle();
        expect(asked("search_graduates").at(-1)).toMatchObject({
            ready: "met",
            state: "rejected",
            step_id: 12,
            offset: 0,
        });
        expect("[data-ready=met]").toHaveAttribute("aria-pressed", "true");
        expect("[data-ready=all]").toHaveAttribute("aria-pressed", "false");
        await click(".o_clearance_desk_reset");
        await settle();
        expect(asked("search_graduates").at(-1)).toMatchObject({
            query: "",
            ready: "all",
            state: "all",
            step_id: false,
        });
    });

    test("nobody found offers to show everybody", async () => {
        await mountDesk();
        await type("zz");
        await advanceTime(300);
        await settle();
        expect(".o_clearance_desk_nobody").toHaveText(/Nobody found/);
        await click(".o_clearance_desk_nobody button");
        await settle();
        expect(".o_clearance_desk_row").toHaveCount(3);
    });

    test("pages of forty, also by running over the end with the arrows", async () => {
        server.graduates = Object.fromEntries(
            [...Array(45).keys()].map((number) => [number + 1, makeGraduate(number + 1)])
        );
        await mountDesk();
        expect(".o_clearance_desk_pager > span:first").toHaveText("1–40 of 45");
        expect(".o_clearance_desk_previous").not.toBeEnabled();
        await click(".o_clearance_desk_next");
        await settle();
        expect(".o_clearance_desk_pager > span:first").toHaveText("41–45 of 45");
        expect(".o_clearance_desk_next").not.toBeEnabled();
        await press("ArrowUp");
        await settle();
        await click(SEARCH);
        await press("PageUp");
        await settle();
        expect(".o_clearance_desk_pager > span:first").toHaveText("1–40 of 45");
        for (let index = 0; index <= 40; index++) {
            await press("ArrowDown");
        }
        await settle();
        expect(".o_clearance_desk_row[aria-selected=true]").toHaveAttribute("data-form", "41");
    });

    test("an answer that comes late does not replace a newer one", async () => {
        await mountDesk();
        server.delays.search_graduates = new Deferred();
        await type("T26001");
        await advanceTime(300);
        const first = server.delays.search_graduates;
        server.delays.search_graduates = null;
        await click(SEARCH);
        await press("End");
        await press("Backspace");
        await type("2");
        await advanceTime(300);
        await settle();
        first.resolve();
        await settle();
        expect(queryAllTexts(".o_clearance_desk_row strong")).toEqual(["Graduate 2"]);
    });

    test("/ goes to the box, in a scanned address it does not", async () => {
        await mountDesk();
        await open();
        queryOne(CONFIRM).focus();
        await press("/");
        await animationFrame();
        expect(SEARCH).toBeFocused();
        expect(SEARCH).toHaveValue("");
    });

    test("the next graduate of the list is one key away", async () => {
        await mountDesk();
        await open();
        await press(["alt", "n"]);
        await advanceTime(1);
        await settle();
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
    });
});

describe("statistics", () => {
    test("station and steps: due, earlier years in brackets, not done, done, share", async () => {
        await mountDesk();
        expect(".o_clearance_desk_figures[data-key=station]").toHaveText(
            /Student Affairs\s+25 %\s+due 20 \(2\)\s+not done 15 \(1\)\s+done 5/
        );
        expect(".o_clearance_desk_figures[data-key='11']").toHaveText(
            /Return student card\s+40 %\s+due 20 \(2\)\s+not done 12\s+done 8\s+Submitted 1, Rejected 2/
        );
        expect(".o_clearance_desk_statistics_head small").toHaveText(/as of \d+:05/);
    });

    test("they fold, and stay folded", async () => {
        await mountDesk();
        await click(".o_clearance_desk_fold");
        await animationFrame();
        expect(".o_clearance_desk_figures").toHaveCount(0);
        await mountWithCleanup(Desk, { props: { action: {} } });
        expect(".o_clearance_desk_figures").toHaveCount(0);
        expect(".o_clearance_desk_fold:last").toHaveAttribute("aria-expanded", "false");
    });

    test("the button refreshes at once", async () => {
        await mountDesk();
        await click(".o_clearance_desk_refresh");
        await settle();
        expect(asked("get_statistics").length).toBe(2);
    });

    test("a thousand notes are two looks, none for another station", async () => {
        await mountDesk();
        await advanceTime(5000);
        server.calls = [];
        server.notify({ station_id: 99, session_id: 7 });
        await advanceTime(5000);
        expect(asked("get_statistics")).toEqual([]);
        for (let count = 0; count < 1000; count++) {
            server.notify({ station_id: 1, session_id: 7 });
        }
        await advanceTime(1900);
        expect(asked("get_statistics")).toEqual([]);
        await advanceTime(1200);
        expect(asked("get_statistics").length).toBe(1);
        for (let count = 0; count < 1000; count++) {
            server.notify({ station_id: 1, session_id: 7 });
        }
        await advanceTime(1900);
        expect(asked("get_statistics").length).toBe(1);
        await advanceTime(1200);
        expect(asked("get_statistics").length).toBe(2);
        await advanceTime(10000);
        expect(asked("get_statistics").length).toBe(2);
    });

    test("a colleague's change shows in the open record, and is said", async () => {
        await mountDesk();
        await open();
        server.graduates[1].steps[0].reason = "Card is damaged";
        Object.assign(server.graduates[1].steps[0], RESULTS.reject);
        server.graduates[1].version = "2";
        server.notify({ station_id: 1, session_id: 7 });
        await advanceTime(3100);
        await settle();
        expect(".o_clearance_desk_step .o_clearance_state_rejected").toHaveCount(1);
        expect(".o_clearance_desk_note").toHaveText(/A colleague has changed something/);
        expect(".o_clearance_desk_live").toHaveText(/A colleague has changed something/);
        await open(1);
        expect(".o_clearance_desk_note").toHaveCount(0);
    });

    test("a note of another station counts where the open record has it", async () => {
        server.graduates[1].record.push({
            ...makeStep(199, "Books"),
            station_id: 5,
            station: "Library",
        });
        await mountDesk();
        await advanceTime(5000);
        server.calls = [];
        server.notify({ station_id: 5, session_id: 7 });
        await advanceTime(5000);
        expect(asked("get_statistics")).toEqual([]);
        await open();
        server.notify({ station_id: 5, session_id: 7 });
        await advanceTime(3100);
        expect(asked("get_statistics").length).toBe(1);
    });

    test("nothing is replaced under an open dialog", async () => {
        await mountDesk();
        await open();
        await click("button[data-decision=reject]");
        await animationFrame();
        server.graduates[1].version = "2";
        server.notify({ station_id: 1, session_id: 7 });
        await advanceTime(3100);
        await settle();
        expect(asked("get_graduate").length).toBe(1);
        await press("Escape");
        await settle();
        await advanceTime(3100);
        await settle();
        expect(asked("get_graduate").length).toBe(2);
    });

    test("own decisions are no colleague's", async () => {
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        await advanceTime(3100);
        await settle();
        expect(asked("get_statistics").length).toBe(2);
        expect(asked("get_graduate").length).toBe(1);
        expect(".o_clearance_desk_note").toHaveCount(0);
    });
});

describe("graduate", () => {
    test("nothing selected says what to do", async () => {
        await mountDesk();
        expect(".o_clearance_desk_empty").toHaveText(/Search, scan, or press ↓/);
    });

    test("warnings come first, with icon, colour and words", async () => {
        server.graduates[1].warnings = [
            { kind: "blocked", level: "danger", text: "Not settled yet: Library: Books" },
            { kind: "slot", level: "warning", text: "Not the time slot of this college" },
            { kind: "lifted", level: "info", text: "Deferred: Finance: Fees" },
        ];
        await mountDesk();
        await open();
        expect(queryAllTexts(".o_clearance_desk_warnings li")).toEqual([
            "Not settled yet: Library: Books",
            "Not the time slot of this college",
            "Deferred: Finance: Fees",
        ]);
        expect(".alert-danger .fa-ban").toHaveCount(1);
        expect(".alert-warning .fa-exclamation-triangle").toHaveCount(1);
        expect(SEARCH).toBeFocused({ message: "no Enter confirms over a danger" });
    });

    test("a step tells state, remark, who, when, source, window, files", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Return student card", {
                state: "rejected",
                initial_state: "submitted",
                reason: "Card is damaged",
                user: "Li Si",
                decided_at: "2026-06-22 01:30:00",
                door: "batch",
                lifted: true,
                instructions: "Bring the card.",
                deadline: "2026-06-25 09:00:00",
                source: { text: "2 books", at: "2026-06-21 01:00:00", state: "pending" },
                attachments: [{ id: 5, name: "receipt.pdf", mimetype: "application/pdf" }],
            }),
        ];
        await mountDesk();
        await open();
        const step = ".o_clearance_desk_step";
        expect(`${step}.o_clearance_edge_rejected`).toHaveCount(1);
        expect(queryAllTexts(`${step}_marks > span`)).toEqual(["Deferred", "Rejected"]);
        expect(`${step} [aria-label=Required]`).toHaveCount(1);
        expect(".o_clearance_desk_reason").toHaveText("“Card is damaged”");
        expect(`${step}_body`).toHaveText(/Li Si · Jun 22.*through batch/);
        expect(".o_clearance_desk_initially").toHaveText("initially: Submitted");
        expect(".o_clearance_desk_source").toHaveText(/2 books\s*\(Jun 21/);
        expect(`${step}_body`).toHaveText(/until Jun 25/);
        expect(queryOne(`${step} details:not([open]) p`).textContent).toBe("Bring the card.");
        expect(`${step} a[href='/web/content/5']`).toHaveText("receipt.pdf");
        expect(".o_clearance_desk_attach").toHaveCount(1);
    });

    test("what is ready is ticked, what speaks against itself is not", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Ready"),
            makeStep(112, "Blocked", { ready: false, blocked_by: ["Library: Books"] }),
            makeStep(113, "Rejected", { state: "rejected" }),
            makeStep(114, "Automatic", { needs_reason: true }),
            makeStep(115, "Optional", { state: "optional", is_open: false, required: false }),
            makeStep(116, "Foreign", { actions: [] }),
        ];
        await mountDesk();
        await open();
        expect(queryAll(".o_clearance_desk_step input[type=checkbox]").length).toBe(5);
        expect(
            queryAll(".o_clearance_desk_step:has(input:checked)").map((node) => node.dataset.status)
        ).toEqual(["111"]);
        expect(".o_clearance_desk_blocked").toHaveText("Waits for Library: Books");
    });

    test("the whole record stands aside, the own station marked", async () => {
        server.graduates[1].record.push({
            ...makeStep(199, "Books"),
            station_id: 5,
            station: "Library",
        });
        await mountDesk();
        await open();
        expect(".o_clearance_desk_right .o_clearance_record_compact").toHaveCount(1);
        expect(".o_clearance_record_own h5").toHaveText(/Student Affairs\s*This station/);
        expect(".o_clearance_record_station").toHaveCount(2);
    });

    test("history and batches are links to their screens", async () => {
        mockService("action", {
            async loadAction(id) {
                return { id: 5, xml_id: id, res_model: "clearance.log" };
            },
            async doAction(action) {
                expect.step(action.res_model);
                expect.step(action.domain || action.context);
            },
        });
        await mountDesk();
        await open();
        await click(".o_clearance_desk_history");
        await click(".o_clearance_desk_class_batch");
        await click(".o_clearance_desk_room_batch");
        await settle();
        expect.verifySteps([
            "clearance.log",
            [["form_id", "=", 1]],
            "clearance.batch",
            { default_session_id: 7, default_station_id: 1, default_class_ids: [31] },
            "clearance.batch",
            { default_session_id: 7, default_station_id: 1, default_room_ids: [41] },
        ]);
    });

    test("text from outside is shown as text", async () => {
        server.graduates[1].person.name = "<img src=x>";
        server.graduates[1].warnings = [{ kind: "debt", level: "warning", text: "<b>owed</b>" }];
        await mountDesk();
        await open();
        expect(".o_clearance_desk img, .o_clearance_desk_warnings b").toHaveCount(0);
        expect(".o_clearance_person_name").toHaveText("<img src=x>");
    });

    test("the desk comes back to the graduate it was left with", async () => {
        await mountDesk({ state: { formId: 2, filters: { query: "Graduate" }, scans: [] } });
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
        expect(SEARCH).toHaveValue("Graduate");
    });
});

/** Something that a graduate has sent. */
function makeSending(id, values = {}) {
    return {
        id,
        number: 1,
        state: "sent",
        sent_at: "2026-06-21 02:00:00",
        answers: [
            { label: "Bank", kind: "selection", value: "Lushui Bank", files: [] },
            { label: "Branch", kind: "char", value: "", files: [] },
        ],
        ...values,
    };
}

describe("sent", () => {
    const SENT = ".o_clearance_desk_step .o_clearance_sent";

    function submitted(...sent) {
        return [makeStep(111, "Card refund", { state: "submitted", sent })];
    }

    test("questions and answers, and when they were sent", async () => {
        server.graduates[1].steps = submitted(makeSending(51));
        await mountDesk();
        await open();
        expect(`${SENT} details[open] summary`).toHaveText(/^Sent on Jun 21/);
        expect(queryAllTexts(`${SENT} dt`)).toEqual(["Bank", "Branch"]);
        expect(queryAllTexts(`${SENT} dd`)).toEqual(["Lushui Bank", "not answered"]);
    });

    test("what was replaced is folded", async () => {
        server.graduates[1].steps = submitted(
            makeSending(52, { number: 2 }),
            makeSending(51, { state: "past" })
        );
        await mountDesk();
        await open();
        expect(`${SENT} summary:first`).toHaveText(/^Sent on Jun 21.*\(no\. 2\)$/);
        expect(`${SENT} summary:last`).toHaveText(/^Sent before, on Jun 21.*\(no\. 1\)$/);
        expect(`${SENT} details:first`).toHaveAttribute("open");
        expect(`${SENT} details:last`).not.toHaveAttribute("open");
    });

    test("what has been decided on is folded; what was reopened says so", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Refund", { state: "approved", sent: [makeSending(51)] }),
            makeStep(112, "Stay", { state: "pending", sent: [makeSending(52)] }),
        ];
        await mountDesk();
        await open();
        expect(`${SENT} details[open]`).toHaveCount(0);
        expect(queryAllTexts(`${SENT} summary`)[1]).toMatch(/then reopened$/);
    });

    test("an application that another office has looked at is shown with its step", async () => {
        const sent = [
            makeSending(52, { for_step: "Check-out" }),
            makeSending(51, { state: "past", for_step: "Check-out" }),
        ];
        server.graduates[1].steps = [makeStep(111, "Keeper", { state: "pending", sent })];
        await mountDesk();
        await open();
        expect(`${SENT} summary:first`).toHaveText(/^Sent on Jun 21.* for “Check-out”$/);
        expect(`${SENT} details:first`).toHaveAttribute("open");
        expect(`${SENT} summary:last`).toHaveText(/^Sent before for “Check-out”, on .*\(no\. 1\)$/);
        expect(`${SENT} details:last`).not.toHaveAttribute("open");
        await click(CONFIRM);
        await settle();
        expect(asked("decide")[0].seen).toEqual({ 111: false });
    });

    test("what another office has looked at is folded once the step is settled", async () => {
        const sent = [makeSending(52, { for_step: "Check-out" })];
        server.graduates[1].steps = [makeStep(111, "Keeper", { state: "approved", sent })];
        await mountDesk();
        await open();
        expect(`${SENT} details`).not.toHaveAttribute("open");
    });

    test("pictures open in the viewer, what else there is, is downloaded", async () => {
        const files = [
            { id: 5, name: "loan.png", mimetype: "image/png", size_text: "2 KB" },
            { id: 6, name: "loan.docx", mimetype: "application/msword", size_text: "9 KB" },
            { id: 7, name: "page.html", mimetype: "text/html", size_text: "1 KB" },
        ];
        server.graduates[1].steps = submitted(
            makeSending(51, { answers: [{ label: "Papers", kind: "file", value: "", files }] })
        );
        await mountDesk();
        await open();
        expect(queryAllTexts(`${SENT} li`)).toEqual([
            "loan.png2 KB",
            "loan.docx9 KB",
            "page.html1 KB",
        ]);
        expect(`${SENT} li:eq(0) .fa-file-image-o`).toHaveCount(1);
        expect(`${SENT} li:eq(1) .fa-file-word-o`).toHaveCount(1);
        const links = queryAll(`${SENT} a`).map((node) => node.getAttribute("href"));
        expect(links[0]).toMatch(/\/web\/image\/5$/);
        expect(links[1]).toMatch(/\/web\/content\/6\?.*download=true/);
        expect(links[2]).toMatch(/\/web\/content\/7\?.*download=true/);
        await contains(`${SENT} a:eq(0)`).click();
        expect(".o-FileViewer").toHaveCount(1);
        await contains(".o-FileViewer [title^=Close], .o-FileViewer [aria-label=Close]").click();
        expect(".o-FileViewer").toHaveCount(0);
    });

    test("a decision says what was shown", async () => {
        server.graduates[1].steps = [
            ...submitted(makeSending(52, { number: 2 }), makeSending(51, { state: "past" })),
            makeStep(112, "Loan"),
        ];
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        expect(asked("decide")[0].seen).toEqual({ 111: 52, 112: false });
    });

    test("something else than was shown is refused, and then shown", async () => {
        server.graduates[1].steps = submitted(makeSending(51));
        server.decide = ({ form_id }) => {
            server.graduates[form_id].steps = submitted(
                makeSending(52, { number: 2 }),
                makeSending(51, { state: "past" })
            );
            const message = "The graduate has sent something else";
            return {
                outcomes: [{ id: 111, code: "resent", message, line: false }],
                graduate: server.graduates[form_id],
            };
        };
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_message.alert-danger").toHaveText(
            "The graduate has sent something else"
        );
        expect(`${SENT} details`).toHaveCount(2);
        expect(".o_clearance_desk_step .o_clearance_state_submitted").toHaveCount(1);
    });

    test("what comes in while the graduate is shown is shown, and said", async () => {
        await mountDesk();
        await open();
        Object.assign(server.graduates[1].steps[0], {
            state: "submitted",
            sent: [makeSending(51)],
        });
        server.graduates[1].version = "2";
        server.notify({ station_id: 1, session_id: 7 });
        await advanceTime(3100);
        await settle();
        expect(`${SENT} details[open]`).toHaveCount(1);
        expect(".o_clearance_desk_note").toHaveText(/The graduate has sent something/);
    });

    test("questions to the desk are one click away", async () => {
        mockService("action", {
            async doAction(action) {
                expect.step([action.res_model, action.res_id]);
            },
        });
        const inquiry = { id: 9, waiting: true, count: 3 };
        server.graduates[1].steps = [
            makeStep(111, "Card", { inquiry }),
            makeStep(112, "Loan", { inquiry: { ...inquiry, waiting: false } }),
            makeStep(113, "Books"),
        ];
        await mountDesk();
        await open();
        expect(queryAllTexts(".o_clearance_desk_inquiry")).toEqual([
            "Questions and answers (3)Waits for an answer",
            "Questions and answers (3)",
        ]);
        await click(".o_clearance_desk_inquiry button:first");
        expect.verifySteps([["clearance.inquiry", 9]]);
    });

    test("who is responsible, and a time that is to be announced", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Files", { responsible: "Employment Office", to_be_announced: true }),
            makeStep(112, "Loan", { to_be_announced: true, deadline: "2026-06-25 09:00:00" }),
            makeStep(113, "Books"),
        ];
        await mountDesk();
        await open();
        expect(queryAllTexts(".o_clearance_desk_responsible")).toEqual([
            "Responsible: Employment Office",
        ]);
        const periods = queryAllTexts(".o_clearance_desk_period");
        expect(periods).toHaveLength(2);
        expect(periods[0]).toBe("Time to be announced");
        expect(periods[1]).toMatch(/^until Jun 25/);
    });

    test("figures of a source system carry their time, and a warning when it is silent", async () => {
        const figure = {
            text: "2 books",
            as_of: "2026-06-21 01:00:00",
            silent: false,
            feed: "Library system",
        };
        const source = { text: "2 books out", at: "2026-06-20 01:00:00", state: "rejected" };
        server.graduates[1].steps = [
            makeStep(111, "Books", { figure, source }),
            makeStep(112, "Fees", { figure: { ...figure, silent: true } }),
        ];
        await mountDesk();
        await open();
        expect(".o_clearance_desk_figure:first").toHaveText(/^2 books\s*\(as of Jun 21/);
        expect(".o_clearance_desk_source").toHaveCount(0);
        expect(".o_clearance_desk_silent").toHaveCount(1);
        expect(".o_clearance_desk_silent").toHaveText(/Library system has been silent/);
    });

    test("what an office has listed stands item by item, a later remark below it", async () => {
        const debts = {
            texts: ["Key × 2: ¥20.00", "Towel"],
            text: "Key × 2: ¥20.00 and Towel",
            office: "Dormitory",
            as_of: "2026-06-21 01:00:00",
        };
        server.graduates[1].steps = [
            makeStep(111, "Room", { debts, reason: debts.text }),
            makeStep(112, "Bed", { debts, reason: "Come in person" }),
        ];
        await mountDesk();
        await open();
        expect(".o_clearance_desk_debts").toHaveCount(2);
        expect(".o_clearance_desk_debts:first").toHaveText(
            /^Owed by the list of Dormitory\s*\(as of Jun 21/
        );
        expect(queryAllTexts(".o_clearance_desk_debts:first li")).toEqual(debts.texts);
        expect(".o_clearance_desk_debts:first").not.toHaveText(/“/);
        expect(".o_clearance_desk_debts:last").toHaveText(/“Come in person”/);
        expect(".o_clearance_desk_reason").toHaveCount(0);
    });

    test("another screen names graduate and station", async () => {
        server.stations = [AFFAIRS, LIBRARY];
        await mountDesk({
            action: { context: { clearance_form_id: 2, clearance_station_id: 2 } },
        });
        expect(asked("get_graduate")[0]).toMatchObject({ form_id: 2, station_id: 2 });
    });
});

describe("decisions", () => {
    test("confirm all that is ticked; list, record and focus follow", async () => {
        server.graduates[1].steps = [makeStep(111, "Card"), makeStep(112, "Loan")];
        await mountDesk();
        await open();
        expect(CONFIRM).toHaveText("Confirm (2)");
        await click(CONFIRM);
        await settle();
        expect(asked("decide").map(({ status_ids }) => status_ids)).toEqual([[111, 112]]);
        expect(".o_clearance_desk_step .o_clearance_state_approved").toHaveCount(2);
        expect(".o_clearance_desk_row:first .o_clearance_state_approved").toHaveCount(2);
        expect(".o_clearance_desk_live").toHaveText("Confirmed: Card, Loan");
        expect(SEARCH).toBeFocused();
        expect(CONFIRM).not.toBeEnabled();
    });

    test("only what is ticked is confirmed", async () => {
        server.graduates[1].steps = [makeStep(111, "Card"), makeStep(112, "Loan")];
        await mountDesk();
        await open();
        await click(".o_clearance_desk_step:last input");
        await animationFrame();
        await press(["alt", "c"]);
        await advanceTime(1);
        await settle();
        expect(asked("decide").map(({ status_ids }) => status_ids)).toEqual([[111]]);
    });

    test("nothing looks done before the server has said so", async () => {
        await mountDesk();
        await open();
        server.delays.decide = new Deferred();
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_saving").toHaveText("Saving…");
        expect(".o_clearance_desk_step .o_clearance_state_pending").toHaveCount(1);
        expect(".o_clearance_desk_undo").toHaveCount(0);
        expect(CONFIRM).not.toBeEnabled();
        server.delays.decide.resolve();
        await settle();
        expect(".o_clearance_desk_saving").toHaveCount(0);
        expect(".o_clearance_desk_step .o_clearance_state_approved").toHaveCount(1);
    });

    test("a refusal stands at its step and is said", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Card"),
            makeStep(112, "Degree", { ready: false, blocked_by: ["Library: Books"] }),
        ];
        await mountDesk();
        await open();
        await click(".o_clearance_desk_step:last input");
        await animationFrame();
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_message").toHaveCount(1);
        expect(".o_clearance_desk_step:last .o_clearance_desk_message").toHaveText(
            "Not settled: Library: Books"
        );
        expect(".o_clearance_desk_live").toHaveText("Not done: Not settled: Library: Books");
        expect(".o_clearance_desk_step:first .o_clearance_state_approved").toHaveCount(1);
        expect(".o_clearance_desk_undo_text").toHaveText(/^Confirmed: Card —/);
    });

    test("a refusal for somebody no longer shown is a notification with the name", async () => {
        server.graduates[1].steps[0].ready = false;
        await mountDesk();
        await open();
        server.delays.decide = new Deferred();
        await click(CONFIRM);
        await open(1);
        server.delays.decide.resolve();
        await settle();
        expect(".o_notification").toHaveText(/T26001 Graduate 1[^]*Library: Books/);
        expect(".o_clearance_desk_message").toHaveCount(0);
    });

    test("what the server will not take at all is shown too, and not tried again", async () => {
        server.decide = () => {
            throw makeServerError({ message: "The session is closed." });
        };
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_message").toHaveText("The session is closed.");
        expect(".o_clearance_desk_unsaved button").toHaveCount(0);
        await advanceTime(60000);
        expect(asked("decide").length).toBe(1);
    });

    test("reject with a preset: arrow and Enter", async () => {
        await mountDesk();
        await open();
        await press(["alt", "r"]);
        await advanceTime(1);
        await animationFrame();
        expect(".modal-title").toHaveText("Reject: Return student card");
        expect(queryAllTexts(".o_clearance_reason_presets button")).toEqual([
            "Papers are missing",
            "Card is damaged",
        ]);
        await press("ArrowDown");
        await press("ArrowDown");
        await animationFrame();
        expect(".modal input").toHaveValue("Card is damaged");
        await press("Enter");
        await settle();
        expect(asked("decide")[0]).toMatchObject({
            decision: "reject",
            reason: "Card is damaged",
            status_ids: [111],
        });
        expect(".modal").toHaveCount(0);
        expect(".o_clearance_desk_reason").toHaveText("“Card is damaged”");
        expect(SEARCH).toBeFocused();
    });

    test("a rejection without a reason is not sent", async () => {
        await mountDesk();
        await open();
        await click("button[data-decision=reject]");
        await animationFrame();
        await press("Enter");
        await animationFrame();
        expect(".modal .invalid-feedback").toHaveCount(1);
        await click(".o_clearance_reason_presets button");
        await animationFrame();
        expect(".modal .invalid-feedback").toHaveCount(0);
        await contains(".modal input").edit("My own words", { confirm: false });
        await click(".o_clearance_reason_confirm");
        await settle();
        expect(asked("decide").map(({ reason }) => reason)).toEqual(["My own words"]);
    });

    test("a closed dialog decides nothing", async () => {
        await mountDesk();
        await open();
        await click("button[data-decision=reject]");
        await animationFrame();
        await press("Escape");
        await settle();
        expect(".modal").toHaveCount(0);
        expect(asked("decide")).toEqual([]);
    });

    test("reopen the one that can be, without a tick", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Card", { ...RESULTS.approve }),
            makeStep(112, "Loan", { ...RESULTS.set_not_required }),
        ];
        await mountDesk();
        await open();
        await click("button[data-decision=reopen]");
        await animationFrame();
        await press("ArrowDown");
        await press("Enter");
        await settle();
        expect(asked("decide")[0]).toMatchObject({
            decision: "reopen",
            reason: "Confirmed by mistake",
            status_ids: [111],
        });
    });

    test("not required, from the menu of the step", async () => {
        server.graduates[1].steps = [makeStep(111, "Card"), makeStep(112, "Loan")];
        await mountDesk();
        await open();
        await contains(".o_clearance_desk_step:last .o_clearance_desk_step_menu").click();
        await contains(".o-dropdown-item[data-decision=set_not_required]").click();
        await contains(".modal input").edit("No loan", { confirm: "enter" });
        await settle();
        expect(asked("decide")[0]).toMatchObject({
            decision: "set_not_required",
            status_ids: [112],
            reason: "No loan",
        });
    });

    test("overruling a source system asks for a reason, only for its own step", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Card"),
            makeStep(112, "Fees", { needs_reason: true }),
        ];
        await mountDesk();
        await open();
        await click(".o_clearance_desk_step:last input");
        await animationFrame();
        await click(CONFIRM);
        await animationFrame();
        expect(asked("decide")).toEqual([]);
        expect(".modal").toHaveText(/A source system keeps this step/);
        await contains(".modal input").edit("Receipt shown", { confirm: "enter" });
        await settle();
        expect(asked("decide").map(({ status_ids, reason }) => [status_ids, reason])).toEqual([
            [[111], ""],
            [[112], "Receipt shown"],
        ]);
        await click(".o_clearance_desk_undo button");
        await settle();
        expect(asked("undo")[0].line_ids).toEqual([1011, 1012]);
    });

    test("a double click acts once", async () => {
        await mountDesk();
        await open();
        queryOne(CONFIRM).click();
        queryOne(CONFIRM).click();
        await settle();
        expect(asked("decide").length).toBe(1);
    });
});

describe("undo", () => {
    test("ten seconds with a countdown and a key", async () => {
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_undo_text").toHaveText(
            "Confirmed: Return student card — T26001 Graduate 1"
        );
        expect(".o_clearance_desk_seconds").toHaveText("(10 s)");
        await advanceTime(3000);
        await animationFrame();
        expect(".o_clearance_desk_seconds").toHaveText("(7 s)");
        await press(["alt", "u"]);
        await advanceTime(1);
        await settle();
        expect(asked("undo")[0]).toMatchObject({
            line_ids: [1011],
            door: "desk",
            form_id: 1,
            station_id: 1,
        });
        expect(".o_clearance_desk_step .o_clearance_state_pending").toHaveCount(1);
        expect(".o_clearance_desk_undo").toHaveCount(0);
        expect(".o_clearance_desk_live").toHaveText("Undone: Return student card");
    });

    test("after ten seconds the bar goes, the menu of the step still undoes", async () => {
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        await advanceTime(11000);
        await animationFrame();
        expect(".o_clearance_desk_undo").toHaveCount(0);
        await contains(".o_clearance_desk_step_menu").click();
        await contains(".o_clearance_desk_step_undo").click();
        await settle();
        expect(asked("undo")[0]).toMatchObject({ line_ids: [1011], reason: "" });
    });

    test("a colleague's decision is undone with a reason", async () => {
        server.graduates[1].steps = [
            makeStep(111, "Card", { ...RESULTS.approve, undo: { line: 1011, mine: false } }),
        ];
        server.undo = () => ({ outcomes: [], graduate: server.graduates[1] });
        await mountDesk();
        await open();
        await contains(".o_clearance_desk_step_menu").click();
        await contains(".o_clearance_desk_step_undo").click();
        await contains(".modal input").edit("Wrong person", { confirm: "enter" });
        await settle();
        expect(asked("undo")[0]).toMatchObject({ line_ids: [1011], reason: "Wrong person" });
    });

    test("the last action can be undone when somebody else is shown already", async () => {
        await mountDesk();
        await open();
        await click(CONFIRM);
        await settle();
        await open(1);
        await click(".o_clearance_desk_undo button");
        await settle();
        expect(asked("undo")[0]).toMatchObject({ line_ids: [1011], form_id: 1 });
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
        expect(".o_clearance_desk_row:first .o_clearance_state_pending").toHaveCount(1);
    });
});

describe("connection", () => {
    test("a lost decision is kept, shown, and sent again with its key", async () => {
        const keys = [];
        await mountDesk();
        patchWithCleanup(getService("orm"), {
            async call(model, method, args, kwargs) {
                if (method === "decide") {
                    keys.push(kwargs.key);
                }
                return super.call(...arguments);
            },
        });
        await open();
        server.isLost = true;
        await click(CONFIRM);
        await settle();
        expect(".o_clearance_desk_saving").toHaveText("Not yet saved");
        expect(".o_clearance_desk_step .o_clearance_state_pending").toHaveCount(1);
        expect(".o_clearance_desk_unsaved button").toHaveText("1 not yet saved");
        await click(".o_clearance_desk_unsaved button");
        await animationFrame();
        expect(".o_clearance_desk_unsaved_menu li").toHaveText(
            /Confirm: T26001 Graduate 1\s*Return student card/
        );
        await advanceTime(2500);
        server.isLost = false;
        await advanceTime(10000);
        await settle();
        expect(keys.length).toBeGreaterThan(2);
        expect(new Set(keys).size).toBe(1);
        expect(asked("decide").length).toBe(1);
        expect(".o_clearance_desk_step .o_clearance_state_approved").toHaveCount(1);
        expect(".o_clearance_desk_unsaved button").toHaveCount(0);
    });

    test("several wait in order, and go on when the browser is online", async () => {
        await mountDesk();
        for (const index of [0, 1]) {
            server.isLost = false;
            await open(index);
            server.isLost = true;
            await click(CONFIRM);
            await settle();
        }
        expect(".o_clearance_desk_unsaved button").toHaveText("2 not yet saved");
        server.isLost = false;
        browser.dispatchEvent(new Event("online"));
        await settle();
        expect(asked("decide").map(({ form_id }) => form_id)).toEqual([1, 2]);
        expect(".o_clearance_desk_unsaved button").toHaveCount(0);
    });

    test("what takes long is said to be not saved", async () => {
        await mountDesk();
        await open();
        server.delays.decide = new Deferred();
        await click(CONFIRM);
        await advanceTime(2100);
        await animationFrame();
        expect(".o_clearance_desk_saving").toHaveText("Not yet saved");
        expect(".o_clearance_desk_unsaved button").toHaveText("1 not yet saved");
        server.delays.decide.resolve();
        await settle();
        expect(".o_clearance_desk_unsaved button").toHaveCount(0);
    });

    test("a scan that cannot be looked up says so", async () => {
        await mountDesk();
        server.isLost = true;
        await scanPage("T26001");
        expect(".o_clearance_desk_notice").toHaveText(/T26001\s*No connection/);
    });
});

describe("scan", () => {
    test("a scan opens the graduate, Enter confirms", async () => {
        await mountDesk();
        await scanPage("T26002");
        expect(asked("find")[0]).toMatchObject({ code: "T26002", station_id: 1 });
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
        expect(CONFIRM).toBeFocused();
        await press("Enter");
        await settle();
        expect(asked("decide")[0].status_ids).toEqual([211]);
    });

    test("an unknown code is shown, with a sound", async () => {
        await mountDesk();
        await scanPage("X99999");
        expect(".o_clearance_desk_notice").toHaveText(/X99999\s*Nobody has the number/);
        expect(server.sounds).toEqual(["error"]);
        await scanPage("T26001");
        expect(".o_clearance_desk_notice").toHaveCount(0);
        await scanPage("X99999");
        expect(".o_clearance_person").toHaveCount(0, {
            message: "nobody is confirmed in place of who stands here",
        });
    });

    test("a scanner that types into the box, behind what stood there", async () => {
        await mountDesk();
        await type("Gra");
        await advanceTime(500);
        for (const key of "T26003") {
            await keyDown(key);
        }
        await keyDown("Enter");
        await settle();
        expect(asked("find")[0].code).toBe("T26003");
        expect(".o_clearance_person_name").toHaveText("Graduate 3");
    });

    test("a name typed by a quick hand is searched all the same", async () => {
        await mountDesk();
        await contains(SEARCH).edit("Graduate 2", { confirm: "enter" });
        await settle();
        await settle();
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
        expect(".o_clearance_desk_notice").toHaveCount(0);
    });

    test("codes that come while one is looked up wait for it", async () => {
        await mountDesk();
        server.delays.find = new Deferred();
        await scanPage("T26001");
        await scanPage("T26002");
        expect(asked("find")).toEqual([]);
        server.delays.find.resolve();
        await settle();
        await settle();
        expect(asked("find").map(({ code }) => code)).toEqual(["T26001", "T26002"]);
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
    });

    test("no scan acts under an open dialog", async () => {
        await mountDesk();
        await open();
        await click("button[data-decision=reject]");
        await animationFrame();
        await scanPage("T26002");
        expect(asked("find")).toEqual([]);
        expect(server.sounds).toEqual(["error"]);
    });
});

describe("fast mode", () => {
    async function mountFast() {
        await mountDesk();
        await click(".o_clearance_desk_fast_toggle");
        await settle();
    }

    test("a scan confirms at once, with colour, words and sound", async () => {
        await mountFast();
        expect(".o_clearance_desk_fast_toggle").toHaveAttribute("aria-checked", "true");
        expect(".o_clearance_desk_result").toHaveText(/Ready to scan/);
        await scanPage("T26001");
        expect(asked("scan")[0]).toMatchObject({ code: "T26001", station_id: 1 });
        expect(".o_clearance_desk_result[data-result=done].alert-success").toHaveText(
            /Confirmed\s*T26001 Graduate 1\s*Return student card/
        );
        expect(server.sounds).toEqual(["done"]);
        expect(".o_clearance_person_name").toHaveText("Graduate 1");
        expect(".o_clearance_desk_row:first .o_clearance_state_approved").toHaveCount(1);
    });

    test("a station without fast scanning has no switch, and a scan only opens", async () => {
        server.stations = [{ ...AFFAIRS, fast_scan: false }];
        await mountDesk();
        expect(".o_clearance_desk_fast_toggle").toHaveCount(0);
        await scanPage("T26001");
        expect(asked("scan")).toEqual([]);
        expect(".o_clearance_person_name").toHaveText("Graduate 1");
    });

    test("refused and unknown look and sound different", async () => {
        server.graduates[2].steps[0].ready = false;
        await mountFast();
        await scanPage("T26002");
        expect(".o_clearance_desk_result[data-result=refused].alert-danger").toHaveText(
            /Refused\s*T26002 Graduate 2\s*Not settled: Library: Books/
        );
        await scanPage("X1234");
        expect(".o_clearance_desk_result[data-result=unknown]").toHaveText(/Unknown\s*X1234/);
        expect(".o_clearance_person").toHaveCount(0);
        expect(server.sounds).toEqual(["error", "error"]);
        await scanPage("T26001");
        await scanPage("T26001");
        expect(".o_clearance_desk_result[data-result=already]").toHaveText(/Done before/);
    });

    test("the mode and its steps are remembered", async () => {
        await mountFast();
        await click(".o_clearance_desk_scan_steps input[data-step='12']");
        await animationFrame();
        expect(".o_clearance_desk_scan_steps input[data-step='11']").not.toBeEnabled();
        await scanPage("T26001");
        expect(asked("scan")[0].step_ids).toEqual([11]);
        await mountWithCleanup(Desk, { props: { action: {} } });
        expect(".o_clearance_desk_fast_toggle:last").toHaveAttribute("aria-checked", "true");
        expect(".o_clearance_desk_scan_steps:last input[data-step='12']").not.toBeChecked();
    });

    test("the last ten stay in sight", async () => {
        server.graduates = Object.fromEntries(
            [...Array(9).keys()].map((number) => [number + 1, makeGraduate(number + 1)])
        );
        await mountFast();
        for (let number = 1; number <= 9; number++) {
            await scanPage(`T2600${number}`);
        }
        await scanPage("T26001");
        await scanPage("nobody");
        expect(".o_clearance_desk_scan_row").toHaveCount(10);
        expect(
            queryAll(".o_clearance_desk_scan_row")
                .slice(0, 3)
                .map((node) => node.dataset.result)
        ).toEqual(["unknown", "already", "done"]);
        expect(".o_clearance_desk_scan_row:last").toHaveText(/T26002/);
    });

    test("each of them can be undone", async () => {
        await mountFast();
        await scanPage("T26001");
        await scanPage("T26002");
        await click(".o_clearance_desk_scan_row:last .o_clearance_desk_scan_undo");
        await settle();
        expect(asked("undo")[0]).toMatchObject({ line_ids: [1011], door: "scan", form_id: 1 });
        expect(".o_clearance_desk_scan_row:last").toHaveAttribute("data-result", "undone");
        expect(".o_clearance_desk_scan_row:last .o_clearance_desk_scan_undo").toHaveCount(0);
        expect(".o_clearance_desk_row:first .o_clearance_state_pending").toHaveCount(1);
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
        await press(["alt", "u"]);
        await advanceTime(1);
        await settle();
        expect(asked("undo")[1].line_ids).toEqual([1111]);
    });

    test("codes that come while one is saved are queued, none is lost", async () => {
        await mountFast();
        server.delays.scan = new Deferred();
        await scanPage("T26001");
        await scanPage("T26002");
        await scanPage("T26003");
        expect(".o_clearance_desk_scan_row[data-result=saving]").toHaveCount(3);
        server.delays.scan.resolve();
        await settle();
        await settle();
        expect(asked("scan").map(({ code }) => code)).toEqual(["T26001", "T26002", "T26003"]);
        expect(".o_clearance_desk_scan_row[data-result=done]").toHaveCount(3);
    });

    test("without a connection a scan reads as not saved until it is", async () => {
        await mountFast();
        server.isLost = true;
        await scanPage("T26001");
        expect(".o_clearance_desk_result[data-result=waiting].alert-warning").toHaveText(
            /Not yet saved\s*T26001/
        );
        server.isLost = false;
        browser.dispatchEvent(new Event("online"));
        await settle();
        expect(".o_clearance_desk_result[data-result=done]").toHaveCount(1);
    });

    test("a person who types a number only opens", async () => {
        await mountFast();
        await type("T26002");
        await press("Enter");
        await settle();
        expect(asked("scan")).toEqual([]);
        expect(".o_clearance_person_name").toHaveText("Graduate 2");
    });
});

describe("help", () => {
    test("every hotkey of the desk is in the list", async () => {
        server.graduates[1].steps = [makeStep(111, "Card"), makeStep(112, "Loan", RESULTS.approve)];
        server.stations = [AFFAIRS, LIBRARY];
        await mountDesk();
        await open();
        const used = queryAll(".o_clearance_desk [data-hotkey]").map((node) => node.dataset.hotkey);
        await press(["alt", "k"]);
        await advanceTime(1);
        await animationFrame();
        const shown = queryAllTexts(".o_clearance_shortcuts kbd").map((key) => key.toLowerCase());
        expect(used.length).toBeGreaterThan(7);
        expect(used.filter((key) => !shown.includes(key))).toEqual([]);
        await press("Escape");
        await animationFrame();
        expect(".modal").toHaveCount(0);
    });
});
