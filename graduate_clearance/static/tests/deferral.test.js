import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, edit, press, queryAllTexts, queryOne, setInputFiles } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, mockDate } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    getService,
    makeMockEnv,
    makeServerError,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { ConnectionLostError } from "@web/core/network/rpc";

import { DeferralDesk } from "@graduate_clearance/deferral/deferral_desk";

class Override extends models.Model {
    _name = "clearance.override";

    state = fields.Selection({
        selection: [
            ["in_force", "Restriction lifted"],
            ["settled", "Settled since"],
            ["ended", "Ended by date"],
            ["restored", "Restored"],
        ],
    });

    _records = [
        { id: 1, state: "in_force" },
        { id: 2, state: "settled" },
        { id: 3, state: "ended" },
        { id: 4, state: "restored" },
    ];
}

class Deferral extends models.Model {
    _name = "clearance.deferral";
}

defineMailModels();
defineModels([Override, Deferral]);

const LIFTED = {
    id: 9,
    status_id: 2,
    step: "Pay arrears",
    reason: "Agreement no. 7",
    date_end: "2026-07-31",
    granted_by: "Deferral officer",
    granted_at: "2026-06-20 08:00:00",
    restored_by: "",
    restored_at: "",
    state: "in_force",
    evidence: [{ id: 77, name: "agreement.pdf" }],
};

function makeStep(status_id, step, values = {}) {
    return {
        status_id,
        step,
        station: "Finance",
        station_id: 5,
        stage: "",
        state: "pending",
        needs_review: false,
        initial_state: "pending",
        restricted: true,
        lifted: false,
        restricts: ["Degree certificate"],
        can_lift: true,
        can_restore: false,
        why_not: "",
        ...values,
    };
}

const SETTLED = makeStep(1, "Return books", {
    station: "Library",
    state: "approved",
    restricted: false,
    can_lift: false,
    why_not: "This step is settled: it restricts nothing any more.",
});
const FEES = makeStep(2, "Pay arrears");
const FEES_LIFTED = {
    ...FEES,
    restricted: false,
    lifted: LIFTED,
    can_lift: false,
    can_restore: true,
};
const CARD = makeStep(3, "Return student card", { station: "Student Affairs", station_id: 6 });

function makeGraduate(values = {}) {
    return {
        form_id: 1,
        session: { id: 4, name: "2026 undergraduates", state: "open" },
        form_state: "open",
        due: 6,
        open: 3,
        person: {
            name: "Test Graduate 1",
            student_number: "T26001",
            gender: "Female",
            college: "College of Mechanics",
            class: "M1",
            room: "North / 0101",
            major: "",
            level: "Undergraduate",
            id_number: "990*********18",
            earlier_year: false,
            graduation_year: 2026,
            photo: false,
        },
        steps: [SETTLED, FEES, CARD],
        record: [],
        history: [],
        ...values,
    };
}

function makeRow(number, values = {}) {
    return {
        form_id: number,
        student_number: `T2600${number}`,
        name: `Test Graduate ${number}`,
        college: "College of Mechanics",
        class: "M1",
        session: "2026 undergraduates",
        form_state: "open",
        earlier_year: false,
        lifted: 0,
        ...values,
    };
}

const REASONS = [
    { id: 1, name: "Proof of deferred payment shown", station_ids: false },
    { id: 2, name: "Card is with the police", station_ids: [6] },
];

let graduate;
let notify;
let isLost;

function answer(codes, values = {}) {
    return {
        outcomes: Object.entries(codes).map(([id, code]) => ({
            id: Number(id),
            code,
            message: code === "done" ? "" : `refused: ${code}`,
        })),
        graduate: makeGraduate(values),
    };
}

beforeEach(() => {
    mockDate("2026-06-20 10:00:00");
    isLost = false;
    graduate = makeGraduate();
    onRpc("clearance.deferral", "get_setup", () => ({
        sessions: [{ id: 4, name: "2026 undergraduates" }],
        reasons: REASONS,
    }));
    onRpc("clearance.deferral", "search_graduates", ({ kwargs }) => {
        expect.step(`search ${kwargs.query || "all"}`);
        return { rows: [makeRow(1), makeRow(2)], count: 2, more: false };
    });
    onRpc("clearance.deferral", "get_graduate", ({ args }) => {
        expect.step(`open ${args[0]}`);
        return graduate;
    });
});

