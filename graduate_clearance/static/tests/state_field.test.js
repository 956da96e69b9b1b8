import { expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";

class Status extends models.Model {
    _name = "clearance.status";

    legend = fields.Selection({
        selection: [
            ["pending", "未办理"],
            ["approved", "Approved"],
            ["review", "Needs another look"],
        ],
    });
    is_lifted = fields.Boolean();
    required = fields.Boolean();

    _records = [
        { id: 1, legend: "pending", is_lifted: true, required: true },
        { id: 2, legend: "approved", is_lifted: false, required: false },
        { id: 3, legend: false, is_lifted: false, required: false },
    ];
}

defineMailModels();
defineModels([Status]);

test("a state is an icon and the server's word in the state's colour", async () => {
    await mountView({
        resModel: "clearance.status",
        type: "list",
        arch: `<list><field name="legend" widget="clearance_state"/></list>`,
    });
    expect(queryAllTexts(".o_data_row .o_field_clearance_state")).toEqual([
        "未办理",
        "Approved",
        "",
    ]);
    expect(".o_clearance_state_pending .o_clearance_icon").toHaveCount(1);
    expect(".o_clearance_state_approved .o_clearance_icon").toHaveCount(1);
    expect(".o_data_row:last .o_clearance_icon").toHaveCount(0);
    const pending = getComputedStyle(document.querySelector(".o_clearance_state_pending"));
    const settled = getComputedStyle(document.querySelector(".o_clearance_state_approved"));
    expect(pending.backgroundColor).not.toBe(settled.backgroundColor);
});

test("a deferral shows only where a restriction is lifted", async () => {
    await mountView({
        resModel: "clearance.status",
        type: "list",
        arch: `<list><field name="is_lifted" widget="clearance_lifted"/></list>`,
    });
    expect(queryAllTexts(".o_data_row .o_field_clearance_lifted")).toEqual(["Deferred", "", ""]);
});

test("required and optional are words too", async () => {
    await mountView({
        resModel: "clearance.status",
        type: "list",
        arch: `<list><field name="required" widget="clearance_required"/></list>`,
    });
    expect(queryAllTexts(".o_data_row .o_clearance_required")).toEqual([
        "Required",
        "Optional",
        "Optional",
    ]);
    expect(".o_data_row button.o_clearance_required").toHaveCount(0);
});

test("a click makes a step optional where it may be edited", async () => {
    await mountView({
        resModel: "clearance.status",
        resId: 1,
        type: "form",
        arch: `<form><field name="required" widget="clearance_required"/></form>`,
    });
    expect("button.o_clearance_required").toHaveAttribute("aria-checked", "true");
    await click("button.o_clearance_required");
    await animationFrame();
    expect("button.o_clearance_required").toHaveText("Optional");
    expect("button.o_clearance_required").toHaveAttribute("aria-checked", "false");
});
