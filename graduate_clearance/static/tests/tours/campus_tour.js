import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/**
 * An administrator builds the clearance of Nanjing City Vocational College from nothing: traits,
 * source systems, offices, the session with its steps, the order in which they are settled.  What
 * is typed here is what the shipped template says; the test compares the two.
 */

const { DateTime } = luxon;

const YEAR = DateTime.now().year + 1;
const SESSION = `${YEAR} graduates`;

const STAGES = [
    "Step 1: fees, card and books",
    "Step 2: check-out of the dormitory",
    "Step 3: memberships, files, household",
    "Step 4: college check",
];

const TRAITS = [
    { code: "league_member", name: "Youth League member" },
    { code: "party_member", name: "Party member" },
    { code: "household", name: "Household registration at the school" },
    { code: "off_campus", name: "Lives off campus" },
    { code: "further_study", name: "Goes on to a bachelor's degree" },
];

const FEEDS = [
    { name: "Fee and card system" },
    { name: "Library system", unit: "books" },
    { name: "Dormitory system" },
];

/** Nobody is named at the last one yet: the checklist tells. */
const STATIONS = [
    { code: "finance", name: "Finance Office", who: "t_cashier", phone: "0000-2201" },
    { code: "library", name: "Library", who: "t_librarian", phone: "0000-2203" },
    { code: "counsellor", name: "Counsellor" },
    {
        code: "college_office",
        name: "College",
        desks: [
            {
                name: "College of Mechanics: secretary",
                college: "College of Mechanics",
                who: "t_mech_clerk",
            },
            {
                name: "College of Arts: secretary",
                college: "College of Arts",
                who: "t_arts_clerk",
            },
        ],
    },
    { code: "dormitory", name: "Dormitory", who: "t_keeper" },
    { code: "league", name: "Youth League Committee", who: "t_league", phone: "0000-2202" },
    {
        code: "employment",
        name: "Admission and Employment Office",
        who: "t_careers",
        phone: "0000-2204",
    },
    {
        code: "organisation",
        name: "Organisation and Personnel Office",
        who: "t_personnel",
        phone: "0000-2206",
    },
    { code: "security", name: "Logistics and Security Office", phone: "0000-2207" },
];

/** What the three steps of the check-out have in common. */
const CHECK_OUT = {
    stage: 1,
    deadline: `06/22/${YEAR} 17:00:00`,
    responsible: "Student Affairs Office",
    applies: { not: true, trait: "Lives off campus", count: 4 },
    contact: "Ms Qin",
    phone: "0000-2205",
};

const FEES = "Tuition, accommodation and campus card";
const CARD_REFUND = "Refund of the card balance";
const BOOKS = "Return library books";
const COUNSELLOR = "Check-out: apply, counsellor reviews";
const SECRETARY = "Check-out: college secretary reviews";
const KEEPER = "Check-out: dorm keeper on site";
const LEAGUE = "Transfer of League membership";
const FILES = "Dispatch of the personal file";
const FILES_CARRIED = "Take the sealed file along";
const PARTY = "Transfer of Party membership";
const HOUSEHOLD_STAY = "Apply to leave the household registration for two years";
const HOUSEHOLD = "Transfer of the household registration";
const COLLEGE_CHECK = "College check";

