import { _t } from "@web/core/l10n/translation";

import { Component } from "@odoo/owl";

import { formatCount } from "./simulation_words";

/** Which desks the graduates of a scope go to, and how much an operator has to do there. */
export class SimulationStations extends Component {
    static template = "graduate_clearance.SimulationStations";
    static props = {
        /** see `clearance.simulation.get_stations` */
        data: Object,
        openGraduates: Function,
        openRecord: Function,
        openSession: Function,
    };

    get rows() {
        const { stations, most } = this.props.data;
        return stations.map((station) => ({
            ...station,
            number: formatCount(station.count),
            load: formatCount(Math.round(station.per_day)),
            isBusy: station.per_day > most,
            hasNobody: station.needs_operator && !station.operators.length,
            reckoning: _t(
                "Graduates: %(heads)s, operators: %(operators)s, working days: %(days)s",
                {
                    heads: formatCount(station.heads),
                    operators: station.operators.length,
                    days: station.days,
                }
            ),
            people: station.operators.join(", "),
            what: station.steps
                .map(({ name, count }) => `${name} (${formatCount(count)})`)
                .join(" · "),
        }));
    }

    get explanation() {
        return _t(
            "A day: graduates who see an operator there, for each operator and each working day. More than %s a day is too many: that would be one every four minutes of eight hours.",
            this.props.data.most
        );
    }
}
