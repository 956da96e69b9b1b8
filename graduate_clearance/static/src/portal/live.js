import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

/** Milliseconds between two questions, while all is well and after failures. */
export const PERIOD = 20000;
const LONGEST_PERIOD = 5 * 60000;

/** Waits that thousands of pages spread over: by up to this part of them. */
const JITTER = 0.25;

/** Whether somebody has typed, chosen or attached something in a form that was not sent yet. */
export function isDirty(element) {
    return [...element.querySelectorAll("input, textarea, select")].some((input) => {
        if (input.type === "hidden" || input.closest(".o_clearance_overview")) {
            return false;
        }
        if (input.type === "file") {
            return input.files.length > 0;
        }
        if (input.type === "checkbox" || input.type === "radio") {
            return input.checked !== input.defaultChecked;
        }
        if (input.tagName === "SELECT") {
            const initial = [...input.options].findIndex((option) => option.defaultSelected);
            return input.selectedIndex !== Math.max(initial, 0);
        }
        return input.value !== input.defaultValue;
    });
}

/** A selector that finds the same element in another version of the page; empty without one. */
function getPlace(element, root) {
    if (!element || !root.contains(element)) {
        return "";
    }
    if (element.id) {
        return `#${CSS.escape(element.id)}`;
    }
    if (element.name && element.type === "radio") {
        return `[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]`;
    }
    const owner = element.closest("[id]");
    const tag = element.tagName.toLowerCase();
    if (!owner || !root.contains(owner)) {
        return element.href ? `${tag}[href="${CSS.escape(element.getAttribute("href"))}"]` : "";
    }
    const index = [...owner.querySelectorAll(tag)].indexOf(element);
    return index < 0 ? "" : `#${CSS.escape(owner.id)} ${tag}|${index}`;
}

function findPlace(place, root) {
    const [selector, index] = place.split("|");
    return selector ? root.querySelectorAll(selector)[Number(index || 0)] : undefined;
}

/**
 * Keeps a page of the graduate's side up to date: asks again and again whether something
 * has changed, and then takes over what the server says now.  Nothing that somebody has
 * unfolded, chosen or typed is lost.
 */
export class ClearanceLive extends Interaction {
    static selector = ".o_clearance_live";

    dynamicContent = {
        _document: { "t-on-visibilitychange": () => this.lookIfVisible() },
        _window: {
            "t-on-focus": () => this.lookIfVisible(),
            "t-on-online": () => this.lookIfVisible(),
        },
    };

    setup() {
        this.version = this.el.dataset.version;
        this.failures = 0;
        this.isLooking = false;
        this.isOver = false;
    }

    start() {
        this.schedule();
    }

    destroy() {
        browser.clearTimeout(this.timer);
    }

    // -- when to ask -----------------------------------------------------------------

    schedule() {
        browser.clearTimeout(this.timer);
        if (this.isOver) {
            return;
        }
        const period = Math.min(PERIOD * 2 ** this.failures, LONGEST_PERIOD);
        const delay = period * (1 - JITTER / 2 + Math.random() * JITTER);
        this.timer = browser.setTimeout(() => this.lookIfVisible(), delay);
    }

    lookIfVisible() {
        // A page that nobody sees asks nothing; it asks at once when it is seen again.
        if (document.visibilityState === "hidden" || this.isLooking || this.isOver) {
            return;
        }
        return this.look();
    }

    async look() {
        this.isLooking = true;
        try {
            if (await this.waitFor(this.hasNews())) {
                await this.waitFor(this.refresh());
            }
            this.failures = 0;
        } catch {
            // No connection, or a server that has other worries: ask less often.
            this.failures++;
        } finally {
            this.isLooking = false;
        }
        this.show(".o_clearance_offline", this.failures > 1);
        this.schedule();
    }

    // -- what has changed ----------------------------------------------------------------

    async hasNews() {
        const response = await browser.fetch(this.el.dataset.news, {
            headers: { "If-None-Match": `"${this.version}"` },
        });
        if (response.status === 304) {
            return false;
        }
        if (response.redirected) {
            this.stop();
            return false;
        }
        if (!response.ok) {
            throw new Error(response.status);
        }
        const { version } = await response.json();
        return version !== this.version;
    }

    /** The session has ended: there is nothing to ask any more. */
    stop() {
        this.isOver = true;
        this.show(".o_clearance_logged_out", true);
    }

