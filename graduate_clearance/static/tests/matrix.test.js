import { beforeEach, expect, test } from "@odoo/hoot";
import {
    click,
    keyDown,
    keyUp,
    press,
    queryAll,
    queryAllTexts,
    queryFirst,
    queryOne,
    scroll,
    select,
    waitFor,
} from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

import { MatrixModel } from "@graduate_clearance/matrix/matrix_model";
import { ConnectionLostError } from "@web/core/network/rpc";

class Form extends models.Model {
    _name = "clearance.form";

    student_id = fields.Many2one({ relation: "clearance.student" });
    student_number = fields.Char();
    class_id = fields.Many2one({ relation: "clearance.class" });
    room_id = fields.Many2one({ relation: "clearance.room" });
    session_id = fields.Many2one({ relation: "clearance.session" });
    state = fields.Char();
}

class Student extends models.Model {
    _name = "clearance.student";

    name = fields.Char();
}

class Class_ extends models.Model {
    _name = "clearance.class";

    name = fields.Char();
    _records = [{ id: 1, name: "M1" }];
}

class Room extends models.Model {
    _name = "clearance.room";

    name = fields.Char();
    _records = [{ id: 1, name: "1-0101" }];
}

class Session extends models.Model {
    _name = "clearance.session";

    name = fields.Char();
    _records = [
        { id: 1, name: "2026" },
        { id: 2, name: "2025" },
    ];
}

class Reason extends models.Model {
    _name = "clearance.reason";

    name = fields.Char();
    decision = fields.Char();
    station_id = fields.Many2one({ relation: "clearance.class" });
    _records = [{ id: 1, name: "Items are missing", decision: "reject" }];
}

defineMailModels();
defineModels([Form, Student, Class_, Room, Session, Reason]);

const [BOOKS, CARD, LOAN, DEGREE] = [11, 12, 13, 14];
const READY = 1;
const LIFTED = 2;
const MINE = 4;
const BLOCKED = 8;

const COLUMNS = [
    {
        stage: "Settle",
        station_id: 1,
        station: "Library",
        steps: [makeStep(BOOKS, "Return books")],
    },
    {
        stage: "Settle",
        station_id: 2,
        station: "Affairs",
        steps: [
            makeStep(CARD, "Return card", { mine: true }),
            makeStep(LOAN, "Confirm loan", { mine: true }),
        ],
    },
    {
        stage: "Collect",
        station_id: 3,
        station: "Certificates",
        steps: [makeStep(DEGREE, "Degree certificate")],
    },
];

function makeStep(id, name, values = {}) {
    return { id, name, required: true, mode: "station", mine: false, ...values };
}

/** The state of the server: cells by form, changed by decisions. */
let cells;

function statusId(formId, stepId) {
    return formId * 100 + stepId;
}

function setCell(formId, stepId, code, flags) {
    cells[formId] ||= {};
    cells[formId][stepId] = [statusId(formId, stepId), code, flags];
}

function makeForms(count) {
    cells = {};
    Student._records = [];
    Form._records = [];
    for (let id = 1; id <= count; id++) {
        const number = `T26${String(id).padStart(4, "0")}`;
        Student._records.push({ id, name: `${number} Graduate ${id}` });
        Form._records.push({
            id,
            student_id: id,
            student_number: number,
            class_id: 1,
            room_id: 1,
            session_id: 1,
            state: "open",
        });
        setCell(id, BOOKS, "a", 0);
        setCell(id, CARD, "p", READY | MINE);
        setCell(id, LOAN, "n", MINE);
        setCell(id, DEGREE, "p", BLOCKED);
    }
}

const ARCH = `
    <clearance_matrix limit="80">
        <field name="student_id" string="Graduate"/>
        <field name="class_id" string="Class"/>
        <field name="room_id" string="Room"/>
        <field name="student_number" invisible="1"/>
        <field name="state" invisible="1"/>
    </clearance_matrix>`;

let columns;

