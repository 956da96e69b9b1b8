import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, drag, press, queryAll, queryAllTexts, queryOne, select } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    makeMockEnv,
    mockService,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { getDefaultConfig } from "@web/views/view";

import {
    bundleEdges,
    countCrossings,
    getCycleEdges,
    getDirectEdges,
    getLevels,
    getReach,
    orderColumns,
} from "@graduate_clearance/map/map_graph";
import {
    CARD,
    drawCurve,
    drawEdge,
    getFit,
    getNeighbour,
    getWaves,
    layoutMap,
} from "@graduate_clearance/map/map_layout";
import { ProcessMap } from "@graduate_clearance/map/process_map";

class Session extends models.Model {
    _name = "clearance.session";
}

class Step extends models.Model {
    _name = "clearance.step";
}

defineMailModels();
defineModels([Session, Step]);

const edge = (from, to) => ({ from, to });
const keys = (edges) => edges.map(({ from, to }) => `${from}>${to}`).sort();

describe("graph", () => {
    test("levels are the longest chains", () => {
        const levels = getLevels([1, 2, 3, 4], [edge(1, 2), edge(2, 3), edge(1, 3)]);
        expect([...levels].sort()).toEqual([
            [1, 0],
            [2, 1],
            [3, 2],
            [4, 0],
        ]);
    });

    test("levels survive a circle", () => {
        const levels = getLevels([1, 2, 3], [edge(1, 2), edge(2, 3), edge(3, 1)]);
        expect(new Set(levels.values())).toEqual(new Set([0, 1, 2]));
    });

    test("levels of a long chain and of a wide one", () => {
        const ids = Array.from({ length: 40 }, (_value, index) => index + 1);
        const chain = ids.slice(1).map((id) => edge(id - 1, id));
        expect(getLevels(ids, chain).get(40)).toBe(39);
        const everybody = ids.flatMap((from) =>
            ids.filter((to) => to > from).map((to) => edge(from, to))
        );
        expect(getLevels(ids, everybody).get(40)).toBe(39);
        expect(getDirectEdges(everybody)).toHaveLength(39);
    });

    test("reach in both directions", () => {
        const edges = [edge(1, 2), edge(2, 3), edge(4, 3)];
        expect([...getReach(3, edges, "before")].sort()).toEqual([1, 2, 4]);
        expect([...getReach(1, edges, "after")].sort()).toEqual([2, 3]);
        expect(getReach(3, edges, "after").size).toBe(0);
    });

    test("only direct edges", () => {
        const edges = [edge(1, 2), edge(2, 3), edge(1, 3), edge(4, 3)];
        expect(keys(getDirectEdges(edges))).toEqual(["1>2", "2>3", "4>3"]);
    });

    test("within a circle nothing is left out", () => {
        const edges = [edge(1, 2), edge(2, 1), edge(2, 3), edge(1, 3)];
        expect(getDirectEdges(edges)).toEqual(edges);
    });

    test("steps that wait for the same ones share a joint", () => {
        const edges = [1, 2, 3].flatMap((from) => [edge(from, 8), edge(from, 9)]);
        const { plain, joints } = bundleEdges([...edges, edge(1, 7)]);
        expect(keys(plain)).toEqual(["1>7"]);
        expect(joints).toHaveLength(1);
        expect(joints[0].from).toEqual([1, 2, 3]);
        expect(joints[0].to).toEqual([8, 9]);
        expect(joints[0].edges).toHaveLength(6);
    });

    test("the edges of a circle", () => {
        // Each waits for the next one.
        expect(getCycleEdges([7, 8, 9])).toEqual([edge(8, 7), edge(9, 8), edge(7, 9)]);
    });

    test("crossings are counted, and avoided", () => {
        const columns = [
            ["a", "b", "c"],
            ["x", "y", "z"],
        ];
        const links = [edge("a", "z"), edge("b", "y"), edge("c", "x")];
        expect(countCrossings(columns, links)).toBe(3);
        const ordered = orderColumns(columns, links);
        expect(countCrossings(ordered, links)).toBe(0);
        expect([...ordered[1]].sort()).toEqual(["x", "y", "z"]);
    });

    test("lanes keep their order, whatever that costs", () => {
        const columns = [
            ["a", "b"],
            ["x", "y"],
        ];
        const lane = { a: 0, b: 1, x: 0, y: 1 };
        const links = [edge("a", "y"), edge("b", "x")];
        expect(orderColumns(columns, links, (key) => lane[key])).toEqual(columns);
    });
});

