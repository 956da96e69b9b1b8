import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, edit, press, queryAll, queryAllTexts, queryOne, select } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    makeServerError,
    mockService,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { Simulation as SimulationAction } from "@graduate_clearance/simulation/simulation";

class Simulation extends models.Model {
    _name = "clearance.simulation";
}

defineMailModels();
defineModels([Simulation]);

const MECHANICS = {
    id: 1,
    name: "Mechanics",
    classes: [
        { id: 11, name: "M1" },
        { id: 12, name: "M2" },
    ],
};
const ARTS = { id: 2, name: "Arts", classes: [] };

function makeSetup(values = {}) {
    return {
        session: { id: 5, name: "2026 undergraduates", state: "draft" },
        colleges: [MECHANICS, ARTS],
        may_check: true,
        may_write: true,
        ...values,
    };
}

function makeFinding(key, level = "ok", values = {}) {
    return {
        key,
        section: "decides",
        level,
        title: `Title of ${key}`,
        detail: "",
        count: 0,
        button: "",
        ...values,
    };
}

function makeStep(id, name, values = {}) {
    return {
        id,
        name,
        stage: "",
        mode: "station",
        required: true,
        to_be_announced: false,
        count: 1200,
        usual: 1,
        latest: 1,
        waits_for: [],
        desks: [{ id: 7, name: "Library", count: 1200, operators: 1 }],
        ...values,
    };
}

function makeStation(id, name, values = {}) {
    return {
        id,
        name,
        above: "",
        count: 2000,
        operators: ["Li Wei"],
        needs_operator: true,
        steps: [{ id: 1, name: "Return books", count: 2000 }],
        heads: 2000,
        days: 10,
        per_day: 200,
        ...values,
    };
}

const OPERATOR = makeFinding("operator", "error", {
    title: "Desks without an operator",
    detail: "Library: Return books: nobody can confirm it for 3 graduates.\nLibrary: Fines: nobody can confirm it for 2 graduates.",
    count: 1,
    button: "Open the stations",
});
const SILENT = makeFinding("heard", "warning", {
    title: "Source systems that are silent",
    detail: "Library: never heard from.",
    count: 1,
    button: "Open the source systems",
});
const ANNOUNCED = makeFinding("announced", "info", { section: "time", detail: "Degree" });

let setup;
let answers;
let calls;
let actions;

beforeEach(() => {
    setup = makeSetup();
    calls = [];
    actions = [];
    answers = {
        get_checklist: [
            makeFinding("steps", "ok", { section: "who" }),
            OPERATOR,
            SILENT,
            ANNOUNCED,
        ],
        get_steps: { graduates: 1200, steps: [makeStep(1, "Return books")] },
        get_stations: { graduates: 2000, most: 120, stations: [makeStation(7, "Library")] },
        search_graduates: [],
        open_finding: { type: "ir.actions.act_window", res_model: "clearance.station" },
        open_graduates: { type: "ir.actions.act_window", res_model: "clearance.student" },
    };
    onRpc("clearance.simulation", "*", ({ method, args, kwargs }) => {
        calls.push({ method, args, kwargs });
        if (method === "get_setup") {
            return setup;
        }
        const answer = answers[method];
        return typeof answer === "function" ? answer(...args) : answer;
    });
    mockService("action", {
        doAction(action) {
            actions.push(action);
        },
    });
});

async function mountSimulation(props = {}) {
    await mountWithCleanup(SimulationAction, {
        props: {
            action: { params: { session_id: 5 } },
            actionId: 1,
            updateActionState: () => {},
            ...props,
        },
    });
    await animationFrame();
}

function lastCall(method) {
    return calls.filter((call) => call.method === method).at(-1);
}

