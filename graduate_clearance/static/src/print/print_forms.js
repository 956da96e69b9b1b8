import { Component } from "@odoo/owl";

import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { STATIC_ACTIONS_GROUP_NUMBER } from "@web/search/action_menus/action_menus";

/** "Print…" in the menu of the matrix and of lists of forms: whatever the search has found. */
export class PrintForms extends Component {
    static template = "graduate_clearance.PrintForms";
    static components = { DropdownItem };
    static props = {};

    setup() {
        this.action = useService("action");
    }

    print() {
        const { domain } = this.env.searchModel;
        this.action.doAction("graduate_clearance.clearance_print_choose_action", {
            additionalContext: { clearance_forms: domain },
        });
    }
}

registry.category("cogMenu").add(
    "graduate_clearance.print_forms",
    {
        Component: PrintForms,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        isDisplayed: ({ config, searchModel }) =>
            searchModel?.resModel === "clearance.form" &&
            config.actionType === "ir.actions.act_window" &&
            ["clearance_matrix", "list", "kanban"].includes(config.viewType),
    },
    { sequence: 30 }
);
