/** Where everything stands on the process map: pure functions, in pixels before any zoom. */
import { bundleEdges, getLevels, orderColumns } from "./map_graph";

/** Sizes, in pixels; the style sheet draws cards of this size. */
export const CARD = { width: 224, height: 64 };
export const GAP = { column: 96, row: 12, lane: 16 };
const MARGIN = 16;
const HEADING = 30;
const TITLE = 26;
/** Height that a line needs which passes through a column between the cards. */
const PASSAGE = 8;

/**
 * Lay the steps out: columns in the order in which they can be done, rows by lane.
 *
 * @param {Object[]} steps with `id`, in the order of the process
 * @param {Object[]} edges that are drawn, see map_graph.js
 * @param {(step) => {key: any, name: string}} [getLane] which lane a step stands in; lanes
 *      come in the order in which they are met
 * @returns {{
 *      width: number, height: number, columns: {level: number, x: number}[],
 *      lanes: {key: any, name: string, y: number, height: number}[],
 *      nodes: Map<number, {id: number, level: number, row: number, x: number, y: number}>,
 *      lines: Object[], joints: Object[],
 * }} `lines`: `key`, `d` (the path), `head` (the tip) and `edge` or `joint`
 */
export function layoutMap(steps, edges, getLane = () => ({ key: "", name: "" })) {
    const levels = getLevels(
        steps.map(({ id }) => id),
        edges
    );
    const lanes = getLanes(steps, getLane);
    const { plain, joints } = bundleEdges(edges);
    const routes = [
        ...plain.map((edge) => makeRoute([edge.from], edge.to, levels, { edge })),
        ...joints.flatMap((joint) =>
            groupSources(joint, levels).map((sources) =>
                makeRoute(sources, joint.to[0], levels, { joint })
            )
        ),
    ];
    const passages = layPassages(routes, levels, lanes.byStep);
    const laneOf = (key) => lanes.byStep.get(key) ?? passages.lanes.get(key);
    const columns = orderColumns(
        fillColumns(steps, levels, passages.byLevel),
        getLinks(routes, levels),
        laneOf
    );
    const drawing = place(columns, lanes.list, laneOf);
    return { ...drawing, ...drawLines(routes, joints, drawing, levels) };
}

function getLanes(steps, getLane) {
    const list = [];
    const byStep = new Map();
    for (const step of steps) {
        const { key, name } = getLane(step);
        let index = list.findIndex((lane) => lane.key === key);
        if (index < 0) {
            index = list.push({ key, name }) - 1;
        }
        byStep.set(step.id, index);
    }
    return { list, byStep };
}

function makeRoute(sources, to, levels, { edge, joint }) {
    const level = levels.get(sources[0]);
    const key = sources.length > 1 ? `${joint.key}/${level}` : `${sources[0]}`;
    return { key, sources, to, level, edge, joint };
}

/** Steps of one column whose lines jump the same columns go through these as one. */
function groupSources(joint, levels, fewest = 3) {
    const last = levels.get(joint.to[0]) - 1;
    const byLevel = new Map();
    for (const id of joint.from) {
        const level = levels.get(id);
        byLevel.set(level, [...(byLevel.get(level) || []), id]);
    }
    return [...byLevel].flatMap(([level, ids]) =>
        level < last && ids.length >= fewest ? [ids] : ids.map((id) => [id])
    );
}

/**
 * Lines that jump columns pass between the cards of these: a passage each, shared by the
 * lines of one step.  The route learns its passages as `via`.
 */
function layPassages(routes, levels, laneOfStep) {
    const lanes = new Map();
    const byLevel = new Map();
    for (const route of routes) {
        route.via = [];
        for (let level = route.level + 1; level < levels.get(route.to); level++) {
            const key = `${route.key}@${level}`;
            route.via.push(key);
            if (!lanes.has(key)) {
                lanes.set(key, laneOfStep.get(route.to));
                byLevel.set(level, [...(byLevel.get(level) || []), key]);
            }
        }
    }
    return { lanes, byLevel };
}

function fillColumns(steps, levels, passages) {
    const columns = [];
    for (const { id } of steps) {
        const level = levels.get(id);
        (columns[level] = columns[level] || []).push(id);
    }
    return columns.map((keys, level) => [...keys, ...(passages.get(level) || [])]);
}

