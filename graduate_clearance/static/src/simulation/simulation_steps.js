import { _t } from "@web/core/l10n/translation";

import { Component } from "@odoo/owl";

import { describeWave, formatCount, MODES } from "./simulation_words";

/** How many desks of a step are shown before the rest is folded. */
const SHOWN = 3;

/** Which steps the graduates of a scope have, from which desks, in what earliest order. */
export class SimulationSteps extends Component {
    static template = "graduate_clearance.SimulationSteps";
    static props = {
        /** see `clearance.simulation.get_steps` */
        data: Object,
        openGraduates: Function,
        openRecord: Function,
        openSession: Function,
    };

    /** Steps by the wave that most of their graduates reach them in; those of nobody come last. */
    get waves() {
        const groups = new Map();
        for (const step of this.props.data.steps) {
            const key = step.count ? String(step.usual) : "nobody";
            if (!groups.has(key)) {
                groups.set(key, {
                    key,
                    label: step.count ? describeWave(step.usual) : _t("Nobody has these"),
                    steps: [],
                });
            }
            groups.get(key).steps.push(this.prepare(step));
        }
        return [...groups.values()];
    }

    prepare(step) {
        const desks = step.desks.map((desk) => ({
            ...desk,
            key: desk.id || 0,
            number: formatCount(desk.count),
        }));
        return {
            ...step,
            who: MODES[step.mode],
            number: formatCount(step.count),
            latestText: step.latest > step.usual ? _t("at the latest in wave %s", step.latest) : "",
            waitsFor: step.waits_for.join(", "),
            shown: desks.length > SHOWN + 1 ? desks.slice(0, SHOWN) : desks,
            folded: desks.length > SHOWN + 1 ? desks.slice(SHOWN) : [],
        };
    }

    get headline() {
        return _t("%s graduates take part", formatCount(this.props.data.graduates));
    }
}
