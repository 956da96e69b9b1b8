import { expect, test } from "@odoo/hoot";
import { queryOne, queryText } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    MockServer,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { INTERVAL } from "@graduate_clearance/access/access_progress";

class Access extends models.Model {
    _name = "clearance.access";

    state = fields.Char();
    progress = fields.Float();
    row_count = fields.Integer();
    todo_count = fields.Integer();
    created_count = fields.Integer();
    already_count = fields.Integer();
    failed_count = fields.Integer();

    _records = [
        {
            id: 1,
            state: "running",
            progress: 37.5,
            row_count: 1600,
            todo_count: 1000,
            created_count: 580,
            already_count: 15,
            failed_count: 5,
        },
    ];
}

defineMailModels();
defineModels([Access]);

const BAR = ".o_clearance_access_progress [role=progressbar]";
const SPOKEN = ".o_clearance_access_progress [role=status]";

async function mountProgress() {
    onRpc("clearance.access", "web_read", () => expect.step("read"));
    await mountView({
        resModel: "clearance.access",
        resId: 1,
        type: "form",
        arch: `<form><widget name="clearance_access_progress"/></form>`,
    });
    expect.verifySteps(["read"]);
}

/** What the scheduled action has done meanwhile. */
function change(values) {
    MockServer.env["clearance.access"].write([1], values);
}

async function wait() {
    await advanceTime(INTERVAL);
    await animationFrame();
}

test("follows a list that is running, to its end", async () => {
    await mountProgress();
    expect(queryText(".o_clearance_access_progress p:first")).toMatch(
        /37 % · 600 of 1,600 gone through\s*580 made, 15 had access, 5 failed/
    );
    expect(queryOne(BAR).getAttribute("aria-valuenow")).toBe("37");
    expect(queryOne(BAR).getAttribute("aria-valuetext")).toMatch(/600 of 1,600/);
    expect(queryText(SPOKEN)).toBe("30 % gone through");

    change({ progress: 38, todo_count: 992, created_count: 588 });
    await wait();
    expect.verifySteps(["read"]);
    expect(queryOne(BAR).getAttribute("aria-valuenow")).toBe("38");
    // Not said aloud again and again.
    expect(queryText(SPOKEN)).toBe("30 % gone through");

    change({ state: "done", progress: 100, todo_count: 0, created_count: 1580 });
    await wait();
    expect.verifySteps(["read"]);
    expect(queryText(SPOKEN)).toBe("Done: 1,580 made, 15 had access, 5 failed");
    await wait();
    expect.verifySteps([]);
});

test("a list that does not run is not asked again", async () => {
    Access._records[0].state = "stopped";
    await mountProgress();
    expect(queryText(SPOKEN)).toBe("Stopped: 580 made, 15 had access, 5 failed");
    await wait();
    expect.verifySteps([]);
});

test("goes on after a failure of the network", async () => {
    await mountProgress();
    let broken = true;
    onRpc("clearance.access", "web_read", () => {
        if (broken) {
            expect.step("broken");
            throw makeServerError({ message: "gone" });
        }
    });
    await wait();
    expect.verifySteps(["broken"]);
    broken = false;
    change({ state: "done" });
    await wait();
    expect.verifySteps(["read"]);
    expect(queryText(SPOKEN)).toMatch(/^Done/);
});
