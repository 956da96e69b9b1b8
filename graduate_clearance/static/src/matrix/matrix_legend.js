import { Component } from "@odoo/owl";

import { LEGEND } from "../legend/legend";

/** What the marks in the cells mean. */
export class MatrixLegend extends Component {
    static template = "graduate_clearance.MatrixLegend";
    static props = {};

    get lifted() {
        return LEGEND.lifted;
    }

    get states() {
        return Object.entries(LEGEND)
            .filter(([state]) => !["not_required", "lifted"].includes(state))
            .map(([state, label]) => ({ state, label }));
    }
}
