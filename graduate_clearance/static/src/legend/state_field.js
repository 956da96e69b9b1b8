import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

import { LEGEND, getWord } from "./legend";

/** A state as the legend shows it: icon, word and colour. */
export class StateField extends Component {
    static template = "graduate_clearance.StateField";
    static props = { ...standardFieldProps };

    get state() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        const option = selection.find(([value]) => value === this.state);
        return getWord(this.state, option ? option[1] : "");
    }
}

export const stateField = {
    component: StateField,
    displayName: _t("Clearance state"),
    supportedTypes: ["selection"],
    listViewWidth: [120, 190],
};

/** Says that a restriction is lifted; shows nothing else. */
export class LiftedField extends Component {
    static template = "graduate_clearance.LiftedField";
    static props = { ...standardFieldProps };

    get isLifted() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        return LEGEND.lifted;
    }
}

export const liftedField = {
    component: LiftedField,
    displayName: _t("Clearance deferral"),
    supportedTypes: ["boolean"],
    listViewWidth: 110,
    isEmpty: () => false,
};

/** ★ Required or ☆ Optional; a click changes it where the field may be edited. */
export class RequiredField extends Component {
    static template = "graduate_clearance.RequiredField";
    static props = { ...standardFieldProps };

    get isRequired() {
        return this.props.record.data[this.props.name];
    }

    async onClick() {
        if (!this.props.readonly) {
            await this.props.record.update({ [this.props.name]: !this.isRequired });
        }
    }
}

export const requiredField = {
    component: RequiredField,
    displayName: _t("Required or optional step"),
    supportedTypes: ["boolean"],
    listViewWidth: 95,
    isEmpty: () => false,
};

registry.category("fields").add("clearance_state", stateField);
registry.category("fields").add("clearance_lifted", liftedField);
registry.category("fields").add("clearance_required", requiredField);
