import { registry } from "@web/core/registry";

function row(graduate) {
    return `.o_clearance_matrix_row:contains(${graduate})`;
}

function cell(graduate, state) {
    return `${row(graduate)} .o_clearance_matrix_chosen .o_clearance_state_${state}`;
}

registry.category("web_tour.tours").add("clearance_matrix", {
    url: "/odoo/clearance-matrix",
    steps: () => [
        {
            content: "Everybody who is routed to the own station, and all stations",
            trigger:
                ".o_clearance_matrix:has(.o_clearance_matrix_row:contains(T26000)) .o_clearance_matrix_station:contains(Certificates)",
        },
        {
            content: "Steps of other stations cannot be chosen",
            trigger:
                ".o_clearance_matrix_step_head:contains(Return books):not(:has(button)), .o_clearance_matrix_toolbar select:not(:contains(Return books))",
        },
        { content: "One class", trigger: ".o_searchview_input", run: "edit A1" },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains(Class)",
            run: "click",
        },
        {
            trigger:
                ".o_clearance_matrix:not(:has(.o_clearance_matrix_row:contains(T26000))) .o_clearance_matrix_row:contains(T26003)",
        },
        {
            content: "Act on the student card",
            trigger: ".o_clearance_matrix_step_head:contains(Return student card) button",
            run: "click",
        },
        {
            content: "One of three is not ready",
            trigger: '.o_clearance_matrix_ready:contains("Ready (2)")',
        },
        {
            content: "From the first …",
            trigger: `${row("T26003")} .o_clearance_matrix_tick`,
            run: "click",
        },
        {
            content: "… to the last",
            trigger: `${row("T26005")} .o_clearance_matrix_tick`,
            run() {
                this.anchor.dispatchEvent(
                    new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true })
                );
            },
        },
        { trigger: ".o_clearance_matrix_ticked:contains(3 ticked)" },
        {
            trigger: ".o_clearance_matrix_decide button[name=approve]:enabled",
            run: "click",
        },
        {
            content: "Two confirmed, one refused with the station and step that is missing",
            trigger: ".o_clearance_matrix_summary:contains(2 confirmed):contains(1 refused)",
        },
        {
            trigger:
                ".o_clearance_matrix_refused li:contains(T26005):contains(Counselling: Exit talk)",
        },
        { trigger: cell("T26003", "approved") },
        { trigger: cell("T26004", "approved") },
        { trigger: cell("T26005", "pending") },
        {
            content: "The story of a cell",
            trigger: `${row("T26003")} .o_clearance_matrix_chosen`,
            run: "click",
        },
        {
            trigger:
                ".o_clearance_matrix_story:contains(Return student card):contains(t_affairs) .o_clearance_matrix_log:contains(Confirmed)",
        },
        { trigger: ".o_clearance_matrix_story", run: "press Escape" },
        { trigger: "body:not(:has(.o_clearance_matrix_story))" },
        {
            content: "Take it back",
            trigger: ".o_clearance_matrix_result button[name=undo]",
            run: "click",
        },
        { trigger: ".o_clearance_matrix_summary:contains(2 undone)" },
        { trigger: cell("T26003", "pending") },
        { trigger: cell("T26004", "pending") },
    ],
});
