import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

function openBatches() {
    return [
        ...stepUtils.goToAppSteps("graduate_clearance.clearance_menu"),
        { trigger: `[data-menu-xmlid="graduate_clearance.clearance_work_menu"]`, run: "click" },
        {
            trigger: `.o-dropdown--menu [data-menu-xmlid="graduate_clearance.clearance_batch_menu"]`,
            run: "click",
        },
        { trigger: ".o_breadcrumb:contains(Batches)" },
        { trigger: ".o_list_button_add", run: "click" },
    ];
}

function pick(fname, text) {
    return [
        { trigger: `.o_field_widget[name=${fname}] input`, run: `edit ${text}` },
        { trigger: `.o-autocomplete--dropdown-item:contains(${text})`, run: "click" },
    ];
}

function row(number) {
    return `.o_field_widget[name=line_ids] .o_data_row:contains(${number})`;
}

function chip(outcome, count, text) {
    return `.o_clearance_batch_counts button[data-outcome=${outcome}]:has(strong:contains(${count})):contains(${text})`;
}

tours.add("clearance_batch_class", {
    url: "/odoo",
    steps: () => [
        ...openBatches(),
        {
            content: "The only open session is chosen already",
            trigger: ".o_field_widget[name=session_id] input:value(2026 undergraduates)",
        },
        ...pick("step_id", "Return student card"),
        ...pick("class_ids", "A1"),
        {
            content: "One graduate is left out by number",
            trigger: ".o_field_widget[name=excluded_numbers] textarea",
            run: "edit T26003",
        },
        { trigger: "button[name=action_preview]:contains(Preview)", run: "click" },
        { content: "What would happen", trigger: chip("todo", 2, "Will be confirmed") },
        { trigger: chip("excluded", 1, "Left out") },
        { trigger: `${row("T26003")} .o_clearance_outcome_excluded` },
        { trigger: `${row("T26004")} .o_clearance_outcome_todo:contains(Will be confirmed)` },
        {
            content: "Another one is left out by its tick",
            trigger: `${row("T26005")} .o_clearance_batch_tick input:checked`,
            run: "click",
        },
        { trigger: chip("todo", 1, "Will be confirmed") },
        { trigger: `${row("T26005")} .o_clearance_outcome_excluded` },
        {
            content: "and taken in again",
            trigger: `${row("T26005")} .o_clearance_batch_tick input:not(:checked)`,
            run: "click",
        },
        { trigger: chip("todo", 2, "Will be confirmed") },
        {
            content: "The button says how many",
            trigger: ".o_statusbar_buttons button[name=action_run]:contains(Confirm):contains(2)",
            run: "click",
        },
        { trigger: ".o_notification:contains(2 done, 1 left out)" },
        { trigger: chip("done", 2, "Confirmed") },
        { trigger: ".o_arrow_button_current:contains(Done)" },
        { content: "Look at the rows", trigger: chip("done", 2, "Confirmed"), run: "click" },
        { trigger: ".o_facet_value:contains(Done)" },
        {
            trigger: ".o_list_view .o_data_row:contains(T26004) .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_control_panel button[name=action_undo]", run: "click" },
        {
            content: "Undo asks first",
            trigger: ".modal .modal-body:contains(Undo this decision?)",
        },
        { trigger: ".modal .modal-footer button.btn-primary:contains(Undo 1)", run: "click" },
        { trigger: ".o_notification:contains(1 undone)" },
        {
            content: "It is gone from the list of what is done",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(T26004)))",
        },
        { trigger: ".breadcrumb .o_back_button a", run: "click" },
        { trigger: chip("undone", 1, "Undone") },
        { trigger: ".o_arrow_button_current:contains(Partly undone)" },
        { trigger: ".o_statusbar_buttons button[name=action_undo]", run: "click" },
        {
            trigger: ".modal input#clearance_batch_reason",
            run: "edit the cards belong to another class",
        },
        { trigger: ".modal .modal-footer button.btn-primary:contains(Undo 1)", run: "click" },
        { trigger: chip("undone", 2, "Undone") },
        { trigger: ".o_arrow_button_current:contains(Undone)" },
    ],
});

tours.add("clearance_batch_room", {
    url: "/odoo",
    steps: () => [
        ...openBatches(),
        {
            content: "A desk with one step need not choose it",
            trigger: ".o_field_widget[name=step_id] input:value(Clear electricity)",
        },
        ...pick("room_ids", "North"),
        { trigger: "button[name=action_preview]", run: "click" },
        { trigger: chip("todo", 2, "Will be confirmed") },
        { trigger: chip("already", 1, "Already so") },
        { trigger: `${row("T26003")} .o_clearance_outcome_already` },
        {
            content: "The criteria can be changed",
            trigger: ".o_statusbar_buttons button[name=action_edit]",
            run: "click",
        },
        { trigger: ".o_field_widget[name=room_ids] .o_tag:contains(North)" },
        { trigger: "button[name=action_preview]", run: "click" },
        {
            trigger: ".o_statusbar_buttons button[name=action_run]:contains(Confirm):contains(2)",
            run: "click",
        },
        { trigger: ".o_notification:contains(2 done, 1 already so)" },
        { trigger: chip("done", 2, "Confirmed") },
    ],
});
