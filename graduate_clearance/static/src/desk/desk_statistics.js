import { Component, useState } from "@odoo/owl";

import { LEGEND } from "../legend/legend";
import { formatPercent, formatTime } from "./desk_words";

/** How far the station and each of its steps are; earlier years stand in brackets. */
export class DeskStatistics extends Component {
    static template = "graduate_clearance.DeskStatistics";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
        this.state = useState({ isLoading: false });
    }

    get asOf() {
        return formatTime(this.model.statistics?.as_of);
    }

    get lines() {
        const { statistics, station } = this.model;
        if (!statistics) {
            return [];
        }
        return [
            this.getLine("station", station.name, statistics.station),
            ...statistics.steps.map((step) => this.getLine(step.step_id, step.name, step)),
        ];
    }

    getLine(key, name, figures) {
        const { due, due_earlier, open, open_earlier, done, submitted, rejected, rate } = figures;
        return {
            key,
            name,
            isStation: key === "station",
            due: this.bracket(due, due_earlier),
            open: this.bracket(open, open_earlier),
            done,
            percent: formatPercent(rate),
            width: Math.min(100, rate),
            more: [
                submitted && `${LEGEND.submitted} ${submitted}`,
                rejected && `${LEGEND.rejected} ${rejected}`,
            ]
                .filter(Boolean)
                .join(", "),
        };
    }

    bracket(count, earlier) {
        return earlier ? `${count} (${earlier})` : `${count}`;
    }

    async refresh() {
        this.state.isLoading = true;
        try {
            await this.model.refreshStatistics();
        } finally {
            this.state.isLoading = false;
        }
    }

    toggle() {
        this.model.set("folded", !this.model.settings.folded);
    }
}