const STEPS = [
    {
        code: "fees",
        name: FEES,
        stage: 0,
        station: "Finance Office",
        mode: "Source system",
        feed: "Fee and card system",
        deadline: `06/15/${YEAR} 23:59:00`,
    },
    {
        code: "card_refund",
        name: CARD_REFUND,
        stage: 0,
        station: "Finance Office",
        optional: true,
        deadline: `07/02/${YEAR} 17:00:00`,
        instructions: "Only if money is left on your campus card.",
        asks: [
            { name: "Account holder" },
            { name: "Bank and branch" },
            { name: "Bank account", help: "Debit cards only." },
            { name: "I have checked the number.", kind: "Tick" },
        ],
    },
    {
        code: "library",
        name: BOOKS,
        stage: 0,
        station: "Library",
        mode: "Source system",
        feed: "Library system",
        deadline: `07/02/${YEAR} 17:00:00`,
        responsible: "Quality and Research Office (Library)",
    },
    {
        ...CHECK_OUT,
        code: "checkout_counsellor",
        name: COUNSELLOR,
        station: "Counsellor",
        mode: "Counsellor",
        asks: [
            { name: "Day of leaving", kind: "Date" },
            { name: "My belongings are out of the room.", kind: "Tick" },
            { name: "Remarks", kind: "Text", optional: true },
        ],
    },
    {
        ...CHECK_OUT,
        code: "checkout_college",
        name: SECRETARY,
        station: "College",
        continues: COUNSELLOR,
    },
    {
        ...CHECK_OUT,
        code: "checkout_keeper",
        name: KEEPER,
        station: "Dormitory",
        feed: "Dormitory system",
        continues: COUNSELLOR,
    },
    {
        code: "league",
        name: LEAGUE,
        stage: 2,
        station: "Youth League Committee",
        deadline: `06/22/${YEAR} 17:00:00`,
        applies: { trait: "Youth League member", count: 2 },
    },
    {
        code: "files",
        name: FILES,
        stage: 2,
        station: "Admission and Employment Office",
        unannounced: true,
        responsible: "Admission and Employment Office, with the colleges",
        applies: { not: true, trait: "Goes on to a bachelor's degree", count: 4 },
        asks: [
            { name: "Who takes the file in" },
            { name: "Address and phone of that office", kind: "Text" },
        ],
    },
    {
        code: "files_carried",
        name: FILES_CARRIED,
        stage: 2,
        station: "Admission and Employment Office",
        unannounced: true,
        responsible: "Admission and Employment Office, with the colleges",
        applies: { trait: "Goes on to a bachelor's degree", count: 1 },
        handout: "Personal file, sealed",
    },
    {
        code: "party",
        name: PARTY,
        stage: 2,
        station: "Organisation and Personnel Office",
        unannounced: true,
        applies: { trait: "Party member", count: 1 },
    },
    {
        code: "household_stay",
        name: HOUSEHOLD_STAY,
        stage: 2,
        station: "Logistics and Security Office",
        optional: true,
        applies: { trait: "Household registration at the school", count: 2 },
        asks: [
            { name: "Why it cannot be moved now", kind: "Text" },
            { name: "Signed pledge", kind: "Files", most: 2 },
        ],
    },
    {
        code: "household",
        name: HOUSEHOLD,
        stage: 2,
        station: "Logistics and Security Office",
        months: 24,
        applies: { trait: "Household registration at the school", count: 2 },
    },
    { code: "college_check", name: COLLEGE_CHECK, stage: 3, station: "College" },
];

const DUTIES = [
    {
        name: "List who owes fees and have them paid",
        station: "Finance Office",
        deadline: `06/15/${YEAR} 17:00:00`,
    },
    {
        name: "Transfer the League memberships",
        station: "Youth League Committee",
        deadline: `06/22/${YEAR} 17:00:00`,
    },
    {
        name: "List who owes books and have them returned",
        station: "Library",
        deadline: `07/02/${YEAR} 17:00:00`,
    },
    { name: "Dispatch the personal files", station: "Admission and Employment Office" },
    {
        name: "Check graduates out of the dormitories",
        station: "Dormitory",
        deadline: `06/22/${YEAR} 17:00:00`,
    },
    { name: "Transfer the Party memberships", station: "Organisation and Personnel Office" },
    {
        name: "Transfer the household registrations",
        station: "Logistics and Security Office",
        deadline: `07/08/${YEAR} 17:00:00`,
    },
];

// -- what hands do ---------------------------------------------------------------------------

function openMenu(section, entry) {
    const menu = (xmlid) => `[data-menu-xmlid="graduate_clearance.${xmlid}"]`;
    const steps = [{ trigger: menu(section), run: "click" }];
    if (entry) {
        steps.push({ trigger: `.o-dropdown--menu ${menu(entry)}`, run: "click" });
    }
    return steps;
}

/** Text with parentheses or a comma is no part of a selector or of a command. */
function type(trigger, text) {
    return { trigger, run: (helpers) => helpers.edit(text) };
}

