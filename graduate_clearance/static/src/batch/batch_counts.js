import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { OUTCOMES, getOutcomeLook } from "./batch_outcome";

import { Component } from "@odoo/owl";

/** How many rows came to which outcome; a click opens these rows. */
export class BatchCounts extends Component {
    static template = "graduate_clearance.BatchCounts";
    static props = { ...standardWidgetProps };

    setup() {
        this.action = useService("action");
    }

    get chips() {
        const { data } = this.props.record;
        const decision = data.kind && data.kind !== "criteria" ? "each" : data.decision;
        return Object.keys(OUTCOMES)
            .filter((outcome) => data[`${outcome}_count`])
            .map((outcome) => ({
                outcome,
                count: formatInteger(data[`${outcome}_count`]),
                ...getOutcomeLook(outcome, decision),
            }));
    }

    async open(outcome) {
        const { record } = this.props;
        if (await record.save()) {
            await this.action.doActionButton({
                type: "object",
                name: "action_open_lines",
                resModel: record.resModel,
                resId: record.resId,
                buttonContext: { outcome },
            });
        }
    }
}

registry.category("view_widgets").add("clearance_batch_counts", {
    component: BatchCounts,
    fieldDependencies: [
        { name: "decision", type: "selection" },
        ...Object.keys(OUTCOMES).map((outcome) => ({ name: `${outcome}_count`, type: "integer" })),
    ],
});
