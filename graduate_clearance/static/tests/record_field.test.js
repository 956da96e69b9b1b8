import { beforeEach, expect, test } from "@odoo/hoot";
import { click, hover, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { ClearanceRecord } from "@graduate_clearance/record_field/clearance_record";

class Form extends models.Model {
    _name = "clearance.form";

    name = fields.Char();
    record = fields.Json();
}

class Status extends models.Model {
    _name = "clearance.status";

    name = fields.Char();
    active = fields.Boolean({ default: true });
}

defineMailModels();
defineModels([Form, Status]);

const STEP = {
    stage: "",
    station_id: 1,
    station: "Library",
    mode: "station",
    state: "pending",
    initial_state: "pending",
    required: true,
    is_open: true,
    needs_review: false,
    lifted: false,
    blocked_by: [],
    user: "",
    decided_at: "",
    reason: "",
    door: "",
};

function makeRow(id, step, values = {}) {
    return { ...STEP, id, step_id: 100 + id, step, ...values };
}

function approved(values = {}) {
    return { state: "approved", is_open: false, ...values };
}

async function mountRecord(rows) {
    Form._records = [{ id: 1, name: "T26000", record: rows }];
    await mountView({
        resModel: "clearance.form",
        resId: 1,
        type: "form",
        arch: `<form><field name="record" widget="clearance_record"/></form>`,
    });
}

beforeEach(() => {
    Status._records = [{ id: 1, name: "Return books" }];
});

test("each state has an icon and a word", async () => {
    await mountRecord([
        makeRow(1, "Pending"),
        makeRow(2, "Submitted", { state: "submitted" }),
        makeRow(3, "Rejected", { state: "rejected" }),
        makeRow(4, "Approved", approved()),
        makeRow(5, "Optional", { state: "optional", required: false, is_open: false }),
        makeRow(6, "Not required", { state: "not_required", is_open: false }),
        makeRow(7, "Review", { state: "approved", needs_review: true }),
    ]);
    const expected = [
        ["pending", "Not done"],
        ["submitted", "Submitted"],
        ["rejected", "Rejected"],
        ["approved", "Approved"],
        ["optional", "Optional"],
        ["not_required", "Not required"],
        ["review", "Needs another look"],
    ];
    const icons = new Set();
    for (const [index, [state, word]] of expected.entries()) {
        const row = `.o_clearance_record_step[data-step="${101 + index}"]`;
        expect(`${row}.o_clearance_edge_${state}`).toHaveCount(1);
        expect(`${row} .o_clearance_state_${state}`).toHaveText(word);
        const icon = queryOne(`${row} .o_clearance_state_${state} .o_clearance_icon`);
        icons.add(getComputedStyle(icon, "::before").content);
    }
    expect(icons.size).toBe(expected.length, { message: "no two states share an icon" });
});

test("steps stand with their station, stations with their stage, in order", async () => {
    await mountRecord([
        makeRow(1, "Return books", { stage: "Settle" }),
        makeRow(2, "Return card", { stage: "Settle", station_id: 2, station: "Affairs" }),
        makeRow(3, "Refund", {
            stage: "Settle",
            required: false,
            state: "optional",
            is_open: false,
        }),
        makeRow(4, "Diploma", { stage: "Collect", station_id: 3, station: "Certificates" }),
    ]);
    expect(queryAllTexts(".o_clearance_record_stage > h4")).toEqual(["Settle", "Collect"]);
    expect(queryAllTexts(".o_clearance_record_station h5 > span")).toEqual([
        "Library",
        "Affairs",
        "Certificates",
    ]);
    const library = ".o_clearance_record_station:first";
    expect(queryAllTexts(`${library} .btn-link > span:first-child`)).toEqual([
        "Return books",
        "Refund",
    ]);
});

test("without stages no empty headings are shown", async () => {
    await mountRecord([makeRow(1, "Return books")]);
    expect(".o_clearance_record_stage").toHaveCount(1);
    expect(".o_clearance_record_stage > h4").toHaveCount(0);
});

test("the summary counts required steps that concern the graduate", async () => {
    await mountRecord([
        makeRow(1, "Books", approved()),
        makeRow(2, "Card", approved({ station_id: 2, station: "Affairs" })),
        makeRow(3, "Fees", { station_id: 2, station: "Affairs" }),
        makeRow(4, "Loan", { state: "not_required", is_open: false }),
        makeRow(5, "Refund", { state: "optional", required: false, is_open: false }),
        makeRow(6, "Diploma", { state: "approved", needs_review: true }),
    ]);
    expect(".o_clearance_record_summary strong").toHaveText("2 of 4 required steps settled");
    expect(".o_clearance_record_summary .progress").toHaveAttribute("aria-valuenow", "50");
    expect(queryAllTexts(".o_clearance_record_station h5 small")).toEqual(["1/2", "1/2"]);
    // ★ on what is asked for, neither on the optional nor on what is not required
    expect(".o_clearance_record_star").toHaveCount(4);
});

test("the legend explains the states that occur", async () => {
    await mountRecord([
        makeRow(1, "Books", approved()),
        makeRow(2, "Fees", { lifted: true }),
        makeRow(3, "Card"),
    ]);
    expect(queryAllTexts(".o_clearance_record_legend > span")).toEqual([
        "Not done",
        "Approved",
        "Deferred",
    ]);
});

test("what a step waits for is named, the first two in the row and all in the tooltip", async () => {
    await mountRecord([
        makeRow(1, "Degree", {
            blocked_by: ["Library: Books", "Finance: Fees", "Affairs: Card", "Affairs: Loan"],
        }),
        makeRow(2, "Diploma", { blocked_by: ["Certificates: Degree"] }),
    ]);
    expect(queryAllTexts(".o_clearance_record_blocked")).toEqual([
        "Waits for Library: Books, Finance: Fees and 2 more",
        "Waits for Certificates: Degree",
    ]);
    await hover(".o_clearance_record_step:first");
    await advanceTime(1000);
    expect(queryAllTexts(".o_popover li")).toEqual([
        "Library: Books",
        "Finance: Fees",
        "Affairs: Card",
        "Affairs: Loan",
    ]);
});

test("who decided, when, why and where it stood before", async () => {
    await mountRecord([
        makeRow(1, "Books", {
            state: "rejected",
            user: "Li Si",
            decided_at: "2026-06-22 01:30:00",
            reason: "Two books are missing",
        }),
        makeRow(2, "Fees"),
    ]);
    expect(".o_clearance_record_reason").toHaveText("“Two books are missing”");
    expect(".o_clearance_record_note").toHaveCount(1);
    expect(".o_clearance_record_note").toHaveText(/^was: Not done · Li Si · Jun 22/);
});

test("a deferral is marked beside the state", async () => {
    await mountRecord([makeRow(1, "Fees", { lifted: true }), makeRow(2, "Card")]);
    expect(
        queryAllTexts(".o_clearance_record_step:first .o_clearance_record_marks > span")
    ).toEqual(["Deferred", "Not done"]);
    expect(".o_clearance_record_step .o_clearance_state_lifted").toHaveCount(1);
});

test("a record without steps says so", async () => {
    await mountRecord([]);
    expect(".o_clearance_record_empty").toHaveText(/^No steps yet/);
    expect(".o_clearance_record_legend").toHaveCount(0);
});

test("text from outside is shown as text", async () => {
    await mountRecord([
        makeRow(1, "<b>Books</b>", { reason: "<img src=x>", station: "<i>Library</i>" }),
    ]);
    expect(".o_clearance_record b, .o_clearance_record img").toHaveCount(0);
    expect(".o_clearance_record_station h5 > span").toHaveText("<i>Library</i>");
});

test("a click opens the status that the user may read", async () => {
    mockService("action", {
        doAction(action) {
            expect.step([action.res_model, action.res_id]);
        },
    });
    await mountRecord([makeRow(1, "Books")]);
    await click(".o_clearance_record_step button");
    await animationFrame();
    expect.verifySteps([["clearance.status", 1]]);
});

test("a click on another station's step explains instead", async () => {
    mockService("action", {
        doAction() {
            expect.step("opened");
        },
    });
    onRpc("clearance.status", "search", () => []);
    await mountRecord([makeRow(2, "Fees")]);
    await click(".o_clearance_record_step button");
    await animationFrame();
    expect(".o_notification").toHaveText(/“Fees” belongs to another station/);
    expect.verifySteps([]);
});

test("the compact record keeps a line for each step, the rest is in the tooltip", async () => {
    const values = { reason: "Two books", user: "Li Si", blocked_by: ["Finance: Fees"] };
    await mountWithCleanup(ClearanceRecord, {
        props: { rows: [makeRow(1, "Books", values)], compact: true },
    });
    expect(".o_clearance_record_reason, .o_clearance_record_note").toHaveCount(0);
    expect(".o_clearance_record_blocked").toHaveCount(0);
    await hover(".o_clearance_record_step:first");
    await advanceTime(1000);
    expect(".o_popover").toHaveText(/Li Si/);
    expect(".o_popover").toHaveText(/“Two books”/);
    expect(queryAllTexts(".o_popover li")).toEqual(["Finance: Fees"]);
});

test("one's own station is marked in words", async () => {
    await mountWithCleanup(ClearanceRecord, {
        props: {
            rows: [makeRow(1, "Books"), makeRow(2, "Card", { station_id: 2, station: "Affairs" })],
            highlightStation: 2,
        },
    });
    expect(queryAllTexts(".o_clearance_record_own h5 > span")).toEqual(["Affairs"]);
    expect(".o_clearance_record_here").toHaveText("This station");
});
