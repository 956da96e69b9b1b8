import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

function card(graduate, step) {
    return `.o_kanban_record:contains(${graduate}):contains(${step})`;
}

function column(name) {
    return `.o_kanban_group:has(.o_kanban_header:contains(${name}))`;
}

function openApp() {
    return stepUtils.goToAppSteps("graduate_clearance.clearance_menu");
}

function openMenu(section, entry) {
    const steps = [{ trigger: `[data-menu-xmlid="graduate_clearance.${section}"]`, run: "click" }];
    if (entry) {
        steps.push({
            trigger: `.o-dropdown--menu [data-menu-xmlid="graduate_clearance.${entry}"]`,
            run: "click",
        });
    }
    return steps;
}

tours.add("clearance_operator", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("clearance_work_menu", "clearance_status_menu"),
        {
            content: "The columns follow the process",
            trigger: `${column("Not done")} + ${column("Rejected")} + ${column("Approved")}`,
        },
        {
            content: "Only steps of the own station, and none that is not required",
            trigger:
                ".o_kanban_renderer:has(.o_kanban_record:contains(Return student card))" +
                ":not(:has(.o_kanban_record:contains(Return books)))" +
                ":not(:has(.o_clearance_state_not_required))",
        },
        {
            content: "Confirm on the card",
            trigger: `${column("Not done")} ${card("T26000", "Return student card")} button[name=action_approve]`,
            run: "click",
        },
        {
            trigger: `${column("Approved")} ${card("T26000", "Return student card")} .o_clearance_state_approved:contains(Approved)`,
        },
        { trigger: ".o_notification:contains(1 done)" },
        {
            content: "Reject, with a reason",
            trigger: `${column("Not done")} ${card("T26001", "Return student card")} button[name=action_reject]`,
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=reason_id] input", run: "click" },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Items are missing or damaged)",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name=reason] input:value(Items are missing or damaged)",
        },
        { trigger: ".modal button[name=action_decide]", run: "click" },
        {
            trigger: `${column("Rejected")} ${card("T26001", "Return student card")}:contains(Items are missing or damaged)`,
        },
        { content: "In bulk from the list", trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_list_view thead .o_list_record_selector input", run: "click" },
        {
            trigger: ".o_list_view .o_control_panel button[name=action_approve]",
            run: "click",
        },
        { trigger: ".o_notification:contains(6 done, 1 already so)" },
        {
            trigger:
                ".o_list_view:not(:has(.o_clearance_state_pending)):has(.o_clearance_state_approved)",
        },
    ],
});

tours.add("clearance_prerequisite", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("clearance_work_menu", "clearance_status_menu"),
        {
            content: "The card says what is missing before anybody tries",
            trigger: `${card("T26000", "Degree certificate")}:contains(Waits for):contains(Library: Return books)`,
        },
        {
            content: "Graduates of other colleges are not here",
            trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains(T26003)))",
        },
        {
            trigger: `${card("T26000", "Degree certificate")} button[name=action_approve]`,
            run: "click",
        },
        {
            content: "The refusal names station and step",
            trigger:
                ".modal .modal-body:contains(These steps are not settled yet):contains(Library: Return books)" +
                ":contains(Student Affairs: Return student card)",
        },
        { trigger: ".modal .modal-footer button", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "The graduate's whole record, in colour",
            trigger: card("T26000", "Degree certificate"),
            run: "click",
        },
        { trigger: ".o_form_view .o_field_widget[name=form_id] a", run: "click" },
        {
            trigger:
                ".o_clearance_record:contains(Library):contains(Return books) .o_clearance_state_pending:contains(Not done)",
        },
        {
            content: "Another station's step cannot be opened",
            trigger: ".o_clearance_record_step:contains(Return books) button",
            run: "click",
        },
        { trigger: ".o_notification:contains(belongs to another station)" },
    ],
});

tours.add("clearance_manager", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("clearance_station_menu"),
        { trigger: ".o_breadcrumb:contains(Stations)" },
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Sports Centre" },
        { trigger: ".o_field_widget[name=operator_ids] input", run: "edit t_affairs" },
        { trigger: ".o-autocomplete--dropdown-item:contains(t_affairs)", run: "click" },
        { trigger: ".o_field_widget[name=operator_ids] .o_tag:contains(t_affairs)" },
        ...stepUtils.saveForm(),
        ...openMenu("clearance_session_menu"),
        { trigger: ".o_breadcrumb:contains(Sessions)" },
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Sports session" },
        {
            trigger: ".o_field_widget[name=open_from] input[data-field=open_from]",
            run: "edit 06/22/2026 08:00:00 && press Tab",
        },
        {
            trigger: ".o_field_widget[name=open_from] input[data-field=open_until]",
            run: "edit 06/22/2046 17:00:00 && press Tab",
        },
        { trigger: ".o_field_widget[name=step_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row .o_field_widget[name=name] input", run: "edit Return racket" },
        { trigger: ".o_selected_row .o_field_widget[name=station_id] input", run: "edit Sports" },
        { trigger: ".o-autocomplete--dropdown-item:contains(Sports Centre)", run: "click" },
        {
            content: "A new step is required unless somebody says otherwise",
            trigger: ".o_selected_row .o_clearance_required:contains(Required)",
        },
        ...stepUtils.saveForm(),
        {
            content: "See what opening will do",
            trigger: ".o_statusbar_buttons button[name=action_open_wizard]",
            run: "click",
        },
        {
            trigger:
                ".modal:contains(Every step applies to somebody) .o_field_widget[name=latecomer_count]:contains(6)",
        },
        {
            trigger:
                ".modal .o_data_row:contains(Sports Centre):contains(Return racket) td[name=applies]:contains(6)",
        },
        { trigger: ".modal button[name=action_open]:contains(Open Session)", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Open)",
        },
        {
            content: "Progress",
            trigger: ".o-form-buttonbox button[name=action_open_forms]:contains(6)",
        },
        {
            trigger:
                ".o_field_widget[name=step_ids] .o_data_row:contains(Return racket):contains(0 %)",
        },
        { trigger: ".o-form-buttonbox button[name=action_open_forms]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains(T26000) .o_clearance_state_open" },
    ],
});
