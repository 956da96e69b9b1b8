import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

import { ClearanceRecord } from "./clearance_record";

/** The whole record of a graduate as a field of a form view. */
export class RecordField extends Component {
    static template = "graduate_clearance.RecordField";
    static components = { ClearanceRecord };
    static props = { ...standardFieldProps };

    get rows() {
        return this.props.record.data[this.props.name] || [];
    }
}

export const recordField = {
    component: RecordField,
    displayName: _t("Clearance record"),
    supportedTypes: ["json"],
    isEmpty: () => false,
};

registry.category("fields").add("clearance_record", recordField);
