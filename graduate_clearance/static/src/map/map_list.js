import { Component, useEffect, useRef } from "@odoo/owl";

import { MapCard } from "./map_card";
import { getWaves } from "./map_layout";

/** The map as a list, in the order in which the steps can be done: for phones, and to read aloud. */
export class MapList extends Component {
    static template = "graduate_clearance.MapList";
    static components = { MapCard };
    static props = {
        map: Object,
        drawing: Object,
        selectedId: [Number, Boolean],
        relations: Object,
        circleIds: Array,
        select: Function,
    };

    setup() {
        const root = useRef("root");
        // The panel takes room: what was chosen stays in sight.
        useEffect(
            () => {
                root.el.querySelector(".o_clearance_map_selected")?.scrollIntoView({
                    block: "nearest",
                });
            },
            () => [this.props.selectedId]
        );
    }

    get waves() {
        const byId = new Map(this.props.map.steps.map((step) => [step.id, step]));
        return getWaves(this.props.drawing.nodes).map((ids) => ids.map((id) => byId.get(id)));
    }

    getCircle(id) {
        return this.props.circleIds.indexOf(id) + 1;
    }

    /** Arrows lead from card to card. */
    onKeydown(ev) {
        if (!["ArrowUp", "ArrowDown"].includes(ev.key)) {
            return;
        }
        const cards = [...ev.currentTarget.querySelectorAll(".o_clearance_map_card")];
        const next = cards[cards.indexOf(ev.target) + (ev.key === "ArrowUp" ? -1 : 1)];
        ev.preventDefault();
        next?.focus();
    }
}
