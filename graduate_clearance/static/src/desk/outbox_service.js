import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { session } from "@web/session";

import { EventBus, reactive } from "@odoo/owl";

/** Milliseconds: the first wait before another try, and the longest. */
const RETRY_AFTER = 2000;
const RETRY_AT_MOST = 30000;
/** After so many milliseconds without an answer an operator is told. */
const SLOW_AFTER = 2000;
/** After so many the request counts as lost. */
const LOST_AFTER = 20000;

const SESSION_EXPIRED = "odoo.http.SessionExpiredException";

/** What an entry needs to be sent once more after the page was loaded again. */
const KEPT = ["key", "model", "method", "kwargs", "info"];

/** A text that names one action, also where pages come without TLS (no randomUUID there). */
export function makeKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What a user has decided and the server has not answered yet.
 *
 * Entries go out one by one, in order.  Where the connection is lost an entry stays, also
 * over a reload, and goes out again with the same key: the server acts once for a key.
 * The outbox outlives the screens, so that leaving the desk loses nothing.
 *
 * Triggers on its bus: `answered` {entry, result} and `refused` {entry, message}; who
 * shows it sets `handled` on the detail, else the user gets a notification.
 */
export class Outbox {
    constructor({ orm, notification }) {
        this.orm = orm;
        this.notification = notification;
        this.bus = new EventBus();
        this.storageKey = `graduate_clearance.outbox.${session.db}.${user.userId}`;
        this.state = reactive({ entries: this.load(), isLost: false });
        this.isSending = false;
        this.retryAfter = RETRY_AFTER;
    }

    start() {
        browser.addEventListener("online", () => this.retry());
        browser.addEventListener("beforeunload", (ev) => {
            if (this.state.entries.length) {
                ev.preventDefault();
                ev.returnValue = true;
            }
        });
        if (this.state.entries.length) {
            this.flush();
        }
    }

    /**
     * Send a call, as soon as those before it are answered.
     *
     * @param {string} model
     * @param {string} method takes a keyword `key` and acts once for it
     * @param {Object} kwargs without the key
     * @param {Object} info what the screen wants back with the answer; JSON
     */
    send(model, method, kwargs, info = {}) {
        const entry = { key: makeKey(), model, method, kwargs, info, isSlow: false };
        this.state.entries.push(entry);
        this.store();
        this.flush();
        return entry.key;
    }

    /** Try once more, at once. */
    retry() {
        browser.clearTimeout(this.timer);
        return this.flush();
    }

    /** Give an entry up. The server may have got it all the same. */
    discard(key) {
        this.remove(key);
        this.state.isLost = this.state.isLost && this.state.entries.length > 0;
    }

    async flush() {
        if (this.isSending) {
            return;
        }
        this.isSending = true;
        try {
            while (this.state.entries.length) {
                if (!(await this.sendFirst())) {
                    return;
                }
            }
        } finally {
            this.isSending = false;
        }
    }

    /** @returns {Promise<boolean>} whether the first entry is answered */
    async sendFirst() {
        const entry = this.state.entries[0];
        let result;
        try {
            result = await this.call(entry);
        } catch (error) {
            if (!(error instanceof RPCError) || error.exceptionName === SESSION_EXPIRED) {
                this.onLost(error);
                return false;
            }
            this.onAnswered(entry.key);
            this.report("refused", { entry, message: error.data?.message || error.message });
            return true;
        }
        this.onAnswered(entry.key);
        this.report("answered", { entry, result });
        return true;
    }

    async call(entry) {
        const request = this.orm.call(entry.model, entry.method, [], {
            key: entry.key,
            ...entry.kwargs,
        });
        const slow = browser.setTimeout(() => (entry.isSlow = true), SLOW_AFTER);
        let lost;
        const timeout = new Promise((resolve, reject) => {
            lost = browser.setTimeout(() => {
                request.abort?.(false);
                reject(new Error("No answer"));
            }, LOST_AFTER);
        });
        try {
            return await Promise.race([request, timeout]);
        } finally {
            browser.clearTimeout(slow);
            browser.clearTimeout(lost);
        }
    }

    onLost(error) {
        this.state.isLost = true;
        browser.clearTimeout(this.timer);
        if (error.exceptionName === SESSION_EXPIRED) {
            // Odoo asks to log in again; the page then loads and the outbox with it.
            Promise.reject(error);
            return;
        }
        this.timer = browser.setTimeout(() => this.flush(), this.retryAfter);
        this.retryAfter = Math.min(1.5 * this.retryAfter + 500 * Math.random(), RETRY_AT_MOST);
    }

    onAnswered(key) {
        this.retryAfter = RETRY_AFTER;
        this.state.isLost = false;
        this.remove(key);
    }

    report(type, detail) {
        this.bus.trigger(type, detail);
        if (detail.handled) {
            return;
        }
        const refused = (detail.result?.outcomes || []).filter((outcome) => outcome.message);
        const messages = detail.message ? [detail.message] : refused.map(({ message }) => message);
        for (const message of new Set(messages)) {
            this.notification.add(message, {
                title: detail.entry.info.title || _t("Not done"),
                type: "danger",
                sticky: true,
            });
        }
    }

    // ----------------------------------------------------------------- storage

    load() {
        try {
            const kept = JSON.parse(browser.localStorage.getItem(this.storageKey)) || [];
            return kept.map((entry) => ({ ...entry, isSlow: false }));
        } catch {
            return [];
        }
    }

    /** Another page of the same user has entries of its own: only ours change. */
    store(gone) {
        const own = this.state.entries;
        const keys = new Set([gone, ...own.map(({ key }) => key)]);
        const others = this.load().filter(({ key }) => !keys.has(key));
        const kept = [...others, ...own].map((entry) =>
            Object.fromEntries(KEPT.map((name) => [name, entry[name]]))
        );
        if (kept.length) {
            browser.localStorage.setItem(this.storageKey, JSON.stringify(kept));
        } else {
            browser.localStorage.removeItem(this.storageKey);
        }
    }

    remove(gone) {
        this.state.entries = this.state.entries.filter(({ key }) => key !== gone);
        this.store(gone);
    }
}

export const outboxService = {
    dependencies: ["orm", "notification"],
    start(env, services) {
        const outbox = new Outbox(services);
        outbox.start();
        return outbox;
    },
};

registry.category("services").add("clearance_outbox", outboxService);
