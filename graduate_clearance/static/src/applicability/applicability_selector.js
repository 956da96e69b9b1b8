import { DomainSelector } from "@web/core/domain_selector/domain_selector";
import { ModelFieldSelectorPopover } from "@web/core/model_field_selector/model_field_selector_popover";
import { condition } from "@web/core/tree_editor/condition_tree";
import { sortBy } from "@web/core/utils/arrays";

/** What decides which steps a graduate has, the most frequent first. */
const FIRST = [
    "trait_ids",
    "college_id",
    "class_id",
    "level",
    "major",
    "graduation_year",
    "properties",
    "room_id",
];

/** What people look at besides; the rest is for the inside of the addon. */
const ALSO = [
    "student_number",
    "name",
    "gender",
    "supervisor_id",
    "counsellor_id",
    "graduation_state",
];

const isGraduate = (fieldDefs) => "trait_ids" in fieldDefs && "student_number" in fieldDefs;

/** Field names in the order of the list: those that matter first, then the others by label. */
export function sortGraduateFields(fieldDefs) {
    const names = sortBy(Object.keys(fieldDefs), (name) => fieldDefs[name].string);
    if (!isGraduate(fieldDefs)) {
        return names;
    }
    const first = FIRST.filter((name) => name in fieldDefs);
    return [...first, ...names.filter((name) => !first.includes(name))];
}

/**
 * Odoo's domain builder with the paths that decide about graduates in front.
 *
 * Bookkeeping of the addon is offered in developer mode only.
 */
export class ApplicabilitySelector extends DomainSelector {
    getDefaultCondition(fieldDefs) {
        return "trait_ids" in fieldDefs
            ? condition("trait_ids", "in", [])
            : super.getDefaultCondition(fieldDefs);
    }

    /** Who has been archived takes part nowhere. */
    getShowArchivedCheckBox() {
        return false;
    }

    getPathEditorInfo(resModel, defaultCondition) {
        const info = super.getPathEditorInfo(resModel, defaultCondition);
        return {
            ...info,
            extractProps: (params) => ({
                ...info.extractProps(params),
                sort: sortGraduateFields,
                filter: (fieldDef, path, model) =>
                    ModelFieldSelectorPopover.defaultProps.filter(fieldDef) &&
                    this.isOffered(fieldDef, model || resModel),
            }),
        };
    }

    isOffered(fieldDef, model) {
        return (
            this.props.isDebugMode ||
            model !== "clearance.student" ||
            fieldDef.is_property ||
            FIRST.includes(fieldDef.name) ||
            ALSO.includes(fieldDef.name)
        );
    }
}