/** Edges between neighbouring columns, by way of passages; lines back (circles) left out. */
function getLinks(routes, levels) {
    const links = new Map();
    const add = (from, to) => links.set(`${from}>${to}`, { from, to });
    for (const { sources, to, joint, via, level } of routes) {
        const targets = (joint ? joint.to : [to]).filter((id) => levels.get(id) > level);
        const stops = [sources, ...via.map((key) => [key]), targets];
        stops.slice(1).forEach((next, index) => {
            stops[index].forEach((key) => next.forEach((target) => add(key, target)));
        });
    }
    return [...links.values()];
}

function place(columns, lanes, laneOf) {
    const heightOf = (key) => (typeof key === "number" ? CARD.height : PASSAGE);
    const stacks = columns.map((keys) =>
        lanes.map((_lane, index) => keys.filter((key) => laneOf(key) === index))
    );
    const getHeight = (keys) =>
        keys.reduce((sum, key) => sum + heightOf(key) + GAP.row, keys.length ? -GAP.row : 0);
    const hasTitles = lanes.some(({ name }) => name);
    const placed = new Map();
    let y = MARGIN + HEADING;
    const drawnLanes = lanes.map((lane, index) => {
        const inner = Math.max(...stacks.map((stack) => getHeight(stack[index])));
        const top = y + (hasTitles ? TITLE : 0);
        stacks.forEach((stack, level) => {
            let middle = top + (inner - getHeight(stack[index])) / 2;
            for (const key of stack[index]) {
                placed.set(key, {
                    level,
                    x: MARGIN + level * (CARD.width + GAP.column),
                    y: middle,
                });
                middle += heightOf(key) + GAP.row;
            }
        });
        const height = top - y + inner + GAP.lane;
        const drawn = { ...lane, y, height };
        y += height + GAP.lane / 2;
        return drawn;
    });
    const nodes = new Map();
    columns.forEach((keys) =>
        keys
            .filter((key) => typeof key === "number")
            .forEach((id, row) => nodes.set(id, { id, row, ...placed.get(id) }))
    );
    return {
        width:
            2 * MARGIN +
            columns.length * (CARD.width + GAP.column) -
            (columns.length ? GAP.column : 0),
        height: y + MARGIN,
        columns: columns.map((_keys, level) => ({
            level,
            x: MARGIN + level * (CARD.width + GAP.column),
        })),
        lanes: drawnLanes,
        nodes,
        placed,
    };
}

// -- lines -----------------------------------------------------------------------

const getStart = ({ x, y }) => ({ x: x + CARD.width, y: y + CARD.height / 2 });
const getEnd = ({ x, y }) => ({ x, y: y + CARD.height / 2 });

function drawLines(routes, joints, { placed, nodes }, levels) {
    for (const route of routes) {
        route.points = [placeStart(route, nodes)];
        for (const key of route.via) {
            const { x, y } = placed.get(key);
            route.points.push({ x, y: y + PASSAGE / 2 }, { x: x + CARD.width, y: y + PASSAGE / 2 });
        }
    }
    const drawnJoints = new Map(
        joints.map((joint) => [joint.key, placeJoint(joint, nodes, routes)])
    );
    const lines = routes.flatMap((route) => drawRoute(route, drawnJoints, nodes, levels));
    for (const joint of joints) {
        for (const to of joint.to) {
            const points = [drawnJoints.get(joint.key), getEnd(nodes.get(to))];
            lines.push({
                key: `${joint.key}>${to}`,
                d: drawCurve(points),
                head: drawHead(points[1]),
                joint,
                sources: joint.from,
                to,
            });
        }
    }
    const gathered = routes.filter(({ sources }) => sources.length > 1);
    return {
        lines,
        joints: [
            ...drawnJoints.values(),
            ...gathered.map(({ key, points }) => ({ key, ...points[0] })),
        ],
    };
}

/** Where a line begins: at its card, or where the lines of several cards have met. */
function placeStart({ sources }, nodes) {
    const starts = sources.map((id) => getStart(nodes.get(id)));
    return starts.length > 1
        ? { x: starts[0].x + GAP.column * 0.4, y: getMean(starts.map(({ y }) => y)) }
        : starts[0];
}

/** The joint stands just before the column of those that wait, at the height of all that meets. */
function placeJoint(joint, nodes, routes) {
    const ends = joint.to.map((id) => getEnd(nodes.get(id)));
    const arriving = routes.filter((route) => route.joint === joint);
    const heights = [...ends, ...arriving.map(({ points }) => points.at(-1))].map(({ y }) => y);
    return { key: joint.key, x: ends[0].x - GAP.column * 0.4, y: getMean(heights) };
}