beforeEach(() => {
    columns = COLUMNS;
    makeForms(6);
    onRpc("clearance.form", "get_matrix", ({ args: [ids, sessionId] }) => ({
        session: { id: sessionId, name: "2026", state: "open" },
        sessions: [{ id: sessionId, name: "2026", count: ids.length }],
        columns,
        cells: Object.fromEntries(ids.map((id) => [id, { ...cells[id] }])),
    }));
});

/** The server decides: the last form is refused, those done already are. */
function mockDesk({ refused = [] } = {}) {
    onRpc("clearance.desk", "decide", ({ kwargs }) => {
        expect.step(`${kwargs.decision} ${kwargs.status_ids.length} ${kwargs.reason || ""}`.trim());
        expect(kwargs.door).toBe("matrix");
        expect(kwargs.key).toMatch(/^[0-9a-f]{16}$/);
        const outcomes = kwargs.status_ids.map((id) => {
            const formId = Math.floor(id / 100);
            const found = cells[formId][id % 100];
            if (refused.includes(formId)) {
                return { id, code: "missing", message: "Library: Return books", line: false };
            }
            if (found[1] === "a") {
                return { id, code: "already", message: "Already so.", line: false };
            }
            found[1] = { approve: "a", reject: "r", reopen: "p" }[kwargs.decision];
            found[2] = MINE;
            return { id, code: "done", message: "", line: 10000 + id };
        });
        return { outcomes, graduate: false };
    });
    onRpc("clearance.desk", "undo", ({ kwargs }) => {
        expect.step(`undo ${kwargs.line_ids.length}`);
        const outcomes = kwargs.line_ids.map((line) => {
            const id = line - 10000;
            setCell(Math.floor(id / 100), id % 100, "p", READY | MINE);
            return { id, code: "done", message: "", line: line + 10000 };
        });
        return { outcomes, graduate: false };
    });
}

async function mountMatrix(params = {}) {
    await mountView({
        resModel: "clearance.form",
        type: "clearance_matrix",
        arch: ARCH,
        ...params,
    });
}

function row(index) {
    return `.o_clearance_matrix_row[data-row="${index}"]`;
}

function cell(index, stepId) {
    return `${row(index)} .o_clearance_matrix_cell[data-step="${stepId}"]`;
}

function tick(index) {
    return `${row(index)} .o_clearance_matrix_tick`;
}

async function chooseCard() {
    await contains(`.o_clearance_matrix_step_head[data-step="${CARD}"] button`).click();
}

async function shiftClick(selector) {
    await keyDown("Shift");
    await click(selector);
    await keyUp("Shift");
    await animationFrame();
}

function tickedRows() {
    return queryAll(".o_clearance_matrix_is_ticked").map((el) => parseInt(el.dataset.row));
}

test("stations over their steps, graduates beside their cells", async () => {
    await mountMatrix();
    expect(queryAllTexts(".o_clearance_matrix_station")).toEqual([
        "Library",
        "Affairs",
        "Certificates",
    ]);
    expect(queryAllTexts(".o_clearance_matrix_step_head")).toEqual([
        "Return books",
        "Return card",
        "Confirm loan",
        "Degree certificate",
    ]);
    expect(".o_clearance_matrix_row").toHaveCount(6);
    expect(`${row(0)} .o_clearance_matrix_who`).toHaveText("Graduate 1");
    expect(`${row(0)} .o_clearance_matrix_name small`).toHaveText(/^T260001/);
    expect(queryAllTexts(`${row(0)} .o_clearance_matrix_label`)).toEqual(["M1", "1-0101"]);
});