describe("layout", () => {
    const makeSteps = (...ids) => ids.map((id) => ({ id }));

    test("columns in order, cards apart", () => {
        const { nodes, columns, width, height } = layoutMap(makeSteps(1, 2, 3), [
            edge(1, 3),
            edge(2, 3),
        ]);
        expect(columns).toHaveLength(2);
        expect(nodes.get(3).x).toBeGreaterThan(nodes.get(1).x + CARD.width);
        expect(nodes.get(2).y).toBeGreaterThan(nodes.get(1).y + CARD.height - 1);
        expect(nodes.get(1).x).toBe(nodes.get(2).x);
        for (const { x, y } of nodes.values()) {
            expect(x + CARD.width).toBeLessThan(width);
            expect(y + CARD.height).toBeLessThan(height);
        }
    });

    test("lanes do not overlap, in the order in which they are met", () => {
        const steps = [
            { id: 1, lane: "b" },
            { id: 2, lane: "a" },
            { id: 3, lane: "b" },
        ];
        const { lanes, nodes } = layoutMap(steps, [edge(1, 2)], ({ lane }) => ({
            key: lane,
            name: lane,
        }));
        expect(lanes.map(({ name }) => name)).toEqual(["b", "a"]);
        expect(lanes[1].y).toBeGreaterThan(lanes[0].y + lanes[0].height - 1);
        expect(nodes.get(3).y).toBeLessThan(lanes[1].y);
        expect(nodes.get(2).y).toBeGreaterThan(lanes[1].y);
    });

    test("a line that jumps a column passes between its cards", () => {
        const { lines, nodes } = layoutMap(makeSteps(1, 2, 3), [
            edge(1, 2),
            edge(2, 3),
            edge(1, 3),
        ]);
        const jump = lines.find(({ key }) => key === "1>3");
        const heights = [...jump.d.matchAll(/[\d.]+ ([\d.]+)(?=,| C|$)/g)].map(([, y]) =>
            Number(y)
        );
        const { y } = nodes.get(2);
        expect(heights.some((height) => height < y || height > y + CARD.height)).toBe(true);
        expect(jump.d.match(/C/g)).toHaveLength(3);
    });

    test("joints stand between the columns", () => {
        const edges = [1, 2, 3].flatMap((from) => [edge(from, 8), edge(from, 9)]);
        const { joints, lines, nodes } = layoutMap(makeSteps(1, 2, 3, 8, 9), edges);
        expect(joints).toHaveLength(1);
        expect(joints[0].x).toBeGreaterThan(nodes.get(1).x + CARD.width);
        expect(joints[0].x).toBeLessThan(nodes.get(8).x);
        expect(lines).toHaveLength(5);
    });

    test("lines of a column that jump the same columns go through these as one", () => {
        const early = [1, 2, 3, 4].flatMap((from) => [edge(from, 8), edge(from, 9)]);
        const late = [edge(1, 6), edge(6, 8), edge(6, 9)];
        const { joints, lines } = layoutMap(makeSteps(1, 2, 3, 4, 6, 8, 9), [...early, ...late]);
        // The joint, and where the four have met before.
        expect(joints).toHaveLength(2);
        expect(joints[1].x).toBeLessThan(joints[0].x);
        // Four to the meeting point, one through the column, one from 6, two from the joint, and 1 to 6.
        expect(lines).toHaveLength(9);
    });

    test("a circle is drawn all the same", () => {
        const { nodes, lines } = layoutMap(makeSteps(1, 2), [edge(1, 2), edge(2, 1)]);
        expect(nodes.size).toBe(2);
        expect(lines).toHaveLength(2);
        expect(drawEdge(edge(2, 1), nodes).d).toMatch(/^M /);
    });

    test("a smooth line", () => {
        expect(
            drawCurve([
                { x: 0, y: 0 },
                { x: 10, y: 4 },
            ])
        ).toBe("M 0 0 C 5 0, 5 4, 10 4");
    });

    test("arrow keys lead to neighbours", () => {
        const { nodes } = layoutMap(makeSteps(1, 2, 3), [edge(1, 3), edge(2, 3)]);
        expect(getNeighbour(nodes, 1, "ArrowDown")).toBe(2);
        expect(getNeighbour(nodes, 1, "ArrowUp")).toBe(1);
        expect(getNeighbour(nodes, 2, "ArrowRight")).toBe(3);
        expect(getNeighbour(nodes, 3, "ArrowRight")).toBe(3);
        expect(getNeighbour(nodes, 3, "Home")).toBe(1);
        expect(getNeighbour(nodes, 1, "End")).toBe(3);
    });

    test("fit, and waves", () => {
        expect(getFit({ width: 2000, height: 500 }, { width: 1000, height: 500 })).toBe(0.5);
        expect(getFit({ width: 10, height: 10 }, { width: 1000, height: 500 })).toBe(1);
        expect(getFit({ width: 9000, height: 10 }, { width: 100, height: 50 }, 0.3)).toBe(0.3);
        const edges = [edge(1, 3), edge(2, 3)];
        const { nodes } = layoutMap(makeSteps(1, 2, 3), edges);
        expect(getWaves(nodes)).toEqual([[1, 2], [3]]);
    });
});