async function mountDesk(props = {}) {
    await makeMockEnv();
    patchWithCleanup(getService("orm"), {
        async call() {
            const result = await super.call(...arguments);
            if (isLost) {
                throw new ConnectionLostError("/web");
            }
            return result;
        },
    });
    patchWithCleanup(getService("bus_service"), {
        subscribe(notification, callback) {
            if (notification === "clearance.changed") {
                notify = callback;
            } else {
                super.subscribe(notification, callback);
            }
        },
    });
    return mountWithCleanup(DeferralDesk, { props: { action: { context: {} }, ...props } });
}

async function mountGraduate() {
    await mountDesk({ resId: 1 });
    expect.verifySteps(["search all", "open 1"]);
}

async function openLift() {
    await contains(
        ".o_clearance_deferral_step[data-status='2'] .o_clearance_deferral_lift"
    ).click();
    expect(".o_clearance_lift_dialog").toHaveCount(1);
}

describe("finding", () => {
    test("nobody is shown at first", async () => {
        await mountDesk();
        expect.verifySteps(["search all"]);
        expect(queryAllTexts(".o_clearance_deferral_row strong")).toEqual([
            "Test Graduate 1",
            "Test Graduate 2",
        ]);
        expect(".o_clearance_deferral_empty").toHaveCount(1);
        expect(".o_clearance_deferral_step").toHaveCount(0);
    });

    test("typing asks the server once, Enter opens the one who is meant", async () => {
        await mountDesk();
        await click("input[name=clearance_search]");
        await edit("T2600");
        await edit("T26002");
        expect.verifySteps(["search all"]);
        await advanceTime(300);
        expect.verifySteps(["search T26002"]);
        await press("Enter");
        await animationFrame();
        expect.verifySteps(["open 2"]);
    });

    test("a number typed fast and Enter: searched at once, and once", async () => {
        await mountDesk();
        await click("input[name=clearance_search]");
        await edit("T26001", { confirm: "enter" });
        await animationFrame();
        await advanceTime(500);
        expect.verifySteps(["search all", "search T26001", "open 1"]);
    });

    test("Enter opens the only one found, not one of the former list", async () => {
        onRpc("clearance.deferral", "search_graduates", ({ kwargs }) => {
            const found = kwargs.query ? [makeRow(7)] : [makeRow(1)];
            return {
                rows: kwargs.query === "T" ? [makeRow(7), makeRow(8)] : found,
                count: 1,
                more: false,
            };
        });
        await mountDesk();
        await click("input[name=clearance_search]");
        await edit("T", { confirm: "enter" });
        await animationFrame();
        expect.verifySteps([]);
        expect(".o_clearance_deferral_row[aria-selected=true]").toHaveText(/T26007/);
        await edit("graduate 7", { confirm: "enter" });
        await animationFrame();
        expect.verifySteps(["open 7"]);
    });

    test("arrows move, Enter opens", async () => {
        await mountDesk();
        await click("input[name=clearance_search]");
        await press("ArrowDown");
        await press("ArrowDown");
        await animationFrame();
        expect(".o_clearance_deferral_row[aria-selected=true]").toHaveText(/T26002/);
        expect("input[name=clearance_search]").toHaveAttribute(
            "aria-activedescendant",
            queryOne(".o_clearance_deferral_row:last").id
        );
        await press("Enter");
        await animationFrame();
        expect.verifySteps(["search all", "open 2"]);
    });

    test("pages, and only those with a lifted restriction", async () => {
        onRpc("clearance.deferral", "search_graduates", ({ kwargs }) => {
            expect.step(`${kwargs.offset} ${kwargs.lifted}`);
            const rows = Array.from({ length: 40 }, (_, index) =>
                makeRow(100 + kwargs.offset + index, { lifted: 2 })
            );
            return { rows, count: 1000, more: true };
        });
        await mountDesk();
        expect(".o_clearance_deferral_pager").toHaveText(/1–40 of 1000\+/);
        expect(".o_clearance_deferral_row:first .o_clearance_state_lifted").toHaveText(/2/);
        expect("button[aria-label='Previous page']").not.toBeEnabled();
        await contains("button[aria-label='Next page']").click();
        expect(".o_clearance_deferral_pager").toHaveText(/41–80/);
        await contains("input[name=clearance_lifted]").click();
        expect.verifySteps(["0 false", "40 false", "0 true"]);
    });

    test("nobody found: everybody again", async () => {
        onRpc("clearance.deferral", "search_graduates", ({ kwargs }) => ({
            rows: kwargs.query ? [] : [makeRow(1)],
            count: 0,
            more: false,
        }));
        await mountDesk();
        await click("input[name=clearance_search]");
        await edit("nobody");
        await advanceTime(300);
        await animationFrame();
        expect(".o_clearance_deferral_nobody").toHaveText(/Nobody found/);
        await contains(".o_clearance_deferral_nobody button").click();
        expect(".o_clearance_deferral_row").toHaveCount(1);
        expect("input[name=clearance_search]").toHaveValue("");
    });

    test("an address of somebody who is not there any more", async () => {
        onRpc("clearance.deferral", "get_graduate", () => {
            throw makeServerError({ message: "gone" });
        });
        await mountDesk({ resId: 5 });
        expect(".o_notification").toHaveText(/cannot be shown/);
        expect(".o_clearance_deferral_empty").toHaveCount(1);
        expect.verifySteps(["search all"]);
    });

    test("several sessions can be told apart", async () => {
        onRpc("clearance.deferral", "get_setup", () => ({
            sessions: [
                { id: 4, name: "2026 undergraduates" },
                { id: 5, name: "2026 postgraduates" },
            ],
            reasons: [],
        }));
        onRpc("clearance.deferral", "search_graduates", ({ kwargs }) => {
            expect.step(String(kwargs.session_id));
            return { rows: [], count: 0, more: false };
        });
        await mountDesk();
        await contains("select[aria-label=Session]").select("5");
        expect.verifySteps(["false", "5"]);
    });

    test("somebody of two sessions stands in the list with the name of each", async () => {
        const rows = [
            makeRow(1),
            makeRow(2, { name: "Test Graduate 1", session: "2026 postgraduates" }),
        ];
        const sessions = [
            { id: 4, name: "2026 undergraduates" },
            { id: 5, name: "2026 postgraduates" },
        ];
        onRpc("clearance.deferral", "get_setup", () => ({ sessions, reasons: [] }));
        onRpc("clearance.deferral", "search_graduates", () => ({ rows, count: 2, more: false }));
        await mountDesk();
        expect(queryAllTexts(".o_clearance_deferral_row_session")).toEqual([
            "2026 undergraduates",
            "2026 postgraduates",
        ]);
        // Of one session there is nothing to tell apart.
        await contains("select[aria-label=Session]").select("5");
        expect(".o_clearance_deferral_row").toHaveCount(2);
        expect(".o_clearance_deferral_row_session").toHaveCount(0);
    });
});