test("a cell tells its state by icon, colour and words; blank is not required", async () => {
    setCell(1, CARD, "r", READY | MINE);
    setCell(2, CARD, "p", READY | LIFTED | MINE);
    await mountMatrix();
    expect(`${cell(0, BOOKS)} .o_clearance_state_approved`).toHaveCount(1);
    expect(cell(0, BOOKS)).toHaveAttribute("aria-label", "Return books: Approved");
    expect(cell(0, CARD)).toHaveAttribute("title", "Return card: Rejected");
    expect(`${cell(0, DEGREE)} .fa-lock`).toHaveCount(1);
    expect(cell(0, DEGREE)).toHaveAttribute(
        "aria-label",
        "Degree certificate: Not done, waits for another step"
    );
    expect(`${cell(1, CARD)} .fa-unlock-alt`).toHaveCount(1);
    expect(cell(1, CARD)).toHaveAttribute("aria-label", "Return card: Not done, Deferred");
    expect(`${cell(0, LOAN)} *`).toHaveCount(0);
    expect(cell(0, LOAN)).toHaveAttribute("aria-label", "Confirm loan: Not required");
    expect(queryAllTexts(".o_clearance_matrix_legend li")).toInclude("Waits for another step");
});

test("only own steps can be chosen", async () => {
    await mountMatrix();
    expect(".o_clearance_matrix_step_head button").toHaveCount(2);
    expect(`.o_clearance_matrix_step_head[data-step="${BOOKS}"]`).toHaveAttribute(
        "title",
        "Return books: other people decide on this step"
    );
    expect(queryAllTexts(".o_clearance_matrix_step option")).toEqual([
        "Choose a step…",
        "Return card",
        "Confirm loan",
    ]);
    await select(String(LOAN), { target: ".o_clearance_matrix_step select" });
    await animationFrame();
    expect(`.o_clearance_matrix_step_head[data-step="${LOAN}"]`).toHaveClass(
        "o_clearance_matrix_chosen"
    );
    expect(".o_clearance_matrix_step_head button[aria-pressed=true]").toHaveText("Confirm loan");
});

test("who may not act sees no tick boxes and no buttons", async () => {
    columns = COLUMNS.map((column) => ({
        ...column,
        steps: column.steps.map((step) => ({ ...step, mine: false })),
    }));
    await mountMatrix();
    expect(".o_clearance_matrix_row").toHaveCount(6);
    expect(".o_clearance_matrix input[type=checkbox]").toHaveCount(0);
    expect(".o_clearance_matrix_decide").toHaveCount(0);
    queryFirst(tick(0)).focus();
    await press(" ");
    await animationFrame();
    expect(tickedRows()).toEqual([]);
});

test("a range with shift, everybody, nobody, all who are ready", async () => {
    setCell(3, CARD, "a", MINE);
    await mountMatrix();
    await contains(tick(1)).click();
    await shiftClick(tick(4));
    expect(tickedRows()).toEqual([1, 2, 3, 4]);
    await shiftClick(tick(3));
    expect(tickedRows()).toEqual([1, 2], { message: "a range is unticked as well" });
    await contains(".o_clearance_matrix_all").click();
    expect(tickedRows()).toEqual([0, 1, 2, 3, 4, 5]);
    await contains(".o_clearance_matrix_none").click();
    expect(tickedRows()).toEqual([]);
    expect(".o_clearance_matrix_ready").not.toBeEnabled();
    await chooseCard();
    expect(".o_clearance_matrix_ready").toHaveText("Ready (5)");
    await contains(".o_clearance_matrix_ready").click();
    expect(tickedRows()).toEqual([0, 1, 3, 4, 5]);
    expect(".o_clearance_matrix_ticked").toHaveText("5 ticked");
    expect(queryOne(".o_clearance_matrix_tick_all").indeterminate).toBe(true);
});

test("confirm: outcomes summed up, the refused named with the reason, undo", async () => {
    setCell(2, CARD, "a", MINE);
    mockDesk({ refused: [3] });
    await mountMatrix();
    expect(".o_clearance_matrix_decide button[name=approve]").not.toBeEnabled();
    await chooseCard();
    await contains(".o_clearance_matrix_all").click();
    await contains(".o_clearance_matrix_decide button[name=approve]").click();
    await waitFor(".o_clearance_matrix_summary");
    expect.verifySteps(["approve 6"]);
    expect(".o_clearance_matrix_summary").toHaveText("4 confirmed · 1 already so · 1 refused");
    expect(queryAllTexts(".o_clearance_matrix_refused li")).toEqual([
        "T260003 Graduate 3: Library: Return books",
    ]);
    expect(`${cell(0, CARD)} .o_clearance_state_approved`).toHaveCount(1);
    expect(`${cell(2, CARD)} .o_clearance_state_pending`).toHaveCount(1);
    expect(`${cell(0, DEGREE)} .o_clearance_state_pending`).toHaveCount(1);
    await contains(".o_clearance_matrix_result button[name=undo]").click();
    await waitFor(".o_clearance_matrix_summary:contains(4 undone)");
    expect.verifySteps(["undo 4"]);
    expect(`${cell(0, CARD)} .o_clearance_state_pending`).toHaveCount(1);
    expect(".o_clearance_matrix_result button[name=undo]").toHaveCount(0);
});