describe("checklist", () => {
    test("every point in its section, told by word, icon and colour", async () => {
        await mountSimulation();
        expect(".o_clearance_simulation_headline strong").toHaveText("1 of 4 in order");
        expect(".o_clearance_simulation_headline").toHaveText(
            /1 to mend · 1 to look at · 1 to note/
        );
        expect(".o_clearance_simulation_ready").toHaveCount(0);
        expect(queryAllTexts(".o_clearance_simulation_section h2")).toEqual([
            "Who has what to do",
            "Who decides",
            "When",
        ]);
        expect(queryAllTexts(".o_clearance_finding_level")).toEqual([
            "In order",
            "To mend",
            "Look at this",
            "To note",
        ]);
        expect("[data-key=operator] .o_clearance_state_rejected .o_clearance_icon").toHaveCount(1);
        expect("[data-key=operator] .o_clearance_finding_count").toHaveText("1");
        expect("[data-key=operator] li").toHaveCount(2);
        expect("[data-key=steps] button").toHaveCount(0);
    });

    test("a point that has been mended turns green", async () => {
        await mountSimulation();
        answers.get_checklist = [
            makeFinding("steps", "ok"),
            makeFinding("operator", "ok"),
            ANNOUNCED,
        ];
        await contains(".o_clearance_simulation_recheck").click();
        expect(".o_clearance_simulation_headline strong").toHaveText("2 of 3 in order");
        expect("[data-key=operator]").toHaveAttribute("data-level", "ok");
        // What is only to be noted does not stand in the way.
        expect(".o_clearance_simulation_ready").toHaveCount(1);
        expect("[role=status]").toHaveText("Checklist: up to date");
    });

    test("the button opens what must be mended, as it is now", async () => {
        await mountSimulation();
        await contains("[data-key=operator] button").click();
        expect(lastCall("open_finding").args).toEqual([5, "operator"]);
        expect(actions).toEqual([answers.open_finding]);
    });

    test("somebody else has mended it meanwhile", async () => {
        await mountSimulation();
        answers.open_finding = false;
        answers.get_checklist = [makeFinding("operator")];
        await contains("[data-key=operator] button").click();
        expect(actions).toEqual([]);
        expect("[data-key=operator]").toHaveAttribute("data-level", "ok");
    });

    test("it says that it is working, and again when it cannot", async () => {
        expect.errors(1);
        const answer = new Deferred();
        answers.get_checklist = () => answer;
        await mountSimulation();
        expect(".o_clearance_simulation_wait").toHaveText("Working it out…");
        expect(".o_clearance_simulation_panel").toHaveAttribute("aria-busy", "true");
        answer.reject(makeServerError({ message: "No" }));
        await animationFrame();
        expect(".o_clearance_simulation_wait").toHaveText(/This could not be worked out/);
        expect.verifyErrors(["No"]);
        answers.get_checklist = [makeFinding("steps")];
        await contains(".o_clearance_simulation_wait button").click();
        expect(".o_clearance_simulation_headline strong").toHaveText("1 of 1 in order");
    });
});

