import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

/** The badge of a state as it will look, while its word and colours are being chosen. */
export class LegendPreview extends Component {
    static template = "graduate_clearance.LegendPreview";
    static props = { ...standardFieldProps };

    get state() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        const { name, usual_name: usual } = this.props.record.data;
        return name || usual;
    }

    /** As properties around the badge, which is the very one of every other screen. */
    get style() {
        const { data } = this.props.record;
        return ["text", "background", "border"]
            .filter((part) => CSS.supports("color", data[part]))
            .map((part) => `--clearance-${this.state}-${part}: ${data[part]}`)
            .join(";");
    }
}

export const legendPreview = {
    component: LegendPreview,
    supportedTypes: ["selection"],
    listViewWidth: [120, 190],
    fieldDependencies: [
        { name: "name", type: "char" },
        { name: "usual_name", type: "char" },
        { name: "text", type: "char" },
        { name: "background", type: "char" },
        { name: "border", type: "char" },
    ],
};

registry.category("fields").add("clearance_legend_preview", legendPreview);
