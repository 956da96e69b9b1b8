import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

/** A tick for each row of a preview: unticked, it is left out.  Saved at once, so that the counts are right. */
export class BatchTickField extends Component {
    static template = "graduate_clearance.BatchTickField";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
    }

    get isIncluded() {
        return !this.props.record.data[this.props.name];
    }

    get label() {
        const { form_id: form, given } = this.props.record.data;
        return _t("Include %s", form?.display_name || given || "");
    }

    async onChange(ev) {
        const { record, name } = this.props;
        await this.orm.write(record.resModel, [record.resId], { [name]: !ev.target.checked });
        await record.model.root.load();
    }
}

registry.category("fields").add("clearance_batch_tick", {
    component: BatchTickField,
    displayName: _t("Tick of a batch row"),
    supportedTypes: ["boolean"],
    isEmpty: () => false,
});