test("the way back is open for ten seconds", async () => {
    mockDesk();
    await mountMatrix();
    await chooseCard();
    await contains(tick(0)).click();
    await contains(".o_clearance_matrix_decide button[name=approve]").click();
    await waitFor(".o_clearance_matrix_result button[name=undo]");
    await advanceTime(4000);
    expect(".o_clearance_matrix_result button[name=undo]").toHaveText(/^Undo \([1-6] s\)$/);
    await advanceTime(6000);
    expect(".o_clearance_matrix_result button[name=undo]").toHaveCount(0);
    expect(".o_clearance_matrix_summary").toHaveText("1 confirmed");
    await contains(".o_clearance_matrix_result .btn-close").click();
    expect(".o_clearance_matrix_summary").toHaveCount(0);
    expect.verifySteps(["approve 1"]);
});

test("whom the step does not concern is left out", async () => {
    setCell(1, LOAN, "p", READY | MINE);
    mockDesk();
    await mountMatrix();
    await contains(`.o_clearance_matrix_step_head[data-step="${LOAN}"] button`).click();
    await contains(".o_clearance_matrix_all").click();
    await contains(".o_clearance_matrix_decide button[name=approve]").click();
    await waitFor(".o_clearance_matrix_summary");
    expect.verifySteps(["approve 1"]);
    expect(".o_clearance_matrix_summary").toHaveText(/^1 confirmed · 5 left out/);
});

test("a rejection asks why", async () => {
    mockDesk();
    await mountMatrix();
    await chooseCard();
    await contains(tick(0)).click();
    await contains(".o_clearance_matrix_decide button[name=reject]").click();
    await waitFor(".modal");
    expect(".modal").toHaveText(/Return card: 1 graduates/);
    await contains(".modal .o_clearance_reason_presets button").click();
    await contains(".modal .o_clearance_reason_confirm").click();
    await waitFor(".o_clearance_matrix_summary");
    expect.verifySteps(["reject 1 Items are missing"]);
    expect(`${cell(0, CARD)} .o_clearance_state_rejected`).toHaveCount(1);
});

test("more than 500 are sent in turns", async () => {
    makeForms(620);
    mockDesk();
    await mountMatrix();
    await contains(".o_clearance_matrix_more").click();
    await chooseCard();
    await contains(".o_clearance_matrix_all").click();
    await contains(".o_clearance_matrix_decide button[name=approve]").click();
    await waitFor(".o_clearance_matrix_summary");
    expect.verifySteps(["approve 500", "approve 120"]);
    expect(".o_clearance_matrix_summary").toHaveText("620 confirmed");
});

test("a lost connection: the same request is sent again, not another one", async () => {
    const keys = [];
    let isDown = true;
    patchWithCleanup(MatrixModel.prototype, {
        async send(method, key, ids) {
            keys.push(key);
            if (isDown) {
                throw new ConnectionLostError("/web");
            }
            return ids.map((id) => ({ id, code: "done", message: "", line: 1 }));
        },
    });
    await mountMatrix();
    await chooseCard();
    await contains(tick(0)).click();
    await contains(".o_clearance_matrix_decide button[name=approve]").click();
    await waitFor(".o_clearance_matrix_result button[name=resume]");
    expect(".o_clearance_matrix_result").toHaveText(/The connection was lost: 0 of 1 are saved/);
    expect(".o_clearance_matrix_decide button[name=approve]").not.toBeEnabled();
    isDown = false;
    await contains(".o_clearance_matrix_result button[name=resume]").click();
    await waitFor(".o_clearance_matrix_summary:contains(1 confirmed)");
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
});

