import { after, expect, test } from "@odoo/hoot";
import { click, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { LEGEND, applyLegend, getWord } from "@graduate_clearance/legend/legend";

class Legend extends models.Model {
    _name = "clearance.legend";

    state = fields.Selection({
        selection: [
            ["pending", "Not done"],
            ["approved", "Approved"],
        ],
    });
    name = fields.Char();
    usual_name = fields.Char();
    text = fields.Char();
    background = fields.Char();
    border = fields.Char();

    _records = [
        {
            id: 1,
            state: "pending",
            name: false,
            usual_name: "Not done",
            text: "#664d03",
            background: "#fff3cd",
            border: "#d9b84a",
        },
        {
            id: 2,
            state: "approved",
            name: "Checked",
            usual_name: "Approved",
            text: "#000080",
            background: "#ffffff",
            border: "#000080",
        },
    ];

    _views = {
        list: `
            <list editable="bottom">
                <field name="state" widget="clearance_legend_preview" readonly="1"/>
                <field name="name"/>
                <field name="text" widget="color" options="{'autosave': False}"/>
                <field name="background" column_invisible="1"/>
                <field name="border" column_invisible="1"/>
                <field name="usual_name" column_invisible="1"/>
            </list>`,
    };
}

class Status extends models.Model {
    _name = "clearance.status";

    legend = fields.Selection({
        selection: [
            ["pending", "Not done"],
            ["approved", "Approved"],
        ],
    });
    is_lifted = fields.Boolean();

    _records = [{ id: 1, legend: "approved", is_lifted: true }];
}

defineMailModels();
defineModels([Legend, Status]);

/** Back to the usual legend once a test is over: it belongs to the whole page. */
function useLegend(changes) {
    after(() => applyLegend());
    applyLegend(changes);
}

const look = (selector) => getComputedStyle(queryOne(selector));

test("the preview is the badge itself, in the colours of its record", async () => {
    await mountView({ resModel: "clearance.legend", type: "list" });
    expect(queryAllTexts(".o_field_clearance_legend_preview")).toEqual(["Not done", "Checked"]);
    expect(".o_clearance_state_approved .o_clearance_icon").toHaveCount(1);
    expect(look(".o_clearance_state_approved").color).toBe("rgb(0, 0, 128)");
    expect(look(".o_clearance_state_approved").backgroundColor).toBe("rgb(255, 255, 255)");
});

test("the preview follows what is chosen, before it is saved", async () => {
    await mountView({ resModel: "clearance.legend", type: "list" });
    await click(".o_data_row:last .o_data_cell[name=name]");
    await animationFrame();
    await contains(".o_selected_row [name=name] input").edit("Seen", { confirm: "tab" });
    await animationFrame();
    expect(".o_selected_row .o_clearance_state_approved").toHaveText("Seen");
    await contains(".o_selected_row [name=name] input").edit("", { confirm: "tab" });
    await animationFrame();
    expect(".o_selected_row .o_clearance_state_approved").toHaveText("Approved");
});

test("words and colours of the campus are those of every badge", async () => {
    useLegend({
        words: { approved: "Checked", lifted: "Postponed" },
        colors: { approved: { background: "#000080", text: "#ffffff" } },
    });
    await mountView({
        resModel: "clearance.status",
        type: "list",
        arch: `<list>
                <field name="legend" widget="clearance_state"/>
                <field name="is_lifted" widget="clearance_lifted"/>
            </list>`,
    });
    expect(".o_field_clearance_state").toHaveText("Checked");
    expect(".o_field_clearance_lifted").toHaveText("Postponed");
    expect(look(".o_clearance_state_approved").backgroundColor).toBe("rgb(0, 0, 128)");
    expect(LEGEND.approved).toBe("Checked");
    expect(`${LEGEND.pending}`).toBe("Not done");
});

test("what is taken back is the usual look again", async () => {
    await mountView({ resModel: "clearance.legend", type: "list" });
    useLegend({ words: { approved: "Checked" }, colors: { approved: { text: "#ff0000" } } });
    const { style } = document.documentElement;
    expect(style.getPropertyValue("--clearance-approved-text")).toBe("#ff0000");
    applyLegend();
    expect(style.getPropertyValue("--clearance-approved-text")).toBe("");
    expect(`${LEGEND.approved}`).toBe("Approved");
    expect(getWord("approved", "Approuvé")).toBe("Approuvé");
});

test("a state of a form looks like the state of a step that it is like", async () => {
    useLegend({ colors: { approved: { background: "#000080" } } });
    await mountView({ resModel: "clearance.legend", type: "list" });
    const badge = document.createElement("span");
    badge.className = "o_clearance_state_cleared";
    queryOne(".o_list_view").append(badge);
    expect(getComputedStyle(badge).backgroundColor).toBe("rgb(0, 0, 128)");
});

test("what is saved here holds here at once", async () => {
    after(() => applyLegend());
    onRpc("clearance.legend", "get_changes", () => {
        expect.step("get_changes");
        return { words: { approved: "Seen" }, colors: {} };
    });
    await mountView({ resModel: "clearance.legend", type: "list" });
    await click(".o_data_row:last .o_data_cell[name=name]");
    await animationFrame();
    await contains(".o_selected_row [name=name] input").edit("Seen", { confirm: false });
    await contains(".o_list_button_save").click();
    await animationFrame();
    expect.verifySteps(["get_changes"]);
    expect(LEGEND.approved).toBe("Seen");
});
