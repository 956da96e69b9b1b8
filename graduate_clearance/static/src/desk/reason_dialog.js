import { Dialog } from "@web/core/dialog/dialog";
import { useAutofocus } from "@web/core/utils/hooks";

import { Component, useState } from "@odoo/owl";

/** Why: a preset by click or arrow key, or own words.  Enter confirms. */
export class ReasonDialog extends Component {
    static template = "graduate_clearance.ReasonDialog";
    static components = { Dialog };
    static props = {
        title: String,
        subtitle: { type: String, optional: true },
        hint: { optional: true },
        label: String,
        presets: Array,
        onReason: Function,
        close: Function,
    };

    setup() {
        this.state = useState({ reason: "", isMissing: false });
        this.input = useAutofocus({ refName: "input" });
    }

    get chosen() {
        return this.props.presets.findIndex(({ name }) => name === this.state.reason);
    }

    choose(preset) {
        this.state.reason = preset.name;
        this.state.isMissing = false;
        this.input.el?.focus();
    }

    onKeydown(ev) {
        const { presets } = this.props;
        if (ev.isComposing) {
            return;
        }
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.confirm();
        } else if (["ArrowDown", "ArrowUp"].includes(ev.key) && presets.length) {
            ev.preventDefault();
            const step = ev.key === "ArrowDown" ? 1 : -1;
            const from = this.chosen < 0 && step < 0 ? 0 : this.chosen;
            this.choose(presets[(from + step + presets.length) % presets.length]);
        }
    }

    confirm() {
        const reason = this.state.reason.trim();
        if (!reason) {
            this.state.isMissing = true;
            this.input.el?.focus();
            return;
        }
        this.props.close();
        this.props.onReason(reason);
    }
}
