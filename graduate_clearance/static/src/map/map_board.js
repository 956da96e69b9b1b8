import { Component, onMounted, useEffect, useExternalListener, useRef, useState } from "@odoo/owl";

import { MapCard } from "./map_card";
import { getReach } from "./map_graph";
import { CARD, drawEdge, getFit, getNeighbour } from "./map_layout";
import { describeSource, getCardLabel, getEdgeLabel, isIndirect, isOwnEdge } from "./map_words";

const ZOOM = { least: 0.25, most: 1.6, step: 1.2 };

/** No smaller than this at first: cards are to be read, and the rest can be scrolled to. */
const READABLE = 0.8;

/**
 * The drawing: cards in columns and rows, lines between them, zoom, and dragging from one
 * card to another.  The cards are buttons; the lines are told in words beside the drawing.
 */
export class MapBoard extends Component {
    static template = "graduate_clearance.MapBoard";
    static components = { MapCard };
    static props = {
        map: Object,
        drawing: Object,
        selectedId: [Number, Boolean],
        relations: Object,
        ownEdges: Array,
        edge: { type: [Object, { value: null }] },
        circleIds: Array,
        select: Function,
        selectEdge: Function,
        removeEdge: Function,
        connect: Function,
    };

    setup() {
        this.card = CARD;
        this.isIndirect = isIndirect;
        this.getCardLabel = getCardLabel;
        this.scroll = useRef("scroll");
        this.canvas = useRef("canvas");
        this.state = useState({ zoom: 1, focusId: false, drag: null });
        useExternalListener(window, "pointermove", (ev) => this.onPointerMove(ev));
        useExternalListener(window, "pointerup", (ev) => this.onPointerUp(ev));
        useExternalListener(window, "pointercancel", () => this.endDrag());
        useExternalListener(window, "keydown", (ev) => this.onEscape(ev), { capture: true });
        onMounted(() => this.fit(READABLE));
        // The panel takes room: what was chosen stays in sight.
        useEffect(
            (id) => {
                this.getCard(id)?.scrollIntoView({ block: "nearest", inline: "nearest" });
            },
            () => [this.props.selectedId]
        );
    }

    get byId() {
        return new Map(this.props.map.steps.map((step) => [step.id, step]));
    }

    get cards() {
        const byId = this.byId;
        return [...this.props.drawing.nodes.values()].map((node) => ({
            ...node,
            step: byId.get(node.id),
            relation: this.props.relations.get(node.id) || "",
            circle: this.props.circleIds.indexOf(node.id) + 1,
        }));
    }

    getCardClass({ id, step, relation, circle }) {
        const { selectedId } = this.props;
        const { drag } = this.state;
        return {
            o_clearance_map_selected: id === selectedId,
            o_clearance_map_retired: !step.active,
            o_clearance_map_before: relation === "before",
            o_clearance_map_after: relation === "after",
            o_clearance_map_apart: selectedId && id !== selectedId && !relation,
            o_clearance_map_in_circle: circle,
            o_clearance_map_refuses: drag && id !== drag.from && !this.accepts(step),
            o_clearance_map_over: drag && drag.over === id && this.accepts(step),
        };
    }

    // -- lines ---------------------------------------------------------------------

    /** Lines of the chosen step stand out by themselves: the others step back. */
    get lines() {
        const own = new Set(this.props.ownEdges.map(({ from, to }) => `${from}>${to}`));
        return this.props.drawing.lines
            .filter(({ key }) => !own.has(key))
            .map((line) => ({
                ...line,
                isIndirect: line.edge
                    ? isIndirect(line.edge)
                    : line.joint.edges
                          .filter(
                              ({ from, to }) =>
                                  line.sources.includes(from) && to === (line.to ?? to)
                          )
                          .every(isIndirect),
            }));
    }

    get ownLines() {
        const { nodes, lines } = this.props.drawing;
        return this.props.ownEdges
            .filter(({ from, to }) => nodes.has(from) && nodes.has(to))
            .map((edge) => {
                const key = `${edge.from}>${edge.to}`;
                const drawn = lines.find((line) => line.key === key && line.edge);
                return {
                    ...(drawn || drawEdge(edge, nodes)),
                    key: edge.isCircle ? `circle ${key}` : key,
                    edge,
                };
            });
    }

    /** What is told at the line that was clicked. */
    get edgeNote() {
        const { edge } = this.props;
        const { nodes } = this.props.drawing;
        if (!edge || !nodes.has(edge.from) || !nodes.has(edge.to)) {
            return null;
        }
        const byId = this.byId;
        const step = byId.get(edge.to);
        const sources = edge.sources.map((source) =>
            describeSource(source, step, byId.get(edge.from))
        );
        return {
            ...drawEdge(edge, nodes).middle,
            label: getEdgeLabel(edge, byId),
            text: sources.map(({ text }) => text).join(", "),
            hint: sources.map(({ hint }) => hint).find(Boolean),
            canRemove: step.editable && isOwnEdge(edge),
            isEditable: step.editable,
        };
    }

