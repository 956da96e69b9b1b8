import { Component, useEffect, useRef, useState } from "@odoo/owl";

import { getReach } from "./map_graph";
import { describeSource, isIndirect, isOwnEdge } from "./map_words";

/** Everything about the chosen step, and where it is changed without a mouse. */
export class MapPanel extends Component {
    static template = "graduate_clearance.MapPanel";
    static props = {
        map: Object,
        step: Object,
        isBusy: Boolean,
        select: Function,
        close: Function,
        connect: Function,
        removeEdge: Function,
        addStation: Function,
        removeStation: Function,
        openStep: Function,
        changeStep: Function,
    };

    setup() {
        this.state = useState({ choice: "" });
        this.root = useRef("root");
        // Another step is read from its beginning.
        useEffect(
            () => {
                this.root.el.scrollTop = 0;
            },
            () => [this.props.step.id]
        );
    }

    get byId() {
        return new Map(this.props.map.steps.map((step) => [step.id, step]));
    }

    get isEditable() {
        return this.props.step.editable && this.props.step.active;
    }

    sort(steps) {
        const rank = new Map(this.props.map.steps.map(({ id }, index) => [id, index]));
        return steps.sort((a, b) => rank.get(a.id) - rank.get(b.id));
    }

    /** What it waits for directly, with where from. */
    get waitsFor() {
        const { map, step } = this.props;
        const byId = this.byId;
        const rows = map.edges
            .filter(({ to }) => to === step.id)
            .map((edge) => {
                const prerequisite = byId.get(edge.from);
                const sources = edge.sources.map((source) =>
                    describeSource(source, step, prerequisite)
                );
                return {
                    id: edge.from,
                    name: prerequisite.name,
                    station: prerequisite.station,
                    edge,
                    canRemove: this.isEditable && isOwnEdge(edge),
                    text: sources.map(({ text }) => text).join(", "),
                };
            });
        return this.sort(rows);
    }

    /** Which of them cannot be removed by themselves, so that it must be said where they are. */
    get hints() {
        const edges = this.props.map.edges.filter((edge) => edge.to === this.props.step.id);
        const kinds = edges.filter(isIndirect).flatMap(({ sources }) => sources);
        return {
            station: kinds.some(({ kind }) => kind === "station"),
            entry: kinds.some(({ kind }) => kind === "entry"),
        };
    }

    /** Steps before it by way of others, too. */
    get furtherBefore() {
        return this.getFurther("before");
    }

    get blocks() {
        const byId = this.byId;
        const { map, step } = this.props;
        const ids = map.edges.filter(({ from }) => from === step.id).map(({ to }) => to);
        return this.sort(ids.map((id) => byId.get(id)));
    }

    /** What cannot be settled before it, by way of others. */
    get furtherAfter() {
        return this.getFurther("after");
    }

    getFurther(direction) {
        const { map, step } = this.props;
        const [own, other] = direction === "before" ? ["to", "from"] : ["from", "to"];
        const direct = new Set(map.edges.filter((e) => e[own] === step.id).map((e) => e[other]));
        const reach = getReach(step.id, map.edges, direction);
        return map.steps.filter(({ id }) => reach.has(id) && !direct.has(id) && id !== step.id);
    }

    get stations() {
        const ids = new Set(this.props.step.prerequisite_station_ids);
        return this.props.map.stations.filter(({ id }) => ids.has(id));
    }

    // -- adding ------------------------------------------------------------------

    /** Steps that can be added; those that wait for this one would make a circle. */
    get stepChoices() {
        const { map, step } = this.props;
        const own = new Set(
            map.edges.filter((e) => e.to === step.id && isOwnEdge(e)).map((e) => e.from)
        );
        const after = getReach(step.id, map.edges, "after");
        return map.steps
            .filter((other) => other.active && other.id !== step.id && !own.has(other.id))
            .map(({ id, name, station }) => ({ id, name, station, isCircle: after.has(id) }));
    }

    get stationChoices() {
        const { map, step } = this.props;
        const own = new Set(step.prerequisite_station_ids);
        return map.stations.filter(
            ({ id, step_ids }) => !own.has(id) && step_ids.some((other) => other !== step.id)
        );
    }

    async add() {
        const [kind, id] = this.state.choice.split(":");
        const { step } = this.props;
        this.state.choice = "";
        if (kind === "step") {
            await this.props.connect(Number(id), step.id);
        } else if (kind === "station") {
            await this.props.addStation(step.id, Number(id));
        }
    }
}
