import { beforeEach, expect, test } from "@odoo/hoot";
import { click, edit, press, queryAllTexts, waitFor } from "@odoo/hoot-dom";
import { Deferred, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    getService,
    makeServerError,
    mockService,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { ConnectionLostError } from "@web/core/network/rpc";
import { ORM } from "@web/core/orm_service";
import { WebClient } from "@web/webclient/webclient";

const DECISIONS = [
    ["approve", "Confirm"],
    ["reject", "Reject"],
    ["lift", "Lift the restriction"],
];

class Batch extends models.Model {
    _name = "clearance.batch";

    name = fields.Char();
    decision = fields.Selection({ selection: DECISIONS });
    todo_count = fields.Integer();
    done_count = fields.Integer();
    refused_count = fields.Integer();
    kept_count = fields.Integer();
    undone_count = fields.Integer();
    already_count = fields.Integer();
    excluded_count = fields.Integer();
    not_concerned_count = fields.Integer();

    _records = [
        {
            id: 1,
            name: "Return student card",
            decision: "approve",
            todo_count: 1200,
            refused_count: 3,
            already_count: 0,
        },
    ];
}

class Line extends models.Model {
    _name = "clearance.batch.line";

    decision = fields.Selection({ selection: DECISIONS });
    row_decision = fields.Selection({ selection: DECISIONS });
    given = fields.Char();
    form_id = fields.Many2one({ relation: "clearance.batch" });
    excluded = fields.Boolean();
    outcome = fields.Selection({
        selection: [
            ["todo", "To do"],
            ["done", "Done"],
            ["already", "Already so"],
            ["refused", "Refused"],
            ["not_concerned", "Not concerned"],
            ["excluded", "Left out"],
            ["undone", "Undone"],
            ["kept", "Not undone"],
        ],
    });

    _records = [];
}

defineMailModels();
defineModels([Batch, Line]);

let parts; // answers of the server to the calls of the runner
let calls;

beforeEach(() => {
    parts = [];
    calls = [];
    Line._records = ["todo", "done", "refused", "kept", "undone", "already", "excluded"].map(
        (outcome, index) => ({ id: index + 1, outcome, decision: "approve", given: `T${index}` })
    );
    onRpc("clearance.batch", "*", ({ method, args, kwargs }) => {
        if (["run", "undo", "stop"].includes(method)) {
            const given = Object.entries(kwargs).filter(([name]) => name !== "context");
            calls.push([method, args[0], Object.fromEntries(given)]);
            const part = method === "stop" ? { message: "stopped" } : parts.shift();
            if (part instanceof Error) {
                throw part;
            }
            return part;
        }
    });
});

/**
 * Start the client action as a button of a batch does.
 *
 * @returns {{ended: Promise}} so that it can be watched before it has ended
 */
async function start(params) {
    await mountWithCleanup(WebClient);
    const ended = getService("action").doAction({
        type: "ir.actions.client",
        tag: "clearance_batch_runner",
        params: { batch_id: 1, name: "Return student card", method: "run", limit: 2, ...params },
    });
    await animationFrame();
    return { ended };
}

test("each outcome has an icon and a word of its own, by decision", async () => {
    Line._records.push({ id: 20, outcome: "todo", decision: "lift" });
    Line._records.push({ id: 21, outcome: "todo", decision: "approve", row_decision: "reject" });
    await mountView({
        resModel: "clearance.batch.line",
        type: "list",
        arch: `<list>
                <field name="row_decision" column_invisible="1"/>
                <field name="outcome" widget="clearance_batch_outcome"/>
            </list>`,
    });
    expect(queryAllTexts(".o_data_row .o_field_clearance_batch_outcome")).toEqual([
        "Will be confirmed",
        "Confirmed",
        "Refused",
        "Not undone",
        "Undone",
        "Already so",
        "Left out",
        "Will be lifted",
        "Will be rejected",
    ]);
    const icons = [...document.querySelectorAll(".o_data_row .o_clearance_icon")].map(
        (icon) =>
            getComputedStyle(icon, "::before").content + icon.parentElement.className.split(" ")[0]
    );
    expect(new Set(icons.slice(0, 7)).size).toBe(7);
});

test("counts show what there is, and open these rows", async () => {
    mockService("action", {
        doActionButton: (params) => expect.step(params.name + params.buttonContext.outcome),
    });
    await mountView({
        resModel: "clearance.batch",
        resId: 1,
        type: "form",
        arch: `<form><widget name="clearance_batch_counts"/></form>`,
    });
    expect(queryAllTexts(".o_clearance_batch_counts button")).toEqual([
        "1,200\nWill be confirmed",
        "3\nRefused",
    ]);
    await click(".o_clearance_batch_counts button[data-outcome=refused]");
    await animationFrame();
    expect.verifySteps(["action_open_linesrefused"]);
});

test("a tick is saved at once, and the counts are read again", async () => {
    onRpc("clearance.batch.line", "write", ({ args }) => {
        expect.step(args);
        return true;
    });
    onRpc("clearance.batch.line", "web_search_read", () => {
        expect.step("read");
    });
    await mountView({
        resModel: "clearance.batch.line",
        type: "list",
        arch: `<list><field name="excluded" widget="clearance_batch_tick"/><field name="given"/></list>`,
    });
    expect.verifySteps(["read"]);
    expect(".o_data_row:first .o_clearance_batch_tick input:checked").toHaveCount(1);
    expect(".o_data_row:first .o_clearance_batch_tick input").toHaveAttribute(
        "aria-label",
        "Include T0"
    );
    await click(".o_data_row:first .o_clearance_batch_tick input");
    await animationFrame();
    expect.verifySteps([[[1], { excluded: true }], "read"]);
});

test("a class is done without a dialog", async () => {
    parts = [{ done: 2, total: 2, remaining: 0, message: "2 done" }];
    const { ended } = await start({ total: 2 });
    await ended;
    await animationFrame();
    expect(calls).toEqual([["run", 1, { limit: 2 }]]);
    expect(".modal").toHaveCount(0);
    expect(".o_notification").toHaveText("2 done");
});

test("a large batch goes part by part with a bar", async () => {
    const second = new Deferred();
    parts = [{ done: 2, total: 5, remaining: 3, message: "" }, second];
    const { ended } = await start({ total: 5 });
    await waitFor(".modal p:contains(40 %)");
    expect(".modal .modal-title").toHaveText("Return student card");
    expect(".modal p").toHaveText("40 % · 2 of 5 gone through");
    expect(".modal [role=progressbar]").toHaveAttribute("aria-valuenow", "40");
    parts.push({ done: 5, total: 5, remaining: 0, message: "5 done" });
    second.resolve({ done: 4, total: 5, remaining: 1, message: "" });
    await ended;
    await animationFrame();
    expect(calls.length).toBe(3);
    expect(".modal").toHaveCount(0);
    expect(".o_notification").toHaveText("5 done");
});

test("stopped after the part under way, and nothing else goes on with it", async () => {
    const first = new Deferred();
    parts = [first];
    const { ended } = await start({ total: 5 });
    await waitFor(".modal");
    await click(".modal-footer button:contains(Stop)");
    await animationFrame();
    expect(".modal-footer button").toHaveAttribute("disabled");
    first.resolve({ done: 2, total: 5, remaining: 3, message: "" });
    await ended;
    await animationFrame();
    expect(calls.map(([method]) => method)).toEqual(["run", "stop"]);
    expect(".modal").toHaveCount(0);
    expect(".o_notification").toHaveText("stopped");
});

test("closing the dialog stops, too", async () => {
    const first = new Deferred();
    parts = [first];
    const { ended } = await start({ total: 5 });
    await waitFor(".modal");
    await press("Escape");
    await animationFrame();
    expect(".modal").toHaveCount(0);
    first.resolve({ done: 2, total: 5, remaining: 3, message: "" });
    await ended;
    expect(calls.map(([method]) => method)).toEqual(["run", "stop"]);
});

test("a lost connection is said, and continued without doing anything twice", async () => {
    parts = [{ done: 2, total: 5, remaining: 3, message: "" }];
    patchWithCleanup(ORM.prototype, {
        call(model, method) {
            if (method === "run" && !parts.length) {
                expect.step("lost");
                throw new ConnectionLostError("/web");
            }
            return super.call(...arguments);
        },
    });
    const { ended } = await start({ total: 5 });
    await waitFor(".modal [role=alert]");
    expect(".modal [role=alert]").toHaveText(
        "The connection was lost. What has been done is kept."
    );
    expect(".modal p").toHaveText("40 % · 2 of 5 gone through");
    expect.verifySteps(["lost"]);
    parts = [{ done: 5, total: 5, remaining: 0, message: "5 done" }];
    await click(".modal-footer button:contains(Continue)");
    await ended;
    await animationFrame();
    expect(calls.map(([method]) => method)).toEqual(["run", "run"]);
    expect(".o_notification").toHaveText("5 done");
});

test("what the server refuses is said", async () => {
    parts = [makeServerError({ message: "Only a batch with a fresh preview can be run." })];
    await start({ total: 5 });
    await waitFor(".modal [role=alert]");
    expect(".modal [role=alert]").toHaveText("Only a batch with a fresh preview can be run.");
    await click(".modal-footer button:contains(Close)");
    await animationFrame();
    expect(".modal").toHaveCount(0);
});

test("undo asks first, and passes over what it has been through", async () => {
    parts = [
        { handled: 2, after: 12, remaining: 1, message: "" },
        { handled: 1, after: 13, remaining: 0, message: "3 undone" },
    ];
    const { ended } = await start({ method: "undo", total: 3, line_ids: [11, 12, 13] });
    await waitFor(".modal");
    expect(calls).toEqual([]);
    expect(".modal p").toHaveText(
        "Undo 3 decisions? Those that have been decided on since stay as they are."
    );
    expect(".modal input").toBeFocused();
    await edit("wrong class");
    await click(".modal-footer button:contains(Undo 3)");
    await ended;
    await animationFrame();
    const values = { reason: "wrong class", line_ids: [11, 12, 13], limit: 2 };
    expect(calls).toEqual([
        ["undo", 1, { ...values, after: 0 }],
        ["undo", 1, { ...values, after: 12 }],
    ]);
    expect(".o_notification").toHaveText("3 undone");
});

test("somebody else's decisions are not undone without a reason", async () => {
    parts = [{ handled: 1, after: 1, remaining: 0, message: "1 undone" }];
    const { ended } = await start({ method: "undo", total: 1, reason_required: true });
    await waitFor(".modal");
    expect(".modal-footer .btn-primary").toHaveAttribute("disabled");
    await press("Enter");
    await animationFrame();
    expect(calls).toEqual([]);
    await edit("by mistake");
    await press("Enter");
    await ended;
    expect(calls[0][2].reason).toBe("by mistake");
});

test("undo can be thought better of", async () => {
    const { ended } = await start({ method: "undo", total: 1 });
    await waitFor(".modal");
    await click(".modal-footer button:contains(Cancel)");
    await ended;
    expect(calls).toEqual([]);
    expect(".o_notification").toHaveCount(0);
});