function fill(scope, name, text) {
    return text === undefined
        ? []
        : [type(`${scope} .o_field_widget[name=${name}] :is(input, textarea)`, String(text))];
}

/** A moment, which its picker takes over when the field is left. */
function fillMoment(scope, name, text) {
    return text === undefined
        ? []
        : [
              {
                  trigger: `${scope} .o_field_widget[name=${name}] input`,
                  run: `edit ${text} && press Tab`,
              },
          ];
}

/** Choose a record by typing its name. */
function choose(scope, name, text, { isTag = false } = {}) {
    if (text === undefined) {
        return [];
    }
    const widget = `${scope} .o_field_widget[name=${name}]`;
    return [
        type(`${widget} input`, text),
        { trigger: `.o-autocomplete--dropdown-item > a:text("${text}")`, run: "click" },
        {
            trigger: isTag
                ? `${widget} .o_tag:contains("${text}")`
                : `${widget} input:value("${text}")`,
        },
    ];
}

function chooseUser(scope, name, login) {
    return login === undefined
        ? []
        : [
              type(`${scope} .o_field_widget[name=${name}] input`, login),
              { trigger: `.o-autocomplete--dropdown-item:contains("${login}") > a`, run: "click" },
              { trigger: `${scope} .o_field_widget[name=${name}] .o_tag:contains("${login}")` },
          ];
}

function select(scope, name, label) {
    return label === undefined
        ? []
        : [
              {
                  trigger: `${scope} .o_field_widget[name=${name}] input.o_select_menu_toggler`,
                  run: "click",
              },
              { trigger: `.o_select_menu_item:text("${label}")`, run: "click" },
              {
                  trigger: `${scope} .o_field_widget[name=${name}] input.o_select_menu_toggler:value("${label}")`,
              },
          ];
}

function makeOptional(scope, isOptional) {
    return isOptional
        ? [
              { trigger: `${scope} button.o_clearance_required:contains(Required)`, run: "click" },
              { trigger: `${scope} button.o_clearance_required:contains(Optional)` },
          ]
        : [];
}

function openTab(scope, name) {
    return [
        { trigger: `${scope} .o_notebook a[name=${name}]`, run: "click" },
        { trigger: `${scope} .o_notebook a[name=${name}].active` },
    ];
}

/** A new line, in the list or in a dialog: an empty one, not the one before. */
function addLine(name, scope = ".o_selected_row") {
    return [
        {
            trigger: `.o_field_widget[name=${name}] .o_field_x2many_list_row_add a`,
            run: "click",
        },
        { trigger: `${scope} .o_field_widget[name=name] input:empty` },
    ];
}

function goBack() {
    return { trigger: ".o_back_button", run: "click" };
}

// -- the campus ------------------------------------------------------------------------------

function makeTraits() {
    return [
        ...openMenu("clearance_configuration_menu", "clearance_trait_menu"),
        { trigger: ".o_breadcrumb:contains(Traits)" },
        ...TRAITS.flatMap(({ code, name }) => [
            { trigger: ".o_list_button_add", run: "click" },
            ...fill(".o_selected_row", "name", name),
            ...fill(".o_selected_row", "code", code),
            { trigger: ".o_list_button_save", run: "click" },
            { trigger: `.o_data_row:contains("${code}"):not(.o_selected_row)` },
        ]),
    ];
}

