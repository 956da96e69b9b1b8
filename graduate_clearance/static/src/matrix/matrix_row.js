import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";

import { LEGEND } from "../legend/legend";
import { MatrixModel } from "./matrix_model";

/** One graduate: a tick box, who it is, and a cell for each step. */
export class MatrixRow extends Component {
    static template = "graduate_clearance.MatrixRow";
    static props = {
        row: Object,
        steps: Array,
        isTicked: Boolean,
        canTick: Boolean,
        stepId: [Number, Boolean],
        focusColumn: Number,
    };

    get tickLabel() {
        return _t("Tick %s", this.props.row.name);
    }

    get nameTitle() {
        const { labels, name, number } = this.props.row;
        return _t("%s: open graduate", [number, name, ...labels].filter(Boolean).join(" · "));
    }

    get subtitle() {
        const { labels, number } = this.props.row;
        return { number, more: labels.filter(Boolean).join(" · ") };
    }

    get cells() {
        const { row, stepId, steps } = this.props;
        return steps.map((step) => {
            const cell = MatrixModel.readCell(row.cells[step.id]);
            const isBlank = !cell || cell.state === "not_required";
            return {
                step,
                isBlank,
                state: cell?.state,
                isBlocked: !isBlank && cell.isBlocked && !cell.isLifted,
                isLifted: !isBlank && cell.isLifted,
                label: this.getLabel(step, cell),
                className: [
                    step.isFirst && "o_clearance_matrix_first",
                    step.mine && "o_clearance_matrix_own",
                    step.id === stepId && "o_clearance_matrix_chosen",
                ]
                    .filter(Boolean)
                    .join(" "),
            };
        });
    }

    getLabel(step, cell) {
        const words = [cell ? LEGEND[cell.state] : LEGEND.not_required];
        if (cell?.isBlocked) {
            words.push(_t("waits for another step"));
        }
        if (cell?.isLifted) {
            words.push(LEGEND.lifted);
        }
        return _t("%(step)s: %(state)s", { step: step.name, state: words.join(", ") });
    }
}