// -- the screen ------------------------------------------------------------------

const OWN = [{ kind: "step" }];
const AFFAIRS = [{ kind: "station", station_id: 6, station: "Student Affairs" }];

function makeStep(id, name, values = {}) {
    return {
        id,
        name,
        stage: id < 4 ? "Settle" : "Collect",
        station_id: 5,
        station: "Library",
        station_sequence: 1,
        required: true,
        mode: "station",
        decides: "Station",
        is_entry: false,
        active: true,
        college: "",
        due: 600,
        open: 40,
        prerequisite_station_ids: [],
        editable: true,
        ...values,
    };
}

function makeMap(values = {}) {
    return {
        session: { id: 7, name: "2026 undergraduates", state: "draft" },
        can_edit: true,
        steps: [
            makeStep(1, "Return books"),
            makeStep(2, "Student card", { station_id: 6, station: "Student Affairs" }),
            makeStep(3, "Old form", { active: false, required: false }),
            makeStep(4, "Degree", { prerequisite_station_ids: [6] }),
            makeStep(5, "Diploma"),
        ],
        edges: [
            { from: 1, to: 4, sources: OWN },
            { from: 2, to: 4, sources: AFFAIRS },
            { from: 4, to: 5, sources: OWN },
            { from: 1, to: 5, sources: OWN },
        ],
        stations: [
            { id: 5, name: "Library", step_ids: [1, 4, 5] },
            { id: 6, name: "Student Affairs", step_ids: [2] },
        ],
        cycle: [],
        ...values,
    };
}

const CARD_OF = (id) => `.o_clearance_map_card[data-id="${id}"]`;

describe.current.tags("desktop");

