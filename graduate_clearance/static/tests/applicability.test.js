import { expect, test } from "@odoo/hoot";
import { queryAllTexts, queryOne, queryText } from "@odoo/hoot-dom";
import { Deferred, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { sortGraduateFields } from "@graduate_clearance/applicability/applicability_selector";

class Trait extends models.Model {
    _name = "clearance.trait";

    name = fields.Char();

    _records = [
        { id: 1, name: "Loan" },
        { id: 2, name: "Party member" },
    ];
}

class Student extends models.Model {
    _name = "clearance.student";

    student_number = fields.Char();
    name = fields.Char();
    major = fields.Char();
    name_initials = fields.Char();
    active = fields.Boolean();
    trait_ids = fields.Many2many({ relation: "clearance.trait", string: "Traits" });

    _views = { list: `<list><field name="name"/></list>` };
    _records = [
        { id: 1, name: "Zhang", active: true, trait_ids: [1] },
        { id: 2, name: "Li", active: true, trait_ids: [] },
    ];
}

class Session extends models.Model {
    _name = "clearance.session";

    name = fields.Char();
    student_domain = fields.Char();

    _records = [{ id: 7, name: "2026", student_domain: "[]" }];
}

class Step extends models.Model {
    _name = "clearance.step";

    name = fields.Char();
    session_id = fields.Many2one({ relation: "clearance.session" });
    college_id = fields.Many2one({ relation: "clearance.session" });
    student_domain = fields.Char();

    _records = [
        { id: 1, name: "Books", session_id: 7, student_domain: "[]" },
        { id: 2, name: "Loan", session_id: 7, student_domain: `[("trait_ids", "in", [1])]` },
    ];
}

defineMailModels();
defineModels([Trait, Student, Session, Step]);

const WORDS = ".o_clearance_applies_to_words";
const COUNT = ".o_clearance_applies_to_count";

/** What the server answers, by the domain it is asked about. */
function answerCatch({ student_domain }) {
    const everybody = student_domain === "[]";
    return {
        words: everybody ? "Everybody" : "Traits: Loan",
        problem: false,
        warnings: [],
        count: everybody ? 7653 : 312,
        total: 7653,
        domain: everybody ? [] : [["trait_ids", "in", [1]]],
    };
}

function mountStep(resId, readonly = false, answer = answerCatch) {
    onRpc("clearance.applicability", "get_catch", ({ kwargs }) => {
        expect.step(`${kwargs.student_domain} in ${kwargs.session_id}`);
        return answer(kwargs);
    });
    return mountView({
        resModel: "clearance.step",
        resId,
        type: "form",
        arch: `<form>
            <field name="name"/>
            <field name="session_id"/>
            <field name="college_id" invisible="1"/>
            <field name="student_domain" widget="clearance_applies_to" readonly="${readonly ? 1 : 0}"/>
        </form>`,
    });
}

test("a step says whom it applies to, and how many of the session that are", async () => {
    await mountStep(2);
    await animationFrame();
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
    expect(queryText(WORDS)).toInclude("Traits: Loan");
    expect(queryText(COUNT)).toBe("312 of 7,653 graduates of this session");
    expect(".o_tree_editor_condition").toHaveCount(1);
});

test("a new rule asks for traits, and is counted at once", async () => {
    await mountStep(1);
    await animationFrame();
    expect(queryText(WORDS)).toInclude("Everybody");
    await contains(".o_clearance_applies_to a:contains(New Rule)").click();
    await animationFrame();
    expect(".o_tree_editor_condition .o_model_field_selector").toHaveText("Traits");
    expect(queryText(COUNT)).toBe("312 of 7,653 graduates of this session");
    expect.verifySteps(["[] in 7", `[("trait_ids", "in", [])] in 7`]);
});

test("the same question is asked once", async () => {
    await mountStep(1);
    await animationFrame();
    await contains(".o_field_widget[name=name] input").edit("Return books");
    await animationFrame();
    expect.verifySteps(["[] in 7"]);
});

test("of two answers the one to the last question counts", async () => {
    const slow = new Deferred();
    await mountStep(1, false, async (asked) => {
        if (asked.student_domain === "[]") {
            await slow;
        }
        return answerCatch(asked);
    });
    expect(queryText(".o_clearance_applies_to")).toInclude("Counting");
    await contains(".o_clearance_applies_to a:contains(New Rule)").click();
    await animationFrame();
    slow.resolve();
    await animationFrame();
    expect(queryText(WORDS)).toInclude("Traits: Loan");
    expect.verifySteps(["[] in 7", `[("trait_ids", "in", [])] in 7`]);
});

test("what is wrong is said where it is edited", async () => {
    await mountStep(2, false, () => ({
        words: "Not valid",
        problem: "there is no field “nope” of graduates.",
        warnings: [],
    }));
    await animationFrame();
    expect(`${WORDS} [role=alert]`).toHaveText("there is no field “nope” of graduates.");
    expect(COUNT).toHaveCount(0);
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("codes that nothing has are warned about", async () => {
    await mountStep(2, false, (asked) => ({
        ...answerCatch(asked),
        count: 0,
        warnings: ["Trait: nothing has the code “lone”, so this catches nobody."],
    }));
    await animationFrame();
    expect(queryAllTexts(`${WORDS} [role=alert]`)).toEqual([
        "Trait: nothing has the code “lone”, so this catches nobody.",
    ]);
    expect(queryOne(COUNT)).toHaveProperty("disabled", true);
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("a server that does not answer leaves the form usable", async () => {
    await mountStep(2, false, () => {
        throw makeServerError({ message: "Out of order" });
    });
    await animationFrame();
    expect(queryText(WORDS)).toBe("Out of order");
    expect(".o_tree_editor_condition").toHaveCount(1);
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("the figure opens the graduates", async () => {
    await mountStep(2);
    await animationFrame();
    await contains(COUNT).click();
    await animationFrame();
    expect(queryAllTexts(".modal .o_data_row")).toEqual(["Zhang"]);
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("who only reads sees words and figure, without a builder", async () => {
    await mountStep(2, true);
    await animationFrame();
    expect(".o_tree_editor").toHaveCount(0);
    expect(queryText(WORDS)).toInclude("Traits: Loan");
    expect(queryText(COUNT)).toBe("312 of 7,653 graduates of this session");
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("a session counts within its campus", async () => {
    onRpc("clearance.applicability", "get_catch", ({ kwargs }) => {
        expect.step(`${kwargs.session_id}`);
        return answerCatch(kwargs);
    });
    await mountView({
        resModel: "clearance.session",
        resId: 7,
        type: "form",
        arch: `<form><field name="student_domain" widget="clearance_applies_to"/></form>`,
    });
    await animationFrame();
    expect(queryText(COUNT)).toBe("7,653 of 7,653 graduates of this campus");
    expect.verifySteps(["false"]);
});

test("fields that matter come first, bookkeeping is not offered", async () => {
    await mountStep(2);
    await animationFrame();
    await contains(".o_model_field_selector").click();
    await animationFrame();
    const offered = queryAllTexts(".o_model_field_selector_popover_item_name");
    expect(offered.slice(0, 2)).toEqual(["Traits", "Major"]);
    expect(offered).not.toInclude("Name initials");
    expect(offered).not.toInclude("Active");
    expect.verifySteps([`[("trait_ids", "in", [1])] in 7`]);
});

test("fields of other models stay in the order of their labels", () => {
    expect(sortGraduateFields({ b: { string: "A" }, a: { string: "B" } })).toEqual(["b", "a"]);
    const student = { name: { string: "A" }, student_number: { string: "N" } };
    expect(sortGraduateFields({ ...student, trait_ids: { string: "Z" } })[0]).toBe("trait_ids");
});
