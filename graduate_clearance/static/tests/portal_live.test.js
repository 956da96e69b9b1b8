import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { edit, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { startInteraction } from "@web/../tests/public/helpers";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";

import { ClearanceLive, PERIOD } from "@graduate_clearance/portal/live";

describe.current.tags("interaction_dev");

const NEWS = "/my/clearance/1/news";
const LATEST = PERIOD * 1.2;

let answers;
let asked;

function page(version, word, more = "") {
    return `
        <div class="o_clearance_live" data-news="${NEWS}" data-version="${version}">
            <h1>Session</h1>
            <div class="o_clearance_announce" role="status">
                <span class="o_clearance_announce_head d-none">Changed:</span>
                <span class="o_clearance_announce_text"></span>
            </div>
            <p class="o_clearance_stale d-none">Stale</p>
            <p class="o_clearance_offline d-none">Offline</p>
            <p class="o_clearance_logged_out d-none">Out</p>
            <div class="o_clearance_live_part">
                <p class="o_clearance_headline"><strong>${word} all</strong></p>
                <fieldset class="o_clearance_overview">
                    <input type="radio" name="turn" value="all" checked="checked">
                    <input type="radio" name="turn" value="todo">
                </fieldset>
                <ol>
                    <li id="step_1" class="o_clearance_step">
                        <a class="o_clearance_step_name" href="/1">Books</a>
                        <span class="o_clearance_marks">${word}</span>
                        <details id="info_1"><summary>How</summary></details>
                    </li>
                    <li id="step_2" class="o_clearance_step">
                        <a class="o_clearance_step_name" href="/2">Card</a>
                        <span class="o_clearance_marks">Not done</span>
                    </li>
                </ol>
                ${more}
            </div>
        </div>`;
}

const FORM = `<form><input type="text" name="r1" value=""></form>`;

/** Answers of the server, in the order of the questions; an Error for no connection. */
function answer(...list) {
    answers.push(...list);
}

const same = { status: 304, ok: false };
const changed = (version) => ({ status: 200, ok: true, json: async () => ({ version }) });
const html = (text) => ({ status: 200, ok: true, text: async () => text });

async function comeBack() {
    window.dispatchEvent(new Event("focus"));
    for (let i = 0; i < 5; i++) {
        await animationFrame();
    }
}

beforeEach(() => {
    answers = [];
    asked = [];
    patchWithCleanup(browser, {
        async fetch(url, { headers } = {}) {
            if (url !== NEWS && headers?.Accept !== "text/html") {
                return super.fetch(...arguments); // translations
            }
            asked.push(url === NEWS ? headers["If-None-Match"] : "page");
            const next = answers.shift();
            if (next instanceof Error) {
                throw next;
            }
            return next || same;
        },
    });
});

test("asks now and then, and at once when somebody comes back", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done"));
    expect(asked).toEqual([]);
    await advanceTime(LATEST);
    expect(asked).toEqual(['"1"']);
    await comeBack();
    expect(asked).toEqual(['"1"', '"1"']);
    await advanceTime(LATEST);
    expect(asked).toHaveLength(3);
});

test("takes over what is new and keeps what was unfolded, chosen and focused", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done"));
    queryOne("#info_1").open = true;
    queryOne("input[value=todo]").checked = true;
    queryOne("#step_2 a").focus();
    answer(changed("2"), html(page("2", "Approved")), same);
    await comeBack();
    expect(asked).toEqual(['"1"', "page"]);
    expect("#step_1 .o_clearance_marks").toHaveText("Approved");
    expect("#info_1").toHaveAttribute("open");
    expect("input[value=todo]").toBeChecked();
    expect("#step_2 a").toBeFocused();
    expect("#step_1").toHaveClass("o_clearance_fresh");
    expect("#step_2").not.toHaveClass("o_clearance_fresh");
    expect(".o_clearance_announce_text").toHaveText("Books: Approved. Approved all");
    await comeBack();
    expect(asked.at(-1)).toBe('"2"');
});

test("never throws away what somebody is typing", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done", FORM));
    queryOne("input[name=r1]").focus();
    await edit("0000");
    queryOne("input[name=r1]").blur();
    answer(changed("2"), html(page("2", "Approved", FORM)));
    await comeBack();
    expect("input[name=r1]").toHaveValue("0000");
    expect("#step_1 .o_clearance_marks").toHaveText("Not done");
    expect(".o_clearance_stale").not.toHaveClass("d-none");
    expect(".o_clearance_stale").toHaveAttribute("role", "status");
});

test("asks less often without a connection, says so, and recovers", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done"));
    answer(new Error("offline"), new Error("offline"));
    await comeBack();
    expect(".o_clearance_offline").toHaveClass("d-none");
    await advanceTime(LATEST);
    expect(asked).toHaveLength(1);
    await advanceTime(LATEST);
    expect(asked).toHaveLength(2);
    expect(".o_clearance_offline").not.toHaveClass("d-none");
    await comeBack();
    expect(asked).toHaveLength(3);
    expect(".o_clearance_offline").toHaveClass("d-none");
    await advanceTime(LATEST);
    expect(asked).toHaveLength(4);
});

test("stops when the session has ended", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done"));
    answer({ status: 200, ok: true, redirected: true });
    await comeBack();
    expect(".o_clearance_logged_out").not.toHaveClass("d-none");
    await comeBack();
    await advanceTime(LATEST * 4);
    expect(asked).toHaveLength(1);
});

test("asks nothing while nobody sees it", async () => {
    await startInteraction(ClearanceLive, page("1", "Not done"));
    let state = "hidden";
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    await advanceTime(LATEST * 3);
    expect(asked).toEqual([]);
    state = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    await animationFrame();
    expect(asked).toEqual(['"1"']);
    delete document.visibilityState;
});
