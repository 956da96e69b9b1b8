import { Dropdown } from "@web/core/dropdown/dropdown";
import { _t } from "@web/core/l10n/translation";

import { Component, useState } from "@odoo/owl";

/** What the server has not answered yet, and that the desk keeps trying. */
export class Unsaved extends Component {
    static template = "graduate_clearance.Unsaved";
    static components = { Dropdown };
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
    }

    get label() {
        const count = this.model.unsaved.length;
        return count === 1 ? _t("1 not yet saved") : _t("%s not yet saved", count);
    }
}
