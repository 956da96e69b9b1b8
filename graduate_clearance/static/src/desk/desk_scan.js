import { Component, useState } from "@odoo/owl";

import { SCAN_RESULTS } from "./desk_words";

function decorate(scan) {
    const who = [scan.number, scan.name].filter(Boolean).join(" ");
    return { ...scan, ...SCAN_RESULTS[scan.result], who };
}

/**
 * What the last scan came to, large enough to be seen in passing.
 *
 * Without the fast mode only what went wrong; what went right stands below.
 */
export class ScanResult extends Component {
    static template = "graduate_clearance.ScanResult";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
    }

    get last() {
        const waiting = this.model.waitingScans.at(-1);
        const scan = waiting || this.model.scans[0];
        return scan ? decorate(scan) : null;
    }

    get steps() {
        const chosen = this.model.fastStepIds;
        return this.model.stationSteps.map((step) => ({
            ...step,
            isChosen: chosen.includes(step.id),
        }));
    }
}

/** The last scans with what became of them; each can be taken back. */
export class ScanList extends Component {
    static template = "graduate_clearance.ScanList";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
    }

    get scans() {
        const waiting = [...this.model.waitingScans].reverse();
        return [...waiting, ...this.model.scans].map(decorate);
    }

    async open(scan) {
        if (scan.formId) {
            await this.model.tryOpen(scan.formId);
        }
    }
}