describe("one graduate", () => {
    test("each restriction has an icon and a word, a settled step says why not", async () => {
        graduate = makeGraduate({ steps: [SETTLED, FEES_LIFTED, CARD] });
        await mountGraduate();
        expect(queryAllTexts(".o_clearance_deferral_step h3")).toEqual([
            "Pay arrears",
            "Return student card",
            "Return books",
        ]);
        expect(queryAllTexts(".o_clearance_deferral_lock")).toEqual([
            "Restriction lifted",
            "Restriction on",
            "No restriction",
        ]);
        expect(".o_clearance_deferral_lock_on .fa-lock").toHaveCount(1);
        expect(".o_clearance_deferral_lock_lifted .fa-unlock-alt").toHaveCount(1);
        expect("[data-status='3'] .o_clearance_deferral_restriction").toHaveText(
            /Degree certificate/
        );
        expect("[data-status='3'] .o_clearance_deferral_states").toHaveText(
            /Not done\s*Initially: Not done/
        );
        expect("[data-status='1'] .o_clearance_deferral_lift").not.toBeEnabled();
        expect("[data-status='1'] .o_clearance_deferral_lift").toHaveAttribute(
            "aria-describedby",
            queryOne("[data-status='1'] .o_clearance_deferral_why").id
        );
        expect("[data-status='1'] .o_clearance_deferral_why").toHaveText(/settled/);
    });

    test("a lifted restriction shows proof, date, officer and evidence", async () => {
        graduate = makeGraduate({ steps: [FEES_LIFTED] });
        await mountGraduate();
        expect(".o_clearance_deferral_reason").toHaveText("“Agreement no. 7”");
        expect(".o_clearance_deferral_until").toHaveText(/Until .*31/);
        expect(".o_clearance_deferral_proof").toHaveText(/Deferral officer/);
        expect(".o_clearance_deferral_files a").toHaveAttribute(
            "href",
            "/web/content/77?download=true"
        );
        expect(".o_clearance_deferral_restore").toBeEnabled();
        expect(".o_clearance_deferral_lift").toHaveCount(0);
    });

    test("nothing to lift, and former deferrals", async () => {
        graduate = makeGraduate({
            steps: [],
            history: [
                {
                    ...LIFTED,
                    date_end: "",
                    state: "restored",
                    restored_by: "Manager",
                    restored_at: "2026-06-21 08:00:00",
                    evidence: [],
                },
            ],
        });
        await mountGraduate();
        expect(".o_clearance_deferral_nothing").toHaveCount(1);
        expect(".o_clearance_deferral_history").toHaveText(/Pay arrears/);
        expect(".o_clearance_deferral_history").toHaveText(/Restored, Manager/);
    });

    test("what colleagues change is shown without a reload, and without flooding", async () => {
        await mountGraduate();
        graduate = makeGraduate({ steps: [{ ...SETTLED, status_id: 2, step: "Pay arrears" }] });
        notify({ station_id: 5, session_id: 99 });
        await advanceTime(5000);
        expect.verifySteps([]);
        for (let count = 0; count < 50; count++) {
            notify({ station_id: 5, session_id: 4 });
        }
        await advanceTime(1900);
        expect.verifySteps([]);
        await advanceTime(2000);
        await animationFrame();
        expect.verifySteps(["open 1"]);
        expect("[data-status='2']").toHaveAttribute("data-restriction", "none");
    });
});

