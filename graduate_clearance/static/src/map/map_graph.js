/**
 * What the process map works out about the graph of steps: pure functions over ids and
 * edges, without a screen.  Odoo ships no library that draws or analyses graphs (Chart.js
 * draws charts, the hierarchy view trees), so the little that is needed stands here.
 *
 * An edge is an object with `from` (the step that comes first) and `to` (the one that waits).
 */

/** @returns {Map<number, number[]>} the other ends of the edges by the end named `end` */
export function groupEdges(edges, end) {
    const other = end === "from" ? "to" : "from";
    const groups = new Map();
    for (const edge of edges) {
        if (!groups.has(edge[end])) {
            groups.set(edge[end], []);
        }
        groups.get(edge[end]).push(edge[other]);
    }
    return groups;
}

/**
 * Steps that must come before a step, or can only come after it, in the end.
 *
 * @param {number} id
 * @param {Object[]} edges
 * @param {"before"|"after"} direction
 * @returns {Set<number>} without the step itself, unless it waits for itself
 */
export function getReach(id, edges, direction) {
    const next = groupEdges(edges, direction === "before" ? "to" : "from");
    const found = new Set();
    const todo = [id];
    while (todo.length) {
        for (const other of next.get(todo.pop()) || []) {
            if (!found.has(other)) {
                found.add(other);
                todo.push(other);
            }
        }
    }
    return found;
}

/**
 * In which column a step stands: the length of the longest chain of steps before it.
 * Steps of a circle, which cannot be saved but may be shown, are put where they are met.
 *
 * @param {number[]} ids in the order in which circles are cut open
 * @param {Object[]} edges
 * @returns {Map<number, number>} column by step, from 0
 */
export function getLevels(ids, edges) {
    const before = groupEdges(edges, "to");
    const levels = new Map();
    const visiting = new Set();
    const visit = (id) => {
        if (!levels.has(id)) {
            visiting.add(id);
            const earlier = (before.get(id) || []).filter((other) => !visiting.has(other));
            levels.set(id, Math.max(-1, ...earlier.map(visit)) + 1);
            visiting.delete(id);
        }
        return levels.get(id);
    };
    ids.forEach(visit);
    return levels;
}

/**
 * Edges that do not follow from others: without those from a step to one that waits for it
 * by way of a third one anyway.
 *
 * @param {Object[]} edges
 * @returns {Object[]}
 */
export function getDirectEdges(edges) {
    const after = groupEdges(edges, "from");
    const reach = new Map([...after.keys()].map((id) => [id, getReach(id, edges, "after")]));
    const follows = ({ from, to }) =>
        after.get(from).some((other) => {
            const further = reach.get(other);
            // Within a circle everything follows from everything: nothing is left out.
            return other !== to && further?.has(to) && !further.has(from);
        });
    return edges.filter((edge) => !follows(edge));
}

/**
 * Edges of steps that wait for the very same steps, drawn through one joint: what would be
 * 55 lines from eleven steps to five becomes sixteen.
 *
 * @param {Object[]} edges
 * @param {number} [fewest] least number of steps on the side before the joint
 * @returns {{plain: Object[], joints: {key: string, from: number[], to: number[], edges: Object[]}[]}}
 */
export function bundleEdges(edges, fewest = 3) {
    const groups = new Map();
    for (const [to, from] of groupEdges(edges, "to")) {
        const key = [...from].sort((a, b) => a - b).join(",");
        if (!groups.has(key)) {
            groups.set(key, { key, from, to: [] });
        }
        groups.get(key).to.push(to);
    }
    const joints = [...groups.values()].filter(
        (group) => group.to.length > 1 && group.from.length >= fewest
    );
    const joined = new Set(joints.flatMap((joint) => joint.to));
    for (const joint of joints) {
        joint.edges = edges.filter((edge) => joint.to.includes(edge.to));
    }
    return { plain: edges.filter((edge) => !joined.has(edge.to)), joints };
}

/** Which edges stand on a circle given as steps that each wait for the next one. */
export function getCycleEdges(cycle) {
    return cycle.map((id, index) => ({ from: cycle[(index + 1) % cycle.length], to: id }));
}

// -- order within the columns, with few crossings ------------------------------

/**
 * How many lines cross between neighbouring columns.
 *
 * @param {Array<Array>} columns keys, from top to bottom
 * @param {Object[]} links edges between neighbouring columns
 */
export function countCrossings(columns, links) {
    const rank = getRanks(columns);
    const byColumn = new Map();
    for (const { from, to } of links) {
        const { column } = rank.get(from);
        if (!byColumn.has(column)) {
            byColumn.set(column, []);
        }
        byColumn.get(column).push([rank.get(from).row, rank.get(to).row]);
    }
    let crossings = 0;
    for (const lines of byColumn.values()) {
        for (let i = 0; i < lines.length; i++) {
            for (let j = i + 1; j < lines.length; j++) {
                const left = lines[i][0] - lines[j][0];
                const right = lines[i][1] - lines[j][1];
                crossings += left * right < 0 ? 1 : 0;
            }
        }
    }
    return crossings;
}

function getRanks(columns) {
    const ranks = new Map();
    columns.forEach((keys, column) => keys.forEach((key, row) => ranks.set(key, { column, row })));
    return ranks;
}

/**
 * Order what stands in each column so that few lines cross: a few sweeps to and fro that
 * move everything to the mean height of its neighbours (Sugiyama's barycentres).  Lanes
 * keep their order, and what has no neighbours its place.
 *
 * @param {Array<Array>} columns keys, from top to bottom
 * @param {Object[]} links edges between neighbouring columns
 * @param {(key) => number} getLane rank of the lane in which a key stands
 * @param {number} [sweeps]
 * @returns {Array<Array>} the same keys in a better order, or the given one if there is none
 */
export function orderColumns(columns, links, getLane = () => 0, sweeps = 6) {
    const before = groupEdges(links, "to");
    const after = groupEdges(links, "from");
    let current = columns.map((keys) => sortKeys(keys, getLane, (_key, index) => index));
    let best = current;
    let fewest = countCrossings(best, links);
    for (let sweep = 0; sweep < sweeps && fewest; sweep++) {
        const isForth = sweep % 2 === 0;
        const neighbours = isForth ? before : after;
        current = current.map((keys) => [...keys]);
        const order = current.map((_keys, column) => column);
        for (const column of isForth ? order : order.reverse()) {
            const ranks = getRanks(current);
            current[column] = sortKeys(current[column], getLane, (key, index) => {
                const others = neighbours.get(key) || [];
                const sum = others.reduce((total, other) => total + ranks.get(other).row, 0);
                return others.length ? sum / others.length : index;
            });
        }
        const crossings = countCrossings(current, links);
        if (crossings < fewest) {
            [best, fewest] = [current, crossings];
        }
    }
    return best;
}

function sortKeys(keys, getLane, getHeight) {
    return keys
        .map((key, index) => ({ key, index, lane: getLane(key), height: getHeight(key, index) }))
        .sort((a, b) => a.lane - b.lane || a.height - b.height || a.index - b.index)
        .map(({ key }) => key);
}