    onLine(edge) {
        if (edge && edge.sources.length) {
            this.props.selectEdge(edge);
        }
    }

    // -- zoom ------------------------------------------------------------------------

    get size() {
        const { width, height } = this.props.drawing;
        return `width: ${width * this.state.zoom}px; height: ${height * this.state.zoom}px;`;
    }

    get canvasStyle() {
        const { width, height } = this.props.drawing;
        return `width: ${width}px; height: ${height}px; transform: scale(${this.state.zoom});`;
    }

    fit(smallest = ZOOM.least) {
        const { clientWidth, clientHeight } = this.scroll.el;
        if (clientWidth && clientHeight) {
            const box = { width: clientWidth, height: clientHeight };
            this.state.zoom = getFit(this.props.drawing, box, smallest);
        }
    }

    zoomBy(factor) {
        this.state.zoom = Math.min(Math.max(this.state.zoom * factor, ZOOM.least), ZOOM.most);
    }

    zoomIn() {
        this.zoomBy(ZOOM.step);
    }

    zoomOut() {
        this.zoomBy(1 / ZOOM.step);
    }

    onWheel(ev) {
        if (ev.ctrlKey) {
            ev.preventDefault();
            this.zoomBy(ev.deltaY < 0 ? ZOOM.step : 1 / ZOOM.step);
        }
    }

    // -- keyboard ----------------------------------------------------------------------

    /** One card is on the way of the tabulator; arrows lead from there. */
    get tabId() {
        const { nodes } = this.props.drawing;
        const { focusId } = this.state;
        if (nodes.has(focusId)) {
            return focusId;
        }
        return nodes.has(this.props.selectedId)
            ? this.props.selectedId
            : nodes.values().next().value?.id;
    }

    onKeydown(ev, id) {
        const isArrow = ev.key.startsWith("Arrow") || ["Home", "End"].includes(ev.key);
        if (isArrow && !ev.altKey && !ev.ctrlKey && !ev.metaKey) {
            ev.preventDefault();
            this.focus(getNeighbour(this.props.drawing.nodes, id, ev.key));
        } else if (ev.key === "+") {
            this.zoomIn();
        } else if (ev.key === "-") {
            this.zoomOut();
        } else if (ev.key === "0") {
            this.fit();
        }
    }

    focus(id) {
        this.state.focusId = id;
        const card = this.getCard(id);
        card?.focus();
        card?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    getCard(id) {
        return this.canvas.el.querySelector(`.o_clearance_map_card[data-id="${id}"]`);
    }

    // -- dragging ----------------------------------------------------------------------

    /** Whether the card can wait for the one that is dragged from. */
    accepts(step) {
        const { drag } = this.state;
        return (
            step.editable &&
            step.active &&
            step.id !== drag.from &&
            !drag.earlier.has(step.id) &&
            !drag.waiting.has(step.id)
        );
    }

    startDrag(ev, from) {
        ev.preventDefault();
        // On touch screens the handle would keep every event of the finger.
        if (ev.target.hasPointerCapture?.(ev.pointerId)) {
            ev.target.releasePointerCapture(ev.pointerId);
        }
        const { edges } = this.props.map;
        const { x, y } = this.props.drawing.nodes.get(from);
        const start = { x: x + CARD.width, y: y + CARD.height / 2 };
        this.state.drag = {
            from,
            start,
            end: start,
            over: false,
            earlier: getReach(from, edges, "before"),
            waiting: new Set(
                edges.filter((edge) => edge.from === from && isOwnEdge(edge)).map(({ to }) => to)
            ),
        };
    }

    onPointerMove(ev) {
        const { drag } = this.state;
        if (drag) {
            const box = this.canvas.el.getBoundingClientRect();
            const { zoom } = this.state;
            drag.end = { x: (ev.clientX - box.x) / zoom, y: (ev.clientY - box.y) / zoom };
            drag.over = this.getCardAt(ev);
        }
    }

    onPointerUp(ev) {
        const { drag } = this.state;
        if (!drag) {
            return;
        }
        const to = this.getCardAt(ev);
        this.endDrag();
        const step = to && this.byId.get(to);
        // A circle is refused by the server, which says in what order the steps wait.
        if (step && to !== drag.from && step.editable) {
            this.props.connect(drag.from, to);
        }
    }

    getCardAt(ev) {
        const node = ev.target.closest?.(".o_clearance_map_node");
        return node ? Number(node.dataset.id) : false;
    }

    endDrag() {
        this.state.drag = null;
    }

    onEscape(ev) {
        if (ev.key === "Escape" && this.state.drag) {
            ev.preventDefault();
            ev.stopPropagation();
            this.endDrag();
        }
    }

    get dragLine() {
        const { start, end } = this.state.drag;
        return `M ${start.x} ${start.y} L ${end.x} ${end.y}`;
    }
}
