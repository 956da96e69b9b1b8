import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { formatInteger } from "@web/views/fields/formatters";
import { DomainField, domainField } from "@web/views/fields/domain/domain_field";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";
import { ApplicabilitySelector } from "./applicability_selector";

/**
 * Whom a step applies to, or who takes part in a session: Odoo's domain builder, and beneath it
 * the same in plain words and how many graduates it catches, at once.
 *
 * A step counts within the population of its session, a session within its campus.
 */
export class AppliesToField extends DomainField {
    static template = "graduate_clearance.AppliesToField";
    static components = { ...DomainField.components, DomainSelector: ApplicabilitySelector };

    setup() {
        this.keepLast = new KeepLast();
        this.asked = null;
        super.setup();
        Object.assign(this.state, { catch: null });
    }

    getResModel() {
        return "clearance.student";
    }

    /** What the server is asked: the domain as text, and within what it counts. */
    getQuestion(props = this.props) {
        const { data, resModel } = props.record;
        const ofSession = resModel === "clearance.session";
        // A session's own population is what is being edited, so it counts within the campus.
        return {
            student_domain: this.getDomain(props),
            session_id: ofSession ? false : data.session_id?.id || false,
            company_id: data.company_id?.id || false,
            college_id: data.college_id?.id || false,
        };
    }

    async checkProps(props = this.props) {
        const question = this.getQuestion(props);
        const text = JSON.stringify(question);
        if (text === this.asked) {
            return;
        }
        this.asked = text;
        let found;
        try {
            found = await this.keepLast.add(
                this.orm.silent.call("clearance.applicability", "get_catch", [], question)
            );
        } catch (error) {
            this.asked = null;
            found = { problem: error.data?.message || _t("The server cannot be reached.") };
        }
        this.state.catch = found;
        this.updateState({
            isValid: !found.problem,
            recordCount: found.count || 0,
            hasLimitedCount: false,
        });
    }

    get count() {
        const { session_id: session, college_id: college } = this.getQuestion();
        const numbers = {
            count: formatInteger(this.state.catch.count),
            total: formatInteger(this.state.catch.total),
        };
        if (college) {
            return _t("%(count)s of %(total)s graduates of this college", numbers);
        }
        if (session) {
            return _t("%(count)s of %(total)s graduates of this session", numbers);
        }
        return _t("%(count)s of %(total)s graduates of this campus", numbers);
    }

    onButtonClick() {
        this.addDialog(SelectCreateDialog, {
            title: _t("Graduates it applies to"),
            noCreate: true,
            multiSelect: false,
            resModel: "clearance.student",
            domain: this.state.catch.domain,
            context: this.getContext(),
        });
    }
}

export const appliesToField = {
    ...domainField,
    component: AppliesToField,
    displayName: _t("Graduates it applies to"),
    supportedTypes: ["char"],
};

registry.category("fields").add("clearance_applies_to", appliesToField);