describe("screen", () => {
    let map;
    beforeEach(() => {
        map = makeMap();
        onRpc("clearance.session", "get_process_map", ({ args }) => {
            expect.step(`map ${args[0]}`);
            return map;
        });
    });

    async function mountMap(props = {}) {
        await makeMockEnv({ config: getDefaultConfig() });
        await mountWithCleanup(ProcessMap, {
            props: {
                action: {
                    type: "ir.actions.client",
                    tag: "clearance_process_map",
                    context: { active_id: 7 },
                },
                actionId: 1,
                className: "",
                ...props,
            },
        });
        expect.verifySteps(props.action ? [] : ["map 7"]);
    }

    test("draws cards, rows and lines", async () => {
        await mountMap();
        expect(".o_clearance_map_node").toHaveCount(5);
        // Every column holds one stage: rows by stage would tell nothing more.
        expect(".o_clearance_map_lanes").toHaveValue("none");
        expect(`${CARD_OF(3)}.o_clearance_map_retired`).toHaveCount(1);
        expect(CARD_OF(1)).toHaveText(/★\s*Return books\s*Library · Station\s*600/);
        expect(CARD_OF(3)).toHaveAttribute("aria-label", /Retired, Optional/);
        // The line from books to the diploma follows from the other ones.
        expect(".o_clearance_map_line").toHaveCount(3);
        expect(".o_clearance_map_direct").toHaveText(/1 hidden/);
        expect(".o_clearance_map_indirect").toHaveCount(1);
        expect(".o_clearance_map_indirect").toHaveAttribute("data-key", "2>4");
    });

    test("every line, and rows by station", async () => {
        await mountMap();
        await click(".o_clearance_map_direct input");
        await animationFrame();
        expect(".o_clearance_map_line").toHaveCount(4);
        await click(".o_clearance_map_lanes");
        await select("stage");
        await animationFrame();
        expect(queryAllTexts(".o_clearance_map_lane")).toEqual(["Settle", "Collect"]);
        await click(".o_clearance_map_lanes");
        await select("station");
        await animationFrame();
        expect(queryAllTexts(".o_clearance_map_lane")).toEqual(["Library", "Student Affairs"]);
    });

    test("a chosen step tells what it waits for and blocks", async () => {
        await mountMap();
        await contains(CARD_OF(4)).click();
        expect(".o_clearance_map_panel h2").toHaveText("Degree");
        expect(".o_clearance_map_waits").toHaveText(/Return books\s+directly/);
        expect(".o_clearance_map_waits").toHaveText(
            /Student card\s+from the whole station “Student Affairs”/
        );
        expect(".o_clearance_map_hint").toHaveText(/remove the station below/);
        expect(queryAllTexts(".o_clearance_map_blocks li")).toEqual(["Diploma"]);
        // In words, not by colour alone.
        expect(`${CARD_OF(1)} .o_clearance_map_badge`).toHaveText("before");
        expect(`${CARD_OF(5)} .o_clearance_map_badge`).toHaveText("after");
        expect(`${CARD_OF(3)} .o_clearance_map_badge`).toHaveCount(0);
        expect(CARD_OF(4)).toHaveAttribute("aria-pressed", "true");
        // Its own lines are drawn, those that follow from others too.
        await contains(CARD_OF(1)).click();
        expect(queryAll(".o_clearance_map_own g").map((line) => line.dataset.key)).toEqual([
            "1>4",
            "1>5",
        ]);
        await press("Escape");
        await animationFrame();
        expect(".o_clearance_map_panel").toHaveCount(0);
    });

    test("rows by stage at first, where they tell something", async () => {
        map.steps[1].stage = "Collect";
        await mountMap();
        expect(".o_clearance_map_lanes").toHaveValue("stage");
        expect(queryAllTexts(".o_clearance_map_lane")).toEqual(["Settle", "Collect"]);
    });

    test("what it blocks in the end", async () => {
        map.edges = map.edges.slice(0, 3);
        await mountMap();
        await contains(CARD_OF(1)).click();
        expect(queryAllTexts(".o_clearance_map_blocks li")).toEqual(["Degree", "Diploma"]);
        expect(".o_clearance_map_blocks h4").toHaveCount(1);
    });

    test("adds by choice, steps and whole stations", async () => {
        onRpc("clearance.session", "set_prerequisite", ({ args }) => {
            expect.step(`step ${args.join(" ")}`);
            return { code: "done", message: "", cycle: [], action: false, map };
        });
        onRpc("clearance.session", "set_prerequisite_station", ({ args }) => {
            expect.step(`station ${args.join(" ")}`);
            return { code: "done", message: "", cycle: [], action: false, map };
        });
        await mountMap();
        await contains(CARD_OF(2)).click();
        // Retired ones and itself are no choice; what waits for it is told apart.
        const choices = queryAllTexts("#o_clearance_map_choice option").map((text) => text.trim());
        expect(choices).toEqual([
            "Choose…",
            "Library",
            "Library: Return books",
            "Library: Degree (waits for this one)",
            "Library: Diploma (waits for this one)",
        ]);
        await click("#o_clearance_map_choice");
        await select("step:1");
        await animationFrame();
        await contains(".o_clearance_map_add button").click();
        expect.verifySteps(["step 7 2 1 true"]);
        await click("#o_clearance_map_choice");
        await select("station:5");
        await animationFrame();
        await contains(".o_clearance_map_add button").click();
        expect.verifySteps(["station 7 2 5 true"]);
    });

    test("removes from the panel, but not what comes from a station", async () => {
        onRpc("clearance.session", "set_prerequisite", ({ args }) => {
            expect.step(`step ${args.join(" ")}`);
            const edges = map.edges.filter(({ from, to }) => !(from === 1 && to === 4));
            return { code: "done", message: "", cycle: [], action: false, map: { ...map, edges } };
        });
        onRpc("clearance.session", "set_prerequisite_station", ({ args }) => {
            expect.step(`station ${args.join(" ")}`);
            return { code: "done", message: "", cycle: [], action: false, map };
        });
        await mountMap();
        await contains(CARD_OF(4)).click();
        expect(".o_clearance_map_waits .o_clearance_map_remove").toHaveCount(2);
        await contains(".o_clearance_map_remove[aria-label='Remove Return books']").click();
        expect.verifySteps(["step 7 4 1 false"]);
        expect(".o_clearance_map_panel").not.toHaveText(/Return books\s+directly/);
        await contains(".o_clearance_map_stations .o_clearance_map_remove").click();
        expect.verifySteps(["station 7 4 6 false"]);
    });

    test("removes on the line, or says why not", async () => {
        onRpc("clearance.session", "set_prerequisite", ({ args }) => {
            expect.step(args.join(" "));
            return { code: "done", message: "", cycle: [], action: false, map };
        });
        await mountMap();
        await click("[data-key='2>4'] .o_clearance_map_hit");
        await animationFrame();
        expect(".o_clearance_map_note").toHaveText(/“Degree” waits for “Student card”/);
        expect(".o_clearance_map_note").toHaveText(/whole station “Student Affairs”/);
        expect(".o_clearance_map_note .btn-danger").toHaveCount(0);
        await click("[data-key='4>5'] .o_clearance_map_hit");
        await animationFrame();
        await contains(".o_clearance_map_note .btn-danger").click();
        expect.verifySteps(["7 5 4 false"]);
        expect(".o_clearance_map_note").toHaveCount(0);
    });

    test("adds by dragging from card to card", async () => {
        onRpc("clearance.session", "set_prerequisite", ({ args }) => {
            expect.step(args.join(" "));
            return { code: "done", message: "", cycle: [], action: false, map };
        });
        await mountMap();
        const handle = (id) => `.o_clearance_map_node[data-id="${id}"] .o_clearance_map_handle`;
        expect(handle(3)).toHaveCount(0);
        const { moveTo, drop } = await drag(handle(2));
        await moveTo(CARD_OF(5));
        await animationFrame();
        expect(".o_clearance_map_drag").toHaveCount(1);
        expect(`${CARD_OF(5)}.o_clearance_map_over`).toHaveCount(1);
        expect(`${CARD_OF(3)}.o_clearance_map_refuses`).toHaveCount(1);
        await drop();
        await animationFrame();
        expect.verifySteps(["7 5 2 true"]);
        expect(".o_clearance_map_drag").toHaveCount(0);
    });

    test("dragging ends with Escape, or beside the cards", async () => {
        onRpc("clearance.session", "set_prerequisite", () => expect.step("asked"));
        await mountMap();
        const first = await drag('.o_clearance_map_node[data-id="2"] .o_clearance_map_handle');
        await first.moveTo(CARD_OF(5));
        await press("Escape");
        await animationFrame();
        expect(".o_clearance_map_drag").toHaveCount(0);
        await first.drop();
        const second = await drag('.o_clearance_map_node[data-id="2"] .o_clearance_map_handle');
        await second.moveTo(".o_clearance_map_bar");
        await second.drop();
        expect.verifySteps([]);
    });

    test("a circle is refused, and drawn", async () => {
        onRpc("clearance.session", "set_prerequisite", () => ({
            code: "cycle",
            message:
                "Not added: these steps would wait for each other: Return books → Degree → Return books.",
            cycle: [1, 4],
            action: false,
            map: false,
        }));
        await mountMap();
        await contains(CARD_OF(1)).click();
        await click("#o_clearance_map_choice");
        await select("step:4");
        await animationFrame();
        await contains(".o_clearance_map_add button").click();
        expect(".o_clearance_map_circle").toHaveText(/Return books → Degree → Return books/);
        expect(".o_clearance_map_in_circle").toHaveCount(2);
        expect(`${CARD_OF(1)} .o_clearance_map_badge`).toHaveText("1");
        expect(`${CARD_OF(4)} .o_clearance_map_badge`).toHaveText("2");
        expect(".o_clearance_map_circle_line").toHaveCount(2);
        await press("Escape");
        await animationFrame();
        expect(".o_clearance_map_circle").toHaveCount(0);
        expect(".o_clearance_map_circle_line").toHaveCount(0);
    });

    test("in an open session the wizard opens, and the map is read again after it", async () => {
        map.session.state = "open";
        const action = { type: "ir.actions.act_window", res_model: "clearance.step.change" };
        let close;
        mockService("action", {
            doAction(request, options) {
                expect.step(request.res_model);
                close = options.onClose;
            },
        });
        onRpc("clearance.session", "set_prerequisite", () => ({
            code: "ask",
            message: "",
            cycle: [],
            action,
            map: false,
        }));
        onRpc("clearance.step", "action_change", ({ args }) => {
            expect.step(`change ${args[0]}`);
            return action;
        });
        await mountMap();
        await contains(CARD_OF(4)).click();
        await contains(".o_clearance_map_remove[aria-label='Remove Return books']").click();
        expect.verifySteps(["clearance.step.change"]);
        await close();
        expect.verifySteps(["map 7"]);
        await contains(".o_clearance_map_change").click();
        expect.verifySteps(["change 4", "clearance.step.change"]);
    });

    test("read-only for others, and where the session is closed", async () => {
        map.can_edit = false;
        map.session.state = "closed";
        map.steps.forEach((step) => (step.editable = false));
        await mountMap();
        expect(".o_clearance_map_state").toHaveText(/Closed: read-only/);
        expect(".o_clearance_map_handle").toHaveCount(0);
        await contains(CARD_OF(4)).click();
        expect(".o_clearance_map_panel").toHaveCount(1);
        expect(".o_clearance_map_remove").toHaveCount(0);
        expect(".o_clearance_map_add").toHaveCount(0);
        expect(".o_clearance_map_change").toHaveCount(0);
        await click("[data-key='4>5'] .o_clearance_map_hit");
        await animationFrame();
        expect(".o_clearance_map_note .btn-danger").toHaveCount(0);
    });

    test("by keyboard: arrows, Enter, Escape", async () => {
        await mountMap();
        expect(queryAll(".o_clearance_map_card[tabindex='0']")).toHaveLength(1);
        queryOne(CARD_OF(1)).focus();
        await press("ArrowDown");
        await animationFrame();
        expect(CARD_OF(2)).toBeFocused();
        await press("ArrowRight");
        await animationFrame();
        expect(CARD_OF(4)).toBeFocused();
        expect(CARD_OF(4)).toHaveAttribute("tabindex", "0");
        await press("Enter");
        await animationFrame();
        expect(".o_clearance_map_panel h2").toHaveText("Degree");
        await press("Escape");
        await animationFrame();
        expect(".o_clearance_map_panel").toHaveCount(0);
        expect(CARD_OF(4)).toBeFocused();
    });

    test("zoom by buttons and keys", async () => {
        await mountMap();
        const getZoom = () =>
            Number(
                /scale\(([\d.]+)\)/.exec(queryOne(".o_clearance_map_canvas").style.transform)[1]
            );
        const before = getZoom();
        await contains("[aria-label='Larger']").click();
        expect(getZoom()).toBeGreaterThan(before);
        queryOne(CARD_OF(1)).focus();
        await press("-");
        await animationFrame();
        expect(getZoom()).toBeWithin(before - 0.01, before + 0.01);
    });

    test("as a list, in the order in which they can be done", async () => {
        await mountMap();
        await contains(".o_clearance_map_bar button:contains(List)").click();
        expect(queryAllTexts(".o_clearance_map_list h2")).toEqual([
            "1 · At once",
            "2 · After those above",
            "3 · After those above",
        ]);
        await contains(CARD_OF(4)).click();
        expect(".o_clearance_map_panel h2").toHaveText("Degree");
        expect(`${CARD_OF(1)} .o_clearance_map_badge`).toHaveText("before");
        queryOne(CARD_OF(1)).focus();
        await press("ArrowDown");
        await animationFrame();
        expect(CARD_OF(2)).toBeFocused();
    });

    test("comes back as it was left", async () => {
        await mountMap({
            state: { selectedId: 5, lanes: "none", onlyDirect: false, view: "drawing" },
        });
        expect(".o_clearance_map_panel h2").toHaveText("Diploma");
        expect(".o_clearance_map_lane_named").toHaveCount(0);
        expect(".o_clearance_map_direct input").not.toBeChecked();
    });

    test("a circle in the configuration is shown", async () => {
        map.edges.push({ from: 5, to: 1, sources: OWN });
        map.cycle = [1, 5];
        await mountMap();
        expect(".o_clearance_map_circle").toHaveCount(1);
        expect(".o_clearance_map_in_circle").toHaveCount(2);
    });

    test("says what to do when there is nothing to draw", async () => {
        map = makeMap({ steps: [], edges: [], stations: [] });
        await mountMap();
        expect(".o_clearance_map_empty").toHaveText(/no steps yet/);
    });

    test("without a session", async () => {
        await mountMap({ action: { type: "ir.actions.client", tag: "clearance_process_map" } });
        expect(".o_clearance_map_empty").toHaveText(/Open the process map from a session/);
    });
});
