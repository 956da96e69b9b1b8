import { registry } from "@web/core/registry";

/** Fail the tour when something sticks out of the screen sideways. */
function checkWidth() {
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) {
        const isOut = (element) => element.getBoundingClientRect().right > page.clientWidth + 1;
        const out = [...document.querySelectorAll("body *")].filter(isOut);
        throw new Error(
            `The page is ${page.scrollWidth} wide on a screen of ${page.clientWidth}: ` +
                out.map((element) => element.cloneNode(false).outerHTML).join(" ")
        );
    }
}

/** Fail the tour when an element is too small for a thumb (WCAG 2.2: 24 by 24). */
function checkTarget() {
    const { width, height } = this.anchor.getBoundingClientRect();
    if (width < 24 || height < 24) {
        throw new Error(`${this.anchor.textContent} is only ${width} by ${height}`);
    }
}

registry.category("web_tour.tours").add("clearance_portal_tour", {
    url: "/my",
    steps: () => [
        {
            content: "The home page counts what is left",
            trigger: "#portal_alert_category .o_portal_index_card:contains(6)",
        },
        {
            content: "Open the clearance page",
            trigger: "#portal_service_category a[href='/my/clearance']:contains(Clearance)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The headline says how far one is and where to go",
            trigger:
                ".o_clearance_headline:contains(6 of 7 left.):contains(Next: Finance, Pay arrears)",
            run: checkWidth,
        },
        { trigger: "[role=progressbar][aria-valuenow='1'][aria-valuemax='7']" },
        {
            trigger:
                ".o_clearance_step:contains(Return books) .o_clearance_state_approved:contains(Approved)",
        },
        {
            trigger:
                ".o_clearance_step:contains(Pay arrears) .o_clearance_state_pending:contains(Not done)",
        },
        {
            content: "A rejected step says why",
            trigger:
                ".o_clearance_step:contains(Return student card):has(.o_clearance_state_rejected:contains(Rejected)) .o_clearance_reason:contains(The photo is missing)",
        },
        {
            trigger:
                ".o_clearance_step:contains(Deposit refund) .o_clearance_state_optional:contains(Optional)",
        },
        {
            content: "A step that waits says for what",
            trigger:
                ".o_clearance_blocked:contains(College of Mechanics Certificates: Degree certificate)",
        },
        {
            content: "What does not come next is folded, and unfolds",
            trigger:
                ".o_clearance_step:has(h3:contains(Degree certificate)) .o_clearance_info:not([open]) summary",
            run: checkTarget,
        },
        {
            trigger:
                ".o_clearance_step:has(h3:contains(Degree certificate)) .o_clearance_info summary",
            run: "click",
        },
        {
            trigger:
                ".o_clearance_step:has(h3:contains(Degree certificate)) .o_clearance_info[open] p:contains(Bring your card.)",
            run: checkWidth,
        },
        {
            content: "Back by the breadcrumbs",
            trigger: ".o_portal_submenu a[href='/my/home']",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".o_portal_my_home #portal_service_category a[href='/my/clearance']" },
    ],
});

// -- the page of a step, and what changes meanwhile -------------------------------------
// The same tours run in every language: elements are found by their classes.  They have no
// url of their own, because the test says more in theirs.

const STEP = ".o_clearance_list .o_clearance_step";

/** What the test has said about the offices: see test_portal_tours.py. */
function getOffice() {
    const office = new URLSearchParams(location.search).get("office");
    if (office) {
        sessionStorage.setItem("clearance_tour", office);
    }
    const found = sessionStorage.getItem("clearance_tour");
    assert(found, `Nothing is known of the offices at ${location.href}`);
    return JSON.parse(found);
}

/** Let an office decide, with its own login: that of this browser does not matter there. */
async function decide(who, ids, decision, reason) {
    const { db, users } = getOffice();
    const [uid, password] = users[who];
    const args = [db, uid, password, "clearance.status", "decide", [ids, decision], { reason }];
    const response = await fetch("/jsonrpc", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
            jsonrpc: "2.0",
            method: "call",
            params: { service: "object", method: "execute_kw", args },
        }),
    });
    const { result, error } = await response.json();
    if (error || result.some(({ outcome }) => outcome !== "done")) {
        throw new Error(`The office could not decide: ${JSON.stringify(error || result)}`);
    }
}

/** What a browser does when somebody comes back to the page. */
function comeBack() {
    window.dispatchEvent(new Event("focus"));
}

function assert(isTrue, message) {
    if (!isTrue) {
        throw new Error(message);
    }
}

function isShown(element) {
    return element.getClientRects().length > 0;
}

