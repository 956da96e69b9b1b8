import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { STATIC_ACTIONS_GROUP_NUMBER } from "@web/search/action_menus/action_menus";

import { Component } from "@odoo/owl";

/** Lists that have a spreadsheet of their own; the log is for those who may export. */
const MODELS = [
    "clearance.session",
    "clearance.college",
    "clearance.class",
    "clearance.station",
    "clearance.form",
    "clearance.status",
    "clearance.override",
    "clearance.debt.report",
];
const EXPORTED_ONLY = ["clearance.log"];
/** Lists whose rows are meant; of the others the wizard asks which. */
const SHOWN = [
    "clearance.form",
    "clearance.status",
    "clearance.override",
    "clearance.log",
    "clearance.debt.report",
];

/** "Spreadsheet" in the cog menu: of what the filters of the screen show. */
export class SpreadsheetMenu extends Component {
    static template = "graduate_clearance.SpreadsheetMenu";
    static components = { DropdownItem };
    static props = {};

    setup() {
        this.action = useService("action");
    }

    async onSelected() {
        const { searchModel } = this.env;
        const context = { active_model: searchModel.resModel, active_ids: [], active_id: false };
        // The matrix shows the forms of one session at a time.
        const sessionId = this.env.model?.session?.id;
        if (sessionId) {
            context.default_session_id = sessionId;
        }
        if (SHOWN.includes(searchModel.resModel)) {
            context.default_shown_model = searchModel.resModel;
            context.default_shown_domain = JSON.stringify(searchModel.domain);
        }
        await this.action.doAction("graduate_clearance.clearance_export_choose_action", {
            additionalContext: context,
        });
    }
}

export const spreadsheetMenuItem = {
    Component: SpreadsheetMenu,
    groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
    isDisplayed: async ({ config, model, searchModel }) => {
        const resModel = searchModel?.resModel;
        if (config.viewType === "form" || model?.root?.selection?.length) {
            return false;
        }
        if (MODELS.includes(resModel)) {
            return user.hasGroup("graduate_clearance.group_staff");
        }
        return EXPORTED_ONLY.includes(resModel) && user.hasGroup("base.group_allow_export");
    },
};

registry.category("cogMenu").add("clearance-spreadsheet", spreadsheetMenuItem, { sequence: 9 });