describe("lifting", () => {
    test("asks for the proof, then shows the restriction lifted", async () => {
        const keys = new Set();
        onRpc("clearance.deferral", "lift", ({ kwargs }) => {
            keys.add(kwargs.key);
            expect.step(
                [
                    kwargs.status_ids,
                    kwargs.reason,
                    kwargs.date_end,
                    kwargs.attachment_ids.length,
                ].join(" | ")
            );
            return answer({ 2: "done" }, { steps: [SETTLED, FEES_LIFTED, CARD] });
        });
        await mountGraduate();
        await openLift();
        expect(queryAllTexts(".o_clearance_lift_presets button")).toEqual([
            "Proof of deferred payment shown",
        ]);
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog .alert-danger").toHaveText(/reason is required/);
        expect.verifySteps([]);
        await contains(".o_clearance_lift_presets button").click();
        expect("#o_clearance_lift_reason").toHaveValue("Proof of deferred payment shown");
        await contains(".o_clearance_lift_confirm").click();
        expect.verifySteps(["2 | Proof of deferred payment shown | false | 0"]);
        expect(keys.size).toBe(1);
        expect(".o_clearance_lift_dialog").toHaveCount(0);
        expect("[data-status='2']").toHaveAttribute("data-restriction", "lifted");
        expect(".o_clearance_deferral_row:first .o_clearance_state_lifted").toHaveText(/1/);
        expect(".o_clearance_deferral_row:last .o_clearance_state_lifted").toHaveCount(0);
    });

    test("several steps at once, with their presets, an end date", async () => {
        onRpc("clearance.deferral", "lift", ({ kwargs }) => {
            expect.step(`${kwargs.status_ids} ${kwargs.date_end} ${kwargs.reason}`);
            return answer({ 2: "done", 3: "done" });
        });
        await mountGraduate();
        await openLift();
        expect(".o_clearance_lift_dialog input[type=checkbox]").toHaveCount(2);
        await contains(".o_clearance_lift_dialog input[data-status='3']").click();
        expect(".o_clearance_lift_presets button").toHaveCount(2);
        await contains("#o_clearance_lift_date").click();
        await contains(".o_date_item_cell:contains(25)").click();
        await contains("#o_clearance_lift_reason").edit("Card was stolen");
        await press(["ctrl", "Enter"]);
        await animationFrame();
        expect.verifySteps(["2,3 2026-06-25 Card was stolen"]);
    });

    test("a step says how long its deferral lasts; a date that is typed stays", async () => {
        onRpc("clearance.deferral", "lift", ({ kwargs }) => {
            expect.step(`${kwargs.status_ids} ${kwargs.date_end}`);
            return answer({ 2: "done", 3: "done" });
        });
        const stays = makeStep(3, "Household registration", { months: 24, date_end: "2028-06-20" });
        const exams = makeStep(4, "Exams made up", { months: 12, date_end: "2027-06-20" });
        graduate = makeGraduate({ steps: [SETTLED, FEES, stays, exams] });
        await mountGraduate();
        await openLift();
        const RULE = ".o_clearance_lift_rule";
        expect(RULE).toHaveText("");
        await contains(".o_clearance_lift_dialog input[data-status='3']").click();
        expect("#o_clearance_lift_date").toHaveValue(/2028/);
        expect(RULE).toHaveText(
            "Filled in: “Household registration” is deferred for 24 months as a rule."
        );
        await contains(".o_clearance_lift_dialog input[data-status='4']").click();
        expect(RULE).toHaveText(/“Exams made up” is deferred for 12 months/);
        await contains(".o_clearance_lift_dialog input[data-status='4']").click();
        await contains("#o_clearance_lift_date").click();
        await contains(".o_date_item_cell:contains(25)").click();
        expect(RULE).toHaveText("");
        await contains(".o_clearance_lift_dialog input[data-status='4']").click();
        await contains("#o_clearance_lift_reason").edit("Application seen", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect.verifySteps(["2,3,4 2028-06-25"]);
    });

    test("without a step nothing is sent", async () => {
        await mountGraduate();
        await openLift();
        await contains(".o_clearance_lift_dialog input[data-status='2']").click();
        await contains("#o_clearance_lift_reason").edit("proof", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog .alert-danger").toHaveText(/at least one step/);
    });

    test("after a lost connection it is sent again under the same key", async () => {
        const keys = [];
        onRpc("clearance.deferral", "lift", ({ kwargs }) => {
            keys.push(kwargs.key);
            isLost = keys.length === 1; // the answer of the first one is lost
            return answer({ 2: "done" }, { steps: [FEES_LIFTED] });
        });
        await mountGraduate();
        await openLift();
        await contains("#o_clearance_lift_reason").edit("proof", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog .alert-danger").toHaveText(/no connection/);
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog").toHaveCount(0);
        expect(keys).toHaveLength(2);
        expect(keys[0]).toBe(keys[1]);
        expect("[data-status='2']").toHaveAttribute("data-restriction", "lifted");
    });

    test("what the server refuses is said in the dialog", async () => {
        onRpc("clearance.deferral", "lift", () => {
            throw makeServerError({ message: "The end date is in the past." });
        });
        await mountGraduate();
        await openLift();
        await contains("#o_clearance_lift_reason").edit("proof", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog .alert-danger").toHaveText("The end date is in the past.");
    });

    test("a step settled meanwhile: said by name, and the page is fresh", async () => {
        onRpc("clearance.deferral", "lift", () =>
            answer({ 2: "settled" }, { steps: [{ ...SETTLED, status_id: 2, step: "Pay arrears" }] })
        );
        await mountGraduate();
        await openLift();
        await contains("#o_clearance_lift_reason").edit("proof", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect(".o_clearance_lift_dialog").toHaveCount(0);
        expect("[data-status='2'] .o_clearance_deferral_lift").not.toBeEnabled();
    });

    test("evidence is uploaded, sent along, and deleted when it is not wanted", async () => {
        onRpc("/web/binary/upload_attachment", async (request) => {
            const body = await request.formData();
            expect.step(`upload for ${body.get("model")} ${body.get("id")}`);
            return JSON.stringify([
                { id: 70, filename: "a.pdf", mimetype: "application/pdf", size: 1 },
                { id: 71, filename: "b.pdf", mimetype: "application/pdf", size: 1 },
            ]);
        });
        onRpc("ir.attachment", "unlink", ({ args }) => {
            expect.step(`delete ${args[0]}`);
            return true;
        });
        onRpc("clearance.deferral", "lift", ({ kwargs }) => {
            expect.step(`lift with ${kwargs.attachment_ids}`);
            return answer({ 2: "done" });
        });
        const upload = async () => {
            await contains(".o_clearance_lift_files .o_file_input_trigger").click();
            await setInputFiles([new File(["x"], "a.pdf"), new File(["y"], "b.pdf")]);
            await animationFrame();
            await animationFrame();
            expect.verifySteps(["upload for clearance.override 0"]);
        };
        await mountGraduate();
        await openLift();
        await upload();
        expect(queryAllTexts(".o_clearance_lift_files li")).toEqual(["a.pdf", "b.pdf"]);
        await contains(".o_clearance_lift_files li:first button").click();
        expect.verifySteps(["delete 70"]);
        await contains("#o_clearance_lift_reason").edit("proof", { confirm: false });
        await contains(".o_clearance_lift_confirm").click();
        expect.verifySteps(["lift with 71"]);
        await openLift();
        await upload();
        await press("Escape");
        await animationFrame();
        expect.verifySteps(["delete 70,71"]);
    });
});

describe("restoring", () => {
    test("asks first, then the step restricts again", async () => {
        onRpc("clearance.deferral", "restore", ({ kwargs }) => {
            expect.step(`${kwargs.override_ids} ${kwargs.reason}`);
            return answer({ 2: "done" });
        });
        graduate = makeGraduate({ steps: [FEES_LIFTED] });
        await mountGraduate();
        await contains(".o_clearance_deferral_restore").click();
        expect(".modal-body").toHaveText(/Finance: Pay arrears/);
        await contains("#o_clearance_restore_reason").edit("Agreement broken", { confirm: false });
        await contains(".o_clearance_restore_confirm").click();
        expect.verifySteps(["9 Agreement broken"]);
        expect(".modal").toHaveCount(0);
        expect("[data-status='2']").toHaveAttribute("data-restriction", "on");
    });

    test("cancelled, nothing happens", async () => {
        graduate = makeGraduate({ steps: [FEES_LIFTED] });
        await mountGraduate();
        await contains(".o_clearance_deferral_restore").click();
        await press("Escape");
        await animationFrame();
        expect(".modal").toHaveCount(0);
        expect("[data-status='2']").toHaveAttribute("data-restriction", "lifted");
    });
});

test("the list says by icon and word what became of a deferral", async () => {
    await mountView({
        resModel: "clearance.override",
        type: "list",
        arch: `<list><field name="state" widget="clearance_restriction"/></list>`,
    });
    expect(queryAllTexts(".o_data_cell")).toEqual([
        "Restriction lifted",
        "Settled since",
        "Ended by date",
        "Restored",
    ]);
    expect(".o_data_row:first .o_clearance_state_lifted .fa-unlock-alt").toHaveCount(1);
    expect(".o_data_row:last .fa-lock").toHaveCount(1);
});