test("only rows in sight are drawn; the header stays", async () => {
    makeForms(2000);
    await mountMatrix();
    expect(".o_clearance_matrix_more").toHaveText("Show 2000 on one page");
    await contains(".o_clearance_matrix_more").click();
    await waitFor(".o_clearance_matrix_row");
    const drawn = queryAll(".o_clearance_matrix_row").length;
    expect(drawn).toBeLessThan(120);
    expect(".o_clearance_matrix table").toHaveAttribute("aria-rowcount", "2002");
    const box = queryOne(".o_clearance_matrix_scroll");
    await scroll(box, { top: 1000 * 40 });
    await animationFrame();
    await animationFrame();
    expect(row(1000)).toHaveCount(1);
    expect(row(0)).toHaveCount(0);
    expect(row(1000)).toHaveAttribute("aria-rowindex", "1003");
    for (const sticky of ["thead th", ".o_clearance_matrix_tick", ".o_clearance_matrix_name"]) {
        expect(getComputedStyle(queryFirst(`.o_clearance_matrix ${sticky}`)).position).toBe(
            "sticky"
        );
    }
    expect(queryFirst(".o_clearance_matrix thead").getBoundingClientRect().height).toBeGreaterThan(
        0
    );
});

const STORY = {
    id: statusId(1, CARD),
    step_id: CARD,
    step: "Return card",
    stage: "",
    station_id: 2,
    station: "Affairs",
    state: "rejected",
    initial_state: "pending",
    required: true,
    is_open: true,
    needs_review: false,
    mode: "station",
    lifted: false,
    blocked_by: ["Library: Return books"],
    user: "Li Si",
    decided_at: "2026-06-22 01:30:00",
    reason: "Card is missing",
    door: "matrix",
    form_id: 1,
    graduate: "T260001 Graduate 1",
    actions: ["approve", "reopen"],
    needs_reason: false,
    undo: { line: 10000 + statusId(1, CARD), mine: true },
    log: [
        {
            id: 5,
            date: "2026-06-22 01:30:00",
            user: "Li Si",
            action: "Rejected",
            from: "Not done",
            to: "Rejected",
            reason: "Card is missing",
            door: "Matrix",
        },
    ],
};

test("a click tells the story of a cell; its buttons act", async () => {
    mockDesk();
    onRpc("clearance.form", "get_cell_story", ({ args }) => {
        expect.step(`story ${args[0]} ${args[1]}`);
        return STORY;
    });
    await mountMatrix();
    await contains(cell(0, CARD)).click();
    await waitFor(".o_clearance_matrix_story");
    expect.verifySteps([`story 1 ${statusId(1, CARD)}`]);
    for (const text of ["Return card", "Affairs", "Rejected", "at first: Not done", "Li Si"]) {
        expect(".o_clearance_matrix_story").toHaveText(new RegExp(text));
    }
    expect(".o_clearance_matrix_waits li").toHaveText("Library: Return books");
    expect(".o_clearance_matrix_log li").toHaveText(/Rejected\s*Not done → Rejected/);
    expect(queryAllTexts(".o_clearance_matrix_story footer button")).toEqual([
        "Confirm",
        "Reopen…",
        "Undo",
        "Open graduate",
    ]);
    await contains(".o_clearance_matrix_story button[name=approve]").click();
    expect.verifySteps(["approve 1", `story 1 ${statusId(1, CARD)}`]);
    expect(`${cell(0, CARD)} .o_clearance_state_approved`).toHaveCount(1);
    await contains(".o_clearance_matrix_story button[name=undo]").click();
    expect.verifySteps(["undo 1", `story 1 ${statusId(1, CARD)}`]);
    expect(`${cell(0, CARD)} .o_clearance_state_pending`).toHaveCount(1);
});

