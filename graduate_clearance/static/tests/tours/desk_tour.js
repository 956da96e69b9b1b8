import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const SEARCH = ".o_clearance_desk input[name=clearance_search]";

function row(graduate) {
    return `.o_clearance_desk_row:contains(${graduate})`;
}

function step(name, more = "") {
    return `.o_clearance_desk_step:contains(${name})${more}`;
}

function button(decision) {
    return `.o_clearance_desk_actions button[data-decision=${decision}]:enabled`;
}

/** Find somebody by typing, and open the only row. */
function find(graduate) {
    return [
        { content: `Find ${graduate}`, trigger: SEARCH, run: `edit ${graduate}` },
        {
            trigger: `.o_clearance_desk_results:not(:has(.o_clearance_desk_row + .o_clearance_desk_row)) ${row(graduate)}`,
            run: "click",
        },
        { trigger: `.o_clearance_person:contains(${graduate})` },
    ];
}

function switchStation(name) {
    return [
        { trigger: "button.o_clearance_desk_station", run: "click" },
        { trigger: `.o-dropdown-item:contains(${name})`, run: "click" },
        { trigger: `button.o_clearance_desk_station:contains(${name})` },
    ];
}

function giveReason(preset) {
    return [
        { trigger: `.o_clearance_reason_presets button:contains(${preset})`, run: "click" },
        { trigger: `.modal input:value(${preset})`, run: "press Enter" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

/** What a scanner does: it types quickly and ends with Enter. */
function scan(code, target) {
    for (const key of [...code, "Enter"]) {
        target.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })
        );
    }
}

function scanAtPage(code) {
    return {
        content: `Scan ${code}`,
        trigger: ".o_clearance_desk_fast",
        run: () => scan(code, document.body),
    };
}

tours.add("clearance_desk_morning", {
    url: "/odoo/clearance-desk",
    steps: () => [
        ...switchStation("Student Affairs"),
        { trigger: ".o_clearance_desk_headline:contains(due 6, not done 6 (100 %))" },
        ...find("T26000"),
        {
            content: "What is ready is ticked",
            trigger: `${button("approve")}:contains(Confirm (2))`,
            run: "click",
        },
        { trigger: step("Return student card", " .o_clearance_state_approved") },
        { trigger: step("Confirm loan", " .o_clearance_state_approved") },
        { trigger: ".o_clearance_desk_undo:contains(Confirmed)", run: "hover" },
        { trigger: ".o_clearance_desk_undo button:contains(Undo)", run: "click" },
        { trigger: step("Return student card", " .o_clearance_state_pending") },
        { trigger: step("Confirm loan", " .o_clearance_state_pending") },
        { trigger: `${button("approve")}:contains(Confirm (2))`, run: "click" },
        { trigger: step("Confirm loan", " .o_clearance_state_approved") },
        {
            content: "The row shows it without another search",
            trigger: `${row("T26000")}:not(:has(.o_clearance_state_pending)) .o_clearance_state_approved`,
        },
        {
            content: "The whole record too",
            trigger:
                ".o_clearance_record_own:contains(Return student card) .o_clearance_state_approved",
        },
        ...find("T26001"),
        { trigger: button("reject"), run: "click" },
        ...giveReason("Items are missing or damaged"),
        { trigger: step("Return student card", " .o_clearance_state_rejected") },
        { trigger: step("Return student card", ":contains(“Items are missing or damaged”)") },
        {
            content: "What was rejected is not ticked again by itself",
            trigger: step("Return student card", ":not(:has(input:checked))"),
        },
        { trigger: button("reopen"), run: "click" },
        ...giveReason("Confirmed by mistake"),
        { trigger: step("Return student card", " .o_clearance_state_pending") },
        ...switchStation("College of Mechanics Certificates"),
        {
            content: "The same graduate, at the other station",
            trigger: `.o_clearance_person:contains(T26001) ~ .o_clearance_desk_warnings [data-kind=blocked]:contains(Library: Return books)`,
        },
        { trigger: step("Degree certificate", " input[type=checkbox]"), run: "click" },
        { trigger: button("approve"), run: "click" },
        {
            content: "Refused, with station and step of all that is missing",
            trigger: step(
                "Degree certificate",
                " .o_clearance_desk_message:contains(Library: Return books):contains(Finance: Pay arrears):contains(Student Affairs: Return student card)"
            ),
        },
        { trigger: step("Degree certificate", " .o_clearance_state_pending") },
    ],
});

tours.add("clearance_desk_scan", {
    url: "/odoo/clearance-desk",
    steps: () => [
        {
            content: "Without the fast mode a scan opens, Enter confirms",
            trigger: ".o_clearance_desk:has(.o_clearance_desk_row)",
            run: () => scan("T26002", document.body),
        },
        { trigger: ".o_clearance_person:contains(T26002)" },
        { trigger: `${button("approve")}:focus`, run: "press Enter" },
        { trigger: step("Return student card", " .o_clearance_state_approved") },
        { trigger: ".o_clearance_desk_fast_toggle", run: "click" },
        { trigger: ".o_clearance_desk_result:contains(Ready to scan)" },
        scanAtPage("T26000"),
        {
            trigger:
                ".o_clearance_desk_result[data-result=done].alert-success:contains(Confirmed):contains(T26000)",
        },
        scanAtPage("T26000"),
        { trigger: ".o_clearance_desk_result[data-result=already]:contains(T26000)" },
        scanAtPage("T99999"),
        { trigger: ".o_clearance_desk_result[data-result=unknown].alert-danger:contains(T99999)" },
        {
            content: "A scanner that types into the box; two codes at once",
            trigger: SEARCH,
            run() {
                scan("T26001", this.anchor);
                scan("T26003", this.anchor);
            },
        },
        { trigger: ".o_clearance_desk_result[data-result=done]:contains(T26003)" },
        { trigger: ".o_clearance_desk_scan_row[data-result=done]:contains(T26001)" },
        {
            content: "Undo one of the last ten",
            trigger:
                ".o_clearance_desk_scan_row[data-result=done]:contains(T26001) .o_clearance_desk_scan_undo",
            run: "click",
        },
        { trigger: ".o_clearance_desk_scan_row[data-result=undone]:contains(T26001)" },
        { trigger: ".o_clearance_desk_scans li:nth-child(5):contains(T26000)" },
    ],
});

tours.add("clearance_desk_colleagues", {
    url: "/odoo/clearance-desk",
    steps: () => [
        ...find("T26001"),
        { trigger: step("Return student card", " .o_clearance_state_pending") },
        { content: "A colleague is quicker", trigger: button("approve"), run: "click" },
        {
            content: "It says so, and shows who it was",
            trigger: step("Return student card", " .o_clearance_desk_message.alert-info"),
        },
        { trigger: step("Return student card", ":contains(t_colleague)") },
        { trigger: step("Return student card", " .o_clearance_state_approved") },
        {
            content: "Nothing of one's own to undo",
            trigger: ".o_clearance_desk:not(:has(.o_clearance_desk_undo))",
        },
    ],
});