function getMean(numbers) {
    return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function drawRoute(route, drawnJoints, nodes, levels) {
    const { key, sources, to, edge, joint, level } = route;
    const end = joint ? drawnJoints.get(joint.key) : getEnd(nodes.get(to));
    const points = [...route.points, end];
    const isBack = levels.get(to) <= level;
    const line = {
        key: `${key}>${joint ? joint.key : to}`,
        d: isBack ? drawLoop(points[0], end) : drawCurve(points),
        head: joint ? "" : drawHead(end),
        middle: getMiddle(points),
        edge,
        joint,
        sources,
    };
    const feeders = sources.length > 1 ? sources : [];
    return [
        line,
        ...feeders.map((id) => ({
            key: `${id}>${key}`,
            d: drawCurve([getStart(nodes.get(id)), points[0]]),
            head: "",
            joint,
            sources: [id],
        })),
    ];
}

/** A smooth line through points, from left to right. */
export function drawCurve(points) {
    const [start, ...others] = points;
    let d = `M ${start.x} ${start.y}`;
    let last = start;
    for (const point of others) {
        const bend = (point.x - last.x) / 2;
        d += ` C ${last.x + bend} ${last.y}, ${point.x - bend} ${point.y}, ${point.x} ${point.y}`;
        last = point;
    }
    return d;
}

/** The tip of an arrow: lines arrive from the left. */
function drawHead({ x, y }) {
    return `M ${x - 8} ${y - 4} L ${x} ${y} L ${x - 8} ${y + 4} z`;
}

/** A line back to a column further left, below the cards between. */
function drawLoop(start, end) {
    const low = Math.max(start.y, end.y) + CARD.height;
    return `M ${start.x} ${start.y} C ${start.x + 60} ${low}, ${end.x - 60} ${low}, ${end.x} ${end.y}`;
}

function getMiddle(points) {
    const half = Math.floor((points.length - 1) / 2);
    return {
        x: (points[half].x + points[half + 1].x) / 2,
        y: (points[half].y + points[half + 1].y) / 2,
    };
}

/**
 * A line of its own for an edge, whatever else is drawn: that of a chosen step.
 *
 * @returns {{d: string, head: string, middle: {x: number, y: number}}}
 */
export function drawEdge({ from, to }, nodes) {
    const start = getStart(nodes.get(from));
    const end = getEnd(nodes.get(to));
    const isBack = end.x <= start.x;
    return {
        d: isBack ? drawLoop(start, end) : drawCurve([start, end]),
        head: drawHead(end),
        middle: getMiddle([start, end]),
    };
}

// -- moving about ------------------------------------------------------------------

/**
 * The card that an arrow key leads to.
 *
 * @param {Map} nodes see {@link layoutMap}
 * @param {number} id where the focus is
 * @param {string} key ArrowUp, ArrowDown, ArrowLeft, ArrowRight, Home or End
 * @returns {number} id of a step; the same where there is none further on
 */
export function getNeighbour(nodes, id, key) {
    const all = [...nodes.values()];
    const node = nodes.get(id);
    const inColumn = (level) =>
        all.filter((other) => other.level === level).sort((a, b) => a.y - b.y);
    if (key === "Home" || key === "End") {
        const ordered = all.sort((a, b) => a.level - b.level || a.y - b.y);
        return ordered.at(key === "Home" ? 0 : -1).id;
    }
    if (key === "ArrowUp" || key === "ArrowDown") {
        const column = inColumn(node.level);
        const index = column.indexOf(node) + (key === "ArrowUp" ? -1 : 1);
        return (column[index] || node).id;
    }
    const column = inColumn(node.level + (key === "ArrowLeft" ? -1 : 1));
    return (
        column.reduce(
            (nearest, other) =>
                !nearest || Math.abs(other.y - node.y) < Math.abs(nearest.y - node.y)
                    ? other
                    : nearest,
            null
        )?.id ?? id
    );
}

/**
 * The zoom at which a drawing fits into a box.
 *
 * @param {{width: number, height: number}} drawing
 * @param {{width: number, height: number}} box
 * @param {number} [smallest]
 */
export function getFit(drawing, box, smallest = 0.25) {
    const zoom = Math.min(box.width / drawing.width, box.height / drawing.height, 1);
    return Math.max(zoom, smallest);
}

/** Steps in the order in which they can be done: a list of lists, one a column. */
export function getWaves(nodes) {
    const waves = [];
    for (const node of [...nodes.values()].sort((a, b) => a.level - b.level || a.y - b.y)) {
        (waves[node.level] = waves[node.level] || []).push(node.id);
    }
    return waves;
}
