import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

const ICONS = {
    in_force: "fa fa-unlock-alt",
    settled: "fa fa-check",
    ended: "fa fa-clock-o",
    restored: "fa fa-lock",
};

/** What has become of a deferral: icon and word. */
export class RestrictionField extends Component {
    static template = "graduate_clearance.RestrictionField";
    static props = { ...standardFieldProps };

    get state() {
        return this.props.record.data[this.props.name];
    }

    get icon() {
        return ICONS[this.state];
    }

    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        return selection.find(([value]) => value === this.state)?.[1] || "";
    }
}

export const restrictionField = {
    component: RestrictionField,
    displayName: _t("Clearance restriction"),
    supportedTypes: ["selection"],
    listViewWidth: [130, 170],
};

registry.category("fields").add("clearance_restriction", restrictionField);
