import { isMacOS } from "@web/core/browser/feature_detection";
import { _t } from "@web/core/l10n/translation";
import { formatList } from "@web/core/l10n/utils/format_list";

import { Component, useState } from "@odoo/owl";

import { DECISIONS } from "./desk_words";
import { UNDO_SECONDS } from "./desk_model";

/** What was done last, and for some seconds the way back. */
export class UndoBar extends Component {
    static template = "graduate_clearance.UndoBar";
    static props = { model: Object };

    setup() {
        this.model = useState(this.props.model);
    }

    get text() {
        const { decision, steps, name } = this.model.undoable;
        return _t("%(done)s: %(steps)s — %(name)s", {
            done: DECISIONS[decision].done,
            steps: formatList(steps),
            name,
        });
    }

    get seconds() {
        return _t("(%s s)", this.model.undoable.seconds);
    }

    get shortcut() {
        return isMacOS() ? "Control+U" : "Alt+U";
    }

    get width() {
        return (100 * this.model.undoable.seconds) / UNDO_SECONDS;
    }
}