describe("tabs", () => {
    test("arrow keys walk along them", async () => {
        await mountSimulation();
        expect(queryAllTexts("[role=tab]")).toEqual([
            "Checklist",
            "Steps",
            "Stations",
            "One Graduate",
        ]);
        queryOne("[data-tab=checklist]").focus();
        await press("ArrowRight");
        await animationFrame();
        expect("[data-tab=steps]").toBeFocused();
        expect("[data-tab=steps]").toHaveAttribute("aria-selected", "true");
        expect("[data-tab=checklist]").toHaveAttribute("tabindex", "-1");
        expect("[data-step='1']").toHaveCount(1);
        await press("End");
        await animationFrame();
        expect("[data-tab=graduate]").toHaveAttribute("aria-selected", "true");
    });

    test("a slow answer of a tab that was left is not shown", async () => {
        const slow = new Deferred();
        answers.get_steps = () => slow;
        await mountSimulation();
        await contains("[data-tab=steps]").click();
        await contains("[data-tab=stations]").click();
        slow.resolve({ graduates: 0, steps: [] });
        await animationFrame();
        expect("[data-station='7']").toHaveCount(1);
    });

    test("the session comes from the address after a reload", async () => {
        await mountSimulation({ action: {}, resId: 9 });
        expect(lastCall("get_setup").args).toEqual([9]);
    });

    test("coming back finds tab and scope as they were left", async () => {
        await mountSimulation({
            state: {
                sessionId: 5,
                chosen: { tab: "steps", scope: { kind: "class", id: 12 }, studentId: false },
            },
        });
        expect(lastCall("get_steps").args).toEqual([5, { kind: "class", id: 12 }]);
        expect("select[name=clearance_college]").toHaveValue("1");
        expect("select[name=clearance_class]").toHaveValue("12");
    });

    test("without a session it says where to find one", async () => {
        await mountSimulation({ action: {} });
        expect(calls).toEqual([]);
        await contains(".o_clearance_simulation_empty button").click();
        expect(actions).toEqual(["graduate_clearance.clearance_session_action"]);
    });

    test("a lead begins with the own college, without checklist", async () => {
        setup = makeSetup({ may_check: false, may_write: false, colleges: [ARTS] });
        await mountSimulation();
        expect(queryAllTexts("[role=tab]")).toEqual(["Steps", "Stations", "One Graduate"]);
        expect(lastCall("get_steps").args).toEqual([5, { kind: "college", id: 2 }]);
        expect(queryAllTexts("select[name=clearance_college] option")).toEqual(["Arts"]);
    });

    test("a lead without a college", async () => {
        setup = makeSetup({ may_check: false, may_write: false, colleges: [] });
        await mountSimulation();
        expect(".o_clearance_simulation_empty").toHaveText(/No college names you/);
        expect(lastCall("get_steps")).toBe(undefined);
    });
});

describe("steps", () => {
    test("in the order in which they can be settled", async () => {
        answers.get_steps.steps = [
            makeStep(3, "Card", { usual: 0, latest: 0 }),
            makeStep(1, "Return books"),
            makeStep(2, "Degree", {
                usual: 2,
                latest: 3,
                waits_for: ["Library", "Card"],
                required: false,
                to_be_announced: true,
            }),
            makeStep(4, "Switch", { count: 0, usual: false, latest: false, desks: [] }),
        ];
        await mountSimulation();
        await contains("[data-tab=steps]").click();
        expect(queryAllTexts(".o_clearance_simulation_section h2")).toEqual([
            "Settled from the start",
            "At once",
            "In wave 2",
            "Nobody has these",
        ]);
        expect("[data-step='2']").toHaveText(/at the latest in wave 3/);
        expect("[data-step='2']").toHaveText(/optional, holds nobody up/);
        expect("[data-step='2']").toHaveText(/time to be announced/);
        expect("[data-step='2']").toHaveText(/Waits for: Library, Card/);
        expect("[data-step='4'] .o_clearance_simulation_number").not.toBeEnabled();
        expect("[data-step='1'] .o_clearance_simulation_number strong").toHaveText("1,200");
    });

    test("desks: nobody there, no desk at all, and many", async () => {
        const desks = [1, 2, 3, 4, 5].map((id) => ({
            id,
            name: `Desk ${id}`,
            count: id,
            operators: id === 1 ? 0 : 1,
        }));
        answers.get_steps.steps = [
            makeStep(1, "Degree", { desks }),
            makeStep(2, "Diploma", { desks: [{ id: false, name: "", count: 8, operators: 0 }] }),
        ];
        await mountSimulation();
        await contains("[data-tab=steps]").click();
        expect("[data-step='1'] details summary").toHaveText("2 more desks");
        expect("[data-step='1'] .o_clearance_state_rejected").toHaveText("no operator");
        expect("[data-step='2'] .o_clearance_state_rejected").toHaveText("no desk takes them");
        await contains("[data-step='2'] .o_clearance_simulation_desks a").click();
        expect(lastCall("open_graduates").kwargs).toMatchObject({ step_id: 2, station_id: 0 });
        expect(actions).toEqual([answers.open_graduates]);
        await contains("[data-step='1'] .o_clearance_simulation_number").click();
        expect(lastCall("open_graduates").kwargs).toMatchObject({ step_id: 1, station_id: false });
    });

    test("of a college, of a class, of everybody again", async () => {
        await mountSimulation();
        await contains("[data-tab=steps]").click();
        expect("select[name=clearance_class]").toHaveCount(0);
        await click("select[name=clearance_college]");
        await select("1");
        await animationFrame();
        expect(lastCall("get_steps").args[1]).toEqual({ kind: "college", id: 1 });
        await click("select[name=clearance_class]");
        await select("12");
        await animationFrame();
        expect(lastCall("get_steps").args[1]).toEqual({ kind: "class", id: 12 });
        await click("select[name=clearance_class]");
        await select("");
        await animationFrame();
        expect(lastCall("get_steps").args[1]).toEqual({ kind: "college", id: 1 });
        await click("select[name=clearance_college]");
        await select("");
        await animationFrame();
        expect(lastCall("get_steps").args[1]).toEqual({ kind: "roster", id: false });
    });

    test("no steps: it says what to do", async () => {
        answers.get_steps = { graduates: 0, steps: [] };
        await mountSimulation();
        await contains("[data-tab=steps]").click();
        expect(".o_clearance_simulation_empty").toHaveText(/This session has no steps yet/);
        await contains(".o_clearance_simulation_empty button").click();
        expect(actions[0]).toMatchObject({ res_model: "clearance.session", res_id: 5 });
    });
});