    async refresh() {
        const response = await browser.fetch(this.getUrl(), { headers: { Accept: "text/html" } });
        if (!response.ok) {
            throw new Error(response.status);
        }
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = page.querySelector(".o_clearance_live");
        if (!fresh || fresh.dataset.news !== this.el.dataset.news) {
            // Another page by now: the step does not apply any more, say.
            this.show(".o_clearance_stale", true);
            this.isOver = true;
            return;
        }
        if (this.isBusy()) {
            this.show(".o_clearance_stale", true);
        } else {
            this.takeOver(fresh);
        }
        this.version = fresh.dataset.version;
    }

    getUrl() {
        return browser.location.href.split("#")[0];
    }

    get livePart() {
        return this.el.querySelector(".o_clearance_live_part");
    }

    /** Whether somebody is at work in a form of this page. */
    isBusy() {
        const active = document.activeElement;
        const isTyping = active && active.closest("form") && this.livePart.contains(active);
        return Boolean(isTyping) || isDirty(this.livePart);
    }

    // -- taking it over --------------------------------------------------------------------

    takeOver(fresh) {
        const before = this.readStates();
        const part = fresh.querySelector(".o_clearance_live_part");
        const { livePart } = this;
        const focus = getPlace(document.activeElement, livePart);
        this.copyChoices(livePart, part);
        const anchor = this.getAnchor();
        this.services["public.interactions"].stopInteractions(livePart);
        livePart.replaceChildren(...part.childNodes);
        this.services["public.interactions"].startInteractions(livePart);
        this.show(".o_clearance_stale", false);
        this.holdScroll(anchor);
        findPlace(focus, livePart)?.focus({ preventScroll: true });
        this.announce(before);
    }

    /** Unfold what is unfolded, fold what is folded, choose what is chosen. */
    copyChoices(from, to) {
        for (const details of from.querySelectorAll("details[id]")) {
            const twin = to.querySelector(`#${CSS.escape(details.id)}`);
            if (twin) {
                twin.open = details.open;
            }
        }
        const chosen = from.querySelector(".o_clearance_overview input:checked");
        const twin = chosen && to.querySelector(`.o_clearance_overview [value="${chosen.value}"]`);
        if (twin) {
            twin.checked = true;
        }
    }

    /** What stands at the top of the screen, and how far from it. */
    getAnchor() {
        const elements = this.livePart.querySelectorAll("[id]");
        const anchor = [...elements].find((element) => {
            const { bottom, height } = element.getBoundingClientRect();
            return height && bottom > 0;
        });
        return anchor && { id: anchor.id, top: anchor.getBoundingClientRect().top };
    }

    holdScroll(anchor) {
        const element = anchor && this.livePart.querySelector(`#${CSS.escape(anchor.id)}`);
        // Who reads the top of the page goes on to see the top.
        if (element && window.scrollY > 0) {
            window.scrollBy({
                top: element.getBoundingClientRect().top - anchor.top,
                behavior: "instant",
            });
        }
    }

    /** What each step of the page is called and how it stands: texts by id. */
    readStates() {
        const states = new Map();
        for (const step of this.livePart.querySelectorAll(".o_clearance_step[id]")) {
            const words = (selector) =>
                step.querySelector(selector)?.textContent.trim().replace(/\s+/g, " ") || "";
            const name = words(".o_clearance_step_name") || this.el.querySelector("h1").innerText;
            states.set(step.id, `${name}: ${words(".o_clearance_marks")}`);
        }
        return states;
    }

    /** Say what is different now, and show where. */
    announce(before) {
        const changed = [];
        for (const [id, text] of this.readStates()) {
            if (before.get(id) !== text) {
                changed.push(text);
                const step = this.livePart.querySelector(`#${CSS.escape(id)}`);
                step.classList.add("o_clearance_fresh");
            }
        }
        const head = this.el.querySelector(".o_clearance_announce_head");
        const headline = this.el.querySelector(".o_clearance_headline strong");
        const said = [...changed, headline?.textContent.trim()].filter(Boolean).join(". ");
        head.classList.toggle("d-none", !said);
        this.el.querySelector(".o_clearance_announce_text").textContent = said;
    }

    show(selector, isShown) {
        const notice = this.el.querySelector(selector);
        notice?.classList.toggle("d-none", !isShown);
        if (isShown) {
            notice?.setAttribute("role", "status");
        }
    }
}

registry.category("public.interactions").add("graduate_clearance.live", ClearanceLive);
