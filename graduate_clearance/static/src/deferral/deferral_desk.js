import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useBus, useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillDestroy, onWillStart, useExternalListener, useState } from "@odoo/owl";

import { PersonCard } from "../person/person_card";
import { ClearanceRecord } from "../record_field/clearance_record";
import { DeferralSearch } from "./deferral_search";
import { DeferralStep } from "./deferral_step";
import { describeDeferral, getRestriction } from "./deferral_words";
import { LiftDialog } from "./lift_dialog";
import { RestoreDialog } from "./restore_dialog";

const MODEL = "clearance.deferral";

/** Rows on a page of the list. */
const PAGE = 40;

/** Milliseconds to wait after the note of a change, so that none is lost; up to half as much again at random. */
const REFRESH = 2000;

/**
 * The desk of deferral officers (缓交办理点), in three panes: find a graduate, lift or
 * restore the restriction of a step, see the whole record.
 */
export class DeferralDesk extends Component {
    static template = "graduate_clearance.DeferralDesk";
    static components = { ClearanceRecord, DeferralSearch, DeferralStep, PersonCard };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.searches = new KeepLast();
        this.visits = new KeepLast();
        this.pageSize = PAGE;
        this.options = { sessions: [], reasons: [] };
        this.state = useState({
            filters: { query: "", lifted: false, sessionId: false, offset: 0 },
            list: { rows: [], count: 0, more: false, isLoading: true },
            graduate: null,
            announcement: "",
            isListOpen: true,
            focus: 0,
        });
        Object.assign(this.state.filters, this.props.state?.filters);
        this.bindBus();
        useExternalListener(document, "keydown", (ev) => this.onKeydown(ev));
        useSetupAction({
            getLocalState: () => ({
                filters: { ...this.state.filters },
                formId: this.state.graduate?.form_id,
            }),
        });
        onWillStart(() => this.start());
    }

    bindBus() {
        const bus = useService("bus_service");
        const onChanged = ({ session_id }) => {
            if (session_id === this.state.graduate?.session.id) {
                this.refreshSoon();
            }
        };
        bus.subscribe("clearance.changed", onChanged);
        bus.start();
        useBus(bus, "BUS:RECONNECT", () => this.refreshSoon());
        onWillDestroy(() => {
            bus.unsubscribe("clearance.changed", onChanged);
            clearTimeout(this.refreshTimer);
        });
    }

    async start() {
        const formId =
            this.props.state?.formId ||
            this.props.resId ||
            this.props.action.context?.clearance_form_id;
        const [options] = await Promise.all([
            this.orm.call(MODEL, "get_setup"),
            this.search({}),
            formId && this.restoreGraduate(formId),
        ]);
        this.options = options;
    }

    /** An address or another screen has asked for this graduate: there may be none any more. */
    async restoreGraduate(formId) {
        try {
            await this.open(formId);
        } catch {
            this.notification.add(_t("This graduate cannot be shown."), { type: "warning" });
        }
    }

    // -- finding ---------------------------------------------------------------

    async search(filters) {
        Object.assign(this.state.filters, filters);
        const { query, lifted, sessionId, offset } = this.state.filters;
        this.state.list.isLoading = true;
        try {
            const page = await this.searches.add(
                this.orm.call(MODEL, "search_graduates", [], {
                    query,
                    lifted,
                    session_id: sessionId,
                    offset,
                    limit: PAGE,
                })
            );
            this.state.list = { ...page, isLoading: false };
            return this.state.list;
        } catch (error) {
            this.state.list.isLoading = false;
            throw error;
        }
    }

    async open(formId) {
        const graduate = await this.visits.add(this.orm.call(MODEL, "get_graduate", [formId]));
        this.show(graduate);
        this.state.isListOpen = false;
    }

    show(graduate) {
        this.state.graduate = graduate;
        this.state.announcement = `${graduate.person.student_number} ${graduate.person.name}`;
        this.props.updateActionState?.({ resId: graduate.form_id });
    }

    refreshSoon() {
        if (!this.refreshTimer && this.state.graduate) {
            const delay = REFRESH * (1 + Math.random() / 2);
            this.refreshTimer = setTimeout(() => this.refresh(), delay);
        }
    }

    async refresh() {
        this.refreshTimer = null;
        const { form_id } = this.state.graduate;
        const graduate = await this.visits.add(
            this.orm.silent.call(MODEL, "get_graduate", [form_id])
        );
        if (this.state.graduate.form_id === form_id) {
            this.state.graduate = graduate;
        }
    }

    // -- lifting and restoring -------------------------------------------------

    get who() {
        const { person } = this.state.graduate;
        return `${person.student_number} ${person.name}`;
    }

    openLift(step) {
        this.dialog.add(LiftDialog, {
            name: this.who,
            statusId: step.status_id,
            steps: this.state.graduate.steps.filter(({ can_lift }) => can_lift),
            reasons: this.options.reasons,
            lift: async (key, values) => {
                const answer = await this.orm.call(MODEL, "lift", [], { key, ...values });
                this.tell(answer, _t("The restriction is lifted."));
            },
        });
    }

    openRestore(step) {
        this.dialog.add(RestoreDialog, {
            name: this.who,
            step,
            restore: async (key, reason) => {
                const answer = await this.orm.call(MODEL, "restore", [], {
                    key,
                    override_ids: [step.lifted.id],
                    reason,
                });
                this.tell(answer, _t("The step restricts again."));
            },
        });
    }

    /** Show what has become of it, on the page and in words. */
    tell({ outcomes, graduate }, success) {
        const steps = new Map(
            this.state.graduate.steps.map(({ status_id, step }) => [status_id, step])
        );
        const refused = outcomes.filter(({ code }) => code !== "done");
        if (refused.length) {
            const lines = refused.map(({ id, message }) =>
                [steps.get(id), message].filter(Boolean).join(": ")
            );
            this.notification.add(lines.join("\n"), { type: "warning", sticky: true });
        } else {
            this.notification.add(success, { type: "success" });
        }
        if (graduate) {
            this.show(graduate);
            this.state.announcement = refused.length ? "" : success;
            this.updateRow(graduate);
        }
    }

    /** The list shows it at once; it is not searched again under the officer's hands. */
    updateRow(graduate) {
        const row = this.state.list.rows.find(({ form_id }) => form_id === graduate.form_id);
        if (row) {
            row.lifted = graduate.steps.filter((step) => getRestriction(step) === "lifted").length;
            row.form_state = graduate.form_state;
        }
    }

    /** Steps that restrict, or would but for a deferral; and those with nothing left to lift. */
    get steps() {
        const { steps } = this.state.graduate;
        return {
            open: steps.filter((step) => getRestriction(step) !== "none"),
            free: steps.filter((step) => getRestriction(step) === "none"),
        };
    }

    get history() {
        return this.state.graduate.history.map(describeDeferral);
    }

    // -- the page --------------------------------------------------------------

    onKeydown(ev) {
        const isEditable = ev.target.closest?.("input, textarea, select, [contenteditable=true]");
        if (ev.key === "/" && !isEditable && !ev.target.closest?.(".o_dialog, .modal")) {
            ev.preventDefault();
            this.showList();
        }
    }

    showList() {
        this.state.isListOpen = true;
        this.state.focus++;
    }

    openDeferrals() {
        return this.action.doAction("graduate_clearance.clearance_override_action");
    }
}

registry.category("actions").add("graduate_clearance.deferral", DeferralDesk);
