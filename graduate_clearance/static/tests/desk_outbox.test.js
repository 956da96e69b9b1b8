import { beforeEach, expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { makeServerError, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";

import { Outbox, makeKey } from "@graduate_clearance/desk/outbox_service";

let answers;
let sent;
let notices;

const services = {
    orm: {
        async call(model, method, args, kwargs) {
            sent.push([method, kwargs.key, kwargs.value]);
            const answer = answers.shift();
            if (answer instanceof Error) {
                throw answer;
            }
            return answer ?? { outcomes: [] };
        },
    },
    notification: {
        add: (message, options) => notices.push([message, options.title]),
    },
};

function makeOutbox() {
    const outbox = new Outbox(services);
    outbox.start();
    return outbox;
}

beforeEach(() => {
    answers = [];
    sent = [];
    notices = [];
});

test("keys are long, and each is another", () => {
    const keys = new Set([...Array(50)].map(() => makeKey()));
    expect(keys.size).toBe(50);
    expect([...keys].every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
});

test("calls go out one by one, in order", async () => {
    const outbox = makeOutbox();
    const answered = [];
    outbox.bus.addEventListener("answered", ({ detail }) => {
        detail.handled = true;
        answered.push([detail.entry.info.name, detail.result]);
    });
    answers = ["first", "second"];
    outbox.send("m", "decide", { value: 1 }, { name: "A" });
    outbox.send("m", "decide", { value: 2 }, { name: "B" });
    expect(sent.length).toBe(1);
    await advanceTime(1);
    expect(sent.map(([, , value]) => value)).toEqual([1, 2]);
    expect(answered).toEqual([
        ["A", "first"],
        ["B", "second"],
    ]);
    expect(outbox.state.entries.length).toBe(0);
});

test("a lost call is tried again with its key, ever more slowly", async () => {
    const outbox = makeOutbox();
    answers = [...Array(3)].map(() => new ConnectionLostError("/web"));
    outbox.send("m", "decide", { value: 1 });
    await advanceTime(1);
    expect(outbox.state.isLost).toBe(true);
    await advanceTime(1500);
    expect(sent.length).toBe(1);
    await advanceTime(600);
    expect(sent.length).toBe(2);
    await advanceTime(2500);
    expect(sent.length).toBe(2);
    await advanceTime(1500);
    expect(sent.length).toBe(3);
    await advanceTime(10000);
    expect(sent.length).toBe(4);
    expect(new Set(sent.map(([, key]) => key)).size).toBe(1);
    expect(outbox.state.isLost).toBe(false);
    expect(outbox.state.entries.length).toBe(0);
});

test("a reload loses nothing", async () => {
    const before = makeOutbox();
    answers = [new ConnectionLostError("/web")];
    before.send("m", "decide", { value: 1 }, { title: "Confirm: A" });
    await advanceTime(1);
    browser.clearTimeout(before.timer);
    const key = sent[0][1];
    sent = [];
    const after = makeOutbox();
    await advanceTime(1);
    expect(sent).toEqual([["decide", key, 1]]);
    expect(after.state.entries.length).toBe(0);
    sent = [];
    makeOutbox();
    await advanceTime(1);
    expect(sent).toEqual([]);
});

test("another page's calls stay in the storage", async () => {
    const one = makeOutbox();
    const other = makeOutbox();
    answers = [new ConnectionLostError("/web"), { outcomes: [] }];
    one.send("m", "decide", { value: 1 });
    await advanceTime(1);
    other.send("m", "decide", { value: 2 });
    await advanceTime(1);
    expect(one.load().map(({ kwargs }) => kwargs.value)).toEqual([1]);
});

test("no answer for long counts as lost", async () => {
    const outbox = makeOutbox();
    patchWithCleanup(services.orm, {
        call(model, method, args, kwargs) {
            sent.push([method, kwargs.key]);
            return sent.length === 1 ? new Promise(() => {}) : Promise.resolve({ outcomes: [] });
        },
    });
    outbox.send("m", "decide", {});
    await advanceTime(2100);
    expect(outbox.state.entries[0].isSlow).toBe(true);
    await advanceTime(18000);
    expect(outbox.state.isLost).toBe(true);
    await advanceTime(3000);
    expect(sent.length).toBe(2);
    expect(sent[0][1]).toBe(sent[1][1]);
    expect(outbox.state.entries.length).toBe(0);
});

test("a refusal ends the call; without a screen it is a notification", async () => {
    const outbox = makeOutbox();
    answers = [makeServerError({ message: "The session is closed." })];
    outbox.send("m", "decide", {}, { title: "Confirm: A" });
    await advanceTime(1);
    expect(outbox.state.entries.length).toBe(0);
    expect(notices).toEqual([["The session is closed.", "Confirm: A"]]);
    answers = [{ outcomes: [{ code: "missing", message: "Library: Books" }] }];
    outbox.send("m", "decide", {}, { title: "Confirm: B" });
    await advanceTime(1);
    expect(notices[1]).toEqual(["Library: Books", "Confirm: B"]);
});

test("a session that has expired keeps the call for after the login", async () => {
    expect.errors(1);
    const outbox = makeOutbox();
    answers = [makeServerError({ errorName: "odoo.http.SessionExpiredException" })];
    outbox.send("m", "decide", {});
    await advanceTime(60000);
    expect(outbox.state.entries.length).toBe(1);
    expect(sent.length).toBe(1);
    expect.verifyErrors(["RPC_ERROR"]);
});

test("a call can be given up", async () => {
    const outbox = makeOutbox();
    answers = [new ConnectionLostError("/web")];
    const key = outbox.send("m", "decide", {});
    await advanceTime(1);
    outbox.discard(key);
    expect(outbox.state.isLost).toBe(false);
    await advanceTime(60000);
    expect(sent.length).toBe(1);
});

test("leaving the page warns while something is not saved", async () => {
    const outbox = makeOutbox();
    const leave = () => {
        const ev = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(ev);
        return ev.defaultPrevented;
    };
    expect(leave()).toBe(false);
    answers = [new ConnectionLostError("/web")];
    const key = outbox.send("m", "decide", {});
    await advanceTime(1);
    expect(leave()).toBe(true);
    outbox.discard(key);
    expect(leave()).toBe(false);
});
