import { registry } from "@web/core/registry";

/** Fail the tour when something sticks out of the screen sideways. */
function checkWidth() {
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) {
        throw new Error(`The page is ${page.scrollWidth} wide on a screen of ${page.clientWidth}`);
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
