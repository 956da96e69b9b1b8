import { _t } from "@web/core/l10n/translation";
import { formatList } from "@web/core/l10n/utils/format_list";

import { Component } from "@odoo/owl";

import { LEGEND, getLegend } from "../legend/legend";
import { describeDeferral, getRestriction } from "./deferral_words";

const RESTRICTIONS = {
    on: { icon: "fa fa-lock", label: _t("Restriction on") },
    lifted: { icon: "fa fa-unlock-alt", label: _t("Restriction lifted") },
    none: { icon: "fa fa-check", label: _t("No restriction") },
};

/** A step that restricts later ones: how it stands, and whether its restriction is lifted. */
export class DeferralStep extends Component {
    static template = "graduate_clearance.DeferralStep";
    static props = { step: Object, onLift: Function, onRestore: Function };

    get state() {
        const state = getLegend(this.props.step);
        return { state, label: LEGEND[state] };
    }

    get initial() {
        return _t("Initially: %s", LEGEND[this.props.step.initial_state]);
    }

    get deferral() {
        const { lifted } = this.props.step;
        return lifted && describeDeferral(lifted);
    }

    /** Icon and words for the restriction. */
    get restriction() {
        const name = getRestriction(this.props.step);
        return { name, ...RESTRICTIONS[name] };
    }

    get restricts() {
        return formatList(this.props.step.restricts, { style: "standard" });
    }

    get whyId() {
        return `o_clearance_why_${this.props.step.status_id}`;
    }
}
