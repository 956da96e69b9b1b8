import { Component } from "@odoo/owl";

/** What stands on the card of a step, in the drawing and in the list. */
export class MapCard extends Component {
    static template = "graduate_clearance.MapCard";
    static props = {
        step: Object,
        /** "before", "after" or "" */
        relation: { type: String, optional: true },
        /** place in a circle, from 1; 0 for none */
        circle: { type: Number, optional: true },
    };
}
