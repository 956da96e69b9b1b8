import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const SEARCH = "input[name=clearance_search]";

function step(name, selector = "") {
    return `.o_clearance_deferral_step:has(h3:contains(${name})) ${selector}`.trim();
}

/** Type into the search box and press Enter: the only one found is opened. */
function find(query, name) {
    return [
        { trigger: SEARCH, run: `edit ${query}` },
        { trigger: SEARCH, run: "press Enter" },
        { trigger: `.o_clearance_person:contains(${name})` },
    ];
}

/** Lift the restriction of the arrears until the 15th of next month, with a file as proof. */
function lift() {
    return [
        { trigger: step("Pay arrears", ".o_clearance_deferral_lift"), run: "click" },
        { content: "Not without a proof", trigger: ".o_clearance_lift_confirm", run: "click" },
        { trigger: ".o_clearance_lift_dialog .alert-danger:contains(reason)" },
        { trigger: ".o_clearance_lift_presets button:contains(Proof of)", run: "click" },
        { trigger: "#o_clearance_lift_date", run: "click" },
        {
            content: "The next month, whatever day it is today",
            trigger: ".o_datetime_picker .o_next",
            run: "click",
        },
        {
            trigger: ".o_datetime_picker .o_date_item_cell:not(.o_out_of_range):contains(15)",
            run: "click",
        },
        {
            content: "The signed agreement",
            trigger: ".o_clearance_lift_files input[type=file]:not(:visible)",
            run() {
                const files = new DataTransfer();
                files.items.add(new File(["signed"], "agreement.txt", { type: "text/plain" }));
                this.anchor.files = files.files;
                this.anchor.dispatchEvent(new Event("change", { bubbles: true }));
            },
        },
        { trigger: ".o_clearance_lift_files li:contains(agreement.txt)" },
        { trigger: ".o_clearance_lift_confirm", run: "click" },
    ];
}

/** At the desk of the college: who is found, and how the form stands. */
function findAtDesk(query, state) {
    return [
        { trigger: ".o_clearance_desk input[name=clearance_search]", run: `edit ${query}` },
        { trigger: `.o_clearance_desk_row:contains(${query})`, run: "click" },
        { trigger: `.o_clearance_person:contains(${query}) .o_clearance_state_${state}` },
    ];
}

function confirmAtDesk(name) {
    return [
        {
            content: `${name} is ready, so it is ticked`,
            trigger: `.o_clearance_desk_step:contains(${name}) input[type=checkbox]:checked`,
        },
        {
            trigger: ".o_clearance_desk_actions button[data-decision=approve]:enabled",
            run: "click",
        },
        { trigger: `.o_clearance_desk_step:contains(${name}) .o_clearance_state_approved` },
    ];
}

tours.add("clearance_deferral", {
    steps: () => [
        { content: "Nobody is shown at first", trigger: ".o_clearance_deferral_empty" },
        ...find("T26001", "Test Graduate 1"),
        {
            content: "The whole record beside it",
            trigger:
                ".o_clearance_deferral_right .o_clearance_record:contains(Graduation certificate)",
        },
        {
            content: "A settled step cannot be lifted, and says why",
            trigger: step(
                "Return books",
                ".o_clearance_deferral_restriction:contains(No restriction):contains(is settled)"
            ),
        },
        { trigger: step("Return books", ".o_clearance_deferral_lift:not(:enabled)") },
        {
            content: "What restricts says so, and whom it holds back",
            trigger: step(
                "Pay arrears",
                ".o_clearance_deferral_restriction:contains(Restriction on):contains(Degree certificate)"
            ),
        },
        ...lift(),
        {
            content: "Lifted, with the proof",
            trigger: step(
                "Pay arrears",
                ".o_clearance_deferral_restriction:contains(Restriction lifted):contains(Proof of):contains(15)"
            ),
        },
        { trigger: step("Pay arrears", "a:contains(agreement.txt)") },
        { trigger: ".o_clearance_deferral_right .o_clearance_state_lifted" },
        {
            content: "The list says so too, and can show these only",
            trigger:
                ".o_clearance_deferral_row:contains(T26001) .o_clearance_state_lifted:contains(1)",
        },
        ...find("T26", "Test Graduate 1"),
        { trigger: ".o_clearance_deferral_row:contains(T26003)" },
        { trigger: "input[name=clearance_lifted]", run: "click" },
        {
            trigger:
                ".o_clearance_deferral_results:has(.o_clearance_deferral_row:contains(T26001))" +
                ":not(:has(.o_clearance_deferral_row:contains(T26003)))",
        },
        { content: "The list of all", trigger: ".o_clearance_deferral_all", run: "click" },
        {
            trigger:
                ".o_data_row:contains(T26001):contains(Pay arrears):contains(Restriction lifted)",
        },
        {
            content: "Back to the same graduate",
            trigger: ".o_breadcrumb a, .o_back_button",
            run: "click",
        },
        { trigger: ".o_clearance_person:contains(Test Graduate 1)" },
        { trigger: step("Pay arrears", ".o_clearance_deferral_restore"), run: "click" },
        { trigger: "#o_clearance_restore_reason", run: "edit Agreement broken" },
        { trigger: ".o_clearance_restore_confirm", run: "click" },
        {
            content: "It restricts again, and the former deferral is kept",
            trigger: step(
                "Pay arrears",
                ".o_clearance_deferral_restriction:contains(Restriction on)"
            ),
        },
        { trigger: ".o_clearance_deferral_history:contains(Pay arrears):contains(Restored)" },
    ],
});

// From proof to diploma, in four parts; between them time passes.
tours.add("clearance_deferral_proof", {
    steps: () => [
        ...find("T26001", "Test Graduate 1"),
        ...lift(),
        {
            trigger: step(
                "Pay arrears",
                ".o_clearance_deferral_restriction:contains(Restriction lifted)"
            ),
        },
    ],
});

tours.add("clearance_deferral_diploma", {
    steps: () => [
        ...findAtDesk("T26001", "open"),
        { trigger: ".o_clearance_desk :contains(Deferred, does not block: Finance: Pay arrears)" },
        ...confirmAtDesk("Degree certificate"),
        ...confirmAtDesk("Graduation certificate"),
        {
            content: "Nothing is open but what is deferred",
            trigger:
                ".o_clearance_person .o_clearance_state_deferred:contains(Cleared with deferral)",
        },
    ],
});

tours.add("clearance_deferral_over", {
    steps: () => [
        ...find("T26001", "Test Graduate 1"),
        { trigger: ".o_clearance_person .o_clearance_state_open:contains(In progress)" },
        {
            trigger: step(
                "Pay arrears",
                ".o_clearance_deferral_restriction:contains(Restriction on)"
            ),
        },
        { trigger: ".o_clearance_deferral_history:contains(Pay arrears):contains(Ended)" },
    ],
});

tours.add("clearance_deferral_paid", {
    steps: () => [
        ...findAtDesk("T26001", "cleared"),
        { trigger: ".o_clearance_person .o_clearance_state_cleared:contains(Cleared)" },
    ],
});