test("stations: too much for one, nobody there, nobody needed", async () => {
    answers.get_stations.stations = [
        makeStation(1, "Library"),
        makeStation(2, "Mechanics certificates", {
            above: "Certificates",
            operators: [],
            per_day: 0,
        }),
        makeStation(3, "Finance", { operators: [], needs_operator: false, per_day: 0, heads: 0 }),
        makeStation(4, "Affairs", { per_day: 20.4 }),
    ];
    await mountSimulation();
    await contains("[data-tab=stations]").click();
    expect("[data-station='1'] .o_clearance_state_review").toHaveText(/200/);
    expect("[data-station='2'] .o_clearance_state_rejected").toHaveText("nobody");
    expect("[data-station='2'] th").toHaveText(/Certificates/);
    expect("[data-station='3']").toHaveText(/none needed/);
    expect("[data-station='4'] .o_clearance_state_review").toHaveCount(0);
    expect("[data-station='4']").toHaveText(/20/);
    expect(".o_clearance_simulation_total").toHaveText(/More than 120 a day is too many/);
    await contains("[data-station='1'] td a").click();
    expect(lastCall("open_graduates").kwargs).toMatchObject({ step_id: false, station_id: 1 });
    await contains("[data-station='4'] th a").click();
    expect(actions.at(-1)).toMatchObject({ res_model: "clearance.station", res_id: 4 });
});