registry.category("web_tour.tours").add("clearance_page_day", {
    steps: () => [
        {
            content: "The page fits the screen",
            trigger: ".o_clearance_headline",
            run() {
                getOffice();
                checkWidth();
            },
        },
        {
            content: "Show only what is to do now",
            trigger: ".o_clearance_chip_todo span",
            run: "click",
        },
        {
            trigger: ".o_clearance_chip_todo:has(input:checked)",
            run() {
                const steps = [...document.querySelectorAll(STEP)];
                const shown = steps.filter(isShown);
                assert(shown.length, "Nothing is shown");
                assert(shown.length < steps.length, "Everything is shown");
                assert(
                    shown.every((step) => step.matches(".o_clearance_turn_todo")),
                    "Something else is shown"
                );
                const headings = [...document.querySelectorAll(".o_clearance_list h2")];
                assert(
                    headings.some((heading) => !isShown(heading)),
                    "Headings of nothing are shown"
                );
            },
        },
        {
            trigger: ".o_clearance_chip:has(input[value=all]) span",
            run: "click",
        },
        {
            content: "A rejected step says why; go to send it again",
            trigger: `${STEP}.o_clearance_edge_rejected:has(.o_clearance_reason) .o_clearance_action a`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The page of the step tells its history",
            trigger: ".o_clearance_step_page .o_clearance_history li",
            run: checkWidth,
        },
        {
            trigger: ".o_clearance_step_page #ask input[type=text]",
            run: "edit 0000 1111",
        },
        {
            content: "An office decides meanwhile; what was typed stays",
            trigger: ".o_clearance_stale.d-none:not(:visible)",
            async run() {
                const { statuses } = getOffice();
                await decide("affairs", [statuses.loan], "approve");
                comeBack();
            },
        },
        {
            trigger: ".o_clearance_stale:not(.d-none)",
            run() {
                const input = document.querySelector("#ask input[type=text]");
                assert(input.value === "0000 1111", "What was typed is lost");
                checkWidth();
            },
        },
        {
            trigger: "#ask button[type=submit]:not([name])",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is said to be sent",
            trigger: ".o_clearance_flash[role=status]",
        },
        {
            trigger: ".o_clearance_step_page .o_clearance_state_submitted",
        },
        {
            content: "Back to the form",
            trigger: ".o_portal_submenu li:nth-last-child(2) a",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The step waits for the office",
            trigger: `${STEP}.o_clearance_turn_others .o_clearance_state_submitted`,
        },
        {
            content: "Unfold how to get the certificate",
            trigger: `${STEP}.o_clearance_turn_blocked .o_clearance_info summary`,
            run: "click",
        },
        {
            content: "The office approves, and the page says so by itself",
            trigger: `${STEP}.o_clearance_turn_blocked .o_clearance_info[open]`,
            async run() {
                const { statuses } = getOffice();
                await decide("affairs", [statuses.card], "approve");
                comeBack();
            },
        },
        {
            trigger: `${STEP}.o_clearance_turn_done.o_clearance_fresh`,
            run() {
                const { steps } = getOffice();
                const step = document.querySelector(`#step_${steps.card}`);
                assert(step.matches(".o_clearance_fresh"), "Another step is marked");
                const open = document.querySelectorAll(".o_clearance_info[open]");
                assert(open.length, "What was unfolded is folded again");
                const said = document.querySelector(".o_clearance_announce").textContent;
                const name = step.querySelector(".o_clearance_step_name").textContent;
                assert(said.includes(name), `Not said: ${said}`);
                checkWidth();
            },
        },
        {
            content: "The last steps are settled",
            trigger: ".o_clearance_summary_open",
            async run() {
                const { statuses } = getOffice();
                await decide("manager", [statuses.talk, statuses.degree], "approve");
                await decide("manager", [statuses.diploma], "approve");
                comeBack();
            },
        },
        {
            content: "Done: the certificate can be had",
            trigger:
                ".o_clearance_summary_cleared .o_clearance_certificate a[href$='/certificate']",
        },
        { trigger: ".progress-bar[style*='100%']", run: checkWidth },
    ],
});

registry.category("web_tour.tours").add("clearance_page_keyboard", {
    steps: () => [
        {
            content: "Everything can be reached in the order of the page, and is seen when it is",
            trigger: ".o_clearance_list",
            run() {
                const main = document.querySelector("main");
                const stops = [
                    ...main.querySelectorAll("a[href], summary, input, button, [tabindex]"),
                ];
                for (const element of stops.filter((stop) => stop.checkVisibility())) {
                    assert(element.tabIndex === 0, `Out of order: ${element.outerHTML}`);
                    element.focus();
                    assert(document.activeElement === element, `No focus: ${element.outerHTML}`);
                    const isChip = element.matches(".o_clearance_chip input");
                    const seen = isChip ? element.nextElementSibling : element;
                    const { outlineStyle, boxShadow } = getComputedStyle(seen);
                    assert(
                        outlineStyle !== "none" || boxShadow !== "none",
                        `Focus cannot be seen: ${element.outerHTML}`
                    );
                }
            },
        },
        {
            content: "Open a step with Enter",
            trigger: ".o_clearance_turn_todo .o_clearance_step_name",
            async run({ press }) {
                this.anchor.focus();
                await press("Enter");
            },
            expectUnloadPage: true,
        },
        { trigger: ".o_clearance_step_page h1" },
    ],
});

registry.category("web_tour.tours").add("clearance_page_narrow", {
    steps: () => [
        { trigger: ".o_clearance_list", run: checkWidth },
        {
            trigger: ".o_clearance_code summary",
            run: "click",
        },
        { trigger: ".o_clearance_code[open] img", run: checkWidth },
        {
            trigger: ".o_clearance_chip",
            run() {
                for (const element of document.querySelectorAll(
                    ".o_clearance_portal :is(a, summary, label, button)"
                )) {
                    const { width, height } = element.getBoundingClientRect();
                    // Links within a sentence are as large as its letters (WCAG 2.2, 2.5.8).
                    const isInline = element.closest(".o_clearance_next, .text-muted");
                    assert(
                        !isShown(element) || isInline || (width >= 24 && height >= 24),
                        `Too small: ${element.outerHTML.slice(0, 200)} ${width} × ${height}`
                    );
                }
            },
        },
        {
            trigger: ".o_clearance_step_name",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".o_clearance_step_page h1", run: checkWidth },
        {
            trigger: ".o_portal_submenu li:nth-last-child(2) a",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_clearance_more a",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".o_clearance_portal h1:not(:has(+ .o_clearance_live))", run: checkWidth },
    ],
});
