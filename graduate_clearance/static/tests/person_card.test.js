import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";

import { PersonCard } from "@graduate_clearance/person/person_card";

defineMailModels();

const PERSON = {
    name: "Ada Lovelace King",
    student_number: "T26001",
    gender: "Female",
    college: "Mechanics",
    class: "M1",
    room: "North-0101",
    major: "",
    level: "Undergraduate",
    id_number: "990***01X",
    earlier_year: false,
    graduation_year: 2026,
    photo: false,
};

function mountCard(person = {}, form = {}) {
    return mountWithCleanup(PersonCard, {
        props: { person: { ...PERSON, ...person }, form: { form_state: "open", ...form } },
    });
}

test("who it is, without what is not known", async () => {
    await mountCard({}, { session: { id: 1, name: "2026", state: "open" } });
    expect(".o_clearance_person_name").toHaveText("Ada Lovelace King");
    expect(".o_clearance_person_number").toHaveText("T26001");
    expect(queryAllTexts(".o_clearance_person_details > div")).toEqual([
        "Sex\nFemale",
        "Level\nUndergraduate",
        "College\nMechanics",
        "Class\nM1",
        "Room\nNorth-0101",
        "ID number\n990***01X",
        "Session\n2026",
    ]);
});

test("initials stand in for a photo", async () => {
    await mountCard();
    expect(".o_clearance_person_initials").toHaveText("AL");
    expect(".o_clearance_person img").toHaveCount(0);
});

test("a photo has the name as its text", async () => {
    await mountCard({ photo: "/web/static/img/placeholder.png" });
    expect(".o_clearance_person img").toHaveAttribute("alt", "Ada Lovelace King");
    expect(".o_clearance_person_initials").toHaveCount(0);
});

test("each state of a form has its word and colour", async () => {
    for (const [state, word] of [
        ["open", "In progress"],
        ["cleared", "Cleared"],
        ["deferred", "Cleared with deferral"],
        ["withdrawn", "Withdrawn"],
    ]) {
        await mountCard({}, { form_state: state });
        expect(`.o_clearance_person:last .o_clearance_state_${state}`).toHaveText(word);
    }
});

test("an earlier year is marked", async () => {
    await mountCard({ earlier_year: true, graduation_year: 2025 });
    expect(".o_clearance_person_earlier").toHaveText("Of an earlier year: 2025");
});
