import { _t } from "@web/core/l10n/translation";

import { Component } from "@odoo/owl";

import { formatCount, LEVELS, SECTIONS } from "./simulation_words";

/** What is in order and what is not, point by point; a point that has been mended turns green. */
export class SimulationChecklist extends Component {
    static template = "graduate_clearance.SimulationChecklist";
    static props = {
        /** see `clearance.simulation.get_checklist` */
        findings: Array,
        isLoading: Boolean,
        mayWrite: Boolean,
        recheck: Function,
        openFinding: Function,
    };

    count(level) {
        return this.props.findings.filter((finding) => finding.level === level).length;
    }

    get isReady() {
        return !this.count("error") && !this.count("warning");
    }

    get headline() {
        const done = this.count("ok");
        return _t("%(done)s of %(total)s in order", { done, total: this.props.findings.length });
    }

    /** What is left, in words: the headline does not hang on its colour. */
    get rest() {
        const parts = [];
        if (this.count("error")) {
            parts.push(_t("%s to mend", this.count("error")));
        }
        if (this.count("warning")) {
            parts.push(_t("%s to look at", this.count("warning")));
        }
        if (this.count("info")) {
            parts.push(_t("%s to note", this.count("info")));
        }
        return parts.join(" · ");
    }

    get sections() {
        return Object.entries(SECTIONS)
            .map(([name, label]) => ({
                name,
                label,
                findings: this.props.findings
                    .filter(({ section }) => section === name)
                    .map((finding) => ({
                        ...finding,
                        ...LEVELS[finding.level],
                        lines: finding.detail ? finding.detail.split("\n") : [],
                        number: finding.count ? formatCount(finding.count) : "",
                    })),
            }))
            .filter(({ findings }) => findings.length);
    }
}
