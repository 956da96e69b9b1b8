import { registry } from "@web/core/registry";

const DESK = ".o_data_row:contains(College of Mechanics Certificates)";

function choose(name, text) {
    return [
        { trigger: `.o_field_widget[name=${name}] input`, run: `edit ${text}` },
        {
            trigger: `.o-autocomplete--dropdown-item:not(:contains(Create)):contains(${text}) > a`,
            run: "click",
        },
    ];
}

registry.category("web_tour.tours").add("clearance_delegation", {
    steps: () => [
        {
            content: "The own desk, and no other",
            trigger: `.o_list_view ${DESK}`,
        },
        {
            trigger:
                ".o_list_view:not(:has(.o_data_row:contains(Library))):not(:has(.o_data_row:contains(Arts)))",
        },
        {
            content: "Open it",
            trigger: `${DESK} .o_list_record_open_form_view button`,
            run: "click",
        },
        {
            content: "What is the managers' cannot be edited, and nobody is there",
            trigger:
                ".o_form_view:has(.alert:contains(nobody is there)) .o_field_widget[name=name]:not(:has(input))",
        },
        ...choose("operator_ids", "t_newcomer"),
        {
            trigger: ".o_field_widget[name=opening_hours] input",
            run: "edit 9:00–11:30",
        },
        { trigger: ".o_notebook a[name=substitutes]", run: "click" },
        {
            trigger: ".o_field_widget[name=substitute_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        ...choose("user_id", "t_librarian"),
        {
            trigger: ".o_field_widget[name=date_until] :is(input, button)",
            run: "click",
        },
        {
            content: "Until today",
            trigger: ".o_date_item_cell.o_today",
            run: "click",
        },
        { trigger: ".o_form_button_save", run: "click" },
        {
            content: "Stands in from now on",
            trigger:
                ".o_form_view:not(:has(.alert:contains(nobody is there))) .o_clearance_icon_text[data-value=running]:contains(Running)",
        },
        {
            content: "The steps of the college",
            trigger: ".o_main_navbar button:contains(College), .o_menu_sections",
            run() {
                window.location = "/odoo/clearance-college-steps";
            },
            expectUnloadPage: true,
        },
        {
            trigger: ".o_view_nocontent:contains(have not added a step)",
        },
        { trigger: ".o_list_button_add", run: "click" },
        {
            content: "The only session and college are filled in",
            trigger:
                ".o_form_view:has(.o_field_widget[name=college_id] input:value(College of Mechanics)) .o_field_widget[name=name] textarea, .o_form_view .o_field_widget[name=name] input",
            run: "edit Return lab keys",
        },
        ...choose("station_id", "Mechanics"),
        { trigger: ".o_form_button_save", run: "click" },
        {
            content: "Nothing happens before the effect was looked at",
            trigger: ".alert:contains(Not in force yet) button[name=action_put_in_force]",
            run: "click",
        },
        {
            content: "Three graduates of Mechanics",
            trigger: ".modal .o_field_widget[name=applies_after]:contains(3)",
        },
        { trigger: ".modal button[name=action_apply]:enabled", run: "click" },
        {
            content: "In force",
            trigger:
                "body:not(:has(.modal)) .o_form_view:not(:has(.alert:contains(Not in force yet)))",
        },
    ],
});