test("a refusal is told in the story", async () => {
    mockDesk({ refused: [1] });
    onRpc("clearance.form", "get_cell_story", () => STORY);
    await mountMatrix();
    await contains(cell(0, CARD)).click();
    await contains(".o_clearance_matrix_story button[name=approve]").click();
    await waitFor(".o_clearance_matrix_story [role=alert]");
    expect(".o_clearance_matrix_story [role=alert]").toHaveText("Library: Return books");
    expect.verifySteps(["approve 1"]);
});

test("by keyboard alone", async () => {
    onRpc("clearance.form", "get_cell_story", () => STORY);
    await mountMatrix();
    expect(".o_clearance_matrix [data-column][tabindex='0']").toHaveCount(1);
    queryFirst(tick(0)).focus();
    await press("ArrowDown");
    await animationFrame();
    expect(tick(1)).toBeFocused();
    await press(" ");
    await animationFrame();
    await press("ArrowDown");
    await press("ArrowDown");
    await animationFrame();
    await press(["Shift", " "]);
    await animationFrame();
    expect(tickedRows()).toEqual([1, 2, 3]);
    await press("End");
    await animationFrame();
    expect(cell(3, DEGREE)).toBeFocused();
    await press("ArrowLeft");
    await press("ArrowLeft");
    await animationFrame();
    expect(cell(3, CARD)).toBeFocused();
    expect(".o_clearance_matrix [data-column][tabindex='0']").toHaveCount(1);
    await press("Enter");
    await waitFor(".o_clearance_matrix_story");
    await press("Escape");
    await animationFrame();
    expect(".o_clearance_matrix_story").toHaveCount(0);
    expect(cell(3, CARD)).toBeFocused();
    await press(["Control", "Home"]);
    await animationFrame();
    expect(tick(0)).toBeFocused();
});

test("the graduate opens", async () => {
    await mountMatrix({
        selectRecord: (id) => expect.step(`open ${id}`),
    });
    await contains(`${row(2)} .o_clearance_matrix_name`).click();
    expect.verifySteps(["open 3"]);
});

test("sorted by a click on the header", async () => {
    Room._records = [
        { id: 1, name: "1-0101" },
        { id: 2, name: "2-0202" },
    ];
    Form._records[0].room_id = 2;
    onRpc("web_search_read", ({ kwargs }) => {
        expect.step(kwargs.order);
    });
    await mountMatrix();
    expect.verifySteps([""]);
    await contains(".o_clearance_matrix_sort:contains(Room)").click();
    expect.verifySteps(["room_id ASC"]);
    expect("thead th[aria-sort=ascending]").toHaveText("Room");
});

test("one session at a time, the largest first", async () => {
    Form._records[5].session_id = 2;
    await mountMatrix();
    expect(queryAllTexts(".o_clearance_matrix_session option")).toEqual(["2026 (5)", "2025 (1)"]);
    expect(".o_clearance_matrix_row").toHaveCount(5);
    await select("2", { target: ".o_clearance_matrix_session" });
    await animationFrame();
    await animationFrame();
    expect(".o_clearance_matrix_row").toHaveCount(1);
    expect(".o_clearance_matrix_who").toHaveText("Graduate 6");
});

test("what colleagues decide appears", async () => {
    let notify;
    mockService("bus_service", {
        addEventListener() {},
        removeEventListener() {},
        addChannel() {},
        deleteChannel() {},
        start() {},
        unsubscribe() {},
        subscribe(type, callback) {
            if (type === "clearance.changed") {
                notify = callback;
            }
        },
    });
    await mountMatrix();
    setCell(1, BOOKS, "r", 0);
    notify({ station_id: 1, session_id: 2 });
    await advanceTime(5000);
    expect(`${cell(0, BOOKS)} .o_clearance_state_approved`).toHaveCount(1, {
        message: "another session's news is no news here",
    });
    notify({ station_id: 1, session_id: 1 });
    await advanceTime(5000);
    await animationFrame();
    expect(`${cell(0, BOOKS)} .o_clearance_state_rejected`).toHaveCount(1);
});
