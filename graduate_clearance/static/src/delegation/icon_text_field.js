import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

/**
 * A choice with an icon beside its word, and a colour that neither of them depends on.
 *
 * In views: `options="{'icons': {'late': 'fa-clock-o text-danger'}}"`, classes by value.
 */
export class IconTextField extends Component {
    static template = "graduate_clearance.IconTextField";
    static props = { ...standardFieldProps, icons: { type: Object, optional: true } };
    static defaultProps = { icons: {} };

    get value() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        const option = selection.find(([value]) => value === this.value);
        return option ? option[1] : "";
    }

    get icon() {
        return (this.props.icons[this.value] || "")
            .split(" ")
            .find((name) => name.startsWith("fa-"));
    }

    get color() {
        return (this.props.icons[this.value] || "").split(" ").filter((name) => name !== this.icon);
    }
}

export const iconTextField = {
    component: IconTextField,
    displayName: _t("Icon and word"),
    supportedTypes: ["selection"],
    listViewWidth: [100, 160],
    extractProps: ({ options }) => ({ icons: options.icons }),
};

registry.category("fields").add("clearance_icon_text", iconTextField);