describe("one graduate", () => {
    const ADA = { id: 3, student_number: "T3", name: "Ada", college: "Mechanics", class: "M1" };
    const BEA = { id: 4, student_number: "T4", name: "Bea", college: "Arts", class: "" };

    function makeGraduate(graduate, values = {}) {
        return {
            graduate,
            takes_part: true,
            why_not: "",
            waves: [
                {
                    wave: 1,
                    steps: [
                        {
                            id: 1,
                            name: "Return books",
                            stage: "",
                            mode: "feed",
                            required: true,
                            desk: "Library",
                            who: ["Library system"],
                            waits_for: [],
                        },
                        {
                            id: 2,
                            name: "Exit talk",
                            stage: "",
                            mode: "counsellor",
                            required: true,
                            desk: "Counselling",
                            who: [],
                            waits_for: [],
                        },
                    ],
                },
                {
                    wave: 2,
                    steps: [
                        {
                            id: 3,
                            name: "Degree",
                            stage: "",
                            mode: "station",
                            required: false,
                            desk: "",
                            who: [],
                            waits_for: ["Return books"],
                        },
                    ],
                },
            ],
            not_required: ["Return switch", "Confirm loan"],
            ...values,
        };
    }

    beforeEach(() => {
        answers.search_graduates = [ADA, BEA];
        answers.get_graduate = (_session, id) => makeGraduate(id === 3 ? ADA : BEA);
    });

    async function find(text) {
        await mountSimulation();
        await contains("[data-tab=graduate]").click();
        await click("input[name=clearance_graduate]");
        await edit(text);
        await advanceTime(300);
        await animationFrame();
    }

    test("found and chosen by keyboard; the form as it would be", async () => {
        await find("a");
        expect(".o_clearance_simulation_results [role=option]").toHaveCount(2);
        expect("input[name=clearance_graduate]").toHaveAttribute("aria-expanded", "true");
        await press("ArrowDown");
        await animationFrame();
        expect(
            queryOne("input[name=clearance_graduate]").getAttribute("aria-activedescendant")
        ).toBe("o_clearance_simulation_row_4");
        await press("ArrowUp");
        await press("Enter");
        await animationFrame();
        expect(lastCall("get_graduate").args).toEqual([5, 3]);
        expect("input[name=clearance_graduate]").toHaveAttribute("aria-expanded", "false");
        expect(".o_clearance_simulation_who").toHaveText(/Ada/);
        expect(queryAllTexts(".o_clearance_simulation_waves h3")).toEqual(["At once", "In wave 2"]);
        expect("[data-step='1']").toHaveText(/Source system: Library system/);
        expect("[data-step='2'] .o_clearance_state_rejected").toHaveText("nobody can confirm it");
        expect("[data-step='3'] .o_clearance_state_rejected").toHaveText(
            "no desk takes this graduate"
        );
        expect("[data-step='3']").toHaveText(/Waits for: Return books/);
        expect("p:contains(Not required)").toHaveText("Not required: Return switch, Confirm loan");
    });

    test("Escape puts the list away; clicking chooses", async () => {
        await find("a");
        await press("Escape");
        await animationFrame();
        expect("input[name=clearance_graduate]").toHaveAttribute("aria-expanded", "false");
        await press("ArrowDown");
        await animationFrame();
        await contains("[role=option]:contains(Bea)").click();
        expect(".o_clearance_simulation_who").toHaveText(/Bea/);
    });

    test("a whole number and Enter, without waiting", async () => {
        await mountSimulation();
        await contains("[data-tab=graduate]").click();
        answers.search_graduates = [ADA];
        await click("input[name=clearance_graduate]");
        await edit("T3", { confirm: "enter" });
        await animationFrame();
        expect(".o_clearance_simulation_who").toHaveText(/Ada/);
    });

    test("nobody found, nobody chosen", async () => {
        answers.search_graduates = [];
        await find("zzz");
        expect(".o_clearance_simulation_results").toHaveText("Nobody found.");
        expect(".o_clearance_simulation_empty").toHaveText(/Find a graduate/);
    });

    test("who does not take part is told why", async () => {
        answers.get_graduate = () =>
            makeGraduate(ADA, {
                takes_part: false,
                why_not: "Graduation postponed: Two exams",
                waves: [],
                not_required: [],
            });
        await find("a");
        await press("Enter");
        await animationFrame();
        expect(".alert-warning").toHaveText(/Does not take part.*Two exams/s);
        expect(queryAll("[data-step]")).toHaveLength(0);
    });

    test("coming back shows the same graduate", async () => {
        await mountSimulation({
            state: {
                sessionId: 5,
                chosen: { tab: "graduate", scope: { kind: "roster", id: false }, studentId: 4 },
            },
        });
        expect(".o_clearance_simulation_who").toHaveText(/Bea/);
    });
});