/** To whole classes, or to those on a list. */
function giveTraits(traits, { className, numbers = [], count }) {
    return [
        ...openMenu("clearance_graduates_menu", "clearance_trait_assign_menu"),
        ...traits.flatMap((name) => choose(".modal", "trait_ids", name, { isTag: true })),
        ...choose(".modal", "class_ids", className, { isTag: true }),
        ...(className
            ? []
            : [
                  {
                      trigger:
                          ".modal .o_field_widget[name=whom] .o_radio_item:contains(A list) input",
                      run: "click",
                  },
                  ...fill(".modal", "numbers", numbers.join("\n")),
              ]),
        { trigger: ".modal button[name=action_check]", run: "click" },
        { trigger: `.modal .o_field_widget[name=gain_count]:contains("${count}")` },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

function makeFeeds() {
    return [
        ...openMenu("clearance_configuration_menu", "clearance_feed_menu"),
        { trigger: ".o_breadcrumb:contains(Source Systems)" },
        { trigger: ".o_list_button_add", run: "click" },
        ...FEEDS.flatMap(({ name, unit }, index) => [
            ...(index ? [{ trigger: ".o_form_button_create", run: "click" }] : []),
            { trigger: ".o_form_view .o_breadcrumb:contains(New)" },
            ...fill(".o_form_view", "name", name),
            ...fill(".o_form_view", "unit", unit),
            ...fill(".o_form_view", "silent_after", 6),
            ...stepUtils.saveForm(),
        ]),
    ];
}

function makeStations() {
    return [
        ...openMenu("clearance_station_menu"),
        { trigger: ".o_breadcrumb:contains(Stations)" },
        {
            content: "There is nothing here yet, and the page says what to do",
            trigger: ".o_view_nocontent:contains(Name its operators)",
        },
        { trigger: ".o-kanban-button-new", run: "click" },
        ...STATIONS.flatMap((station, index) => [
            ...(index ? [{ trigger: ".o_form_button_create", run: "click" }] : []),
            { trigger: ".o_form_view .o_breadcrumb:contains(New)" },
            ...fill(".o_form_view", "name", station.name),
            ...fill(".o_form_view", "code", station.code),
            ...chooseUser(".o_form_view", "operator_ids", station.who),
            ...(station.phone
                ? [
                      ...openTab(".o_form_view", "info"),
                      ...fill(".o_form_view", "phone", station.phone),
                  ]
                : []),
            ...makeDesksBelow(station.desks || []),
            ...stepUtils.saveForm(),
        ]),
    ];
}

/** One for each college at once; then who works there, and what it is called. */
function makeDesksBelow(desks) {
    if (!desks.length) {
        return [];
    }
    return [
        ...openTab(".o_form_view", "desks"),
        {
            trigger: ".o_form_view button[name=action_make_college_desks]",
            run: "click",
        },
        ...desks.flatMap((desk) => [
            {
                trigger: `.o_data_row td[name=name]:contains("${desk.college}: College")`,
                run: "click",
            },
            {
                trigger: `.modal .o_field_widget[name=name] input:value("${desk.college}: College")`,
            },
            ...fill(".modal", "name", desk.name),
            ...chooseUser(".modal", "operator_ids", desk.who),
            { trigger: ".modal .o_form_button_save", run: "click" },
            { trigger: `body:not(:has(.modal)) .o_data_row:contains("${desk.name}")` },
        ]),
    ];
}

// -- the session -----------------------------------------------------------------------------

function makeSession() {
    return [
        ...openMenu("clearance_session_menu"),
        { trigger: ".o_breadcrumb:contains(Sessions)" },
        { trigger: ".o-kanban-button-new", run: "click" },
        ...fill(".o_form_view", "name", SESSION),
        ...fill(".o_form_view", "year", YEAR),
        {
            trigger: ".o_field_widget[name=open_from] input[data-field=open_from]",
            run: `edit 06/09/${YEAR} 08:00:00 && press Tab`,
        },
        {
            trigger: ".o_field_widget[name=open_from] input[data-field=open_until]",
            run: `edit 07/08/${YEAR} 17:00:00 && press Tab`,
        },
        ...openTab(".o_form_view", "population"),
        {
            content: "Everybody, as long as nothing is said",
            trigger: ".o_clearance_applies_to_count:contains(6 of 6 graduates of this campus)",
        },
        { trigger: ".o_clearance_applies_to a:contains(New Rule)", run: "click" },
        { trigger: ".o_clearance_applies_to .o_model_field_selector", run: "click" },
        {
            trigger:
                ".o_model_field_selector_popover_item[data-name=graduation_year] .o_model_field_selector_popover_item_name",
            run: "click",
        },
        {
            trigger: ".o_clearance_applies_to .o_tree_editor_condition input",
            run: `edit ${YEAR} && press Tab`,
        },
        {
            content: "One is of an earlier year",
            trigger: ".o_clearance_applies_to_count:contains(5 of 6 graduates of this campus)",
        },
        ...openTab(".o_form_view", "steps"),
        ...STEPS.flatMap((step) => [
            ...addLine("step_ids"),
            ...fill(".o_selected_row", "stage", STAGES[step.stage]),
            ...fill(".o_selected_row", "name", step.name),
            ...choose(".o_selected_row", "station_id", step.station),
            ...select(".o_selected_row", "mode", step.mode),
            ...makeOptional(".o_selected_row", step.optional),
        ]),
        ...openTab(".o_form_view", "duties"),
        ...DUTIES.flatMap((duty) => [
            ...addLine("duty_ids"),
            ...fill(".o_selected_row", "name", duty.name),
            ...choose(".o_selected_row", "station_id", duty.station),
            { trigger: ".o_selected_row .o_field_widget[name=with_colleges] input", run: "click" },
            ...fillMoment(".o_selected_row", "deadline", duty.deadline),
        ]),
        ...openTab(".o_form_view", "steps"),
        ...stepUtils.saveForm(),
    ];
}

/** From one step to the next by the pager of the form. */
function detailSteps() {
    return [
        {
            trigger: `.o_data_row:contains("${FEES}") .o_list_record_open_form_view button`,
            run: "click",
        },
        ...STEPS.flatMap((step, index) => [
            ...(index ? [{ trigger: ".o_pager_next", run: "click" }] : []),
            {
                content: step.name,
                trigger: `.o_form_view .oe_title .o_field_widget[name=name] input:value("${step.name}")`,
            },
            ...detailStep(step),
        ]),
        ...stepUtils.saveForm(),
        goBack(),
        { trigger: ".o_form_view button[name=action_open_map]" },
    ];
}

function detailStep(step) {
    const form = ".o_form_view";
    return [
        ...fill(form, "code", step.code),
        ...fill(form, "responsible", step.responsible),
        ...choose(form, "feed_id", step.feed),
        ...choose(form, "continues_id", step.continues),
        ...fillMoment(form, "deadline", step.deadline),
        ...(step.unannounced
            ? [{ trigger: `${form} .o_field_widget[name=to_be_announced] input`, run: "check" }]
            : []),
        ...fill(form, "deferral_months", step.months),
        ...askFor(step.asks || []),
        ...limitTo(step.applies),
        ...tellGraduates(step),
    ];
}

function askFor(questions) {
    if (!questions.length) {
        return [];
    }
    return [
        ...openTab(".o_form_view", "requirements"),
        ...addLine("requirement_ids", ".modal"),
        ...questions.flatMap((question, index) => [
            { trigger: ".modal .o_field_widget[name=name] input:empty" },
            ...fill(".modal", "name", question.name),
            ...select(".modal", "kind", question.kind),
            ...fill(".modal", "help", question.help),
            ...fill(".modal", "file_max_count", question.most),
            ...makeOptional(".modal", question.optional),
            index < questions.length - 1
                ? { trigger: ".modal .o_form_button_save_new", run: "click" }
                : { trigger: ".modal .o_form_button_save", run: "click" },
        ]),
        { trigger: `body:not(:has(.modal)) .o_data_row:contains("${questions.at(-1).name}")` },
    ];
}

/** By Odoo's domain builder, with the number of graduates it catches shown at once. */
function limitTo(applies) {
    if (!applies) {
        return [];
    }
    const { not, trait, count } = applies;
    const builder = ".o_clearance_applies_to";
    return [
        ...openTab(".o_form_view", "scope"),
        { trigger: `${builder}_count:contains(5 of 5 graduates of this session)` },
        { trigger: `${builder} a:contains(New Rule)`, run: "click" },
        ...(not
            ? [
                  {
                      trigger: `${builder} .o_tree_editor_condition select`,
                      run: "selectByLabel is not equal to",
                  },
              ]
            : []),
        type(`${builder} .o_multi_record_selector input`, trait),
        { trigger: `.o-autocomplete--dropdown-item > a:text("${trait}")`, run: "click" },
        { trigger: `${builder} .o_tag:contains("${trait}")` },
        { trigger: `${builder}_words:contains("${trait}")` },
        { trigger: `${builder}_count:contains(${count} of 5 graduates of this session)` },
    ];
}

function tellGraduates({ contact, phone, handout, instructions }) {
    if (!(contact || phone || handout || instructions)) {
        return [];
    }
    return [
        ...openTab(".o_form_view", "info"),
        ...fill(".o_form_view", "contact", contact),
        ...fill(".o_form_view", "phone", phone),
        ...fill(".o_form_view", "handout", handout),
        ...fill(".o_form_view", "instructions", instructions),
    ];
}

// -- the process map -------------------------------------------------------------------------

const MAP = ".o_clearance_map";

function selectCard(name) {
    return [
        {
            trigger: `${MAP}_card:not(${MAP}_selected):has(${MAP}_text:text("${name}"))`,
            run: "click",
        },
        { trigger: `${MAP}_panel h2:text("${name}")` },
    ];
}

function waitsFor(name) {
    return `${MAP}_waits li div .btn-link:text("${name}")`;
}

/** Let the chosen step wait for another, in the panel. */
function pick(name) {
    return [
        {
            trigger: `${MAP}_add select`,
            run(helpers) {
                const options = [...this.anchor.options];
                const option = options.find(({ text }) => text.includes(`: ${name}`));
                return helpers.select(option.value);
            },
        },
        { trigger: `${MAP}_add button[type=submit]:enabled`, run: "click" },
    ];
}

function letWait(name, others) {
    return [
        ...selectCard(name),
        ...others.flatMap((other) => [...pick(other), { trigger: waitsFor(other) }]),
    ];
}

function drawMap() {
    return [
        { trigger: "button[name=action_open_map]", run: "click" },
        { trigger: `${MAP}_state:contains(changes are written at once)` },
        {
            content: "What a step goes on with comes before it already",
            trigger: `${MAP}_board`,
        },
        ...selectCard(SECRETARY),
        { trigger: waitsFor(COUNSELLOR) },
        ...letWait(KEEPER, [SECRETARY]),
        {
            content: "By way of the secretary, that is",
            trigger: `${MAP}_waits button[aria-label="Remove ${COUNSELLOR}"]`,
            run: "click",
        },
        { trigger: `${MAP}_waits li:contains("${SECRETARY}"):not(:contains("${COUNSELLOR}"))` },
        ...letWait(COLLEGE_CHECK, [
            FEES,
            BOOKS,
            COUNSELLOR,
            SECRETARY,
            KEEPER,
            LEAGUE,
            FILES,
            FILES_CARRIED,
            PARTY,
            HOUSEHOLD,
        ]),
        {
            content: "A circle is refused, with its path",
            trigger: "body",
        },
        ...selectCard(COUNSELLOR),
        ...pick(KEEPER),
        {
            trigger: `${MAP}_circle:contains("${COUNSELLOR} → ${KEEPER} → ${SECRETARY} → ${COUNSELLOR}")`,
        },
        { trigger: `${MAP}_circle .btn-close`, run: "click" },
        {
            content: "Nothing was added, and it blocks what it should",
            trigger:
                `${MAP}_panel:has(${MAP}_waits:contains("Nothing: it can be done at once")) ` +
                `${MAP}_blocks li button:text("${SECRETARY}")`,
        },
        goBack(),
        { trigger: ".o_form_view button[name=action_open_simulation]" },
    ];
}

// -- the checklist ---------------------------------------------------------------------------

function finding(key, level) {
    return `.o_clearance_finding[data-key=${key}][data-level=${level}]`;
}

/** What is wrong is mended where the checklist leads, and turns green. */
function check() {
    const again = ".o_clearance_simulation_recheck:enabled";
    return [
        { trigger: "button[name=action_open_simulation]", run: "click" },
        {
            content: "What has been built holds together",
            trigger: finding("steps", "ok"),
        },
        ...["graduates", "filters", "cycle", "applies", "desk", "lead", "feed", "window"].map(
            (key) => ({ trigger: finding(key, "ok") })
        ),
        { trigger: `${finding("announced", "info")}:contains("${PARTY}")` },
        {
            content: "Nobody works at the last office",
            trigger: `${finding("operator", "error")}:contains("${HOUSEHOLD}: nobody can confirm it for 2 graduates")`,
        },
        { trigger: `${finding("operator", "error")} button`, run: "click" },
        {
            trigger:
                ".o_form_view .oe_title .o_field_widget[name=name] input:value(Logistics and Security Office)",
        },
        ...chooseUser(".o_form_view", "operator_ids", "t_security"),
        ...stepUtils.saveForm(),
        goBack(),
        { trigger: finding("operator", "ok") },
        {
            content: "A class has no counsellor",
            trigger: `${finding("counsellor", "error")} button`,
            run: "click",
        },
        { trigger: ".o_form_view .oe_title .o_field_widget[name=name] input:value(A1)" },
        type(".o_form_view .o_field_widget[name=counsellor_id] input", "t_counsellor"),
        { trigger: ".o-autocomplete--dropdown-item:contains(t_counsellor) > a", run: "click" },
        { trigger: ".o_field_widget[name=counsellor_id] input:value(t_counsellor)" },
        ...stepUtils.saveForm(),
        goBack(),
        { trigger: finding("counsellor", "ok") },
        { trigger: again, run: "click" },
        {
            content: "Nothing is left to mend",
            trigger: `.o_clearance_simulation_headline:contains(in order):not(:contains(to mend))`,
        },
    ];
}

function simulate() {
    const wave = (number, name) => ({
        trigger: `.o_clearance_simulation_waves li[data-wave="${number}"] strong:text("${name}")`,
    });
    return [
        {
            trigger: ".o_clearance_simulation_tabs button[data-tab=graduate]",
            run: "click",
        },
        { trigger: "input[name=clearance_graduate]", run: "edit T26001" },
        { trigger: ".o_clearance_simulation_results li:contains(T26001)", run: "click" },
        { trigger: ".o_clearance_simulation_who:contains(Test Graduate 1)" },
        ...[FEES, BOOKS, COUNSELLOR, LEAGUE, FILES, PARTY, HOUSEHOLD].map((name) => wave(1, name)),
        wave(2, SECRETARY),
        wave(3, KEEPER),
        wave(4, COLLEGE_CHECK),
        {
            content: "The own college's secretary",
            trigger: `li[data-wave="2"] li:contains("College of Mechanics: secretary"):contains(t_mech_clerk)`,
        },
        {
            content: "What does not apply is not there",
            trigger: `.o_clearance_simulation_waves:not(:has(strong:text("${FILES_CARRIED}")))`,
        },
        goBackToSession(),
        { trigger: ".o_form_view button[name=action_open_wizard]" },
    ];
}

function goBackToSession() {
    return {
        trigger: ".o_clearance_simulation_top button:contains(Session)",
        run: "click",
    };
}

function open() {
    return [
        {
            trigger: ".o_statusbar_buttons button[name=action_open_wizard]",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=latecomer_count]:contains(5)" },
        {
            trigger: `.modal .o_data_row:contains("${HOUSEHOLD}") td[name=applies]:contains(2)`,
        },
        { trigger: ".modal button[name=action_open]:contains(Open Session)", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Open)",
        },
        { trigger: ".o-form-buttonbox button[name=action_open_forms]:contains(5)" },
    ];
}

registry.category("web_tour.tours").add("clearance_campus", {
    steps: () => [
        ...makeTraits(),
        ...giveTraits(["Youth League member"], { className: "M1", count: 2 }),
        ...giveTraits(["Party member"], { numbers: ["T26001"], count: 1 }),
        ...giveTraits(["Household registration at the school"], {
            numbers: ["T26001", "T26004"],
            count: 2,
        }),
        ...giveTraits(["Lives off campus", "Goes on to a bachelor's degree"], {
            numbers: ["T26003"],
            count: 1,
        }),
        ...makeFeeds(),
        ...makeStations(),
        ...makeSession(),
        ...detailSteps(),
        ...drawMap(),
        ...check(),
        ...simulate(),
        ...open(),
    ],
});
